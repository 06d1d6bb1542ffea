# A service that is linked with flightrec behaves as one that is not: its output, exit status,
# signals, timers, interrupted system calls, limits, descriptors and children are the same, whether
# a recorder records it or not.
#
# 	test_unchanged.py PLAIN LINKED TRANSPORT...
import os
import re
import subprocess
import sys

from kit import TOOL, check, done, events, folder, snapshots, wait_for

PLAIN, LINKED, TRANSPORTS = *map(os.path.realpath, sys.argv[1:3]), sys.argv[3:]
ENDS = {"exit": 5, "abort": 134, "crash": 139, "kill": 137}
# The descriptors that the library opens, with numbers that services do not use: see emit.h.
OWN = re.compile(r"descriptor (\d+) is (?:/sys/kernel/\S*user_events_data|/memfd), closes \d")


def run(program, end, before=()):
    """Returns the program's output and exit status, and the lines about descriptors of
    flightrec."""
    result = subprocess.run(
        [*before, program, end],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        umask=0o27,
    )
    lines = result.stdout.splitlines()
    own = [line for line in lines if OWN.match(line)]
    errors = [line for line in result.stderr.splitlines() if not line.startswith("flightrec: ")]
    # `flightrec run` reports a signal as a shell does, as status 128 + its number.
    status = result.returncode if result.returncode >= 0 else 128 - result.returncode
    return [line for line in lines if line not in own] + errors + [f"status {status}"], own


def compare(what, found, wanted):
    differ = sorted(set(found) ^ set(wanted)) if found != wanted else []
    check(found == wanted, f"{what}: it behaves as without flightrec {differ}")


def check_own(what, own):
    check(
        all(int(OWN.match(line)[1]) >= 512 for line in own),
        f"{what}: flightrec's descriptors have high numbers {own}",
    )


plain = {end: run(PLAIN, end)[0] for end in ENDS}
for end, status in ENDS.items():
    check(f"status {status}" in plain[end], f"plain: it ends with {status} by {end}")
    found, own = run(LINKED, end)
    compare(f"linked, not recorded, {end}", found, plain[end])
    check_own(f"linked, not recorded, {end}", own)
for transport in TRANSPORTS:
    for end in ENDS:
        out = folder()
        recorder = [TOOL, "run", "-e", "unchanged:*", "--transport", transport, "-o", out, "--"]
        found, own = run(LINKED, end, recorder)
        compare(f"{transport}, {end}", found, plain[end])
        check_own(f"{transport}, {end}", own)
        if end != "exit":
            recorded = wait_for(lambda: snapshots(out)) and [
                e for e in events(snapshots(out)[0]) if e["event"] == "unchanged:work"
            ]
            check(len(recorded) > 40, f"{transport}, {end}: it was recorded {len(recorded)}")
done()
