# Records this machine's own tracepoints and takes many snapshots under load. Each snapshot is
# complete, and those that overlap agree.
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

TOOL, SNAPSHOTS = sys.argv[1], 25


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def lines_of(path, folder):
    """Verifies a file. Returns its events, in the order of the file."""
    verify = subprocess.run([TOOL, "verify", path], capture_output=True, text=True)
    if verify.returncode:
        sys.exit(f"{path} does not verify: {verify.stdout}{verify.stderr}")
    export = subprocess.run(
        [TOOL, "export", "-f", "json", "-o", "-", path], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in export.stdout.splitlines()]


if os.geteuid() != 0:
    skip("only root can record the machine")
if "--inside" not in sys.argv:
    # tracefs may have to be mounted, which processes outside the test should not see.
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
    if probe.returncode:
        skip("a mount namespace cannot be created: " + probe.stderr.strip())
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv, "--inside"])
if (
    not os.path.isdir("/sys/kernel/tracing/events")
    and subprocess.run(
        ["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], stderr=subprocess.DEVNULL
    ).returncode
):
    skip("no tracefs on this machine")

with tempfile.TemporaryDirectory(prefix="frec-record-") as folder:
    out, socket = os.path.join(folder, "out"), os.path.join(folder, "socket")
    errors = open(os.path.join(folder, "errors"), "w+")
    recorder = subprocess.Popen(
        [
            TOOL,
            "record",
            "-e",
            "sched:sched_switch",
            "--ring-size",
            "1M",
            "--cooldown",
            "0",
            "--socket",
            socket,
            "-o",
            out,
        ],
        stderr=errors,
    )
    for _ in range(1000):
        if os.path.exists(socket) or recorder.poll() is not None:
            break
        time.sleep(0.02)
    if recorder.poll() is not None:
        errors.seek(0)
        why = errors.read()
        # Skip only if the container or the kernel forbids recording. Other errors are failures.
        if "no right to record" in why or "CONFIG_PERF_EVENTS" in why:
            skip(why.strip())
        sys.exit("the recorder did not start: " + why)
    # Pairs of processes that pass a byte back and forth, to cause as many switches as possible.
    load = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import os\na,b=os.pipe()\nc,d=os.pipe()\nx=os.fork()\n"
                "while 1:"
                " (os.write(b,b'.'),os.read(c,1)) if x else (os.read(a,1),os.write(d,b'.'))",
            ],
            start_new_session=True,
        )
        for _ in range(2)
    ]
    try:
        for number in range(SNAPSHOTS):
            recorder.send_signal(signal.SIGUSR2)
            for _ in range(1000):
                if len([n for n in os.listdir(out) if n.endswith(".frec")]) > number:
                    break
                time.sleep(0.01)
    finally:
        for process in load:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        recorder.terminate()
        status = recorder.wait()
    errors.seek(0)
    if status:
        sys.exit(f"the recorder ended with {status}: {errors.read()}")
    paths = sorted(
        (os.path.join(out, n) for n in os.listdir(out)), key=lambda p: os.stat(p).st_mtime_ns
    )
    if len(paths) != SNAPSHOTS or not all(p.endswith(".frec") for p in paths):
        sys.exit(f"{len(paths)} files of {SNAPSHOTS}: {paths} {errors.read()}")

    before, shared = {}, 0
    for path in paths:
        cpus = {}
        for event in lines_of(path, folder):
            if event["event"] == "sched:sched_switch":
                # Names are left out, because they come from the process table at the time of the
                # snapshot and may change.
                raw = {
                    key: value for key, value in event.items() if key not in ("process", "thread")
                }
                cpus.setdefault(event["cpu"], []).append(json.dumps(raw, sort_keys=True))
        if not cpus:
            sys.exit(f"{path} has no switch")
        for cpu, events in cpus.items():
            earlier = before.get(cpu, [])
            # If the later file begins within the earlier one, both have the same events from there
            # to the earlier one's end.
            if events[0] in earlier:
                common = earlier[earlier.index(events[0]) :]
                for older, younger in zip(common, events):
                    if older != younger:
                        sys.exit(
                            f"CPU {cpu}: {path} and the one before do not agree:\n"
                            f"{older}\n{younger}"
                        )
                if len(events) < len(common):
                    sys.exit(f"CPU {cpu}: {path} ends before the one before")
                shared += len(common)
        before = cpus
    print(f"{len(paths)} snapshots verify; {shared} events are in two of them and agree")
    if not shared:
        # On a fast machine, each snapshot may begin after the end of the one before.
        skip("no two snapshots overlap")
