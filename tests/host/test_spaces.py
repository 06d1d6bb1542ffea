# SPDX-License-Identifier: MIT
"""Services in time and pid namespaces, recorded through shared memory: their events have the
kernel's times, and the pids and names that the recorder's namespace has for them.

    test_spaces.py SPACED
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))
from kit import (  # noqa: E402
    TOOL,
    check,
    done,
    events,
    folder,
    snapshots,
    tool,
    verify,
)

SPACED = sys.argv[1]
FIRST_USERS = 4026531837  # the inode of the first user namespace
INSIDE = os.stat("/proc/self/ns/user").st_ino != FIRST_USERS
USUAL = ["--transport", "shm", "-e", "test:*", "--ring-size", "256K"]
AHEAD = ["--monotonic", "99999", "--boottime", "777"]


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def run(*command, before=(), stdin=None, size="256K", **options):
    """Records a command. Returns {role: pid}, the snapshots, and the times before and after."""
    out, began = folder(), now()
    recorder = subprocess.Popen(
        [*before, TOOL, "run", *USUAL, "--ring-size", size, "-o", out, "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    if stdin:
        time.sleep(1)  # long enough for a recorder that looks in /proc, even on a busy machine
    said, errors = recorder.communicate(stdin)
    pids = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)
    files = snapshots(out)
    check(bool(files), f"there is a snapshot {errors[-300:]}")
    return pids, files, (began, now())


def steps(path):
    return [e for e in events(path) if e["event"] == "test:step"]


def dated(path, span, what):
    found = steps(path)
    times = [e["time"] for e in found]
    verify(path)
    check(
        bool(times) and span[0] < min(times) and max(times) < span[1],
        f"{what}: the kernel's clock dates {len(times)} events "
        f"{[(t - span[0]) / 1e9 for t in times[:1] + times[-1:]]}",
    )
    return found


def in_order(found, roles, what):
    order = [e["fields"]["role"] for e in sorted(found, key=lambda e: e["time"])]
    seen = [r for i, r in enumerate(order) if i == 0 or order[i - 1] != r]
    check(seen == roles, f"{what}: in the order in which it happened {seen}")


if subprocess.run(["unshare", "-T", "true"], stderr=subprocess.DEVNULL).returncode:
    print("skipped: this kernel has no time namespaces")
    sys.exit(77)

print("== a service in a time namespace", flush=True)
pids, files, span = run("unshare", "-T", *AHEAD, "-f", SPACED, "plain")
dated(files[0], span, "ahead")
pids, files, span = run("unshare", "-T", "--monotonic", "-1", "-f", SPACED, "plain")
dated(files[0], span, "a second behind")

print("== without /proc, which tells of the namespace", flush=True)
script = f'mount -t tmpfs none /proc && exec "{SPACED}" plain'
pids, files, span = run("unshare", "-m", "unshare", "-T", *AHEAD, "-f", "sh", "-c", script)
dated(files[0], span, "hidden /proc")

print("== a namespace that a service makes for its children", flush=True)
pids, files, span = run(SPACED, "fork")
in_order(dated(files[0], span, "fork"), ["before", "child", "after"], "fork")

print("== a namespace that a service enters itself, unknown to its emits", flush=True)
pids, files, span = run(SPACED, "enter")
in_order(dated(files[0], span, "enter"), ["before", "after"], "enter")

print("== a recorder in a time namespace", flush=True)
pids, files, span = run(SPACED, "plain", before=["unshare", "-T", *AHEAD, "-f"])
dated(files[0], span, "both ahead")
print("== a service in a pid namespace", flush=True)
# The sleep gives the recorder time to find the shell in /proc.
script = f'sleep 1; exec "{SPACED}" leave'
out = folder()
recorder = subprocess.Popen(
    [TOOL, "run", *USUAL, "-o", out, "--", "sh", "-c"]
    + [f"unshare -p -f sh -c '{script}' & wait; kill -ABRT $$"],
    stdout=subprocess.PIPE,
    text=True,
)
said = recorder.communicate()[0]
for path in snapshots(out)[:1]:
    verify(path)
    found = steps(path)
    check(len(found) == 10, f"all of its events {len(found)}")
    outside = {int(line.split()[1]) for line in said.splitlines() if line.startswith("leave")}
    check(
        {(e["pid"], e["tid"]) for e in found} == {(p, p) for p in outside},
        f"the pid of the recorder's namespace {sorted({e['pid'] for e in found})} {outside}",
    )
    check(
        {e["process"] for e in found} <= {"sh", "spaced"},
        f"a name {set(e.get('process') for e in found)}",
    )

print("== a pid namespace that a service makes for its children", flush=True)
pids, files, span = run(SPACED, "pids", stdin="\n")
for path in files[:1]:
    verify(path)
    by_role = {e["fields"]["role"]: (str(e["pid"]), e["process"]) for e in steps(path)}
    check(
        by_role == {role: (pid, "spaced") for role, pid in pids.items()} and len(by_role) == 3,
        f"pids and names {by_role} {pids}",
    )

if os.geteuid() == 0 and os.path.isdir("/sys/kernel/tracing/events") and not INSIDE:
    # Only the kernel reports processes and threads that live as briefly as those below.
    print("== more threads than a process may have at first", flush=True)
    pids, files, span = run(SPACED, "threads", "6000", size="1M")
    verify(files[0])
    found = steps(files[0])
    wrong = [e.get("thread") for e in found if e.get("thread") != e["fields"]["role"]]
    check(
        len(found) == 6000 and not wrong,
        f"{len(found)} threads have their names, all but {len(wrong)} {wrong[:3]}",
    )

    print("== doctor in namespaces", flush=True)

    def doctor(*before):
        said = subprocess.run(
            [*before, TOOL, "doctor", "--json"], stdout=subprocess.PIPE, text=True
        ).stdout
        probes = [json.loads(line) for line in said.splitlines()]
        return {p["capability"]: p for p in probes if "capability" in p}

    outside, inside = doctor(), doctor("unshare", "-p", "-f", "--mount-proc")
    changed = {n for n in outside if outside[n]["state"] != inside[n]["state"]}
    check(
        changed <= {"pid-namespace"},
        f"a pid namespace changes nothing else {[(n, inside[n]['found']) for n in changed]}",
    )
    if outside["uprobes"]["state"] == "ok":
        out = folder()
        subprocess.run(
            ["unshare", "-p", "-f", "--mount-proc", TOOL, "run", "-e", "test:*", "-o", out]
            + ["--transport", "usdt", "--ring-size", "256K", "--", SPACED, "plain"],
            stdout=subprocess.DEVNULL,
        )
        files = snapshots(out)
        check(bool(files) and len(steps(files[0])) == 10, f"and usdt works as it says {files}")
    clocks = doctor("unshare", "-T", *AHEAD, "-f")["clocks"]
    check(
        clocks["state"] == "ok" and "+99999" in clocks["found"],
        f"a time namespace is named {clocks['found']}",
    )
    bare = doctor("unshare", "-m", "sh", "-c", 'umount -l /sys/kernel/tracing; exec "$@"', "sh")
    check(
        bare["tracefs-rights"]["state"] == "missing" or bare["tracefs"]["state"] != "ok",
        f"and a mount namespace without tracefs {bare['tracefs']['found']}",
    )

    print("== mass churn of processes", flush=True)
    script = f'"{SPACED}" leave; exec "{SPACED}" churn 9000'
    pids, files, span = run("sh", "-c", script, size="64K")
    verify(files[0])
    found = steps(files[0])
    check(
        len(found) == 10 and {e.get("process") for e in found} == {"spaced"},
        f"who emitted before is known {len(found)} {set(e.get('process') for e in found)}",
    )
done()
