# SPDX-License-Identifier: MIT
# Proves that processes that die at once each leave a snapshot with their stack, that a loop of
# crashes leaves snapshots of its first and its latest one and counts the rest, and that triggers of
# one name within the cool-down lead to one snapshot, with every event before the last of them.
# Needs root.
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))
from kit import TOOL, Recorder, check, done, events, folder, report, snapshots, tool, wait_for

MANY = sys.argv[1]


def run(*arguments, options=()):
    """Records a command and returns the reports of its snapshots, in the order in which they were
    written, and what the recorder printed."""
    out = folder()
    result = tool("run", "-o", out, "--transport", "shm", *options, "--", MANY, *arguments)
    check(result.returncode == 0, f"{arguments} ends {result.returncode} {result.stderr[-300:]}")
    paths = sorted(snapshots(out), key=lambda path: int(path.rsplit("-", 1)[1][:-5]))
    return [dict(report(path), path=path) for path in paths], result.stderr


def steps(path):
    return [e["fields"]["number"] for e in events(path) if e["event"] == "many:step"]


def of_the_dead(report):
    """Returns the numbers that the process that died had emitted."""
    return [
        e["fields"]["number"]
        for e in events(report["path"])
        if e["event"] == "many:step" and e["pid"] == report["crash"]["pid"]
    ]


def coalesced(reports):
    return sum(r["trigger"].get("coalesced", 0) for r in reports)


print("== a storm", flush=True)
# In rings this small the stacks of three crashes overwrite everything.
COUNT = 24
reports, _ = run("storm", str(COUNT), options=("--ring-size", "64K", "--cooldown", "1h"))
check(
    len({r["crash"]["pid"] for r in reports}) == COUNT == len(reports),
    f"each of {COUNT} has its snapshot: {len(reports)}",
)
check(all(r["trigger"]["kind"] == "crash" for r in reports), "all are crashes")
check(all("many" in r["crash"]["cmdline"][0] for r in reports), "all have a command line")
with_stack = [r for r in reports if any("die_here" in str(f) for f in r["crash"].get("frames", []))]
check(len(with_stack) == COUNT, f"each has its stack: {len(with_stack)}")
check(all(r["crash"].get("registers") for r in reports), "each has registers")

print("== a loop", flush=True)
COUNT = 12
reports, printed = run("loop", str(COUNT), options=("--cooldown", "1h"))
check(len(reports) == 2, f"the first and the latest: {len(reports)}")
check(of_the_dead(reports[0]) == [0], "the first is the first")
check(of_the_dead(reports[-1]) == [COUNT - 1], "the latest is the last")
check(
    len(reports) + coalesced(reports) == COUNT,
    f"the rest is counted in the file: {len(reports)} + {coalesced(reports)}",
)
check(f"also for {COUNT - len(reports)} such deaths" in printed, "and in the log")
shown = tool("show", "-n", "0", reports[-1]["path"]).stdout
check(f"also for {COUNT - len(reports)} deaths in a loop" in shown, "and by show")
check(all("die_here" in str(r["crash"]) for r in reports), "both have their stacks")
reports, _ = run("loop", "4", options=("--cooldown", "0"))
check(len(reports) == 4 and not coalesced(reports), f"without a cool-down all: {len(reports)}")

print("== a group and a family", flush=True)
reports, _ = run("group", "8", options=("--cooldown", "1h"))
check(len(reports) == 8, f"each that was killed has its snapshot: {len(reports)}")
check(all(r["trigger"]["kind"] == "killed" for r in reports), "all were killed")
reports, _ = run("family", options=("--cooldown", "1h"))
check(len(reports) == 2, f"child and parent have their snapshots: {len(reports)}")
check(
    len(reports) == 2 and reports[0]["crash"]["time"] < reports[1]["crash"]["time"],
    "the child's comes first",
)

print("== triggers of a service", flush=True)
out = folder()
result = subprocess.run([MANY, "triggers", out, TOOL], text=True, stdout=subprocess.PIPE)
print(result.stdout, flush=True)
check(result.returncode == 0, "frec_trigger() returns what is documented")
accepted = int(result.stdout.split("accepted ")[1].split()[0])
reports = [dict(report(path), path=path) for path in snapshots(out)]


def named(name):
    found = [r for r in reports if r["trigger"]["name"] == name]
    return sorted(found, key=lambda r: r["trigger"]["time"])


slow = named("slow checkout")
check(len(slow) == 2 and coalesced(slow) == 6, f"8 triggers are 2 snapshots: {len(slow)}")
check(steps(slow[0]["path"])[:1] == [1], "the first is taken at once")
check(steps(slow[1]["path"])[:8] == list(range(1, 9)), "the second has all events before the last")
check(
    slow[1]["trigger"]["coalesced_since"] < slow[1]["trigger"]["time"],
    "and says since when it stands for others",
)
check(len(named("x" * 100)) == 1, "another name has its own")
flood = named("flood")
# The recorder is stopped before it has read these triggers, so all of them wait for its end.
check(
    1 <= len(flood) <= 2 and len(flood) + coalesced(flood) == accepted,
    f"of {accepted} none is forgotten: {len(flood)} + {coalesced(flood)}",
)

print("== triggers by hand", flush=True)
recorder = Recorder("-e", "sched:sched_process_exec", "--transport", "usdt", "--cooldown", "1h")
first = recorder.trigger("look")
check(os.path.exists(first), f"the first is served at once {first}")
waiting = [
    subprocess.Popen(
        [TOOL, "trigger", "look", "--socket", recorder.socket], stdout=subprocess.PIPE, text=True
    )
    for _ in range(4)
]

def status():
    return json.loads(tool("status", "--json", "--socket", recorder.socket).stdout)

check(wait_for(lambda: status().get("triggers_coalesced") == 3), "status counts those that wait")
other = recorder.trigger("other")
check(os.path.exists(other), f"another name does not wait {other}")
check(all(process.poll() is None for process in waiting), "the four wait")
shown = tool("status", "--socket", recorder.socket).stdout
check("3 triggers and 0 deaths in loops" in shown, f"status says so {shown}")
# The end of the recorder ends the cool-down.
recorder.stop()
paths = {process.communicate()[0].strip() for process in waiting}
check(all(process.returncode == 0 for process in waiting), "all are answered")
check(len(paths) == 1 and first not in paths, f"by one file {paths}")
check(report(paths.pop())["trigger"]["coalesced"] == 3, "which says for how many")

done()
