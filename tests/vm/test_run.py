# Tests flightrec run: each way to crash leaves one complete snapshot, whose last event is the last
# one emitted. A normal end leaves none.
import os
import signal
import struct
import subprocess
import sys

from kit import Recorder, check, done, events, folder, report, snapshots, tool, verify

EMITTER, CHECK_PERFETTO = sys.argv[1:3]
OPTIONS = sys.argv[3:]  # more options of run, such as --transport usdt
COUNT = 40


def run(end, *options):
    out, ledger = folder(), os.path.join(folder(), "ledger")
    result = tool(
        "run",
        "-e",
        "test:*",
        "--ring-size",
        "256K",
        "-o",
        out,
        *OPTIONS,
        *options,
        "--",
        EMITTER,
        "-t",
        2,
        "-n",
        COUNT,
        "-l",
        ledger,
        end,
    )
    return result, snapshots(out), ledger


def check_events(path, ledger):
    # The file also has events of other processes, such as those of other tests.
    pid = int(os.path.basename(path).split("-")[1])
    ticks = [e for e in events(path) if e["event"] == "test:tick" and e["pid"] == pid]
    with open(ledger, "rb") as file:
        counters = struct.unpack("4Q", file.read(32))
    for thread in range(2):
        begun, finished = counters[2 * thread], counters[2 * thread + 1]
        numbers = [e["fields"]["sequence"] for e in ticks if e["fields"]["thread"] == thread]
        check(
            numbers == list(range(1, len(numbers) + 1)),
            f"thread {thread}: no event is missing from the first on",
        )
        check(
            numbers and finished <= numbers[-1] <= begun,
            f"thread {thread}: the last one is there ({begun})",
        )
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
    found = sorted((e["fields"] for e in ticks), key=lambda f: (f["thread"], f["sequence"]))
    check(
        found == expected,
        "every field of every event has the emitted value "
        f"{[p for p in zip(found, expected) if p[0] != p[1]][:1]}",
    )
    check(
        {e["thread"] for e in ticks} == {"emit-0", "emit-1"}, "events have the name of their thread"
    )


def check_trace(path):
    """Compares the Perfetto trace of a recorded file with its JSON lines."""
    trace, lines = path + ".pftrace", path + ".jsonl"
    for name in (trace, lines):
        tool("export", path, "-o", name)
    result = subprocess.run(
        [sys.executable, CHECK_PERFETTO, trace, lines, "--recorded"], capture_output=True, text=True
    )
    check(
        result.returncode == 0,
        f"the trace has exactly the events {result.stdout.strip()} {result.stderr[-300:]}",
    )


for end, number in (
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
    print(f"== {end}", flush=True)
    # Kernel events are recorded only with those ends for which the trace is checked below.
    kernel = [
        "--ring-size",
        "2M",
        "-e",
        "sched:sched_switch,sched:sched_waking,irq:irq_handler_entry,sched:sched_stat_runtime",
    ]
    result, files, ledger = run(end, *kernel if end in ("segv", "kill") else [])
    check(result.returncode == 128 + number, f"exits with 128 + {number} ({result.returncode})")
    if not check(len(files) == 1, f"one snapshot {files} {result.stderr}"):
        continue
    verify(files[0])
    check_events(files[0], ledger)
    if end in ("segv", "kill"):
        check_trace(files[0])
        # Each occurrence must be one record, although the kernel counts this event in nanoseconds
        # for perf.
        ran = [
            (e["time"], e["cpu"])
            for e in events(files[0])
            if e["event"] == "sched:sched_stat_runtime"
        ]
        check(
            ran and len(ran) == len(set(ran)),
            f"each sched_stat_runtime is recorded once ({len(ran)}, {len(set(ran))})",
        )
    crash = report(files[0])["crash"]
    check(
        crash["signal"] == signal.Signals(number).name
        and crash["process"] == "emitter"
        and EMITTER in crash["cmdline"][0],
        f"the report names signal, process and command line {crash['signal']}",
    )
    if end == "kill":
        check(crash.get("sender_pid") == crash["pid"], "the report names the sender of SIGKILL")
        continue
    check(
        crash.get("tid") == crash["pid"] and len(crash.get("registers", {})) >= 18,
        "the report has thread and registers",
    )
    check(
        crash.get("stack", {}).get("size", 0) > 0,
        f"the report has stack bytes {crash.get('stack')}",
    )
    if end == "segv":
        check(
            crash.get("address") == "0x1234",
            f"the report has the faulting address {crash.get('address')}",
        )
    if end == "wild":
        check(
            crash.get("address") == "0x10" and crash["registers"]["ip"] == "0x10",
            "the report has the address of a wild jump",
        )

print("== exit", flush=True)
result, files, ledger = run("exit")
check(
    result.returncode == 3 and len(files) == 1,
    f"exit status 3 leaves a snapshot {result.returncode} {files} {result.stderr}",
)
if files:
    verify(files[0])
    check_events(files[0], ledger)

print("== ok", flush=True)
result, files, ledger = run("ok")
check(result.returncode == 0 and not files, "a normal end leaves no snapshot")
check(tool("run", "--", "/nonexistent").returncode == 1, "a missing command is an error")
result = tool("run", "-e", "sched:sched_swich", "--", "/bin/true")
check(
    result.returncode == 1 and result.stderr.count("\n") == 1 and "sched_swich" in result.stderr,
    "an unknown event is named: " + result.stderr,
)
result = tool("run", "-e", "shop", "--", "/bin/true")
check(
    result.returncode == 1 and "SYSTEM:NAME" in result.stderr,
    "a bad glob is reported: " + result.stderr,
)
result = tool("run", "-o", "/proc/nowhere", "--", "/bin/true")
check(
    result.returncode == 1 and "/proc/nowhere" in result.stderr,
    "an unwritable folder is named: " + result.stderr,
)
done()
