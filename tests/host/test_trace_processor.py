#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_trace_processor.py FLIGHTREC MAKE_SNAPSHOT PAIR SHOPD: Perfetto's own trace_processor reads
the traces without an error, and finds in them what is in the JSON lines.

The traces are of a service that died under load, as in the quickstart, with every task switch of
the machine, which the kernel may not write (recorder/sources/tracepoints.h); of a crash with the
stacks of all threads; of two services that call each other; of `perf record`; and of two hosts.
"""
import collections
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from test_import import perf_record
from test_timeline import MAKE, RULES, TOOL, WAIT, json_lines, record_pair, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "data"))
from trace_processor import STATS, ask_perfetto  # noqa: E402

SHOPD = os.path.abspath(sys.argv[4])
# Letters of trace_processor for prev_state.
STATES = {0: "R", 1: "S", 2: "D", 4: "T", 8: "t", 16: "X", 32: "Z", 64: "P", 128: "I", 256: "R+"}
SPANS = {  # by begin: name of the span and the event that ends it
    "server:job_start": ("job", "server:job_done"),
    "server:work_begin": ("work", "server:work_end"),
    "client:call_start": ("call", "client:call_done"),
    "client:check_start": ("check", "client:check_done"),
}
QUERIES = {
    "errors": STATS,
    "events": "select name, count(*) as n from (select name from slice where category is not null"
    " and (category != 'flightrec' or name = 'fatal_signal') union all"
    " select name from ftrace_event) group by 1",
    "states": "select end_state as state, count(*) as n from sched where dur >= 0 group by 1",
    "running": "select count(*) as n from thread_state where state = 'Running'",
    "counters": "select t.name as name, count(*) as n from counter c join counter_track t on"
    " t.id = c.track_id where t.name in ('server:queue.depth', 'load') group by 1",
    "flows": "select count(*) as n from flow",
    "stacks": "select p.ts as ts, t.tid as tid, c.depth + 1 as depth from perf_sample p"
    " join thread t using (utid) join stack_profile_callsite c on c.id = p.callsite_id",
}


def rows_of(answer):
    """Returns {the other columns: n} of rows with a column n."""
    return collections.Counter(
        {tuple(v for k, v in row.items() if k != "n"): row["n"] for row in answer}
    )


class Expected:
    """What the JSON lines say that the trace has."""

    def __init__(self, lines, spans):
        self.events = collections.Counter()  # by name, slices and events of the kernel alike
        self.states, self.running, self.stacks = collections.Counter(), 0, collections.Counter()
        self.from_idle = 0  # switches away from idle tasks that were not recorded
        on = {}
        ends = {end for _, end in spans.values()}
        for line in lines:
            name = line["event"].split(":")[1]
            if line["event"] in spans:
                name = spans[line["event"]][0]
            self.events[name] += line["event"] not in ends
            if line["event"] == "sched:sched_switch":
                self.switch(on, line)
            if "stack" in line and line["tid"] is not None:
                self.stacks[line["tid"], len(line["stack"])] += 1

    def switch(self, on, line):
        """Counts a task switch, and the one before it if that was not recorded."""
        key, fields = (line.get("host"), line["cpu"]), line["fields"]
        self.running += fields["next_pid"] != 0
        if on.get(key) not in (None, fields["prev_pid"]):
            self.states["S" if on[key] else "R",] += 1
            self.from_idle += on[key] == 0
            self.events["sched_switch"] += 1
            self.running += fields["prev_pid"] != 0
            on[key] = fields["prev_pid"]
        if key in on:
            self.states[STATES[fields["prev_state"]],] += 1
        on[key] = fields["next_pid"]


def check(name, *arguments, spans=(), counters=(), flows=0):
    lines = json_lines(*arguments)
    run("export", *arguments, "-f", "perfetto", "-o", name + ".pftrace")
    answers = ask_perfetto(name + ".pftrace", *QUERIES.values())
    if answers is None:
        sys.exit(77)
    found = dict(zip(QUERIES, answers))
    expected = Expected(lines, dict(spans))
    assert not found["errors"], (name, found["errors"])
    events = collections.Counter({row["name"]: row["n"] for row in found["events"]})
    assert events == +expected.events, (name, events, expected.events)
    assert rows_of(found["states"]) == expected.states, (name, found["states"], expected.states)
    assert found["running"] == [{"n": expected.running}], (name, found["running"], expected.running)
    assert rows_of(found["counters"]) == collections.Counter(dict(counters)), found["counters"]
    assert found["flows"] == [{"n": flows}], (name, found["flows"], flows)
    stacks = collections.Counter((row["tid"], row["depth"]) for row in found["stacks"])
    assert not expected.stacks - stacks, (name, expected.stacks - stacks)
    print(f"{name}: {len(lines)} events, {sum(stacks.values())} stacks are the same")
    return lines, expected


def served(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=WAIT) as answer:
        return answer.read()


def quickstart():
    """Has a recorder watch a service and all switches of the machine until the service crashes."""
    os.mkdir("quickstart")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [
            SHOPD,
            "--listen",
            f"127.0.0.1:{port}",
            "--record",
            "quickstart",
            "--keeper",
            TOOL,
            "--allow-crash",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as shop:
        words = shop.stdout.readline()
        assert "serving on" in words, words
        for _ in range(50):
            served(port, "/products")
            time.sleep(0.005)  # lets the CPU become idle
        try:
            served(port, "/crash?how=null")
        except OSError:
            pass
        shop.wait(WAIT)
    for _ in range(10 * WAIT):
        files = list(pathlib.Path("quickstart").glob("*.frec"))
        if files:
            return files
        time.sleep(0.1)
    raise AssertionError("no snapshot came")


def main():
    if not shutil.which("node"):
        print("skipped: there is no node")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        files = quickstart()
        run("verify", *files)
        lines, expected = check("quickstart", *files)
        switches = [line for line in lines if line["event"] == "sched:sched_switch"]
        assert len(switches) > 100, len(switches)
        assert not expected.from_idle, expected.from_idle
        subprocess.run([MAKE, "a.frec"], check=True)
        subprocess.run([MAKE, "host.frec", "other-host"], check=True)
        check("crash", "a.frec")
        check("hosts", "a.frec", "host.frec")
        pair = record_pair()
        check(
            "pair",
            *pair,
            *RULES,
            spans=SPANS,
            counters={("server:queue.depth",): 5, ("load",): 5},
            flows=15,  # five requests of four steps each
        )
        how = "-B", "-N", "-g", "-k", "CLOCK_MONOTONIC"
        if shutil.which("perf") and perf_record(
            "p.data", *how, events="cpu-clock,sched:sched_switch"
        ):
            run("import", "p.data", "-o", "p.frec")
            check("import", "p.frec")
        os.chdir("/")


if __name__ == "__main__":
    main()
