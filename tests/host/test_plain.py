# A recorder without any right to watch the kernel: services write their events into its memory, and
# pidfds report how the services end.
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))
from kit import (
    TOOL,
    check,
    done,
    events,
    folder,
    keepers,
    kill_keepers,
    report,
    snapshots,
    tool,
    verify,
    wait_for,
)  # noqa: E402

EMITTER, SERVICE = sys.argv[1:3]
COUNT = 40
USUAL = ["-e", "test:*", "--ring-size", "256K"]


def steps(path):
    return [
        (e["fields"]["process"], e["fields"]["number"])
        for e in events(path)
        if e["event"] == "test:step"
    ]


def ten(*processes):
    return [(p, n) for p in processes for n in range(1, 11)]


def one_file(out, what, seconds=10):
    files = wait_for(lambda: snapshots(out), seconds)
    if not check(len(files) == 1, f"one snapshot {what} {files}"):
        return None
    verify(files[0])
    return files[0]


def lines_ok(text):
    for line in text.splitlines():
        if line.startswith(("ok", "FAILED")):
            check(line.startswith("ok"), line)


def run(*command, **options):
    out = folder()
    result = tool("run", *USUAL, "-o", out, "--", *command, **options)
    return result, out


check(
    os.geteuid() != 0 or os.stat("/proc/self/ns/user").st_ino != 4026531837,
    "this runs without rights",
)

print("== every end under run", flush=True)
for how, number in (
    ("segv", signal.SIGSEGV),
    ("wild", signal.SIGSEGV),
    ("overflow", signal.SIGSEGV),
    ("bus", signal.SIGBUS),
    ("ill", signal.SIGILL),
    ("fpe", signal.SIGFPE),
    ("abort", signal.SIGABRT),
    ("trap", signal.SIGTRAP),
    ("sys", signal.SIGSYS),
    ("kill", signal.SIGKILL),
):
    result, out = run(EMITTER, "-t", 2, "-n", COUNT, how)
    check(
        result.returncode == 128 + number,
        f"{how} exits with 128 + {number} ({result.returncode}) {result.stderr[-200:]}",
    )
    path = one_file(out, how)
    if not path:
        continue
    expected = [
        {
            "thread": t,
            "sequence": n,
            "text": "x" * 16,
            "negative": -(n % 1000),
            "ratio": n / 4,
            "phase": "PHASE_HOT" if n % 2 else "PHASE_WARM",
            "odd": n % 2 == 1,
            "where": f"0x{t}",
        }
        for t in range(2)
        for n in range(1, COUNT + 1)
    ]
    found = sorted(
        (e["fields"] for e in events(path) if e["event"] == "test:tick"),
        key=lambda f: (f["thread"], f["sequence"]),
    )
    check(
        found == expected,
        "every field of every event has the emitted value "
        f"{[p for p in zip(found, expected) if p[0] != p[1]][:1]}",
    )
    told = report(path)
    crash = told["crash"]
    check(
        crash["signal"] == signal.Signals(number).name
        and crash["process"] == "emitter"
        and EMITTER in crash["cmdline"][0],
        f"the report names signal, process and command line {crash}",
    )
    check(
        told["transports"] == ["shm"] and not told["kernel_watched"],
        "the report names the transport",
    )
    check(
        not {"tid", "code", "address", "registers", "stack", "sender_pid"} & set(crash),
        f"the report has nothing that is unknown {crash}",
    )
check("without the right to watch the kernel" in tool("show", path).stdout, "show says why")

result, out = run(EMITTER, "-n", COUNT, "exit")
path = one_file(out, "of exit status 3")
check(
    result.returncode == 3 and path and report(path)["crash"]["exit_status"] == 3,
    f"run exits with the status {result.returncode}",
)
result, out = run(EMITTER, "-n", COUNT, "ok")
check(result.returncode == 0 and not snapshots(out), "exit status 0 leaves no snapshot")

print("== threads that live for a while have their names", flush=True)
result, out = run(EMITTER, "-t", 2, "-n", 400, "-w", 5000, "abort")
path = one_file(out, "")
if path:
    check(
        {e["thread"] for e in events(path) if e["event"] == "test:tick"} == {"emit-0", "emit-1"},
        "the names come from /proc",
    )

