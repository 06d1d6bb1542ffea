#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_timeline.py FLIGHTREC MAKE_SNAPSHOT PAIR: tests timelines of several snapshots, and the
shapes of events: spans, arrows, counters and log lines.

Proves, with snapshots of two services that talk to each other, that arrows lead from one to the
other, spans have both ends, counters their values and log lines their text; that overlapping
snapshots of one recorder give each event once; and that files of two hosts are aligned by the
calendar.
"""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile

TOOL, MAKE, PAIR = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "data"))
from check_perfetto import Trace, compare, every, fields, one  # noqa: E402

WAIT = 120  # seconds after which a process counts as hung; no time is asserted
RULES = (
    "--span",
    "server:job_start,server:job_done,key=request",
    "--counter",
    "server:queue.depth",
    "--counter",
    "server:queue.load,name=load",
    "--flow",
    "request",
)


def run(*arguments, status=0):
    done = subprocess.run(
        [TOOL, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == status, (arguments, done)
    assert status != 0 or not done.stderr, done
    if status == 1:
        assert done.stderr.startswith(b"flightrec: ") and done.stderr.count(b"\n") == 1, done
    return done


def json_lines(*arguments):
    return [
        json.loads(line)
        for line in run("export", *arguments, "-f", "json", "-o", "-").stdout.splitlines()
    ]


def perfetto(*arguments):
    run("export", *arguments, "-f", "perfetto", "-o", "t.pftrace")
    return Trace(pathlib.Path("t.pftrace").read_bytes())


def recorded(folder, number=1):
    files = sorted(pathlib.Path(folder).glob("*.frec"))
    assert len(files) == number, files
    return files


def start_server(folder, *options):
    command = [
        TOOL,
        "run",
        "-e",
        "server:*",
        "--transport",
        "shm",
        "-o",
        folder,
        *options,
        "--",
        PAIR,
        "server",
        "socket",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert server.stdout.readline() == b"ready\n", server.communicate(timeout=WAIT)
    return server


def record_pair():
    server = start_server("a")
    client = subprocess.run(
        [
            TOOL,
            "run",
            "-e",
            "client:*",
            "--transport",
            "shm",
            "-o",
            "b",
            "--",
            PAIR,
            "client",
            "socket",
            "5",
        ],
        stderr=subprocess.PIPE,
        timeout=WAIT,
        check=False,
    )
    assert client.returncode == 3, client
    server.communicate(timeout=WAIT)
    os.remove("socket")
    # Select the events of the pair, because the files can also have other crashes on this machine.
    return [*recorded("a"), *recorded("b"), "-e", "server:*", "-e", "client:*"]


def slices(trace, files):
    """Returns the spans of the trace: [(name, thread or None, begin, end or None, value of
    request)]."""
    found, still_open = [], {}
    for event in trace.events:
        key = (event["track"], event["event"]) if event["track"] else event["event"]
        if event["kind"] == 1:
            still_open.setdefault(key, []).append(event)
        elif event["kind"] == 2:
            begun = still_open[key].pop()
            assert begun["fields"]["request"] == event["fields"]["request"], (begun, event)
            found.append(
                (
                    event["event"],
                    event["track"],
                    begun["time"],
                    event["time"],
                    event["fields"]["request"],
                )
            )
    rest = [(key, event["fields"]) for key, events in still_open.items() for event in events]
    return found, rest


def check_pair(files):
    trace, lines = perfetto(*files, *RULES), json_lines(*files)
    # The client has two spans, so 4 events, for each of 5 requests, and one span that never ends.
    # The server has 6 events for each of the 5 requests.
    assert len(lines) == len(trace.events) >= 5 * (4 + 6) + 1, len(lines)
    for line, event in zip(lines, trace.events):
        compare(line, event, trace.samples)
    times = [line["time"] for line in lines]
    assert times == sorted(times)
    assert {line["pid"] for line in lines} == {
        event["track"][0] for event in trace.events if event["track"]
    }

    found, rest = slices(trace, files)
    for name, count in (
        ("client:call", 5),
        ("client:check", 5),
        ("server:work", 5),
        ("server:job", 5),
    ):
        assert [s[4] for s in sorted(found, key=lambda s: s[2]) if s[0] == name] == [
            *range(1001, 1001 + count)
        ], (name, found)
    assert [(values["request"], values["what"]) for _, values in rest] == [
        (1, "never answered")
    ], rest
    jobs = {s[4]: s for s in found if s[0] == "server:job"}
    work = {s[4]: s for s in found if s[0] == "server:work"}
    calls = {s[4]: s for s in found if s[0] == "client:call"}
    for request in range(1001, 1006):
        assert jobs[request][1] is None and work[request][1][0] != calls[request][1][0]
        assert (
            calls[request][2]
            < jobs[request][2]
            < work[request][2]
            < work[request][3]
            < jobs[request][3]
            < calls[request][3]
        )

    # Check the arrows. Each request has a number of its own, which the events of both processes
    # contain.
    by_flow = {}
    for flow, time, uuid in trace.flows:
        by_flow.setdefault(flow, []).append((time, uuid))
    starts = {s[2]: s[4] for s in found}
    for steps in by_flow.values():
        requests = {starts.get(time) for time, _ in steps}
        processes = {trace.tracks[uuid][0] for _, uuid in steps if trace.tracks[uuid]}
        if requests == {None}:
            continue  # the request without an answer
        assert len(requests) == 1 and len(processes) == 2 and len(steps) == 4, (steps, requests)
    assert len(by_flow) == 6, by_flow

    assert [value for _, name, value in trace.counters if name == "server:queue.depth"] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert [value for _, name, value in trace.counters if name == "load"] == [
        0.25,
        0.5,
        0.75,
        1,
        1.25,
    ]
    assert [(words, level) for _, words, level in trace.logs] == [("working", 4)] * 5, trace.logs


def check_rules(files):
    # Without rules, the names of the events define the shapes. Without this convention either,
    # events are instants.
    kinds = [event["kind"] for event in perfetto(*files, "--no-conventions").events]
    assert set(kinds) == {3}
    trace = perfetto(*files)
    assert not trace.counters and not trace.flows and len(trace.logs) == 5
    pathlib.Path("rules").write_text(
        "# what the pair means\nspan server:job_start,server:job_done,key=request\n\n"
        "counter server:queue.depth # deep\n counter\tserver:queue.load,name=load\nflow request\n"
    )
    from_options = run("export", *files, *RULES, "-f", "perfetto", "-o", "-").stdout
    assert (
        run("export", *files, "--rules", "rules", "-f", "perfetto", "-o", "-").stdout
        == from_options
    )
    for option, text, status in (
        ("--span", "server:job_start", 2),
        ("--span", "a,b", 2),
        ("--span", "a:b,c:d,color=red", 2),
        ("--counter", "depth", 2),
        ("--flow", "", 2),
        ("--log", "x.y", 2),
        ("--span", "server:job_start,server:nothing", 1),
        ("--span", "server:job_start,server:job_done,key=order", 1),
        ("--counter", "server:queue.missing", 1),
        ("--counter", "server:told.message", 1),
        ("--flow", "nothing", 1),
        ("--log", "server:queue.depth", 1),
    ):
        done = run("export", *files, option, text, "-o", "never.pftrace", status=status)
        assert text.split(",")[0].encode() in done.stderr, done
    pathlib.Path("rules").write_text("span server:job_start,server:job_done\nslice a:b,c:d\n")
    assert b"rules: line 2" in run("export", *files, "--rules", "rules", status=1).stderr
    run("export", *files, "--rules", "no such file", status=1)
    assert not pathlib.Path("never.pftrace").exists()


def check_other_formats(files):
    run("export", *files, *RULES, "-o", "t.chrome.json", "-o", "t.firefox.json")
    events = json.loads(pathlib.Path("t.chrome.json").read_text())["traceEvents"]
    by_phase = {phase: [e for e in events if e["ph"] == phase] for phase in "BEbeC"}
    assert {phase: len(of) for phase, of in by_phase.items()} == {
        "B": 16,
        "E": 15,
        "b": 5,
        "e": 5,
        "C": 10,
    }
    assert [e["args"]["value"] for e in by_phase["C"] if e["name"] == "load"] == [
        0.25,
        0.5,
        0.75,
        1,
        1.25,
    ]
    assert all(
        b["id"] == e["id"] and b["args"]["request"] == e["args"]["request"]
        for b, e in zip(by_phase["b"], by_phase["e"])
    )
    check_chrome_flows(events)
    check_page_spans(files)
    profile = json.loads(pathlib.Path("t.firefox.json").read_text())
    intervals = []
    for thread in profile["threads"]:
        markers = thread["markers"]
        for i in range(markers["length"]):
            if markers["phase"][i] == 1:
                assert markers["startTime"][i] < markers["endTime"][i]
                intervals.append(profile["shared"]["stringArray"][markers["name"][i]])
    assert sorted(intervals) == sorted(
        ["client:call", "client:check", "server:work", "server:job"] * 5
    ), intervals


def page_data(name):
    """Returns the page's data about events."""
    return json.loads(
        re.search(
            r'id="events-data">([^<]*)<', pathlib.Path(name).read_text(encoding="utf-8")
        ).group(1)
    )


