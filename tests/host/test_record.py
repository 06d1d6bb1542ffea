# flightrec record on this machine's own tracepoints: many snapshots under load, each whole, and those that overlap agree.
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
    """What one file holds: per CPU its coverage, and the events in the order of the file."""
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
    # tracefs may not be mounted here; mounting it is nobody's business outside.
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
    if probe.returncode:
        skip("no mount namespace of our own: " + probe.stderr.strip())
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
        # A container can forbid it; nothing else may.
        if "no right to record" in why or "CONFIG_PERF_EVENTS" in why:
            skip(why.strip())
        sys.exit("the recorder did not start: " + why)
    # Pairs that hand a byte back and forth as fast as they can: nothing but switches.
    load = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import os\na,b=os.pipe()\nc,d=os.pipe()\nx=os.fork()\n"
                "while 1: (os.write(b,b'.'),os.read(c,1)) if x else (os.read(a,1),os.write(d,b'.'))",
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
                # Names are those that the process table knew at the time of the snapshot; they may change.
                raw = {
                    key: value for key, value in event.items() if key not in ("process", "thread")
                }
                cpus.setdefault(event["cpu"], []).append(json.dumps(raw, sort_keys=True))
        if not cpus:
            sys.exit(f"{path} holds no switch")
        for cpu, events in cpus.items():
            earlier = before.get(cpu, [])
            # Where the later file begins within the earlier one, both hold the same from there to the earlier one's end.
            if events[0] in earlier:
                common = earlier[earlier.index(events[0]) :]
                for older, younger in zip(common, events):
                    if older != younger:
                        sys.exit(
                            f"CPU {cpu}: {path} and the one before do not agree:\n{older}\n{younger}"
                        )
                if len(events) < len(common):
                    sys.exit(f"CPU {cpu}: {path} ends before the one before")
                shared += len(common)
        before = cpus
    print(f"{len(paths)} snapshots verify; {shared} events are in two of them and agree")
    if not shared:
        # On a fast machine every snapshot can begin after the last one's end; agreement is then not tested.
        skip("no two snapshots overlap")