print("== options that need the kernel are refused", flush=True)
for options, word in (
    (["-e", "sched:sched_switch"], "sched:sched_switch"),
    (["--transport", "user_events"], "user_events"),
    (["--transport", "usdt"], "usdt"),
):
    result = tool("run", *options, "--", "/bin/true")
    check(
        result.returncode == 1 and result.stderr.count("\n") == 1 and word in result.stderr,
        f"{word}: {result.stderr.strip()}",
    )
result = tool("record", "-e", "test:*")
check(
    result.returncode == 1 and result.stderr.count("\n") == 1,
    f"record without --listen: {result.stderr.strip()}",
)

print("== children", flush=True)
result, out = run(SERVICE, "forks", 100)
lines_ok(result.stdout)
path = one_file(out, "of forks")
if path:
    check(
        sorted(steps(path)) == ten(*range(101)),
        f"the file has all events of 100 children and their parent {len(steps(path))}",
    )
    check(
        len({e["pid"] for e in events(path) if e["event"] == "test:step"}) == 101,
        "each process has its own pid",
    )
out = folder()
process = subprocess.Popen(
    [TOOL, "run", *USUAL, "-o", out, "--", SERVICE, "child"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
)
check(process.stdout.readline() == "a child crashed\n", "a child crashes while its parent lives")
path = one_file(out, "of the child")
process.communicate("\n")
check(
    process.returncode == 0 and len(snapshots(out)) == 1,
    "the parent exits with 0 and adds no snapshot",
)
if path:
    crash = report(path)["crash"]
    check(
        crash["signal"] == "SIGSEGV"
        and crash["process"] == "plain_service"
        and steps(path) == ten(1),
        f"the signal is known, although the recorder is not the child's parent {crash}",
    )

print("== a wild write", flush=True)
result, out = run(SERVICE, "wild")
path = one_file(out, "of a service that went on")
check(result.returncode == 3 and path, f"without --guard the write succeeds ({result.returncode})")
if " pku" in open("/proc/cpuinfo").read():
    out = folder()
    result = tool("run", "--guard", *USUAL, "-o", out, "--", SERVICE, "wild")
    path = one_file(out, "of a service that was stopped")
    check(
        result.returncode == 128 + signal.SIGSEGV,
        f"with --guard it ends the service ({result.returncode})",
    )
    check(path and steps(path) == ten(1), "the events are undamaged")

print("== exec", flush=True)
result, out = run(SERVICE, "exec", "abort")
lines_ok(result.stdout)
path = one_file(out, "of exec")
if path:
    check(steps(path) == ten(1, 2), "both images are recorded")
result, out = run(SERVICE, "closed", "exit")
lines_ok(result.stdout)
path = one_file(out, "of a service that closes descriptors")
if path:
    check(
        steps(path) == ten(1, 2), "it records through its mapping until it executes another image"
    )

print("== a recorder that is killed", flush=True)
process = subprocess.Popen(
    [TOOL, "run", *USUAL, "-o", folder(), "--", SERVICE, "wait"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
)
check(process.stdout.readline() == "on\n", "the events are on under run")
process.kill()
process.wait()
process.stdin.write("\n")
process.stdin.flush()
check(process.stdout.readline() == "off\n", "the events are off after the recorder is gone")

print("== a keeper", flush=True)
for how, number in (("abort", 6), ("segv", 11), ("kill", 9), ("ok", 0), ("exit", 0), ("term", 0)):
    out = folder()
    result = subprocess.run(
        [SERVICE, "embed", TOOL, out, how], capture_output=True, text=True, timeout=60
    )
    lines_ok(result.stdout)
    check(wait_for(lambda: not keepers(out)), f"no keeper is left {keepers(out)}")
    if not number:
        check(not snapshots(out), f"{how} leaves no file {snapshots(out)}")
        continue
    path = one_file(out, how)
    if path:
        crash = report(path)["crash"]
        check(
            crash["signal_number"] == number
            and crash["process"] == "plain_service"
            and crash["cmdline"][1:2] == ["embed"]
            and steps(path) == ten(1),
            f"the keeper has the end of a service by {how} {crash}",
        )

print("== a keeper on an old kernel", flush=True)
for how in ("abort", "kill", "ok", "exit"):
    # subprocess.run() reaps the service, so the keeper may be too late to ask how the service
    # ended.
    out = folder()
    result = subprocess.run(
        [SERVICE, "old", "embed", TOOL, out, how], capture_output=True, text=True, timeout=60
    )
    lines_ok(result.stdout)
    wait_for(lambda: not keepers(out))
    if how in ("ok", "exit"):
        check(not snapshots(out), f"{how} leaves no file {snapshots(out)}")
        continue
    path = one_file(out, how)
    if path:
        crash, words = report(path)["crash"], tool("show", path).stdout
        known = crash.get("signal_number") == {"abort": 6, "kill": 9}[how]
        check(
            known or ("exit_status" not in crash and "how it ended is not known" in words),
            f"{how}: the report says how the service ended, or that it is unknown {crash}",
        )
        check(steps(path) == ten(1), "the file has its events")

print("== a keeper that is killed", flush=True)
out = folder()
process = subprocess.Popen(
    [SERVICE, "restart", TOOL, out, "abort"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
)
while (line := process.stdout.readline()) and not line.startswith("kill"):
    lines_ok(line)
check(kill_keepers(out) == 1, "its keeper is killed")
lines_ok(process.communicate("\n")[0])
path = one_file(out, "of the second keeper")
if path:
    check(
        steps(path) == ten(3),
        f"the second keeper has what came after the first one's end {steps(path)}",
    )

print("== record --listen", flush=True)
out, where = folder(), folder()
listen, control = os.path.join(where, "listen"), os.path.join(where, "control")
recorder = subprocess.Popen(
    [TOOL, "record", *USUAL, "-o", out, "--listen", listen, "--socket", control],
    stderr=subprocess.PIPE,
    text=True,
)
check(wait_for(lambda: os.path.exists(listen)), "it listens")
for how in ("ok", "exit", "again"):
    lines_ok(
        subprocess.run(
            [SERVICE, "attach", listen, how], capture_output=True, text=True, timeout=60
        ).stdout
    )
status = json.loads(tool("status", "--json", "--socket", control).stdout)
check(
    status["transport"] == "shm"
    and not status["kernel"]
    and status["no_kernel"]
    and status["sources_by"]["shm"] >= 1,
    f"status {status}",
)
check("shm" in tool("status", "--socket", control).stdout, "status names the transport in words")
first = subprocess.Popen(
    [SERVICE, "attach", listen, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
while (line := first.stdout.readline()) and line != "attached\n":
    lines_ok(line)
check(not snapshots(out), f"services that end normally leave no snapshot {snapshots(out)}")
result = tool("trigger", "--socket", control, "by-hand")
check(
    result.returncode == 0 and len(snapshots(out)) == 1,
    f"a trigger leaves a snapshot {result.stdout}{result.stderr}",
)
lines_ok(
    subprocess.run(
        [SERVICE, "attach", listen, "abort"], capture_output=True, text=True, timeout=60
    ).stdout
)
check(wait_for(lambda: len(snapshots(out)) == 2), "a client that aborts leaves a snapshot")
crashed = first.pid
first.communicate("\n")
check(wait_for(lambda: len(snapshots(out)) == 3), "a client that crashes later leaves a snapshot")
for path in snapshots(out):
    verify(path)
last = max(snapshots(out), key=os.path.getmtime)
crash = report(last)["crash"]
check(
    crash["pid"] == crashed
    and crash["signal"] == "SIGSEGV"
    and crash["cmdline"][1:2] == ["attach"],
    f"the last snapshot names the client {crash}",
)
check(
    sorted(steps(last)) == sorted(ten(1) * 4),
    f"it has the events of all clients {len(steps(last))}",
)

print("== a client in another pid namespace", flush=True)
before = set(snapshots(out))
inside = [
    "unshare",
    "--user",
    "--map-current-user",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    SERVICE,
]
result = subprocess.run(
    [*inside, "attach", listen, "forks"], capture_output=True, text=True, timeout=60
)
lines_ok(result.stdout)
if check(
    wait_for(lambda: len(snapshots(out)) > len(before)),
    f"its abort leaves a snapshot {result.stderr}",
):
    path = (set(snapshots(out)) - before).pop()
    verify(path)
    told, crash = [e for e in events(path) if e["event"] == "test:step"], report(path)["crash"]
    mine = [
        (e["fields"]["process"], e["fields"]["number"]) for e in told if e["pid"] == crash["pid"]
    ]
    check(
        crash["cmdline"][1:2] == ["attach"] and mine == ten(1),
        f"its pid is that of the recorder's namespace {crash} {mine}",
    )
    children = [e for e in told if e["fields"]["process"] == 2]
    check(
        len(children) == 10 and children[0]["pid"] > crash["pid"],
        f"so is its child's {children[:1]}",
    )

recorder.send_signal(signal.SIGTERM)
check(recorder.wait() == 0, "the recorder exits with 0")
done()