def check_page_spans(files):
    """The event that ends a span has the duration of the span, which is the time since the event
    that begins it for the same request."""
    run("export", *files, *RULES, "-o", "t.html")
    data = page_data("t.html")
    begins, counts = {}, {}
    for time, _, _, source, _, values, *notes in data["events"]:
        note = notes[0] if notes else {}
        if "span" not in note:
            continue
        fields = dict(zip([name for name, _ in data["sources"][source]["fields"]], values))
        key = (data["spans"][note["span"]], fields["request"], note.get("lane"))
        if "took" in note:
            assert begins.pop(key) == time - note["took"] and ("lane" in note) == (
                key[0] == "server:job"
            ), key
            counts[key[0]] = counts.get(key[0], 0) + 1
        else:
            begins[key] = time
    assert counts == {
        "client:call": 5,
        "client:check": 5,
        "server:work": 5,
        "server:job": 5,
    }, counts
    assert list(begins) == [("client:call", 1, None)], begins


def check_chrome_flows(events):
    """Each step of an arrow follows its event and has the event's time and thread. Events on a lane
    have no step."""
    flows = {}
    for before, event in zip([None, *events], events):
        if event["ph"] in "st":
            assert (
                all(before[key] == event[key] for key in ("ts", "pid", "tid"))
                and before["ph"] in "Bi"
            ), (before, event)
            assert (event["name"], event["cat"]) == ("flow", "flightrec")
            flows.setdefault(event["id"], []).append(
                (event["ph"], before["name"], before["args"]["request"])
            )
    steps = sorted(flows.values(), key=lambda steps: steps[0][2])
    # Steps of each request: the call, the work of the other process, and the check of the result.
    # The call without an answer is the only step of its request.
    assert steps[1:] == [
        [("s", "call", n), ("t", "work", n), ("t", "check", n)] for n in range(1001, 1006)
    ], steps
    assert steps[0] == [("s", "call", 1)], steps


