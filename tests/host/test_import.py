#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_import.py FLIGHTREC MAKE_SNAPSHOT: an imported perf.data has the events that `perf script`
prints.

Each event is compared by value, in each form that `perf record` can write: file and pipe,
compressed, rings that are overwritten, stacks by frame pointers and as bytes, samples without a
tracepoint. Then flightrec's own perf.data is imported again. A failed import leaves no file.

The test kernel is recorded as a whole (`perf record -a`). A machine that others use is not recorded
as a whole, because what they do can make `perf record` and `perf script` of perf 6.1 fail:

- While another recorder that asks for build-ids starts, such as `flightrec record`, the kernel
  marks the mappings in each older recording as if they had build-ids, too: perf_event_mmap_output()
  in v6.18 sets PERF_RECORD_MISC_MMAP_BUILD_ID and does not clear it for the next event. perf then
  misreads a device number as the size of a build-id and overwrites its own stack.
- While BPF programs are loaded and unloaded, perf cannot process PERF_RECORD_KSYMBOL.

On such a machine only the test's own processes are recorded, which avoids the second problem. To
avoid the first, a recording either asks for build-ids itself or covers only processes that map no
program.
"""
import contextlib
import datetime
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
ENVIRONMENT = {"TZ": "UTC", "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
OWN_MACHINE = bool(os.environ.get("FREC_IN_TEST_KERNEL"))
WORK = "sh", "-c", "for i in 1 2 3 4 5; do ls /proc >/dev/null; sleep 0.01; done"
EVENTS = "sched:sched_switch,sched:sched_process_fork,sched:sched_process_exec"


def run(*command, status=0, **options):
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        check=False,
        **options,
    )
    assert done.returncode == status, (
        command,
        done.returncode,
        done.stdout[-2000:],
        done.stderr[-2000:],
    )
    return done


@contextlib.contextmanager
def busy_processes():
    """Runs two processes that sleep, wake up and fork, and map no program. Yields their pids,
    separated by a comma, as perf requires."""
    pids = []
    for _ in range(2):
        pids.append(os.fork())
        while not pids[-1]:
            time.sleep(0.004)
            if not os.fork():
                os._exit(0)
            os.wait()
    try:
        yield ",".join(map(str, pids))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def perf_record(name, *options, events=EVENTS, work=WORK):
    """Records with perf. Returns whether perf can do that on this machine."""
    command = ["perf", "record", "-q", "-e", events, *options, "-o", name, *work]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False
    )
    if done.returncode or not os.path.exists(name):
        why = done.stderr.decode(errors="replace").strip()[:200]
        print(f"{name}: perf cannot record that here: {why}")
        return False
    return True


def imported(data, *say):
    frec = data + ".frec"
    done = run(TOOL, "import", data, "-o", frec)
    for word in say:
        assert word in (done.stdout + done.stderr).decode(), (word, done.stdout, done.stderr)
    run(TOOL, "verify", frec)
    return frec


def events(frec):
    lines = run(TOOL, "export", frec, "-f", "json", "-o", "-").stdout.splitlines()
    return [json.loads(line) for line in lines]


def script(data, fields, pattern):
    text = run("perf", "script", "-i", data, "--ns", "-F", fields, "-G").stdout.decode(
        errors="replace"
    )
    lines = [line for line in text.splitlines() if line.strip()]
    found = [re.match(pattern, line) for line in lines]
    assert found and all(found), [line for line, match in zip(lines, found) if not match][:5]
    return [match.groupdict() for match in found]


def nanoseconds(text):
    seconds, rest = text.split(".")
    return int(seconds) * 10**9 + int(rest.ljust(9, "0"))


LINE = (
    r"\s*(?P<comm>.*\S)\s+(?P<tid>-?\d+)\s+\[(?P<cpu>\d+)\]\s+(?P<time>[\d.]+):\s+"
    r"(?P<event>\S+):\s*(?P<rest>.*)$"
)
STATES = {"R": 0, "S": 1, "D": 2, "T": 4, "t": 8, "X": 16, "Z": 32, "P": 64, "I": 128}


def value_of(ours, theirs):
    """Converts a value that `perf script` printed. perf uses the print format of the tracepoint, in
    which most values are numbers, but the state of a thread is letters."""
    if isinstance(ours, str):
        return theirs
    if re.fullmatch(r"-?\d+", theirs):
        return int(theirs)
    return STATES.get(theirs.rstrip("+"), theirs)


def compare(data, frec):
    ours, theirs = events(frec), script(data, "comm,tid,cpu,time,event,trace", LINE)
    left = sorted(ours, key=lambda event: (event["time"], event["cpu"], event["event"]))
    right = sorted(
        theirs, key=lambda line: (nanoseconds(line["time"]), int(line["cpu"]), line["event"])
    )
    assert len(left) == len(right), (data, len(left), len(right))
    fields = named = threads = 0
    for event, line in zip(left, right):
        assert (event["time"], event["cpu"], event["event"]) == (
            nanoseconds(line["time"]),
            int(line["cpu"]),
            line["event"],
        ), (event, line)
        # perf does not know the tid of a thread that exits, but the tracepoint does.
        assert event["tid"] == int(line["tid"]) or line["tid"] == "-1", (event, line)
        for name, value in event["fields"].items():
            found = re.search(rf"\b{name}=(.*?)(?= \w+=| ==> |$)", line["rest"])
            if not found:
                continue
            if name == "prev_state":
                value &= 0xFF
            assert value == value_of(value, found[1].strip()), (event, line, name)
            fields += 1
        # The names that perf read at the start have no times, so perf may print a later name of a
        # thread. Tid 0 is the idle loop, which is not a thread.
        threads += event["tid"] != 0
        named += event["tid"] != 0 and event.get("thread") == line["comm"]
    assert fields > len(left), (data, fields, len(left))
    assert named > threads * 0.6, (data, named, threads)
    assert [event["time"] for event in ours] == sorted(event["time"] for event in ours)
    return ours


FORMS = {
    "mono": (),
    "packed": ("-z",),
    "over": ("--overwrite",),
    "chains": ("-g",),
    "bytes": ("--call-graph", "dwarf,4096"),
    "ids": ("--buildid-mmap",),
}
CLOCK = "-k", "CLOCK_MONOTONIC"


def form(name, *recorded):
    """Records in one of FORMS and compares the import with `perf script`. `recorded` are the
    options of perf that select processes."""
    assert perf_record(name, *CLOCK, *recorded, *FORMS[name]), name
    ours = compare(name, imported(name))
    if name == "bytes":
        assert any(event.get("stack_size", 0) > 256 and event["registers"] for event in ours)


def pipe(*recorded):
    """Records into a pipe and compares the import with `perf script`."""
    with open("piped", "wb") as piped:
        subprocess.run(
            ["perf", "record", "-q", *CLOCK, *recorded, "-e", EVENTS, "-o", "-", *WORK],
            stdout=piped,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            check=True,
        )
    frec = imported("piped")
    compare("piped", frec)
    assert len(events(frec)) > 10
    with open("piped", "rb") as piped:
        run(TOOL, "import", "-", "-o", "stdin.frec", stdin=piped)
    assert events("stdin.frec") == events("piped.frec")


def own_processes():
    with busy_processes() as pids:
        # Without option -k of `perf record` there are no dates, which `import` reports.
        if not perf_record("plain", "-p", pids):
            sys.exit(77)
        compare("plain", imported("plain", "-k CLOCK_MONOTONIC"))
        for name in FORMS:
            form(name, "-p", pids)
        pipe("-p", pids)
    assert perf_record("one", *CLOCK, "--buildid-mmap")
    compare("one", imported("one"))


def clock_and_host():
    shown = json.loads(run(TOOL, "show", "--json", "mono.frec").stdout)
    header = run("perf", "report", "--header-only", "-i", "mono").stdout.decode()
    assert re.search(r"hostname : (.*)", header)[1] == shown["host"], shown
    assert re.search(r"os release : (.*)", header)[1] == shown["kernel"], shown
    assert re.search(r"perf version : (.*)", header)[1] in shown["writer"], shown
    # The date of the last event, from perf's own reading of both clocks.
    date, clock = re.search(r"= ([\d.]+) \(TOD\) = ([\d.]+) \(monotonic\)", header).groups()
    date = nanoseconds(date) + events("mono.frec")[-1]["time"] - nanoseconds(clock)
    when = re.search(r"when +(\S+) (\S+) \+0000", run(TOOL, "show", "mono.frec").stdout.decode())
    told = datetime.datetime.fromisoformat(f"{when[1]}T{when[2]}+00:00")
    assert abs(
        told - datetime.datetime.fromtimestamp(date // 1000 / 10**6, datetime.timezone.utc)
    ) < datetime.timedelta(microseconds=5)


def samples():
    """Compares the samples of cpu-clock, which is not a tracepoint."""
    counting = "sh", "-c", "i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done"
    assert perf_record(
        "clock", *CLOCK, "-g", "--buildid-mmap", "--sample-cpu", events="cpu-clock", work=counting
    )
    ours = events(imported("clock"))
    theirs = script(
        "clock",
        "tid,cpu,time,event",
        r"\s*(?P<tid>-?\d+) \[(?P<cpu>\d+)\]\s+(?P<time>[\d.]+):\s+(?P<event>.*):\s*$",
    )
    assert sorted((event["time"], event["cpu"], event["tid"]) for event in ours) == sorted(
        (nanoseconds(event["time"]), int(event["cpu"]), int(event["tid"])) for event in theirs
    )
    assert {event["event"] for event in ours} == {"perf:cpu-clock"}, {
        event["event"] for event in ours
    }


def same(ours, theirs):
    """Returns whether `theirs` is `ours` as far as perf.data can represent it; see
    export/perf/payload.c."""
    if isinstance(ours, float) or (isinstance(ours, str) and ours in ("nan", "inf", "-inf")):
        return str(ours) == str(theirs) or struct.pack("<f", float(ours)) == struct.pack(
            "<f", float(theirs)
        )
    if isinstance(ours, str) and isinstance(theirs, str):
        return theirs.rstrip("…") == ours or not ours.isprintable() or "\\" in theirs
    return ours == theirs or ours is None


def round_trip(frec):
    """Checks that `export -f perf` and then `import` keep all events."""
    run(TOOL, "export", frec, "-f", "perf", "-o", "again.perf.data")
    run(TOOL, "import", "again.perf.data", "-o", "again.frec")
    run(TOOL, "verify", "again.frec")
    # A ring can have the record of an interrupt before an older record. perf.data is in order, so
    # sort the events of both files.
    before, after = (
        sorted(
            events(name),
            key=lambda event: (event["time"], event["cpu"], event["tid"], event["event"]),
        )
        for name in (frec, "again.frec")
    )
    assert len(before) == len(after), (frec, len(before), len(after))
    for a, b in zip(before, after):
        assert {key: a[key] for key in ("time", "cpu", "pid", "tid")} == {
            key: b[key] for key in ("time", "cpu", "pid", "tid")
        }, (a, b)
        # perf.data has the unwound frames and not the bytes of the stack.
        places = [
            [(frame.get("module"), frame["address"]) for frame in line.get("stack", [])]
            for line in (a, b)
        ]
        assert places[0] == places[1] and a.get("registers") == b.get("registers"), (a, b)
        for name, value in a["fields"].items():
            assert same(value, b["fields"][name]), (a, b, name)


def bad():
    def fails(name, content, *words):
        with open(name, "wb") as file:
            file.write(content)
        before = set(os.listdir("."))
        done = run(TOOL, "import", name, "-o", "bad.frec", status=1)
        message = done.stderr.decode()
        assert (
            message.count("\n") == 1 and name in message and all(word in message for word in words)
        ), message
        assert set(os.listdir(".")) == before, set(os.listdir(".")) - before

    def ends(name, content, least, most, words):
        """What comes before the end is imported, and one line tells where the recording ends."""
        with open(name, "wb") as file:
            file.write(content)
        done = run(TOOL, "import", name, "-o", f"{name}.frec", status=1)
        message = [line for line in done.stderr.decode().splitlines() if "before that" in line]
        assert len(message) == 1 and name in message[0] and words in message[0], done
        run(TOOL, "verify", f"{name}.frec")
        assert least <= len(events(f"{name}.frec")) <= most, (name, least, most)

    with open("mono", "rb") as file:
        whole = file.read()
    fails("empty", b"", "not a perf.data file")
    fails("other", b"\x7fELF" + bytes(200), "not a perf.data file")
    fails("swapped", b"2ELIFREP" + whole[8:], "big-endian")
    at, size = struct.unpack_from("<QQ", whole, 40)
    fails("mono2", whole[:40] + bytes(7) + b"\xff" + whole[48:], "beyond the end")
    count = len(events("mono.frec"))
    # Records of processes come first, and those of the last events last.
    ends("cut", whole[: at + size * 9 // 10], 1, count - 1, "cut off")
    ends(
        "unfinished", whole[:48] + bytes(8) + whole[56 : at + size], count, count, "did not finish"
    )
    fails("began", whole[:48] + bytes(8) + whole[56:at], "did not finish")
    with open("piped", "rb") as file:
        whole = file.read()
    count = len(events("piped.frec"))
    ends("pipe-cut", whole[:-3], 1, count, "cut off within a record")
    ends("pipe-text", whole + b"bench: 12 rounds, all done\n", count, count, "not a record")
    os.mkdir("folder")
    assert b"--threads" in run(TOOL, "import", "folder", "-o", "bad.frec", status=1).stderr
    run(TOOL, "import", "mono", status=2)
    run(TOOL, "import", "-o", "x.frec", status=2)
    run(TOOL, "import", "nowhere", "-o", "x.frec", status=1)
    assert not os.path.exists("bad.frec") and not os.path.exists("x.frec")


def main():
    if not shutil.which("perf"):
        print("perf is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if OWN_MACHINE:
            form("mono", "-a")
            form("over", "-a")
            pipe("-a")
            sys.exit()
        run(MAKE, "made.frec", "zstd")
        round_trip("made.frec")
        own_processes()
        clock_and_host()
        samples()
        round_trip("bytes.frec")
        bad()


if __name__ == "__main__":
    main()
