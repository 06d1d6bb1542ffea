#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_files.py PUPPET: what a user's program files can do to a recorder of root.

User nobody maps files that are meant to harm whoever reads their sections, while a recorder of root
looks for the events of all running programs. The recorder starts without waiting for these files,
stays small, names what it passed over, and records the programs of others as before.

Who: a user whose programs run beside a recorder of root
Tried: maps ELF files with 60 000 sections over the same 16 MiB, with a table of 12 million
    sections, with 20 000 events, and with notes that all claim a site
Happened: a child without rights reads them within bounds; the recorder stays small, names the files
    in its log and in `flightrec status`, passes them over, and loses no event of others
"""
import json
import os
import subprocess
import sys

from kit import Recorder, check, done, folder, tool, verify, wait_for
from puppet import Puppet, beats, whole

NOBODY = 65534
# The memory that the attacker's files may cost a recorder: four times FREC_FILES_STRANGERS_SIZE,
# because what it makes of the findings takes room, too.
CEILING = 32 << 20
FILES = 7  # all but the notes, which declare nothing
EVENTS = 100

PUPPET = os.path.realpath(sys.argv[1])


def high_water(pid):
    """Returns the most memory that a process has used, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) << 10


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return list(map(int, file.read().split()))


def status(recorder):
    return json.loads(tool("status", "--json", "--socket", recorder.socket).stdout)


def record(puppet):
    """Starts a recorder and lets it record EVENTS events of the puppet. Returns the recorder."""
    recorder = Recorder("-e", "accept:*", "-e", "attack:*", "--transport", "usdt")
    last = puppet.emit(EVENTS)
    path = recorder.trigger("files")
    verify(path)
    check(
        whole(beats(path)[puppet.pid], range(last - EVENTS + 1, last + 1)),
        f"every event of root's service was recorded {len(beats(path)[puppet.pid])}",
    )
    return recorder


print("== alone", flush=True)
puppet = Puppet(PUPPET)
recorder = record(puppet)
before = high_water(recorder.process.pid)
check("passed_over" not in status(recorder), "no file was passed over")
check(recorder.stop() == 0, "the recorder exits with 0")

print("== attacked", flush=True)
place = folder()
os.chmod(place, 0o755)
os.chown(place, NOBODY, NOBODY)
attacker = subprocess.Popen(
    [sys.executable, os.path.join(os.path.dirname(__file__), "hostile_files.py"), place],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=NOBODY, group=NOBODY,
    extra_groups=[],
)  # fmt: skip
check(attacker.stdout.readline() == "mapped\n", "the attacker has mapped his files")
recorder = record(puppet)
pid = recorder.process.pid
check(len(children(pid)) <= 2, f"at most two processes read files {children(pid)}")
for child in children(pid):
    with open(f"/proc/{child}/status", encoding="ascii") as file:
        lines = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
    check(
        lines["Uid"].split() == [str(NOBODY)] * 4
        and lines["CapPrm"] == "0" * 16
        and lines["Seccomp"] == "2"
        and lines["NoNewPrivs"] == "1",
        f"process {child}, which reads them, has no rights",
    )
check(
    wait_for(lambda: status(recorder).get("passed_over", 0) >= FILES, 120),
    f"the files that cost too much are counted {status(recorder).get('passed_over')}",
)
check(
    place in status(recorder)["last_passed_over"],
    f"and the last is named {status(recorder).get('last_passed_over')}",
)
used = high_water(pid)
check(used < before + CEILING, f"the recorder stays small: {used >> 10} KiB, {before >> 10} alone")
print("== a service that starts now", flush=True)
late = Puppet(PUPPET)
wait_for(lambda: late.word() != 0)
last = late.emit(EVENTS)
path = recorder.trigger("late")
check(whole(beats(path)[late.pid], range(1, last + 1)), "all its events are recorded")
late.quit()
attacker.stdin.close()
attacker.wait()
check(recorder.stop() == 0, "the recorder exits with 0")
check("20000-events" in recorder.errors, "the log names the file with 20 000 events")
check("huge-table" in recorder.errors, "and that with 12 million sections")
puppet.quit()
done()