def check_one_recorder():
    """Three snapshots of one recorder with wrapping rings: each event appears once.

    Together they have more events than any one of them.
    """
    server = start_server("c", "--ring-size", "64K", "--socket", "control")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("socket")
        # The events take twice the size of two CPUs' rings, so a ring wraps whichever CPU the
        # service runs on.
        for i in range(1, 501):
            client.sendall(struct.pack("<Q", i))
            client.recv(8)
            if i in (100, 160):
                subprocess.run(
                    [TOOL, "trigger", "--socket", "control", "again"],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
    server.communicate(timeout=WAIT)
    files = recorded("c", 3)
    alone = [json_lines(path, "-e", "server:*") for path in files]
    together = json_lines(*files, "-e", "server:*")
    keys = [json.dumps(line, sort_keys=True) for line in together]
    every_one = {json.dumps(line, sort_keys=True) for lines in alone for line in lines}
    assert set(keys) == every_one and len(keys) == len(every_one), (len(keys), len(every_one))
    assert all(len(lines) < len(together) for lines in alone) and sum(map(len, alone)) > len(
        together
    ), [len(lines) for lines in alone]
    assert [line["time"] for line in together] == sorted(line["time"] for line in together)
    # Neither the order of the files nor a file that is given twice makes a difference.
    assert json_lines(*reversed(files), files[0], "-e", "server:*") == together
    trace = perfetto(*files, *RULES, "-e", "server:*")
    assert len(trace.events) == len(together)


def check_system_calls():
    """The tracepoints for all system calls become events that Perfetto knows; those for a single
    system call become spans."""
    if os.geteuid() or not os.path.exists("/sys/kernel/tracing/events/raw_syscalls"):
        print("not root, or no tracepoints of system calls: their spans were not tried")
        return
    events = ["-e", "raw_syscalls:*", "-e", "syscalls:sys_*_getpid"]
    subprocess.run(
        [
            TOOL,
            "run",
            *events,
            "--ring-size",
            "1M",
            "-o",
            "d",
            "--",
            sys.executable,
            "-c",
            "import os; os.getpid(); exit(3)",
        ],
        stderr=subprocess.PIPE,
        timeout=WAIT,
        check=False,
    )
    (file,) = recorded("d")
    for chosen, kinds in ((["-e", "*sys*:*"], {None}), (["-e", "syscalls:*"], {1, 2})):
        lines, trace = json_lines(file, *chosen), perfetto(file, *chosen)
        assert len(lines) == len(trace.events) > 0
        for line, event in zip(lines, trace.events):
            compare(line, event, trace.samples)
        assert {event.get("kind") for event in trace.events} == kinds
        names = {event["event"] for event in trace.events}
        assert (
            "syscalls:getpid" in names if None not in kinds else {"sys_enter", "sys_exit"} <= names
        ), names


def check_activities():
    """Starts and stops of events that describe themselves are matched by activity id."""
    make("act.frec", "activities")
    lines, trace = json_lines("act.frec"), perfetto("act.frec")
    assert len(lines) == len(trace.events) == 9
    for line, event in zip(lines, trace.events):
        compare(line, event, trace.samples)
    kinds = [(event["event"].split(":")[1], event["kind"]) for event in trace.events]
    assert kinds == [
        ("Request", 1),
        ("Query", 1),
        ("Note", 3),
        ("Request", 1),
        ("Query", 2),
        ("Request", 2),
        ("Step", 1),
        ("Step", 2),
        ("Stray", 2),
    ], kinds
    # A stop is on the track of its start, even if another thread emitted it. Overlapping spans are
    # on different tracks.
    lanes = [event["uuid"] for event in trace.events]
    assert (
        lanes[0] == lanes[5] and lanes[1] == lanes[4] and len({lanes[i] for i in (0, 1, 3, 8)}) == 4
    ), lanes
    # If no stops are exported, starts make no spans.
    assert {
        event["kind"] for event in perfetto("act.frec", "-e", "*:*Start", "-e", "*:Note").events
    } == {3}


def make(name, *words):
    subprocess.run([MAKE, name, *words], check=True)


def check_hosts():
    make("a.frec")
    make("less.frec", "no-crash")
    make("recorder.frec", "other-recorder")
    make("host.frec", "other-host")
    alone, host = json_lines("a.frec"), json_lines("host.frec")
    assert (
        json_lines("a.frec", "a.frec")
        == json_lines("less.frec", "a.frec")
        == json_lines("a.frec", "less.frec")
        == alone
    )
    # Records of another recorder are no duplicates, however similar they are.
    assert sorted(map(str, json_lines("a.frec", "recorder.frec"))) == sorted(
        map(str, alone + alone)
    )
    # The other host's CLOCK_MONOTONIC began a second later.
    expected = [dict(line, host="web-7") for line in alone] + [
        dict(line, host="web-8", time=line["time"] + 10**9) for line in host
    ]
    for files in (("a.frec", "host.frec"), ("host.frec", "a.frec")):
        found = json_lines(*files)
        for name in ("web-7", "web-8"):
            assert [line for line in found if line["host"] == name] == [
                line for line in expected if line["host"] == name
            ]
        # The records of the two hosts are merged by time, but those of each file keep their order.
        assert [line["host"] for line in found[:3]] == ["web-7"] * 3 and found[-1][
            "host"
        ] == "web-8"
        assert found != expected
    # Times are relative to the crash in the first file. The crash in a.frec was at 2.5 s, that
    # in host.frec at 3.5 s.
    assert [line["host"] for line in json_lines("a.frec", "host.frec", "--from", "+0.5")] == [
        "web-8",
        "web-8",
    ]
    assert len(json_lines("host.frec", "a.frec", "--from", "+0.5")) == 0
    assert run("export", "host.frec", "a.frec", "-f", "csv", "-o", "-").stdout.startswith(
        b"host,time,cpu,"
    )
    assert b"  web-8  " in run("export", "host.frec", "a.frec", "-f", "text", "-o", "-").stdout

    trace = perfetto("a.frec", "host.frec", "--flow", "order_id")
    machines = {}
    for packet in map(fields, every(fields(pathlib.Path("t.pftrace").read_bytes()), 1)):
        if one(packet, 11) or one(packet, 1):
            machines[one(packet, 98)] = machines.get(one(packet, 98), 0) + 1
    assert set(machines) == {None, 1} and machines[None] == machines[1], machines
    assert len(trace.crashes) == 2 and [crash[0] for crash in trace.crashes] == [
        2_500_000_000,
        3_500_000_000,
    ]
    assert (
        trace.attributes["flightrec.2.clock.shift_ns"] == 10**9
        and trace.attributes["flightrec.2.host"] == "web-8"
    )
    flows = [flow for flow, _, _ in trace.flows]
    assert len(flows) == 2 * len(set(flows[: len(flows) // 2])) or len(set(flows)) < len(flows)

    check_chrome_hosts()
    check_firefox_hosts()
    for form in ("ctf", "perf"):
        done = run("export", "a.frec", "host.frec", "-f", form, "-o", "never", status=1)
        assert (
            b"several hosts" in done.stderr
            and b"perfetto, json, csv, text, chrome, otlp, otlp-traces, firefox, html"
            in done.stderr
        ), done
        assert not pathlib.Path("never").exists()
        # A format for one host accepts several files of that host.
        run("export", "a.frec", "recorder.frec", "-f", form, "-o", "two." + form)
    run("export", "a.frec", "no such file", "-f", "json", "-o", "never", status=1)


def check_chrome_hosts():
    """Processes of the second host get pids of their own, and names of processes are followed by
    the host."""
    lines = json_lines("a.frec", "host.frec")
    run("export", "a.frec", "host.frec", "-f", "chrome", "-o", "t.chrome.json")
    events = json.loads(pathlib.Path("t.chrome.json").read_text())["traceEvents"]
    names = {
        event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"
    }
    assert names == {123: "shopd (web-7)", 10000123: "shopd (web-8)"}, names
    found = [event for event in events if event["ph"] == "i" and event["cat"] != "flightrec"]
    assert len(found) == len(lines)
    for event, line in zip(found, lines):
        front = {"web-7": 0, "web-8": 10_000_000}[line["host"]]
        assert event["tid"] == front + line["tid"] and round(event["ts"] * 1000) == line["time"], (
            event,
            line,
        )
        assert (
            not line.get("process") or names[event["pid"]] == f"{line['process']} ({line['host']})"
        ), (event, line)
    crashes = [
        (event["ts"], event["pid"], event["tid"]) for event in events if event["name"] == "crash"
    ]
    assert crashes == [(2_500_000, 123, 125), (3_500_000, 10000123, 10000125)], crashes


def check_firefox_hosts():
    lines = json_lines("a.frec", "host.frec")
    run("export", "a.frec", "host.frec", "-f", "firefox", "-o", "t.firefox.json")
    profile = json.loads(pathlib.Path("t.firefox.json").read_text())
    first = min(line["time"] for line in lines)
    schemas = [schema["name"] for schema in profile["meta"]["markerSchema"]]
    assert len(schemas) == len(set(schemas)), schemas
    for schema in profile["meta"]["markerSchema"]:
        keys = [field["key"] for field in schema["fields"]]
        assert len(keys) == len(set(keys)), schema
    threads = [(thread["pid"], thread["tid"]) for thread in profile["threads"]]
    assert len(threads) == len(set(threads)), threads
    found, crashes = [], []
    for thread in profile["threads"]:
        front = "1000" if len(thread["tid"]) == 8 else ""
        host = "web-8" if front else "web-7"
        assert thread["processName"].endswith(f" ({host})"), thread["processName"]
        markers = thread["markers"]
        for data, start in zip(markers["data"], markers["startTime"]):
            key = (host, int(thread["tid"]) % 10_000_000, round(start * 1e6) + first, data["type"])
            (crashes if data["type"] == "flightrec:crash" else found).append(key)
    assert sorted(found) == sorted(
        (line["host"], line["tid"], line["time"], line["event"]) for line in lines
    ), found
    assert sorted(crash[:3] for crash in crashes) == [
        ("web-7", 125, 2_500_000_000),
        ("web-8", 125, 3_500_000_000),
    ], crashes


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        check_hosts()
        files = record_pair()
        check_pair(files)
        check_rules(files)
        check_other_formats(files)
        check_one_recorder()
        check_system_calls()
        check_activities()
        os.chdir("/")
    print("done")


if __name__ == "__main__":
    main()
