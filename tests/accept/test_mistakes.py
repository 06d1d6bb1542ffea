# Strings and byte arrays at unreadable addresses have the same effect on every transport: the
# program lives, and the event is dropped with an error, counted, and reported.
#
# 	test_mistakes.py MISTAKES TRANSPORT...
import collections
import os
import subprocess
import sys

from kit import check, done, events, folder, snapshots, tool, verify

MISTAKES, TRANSPORTS = os.path.realpath(sys.argv[1]), sys.argv[2:]
FAULT, TOO_LARGE = -14, -7
ADDRESSES = 20

off = subprocess.run([MISTAKES], stdout=subprocess.PIPE, text=True)
check(off.returncode == 3, "the program runs without a recorder")
for transport in TRANSPORTS:
    out = folder()
    result = tool(
        "run", "-e", "mistake:*", "-e", "flightrec:lost", "--transport", transport, "-o", out, "--",
        MISTAKES,
    )
    lines = result.stdout.splitlines()
    check(
        result.returncode == 3 and len(lines) == ADDRESSES + 3,
        f"{transport}: the program lives {result.returncode} {result.stderr.strip()}",
    )
    for line in lines[:ADDRESSES]:
        address, _, rest = line.partition(": ")
        codes = [int(word) for word in rest.split() if word.lstrip("-").isdigit()]
        # A NULL string is recorded as "(null)", and NULL characters as none.
        wanted = [FAULT] * 3 + [0] + [FAULT] * 4 + [0]
        if address == "0":
            wanted = [0, 0, FAULT, 0, 0, FAULT, 0, 0, 0]
        check(codes == wanted, f"{transport}: {line}")
    check(
        lines[ADDRESSES:][:2] == [f"lengths: {TOO_LARGE} {TOO_LARGE} {TOO_LARGE} {TOO_LARGE}",
                                  "edge: 0 0 0 0"],
        f"{transport}: lengths beyond the largest are refused, and ends of pages are read "
        f"{lines[ADDRESSES:]}",
    )
    faults = 2 + 7 * (ADDRESSES - 1)
    check(
        lines[-1] == f"errno 4711, {faults} faults, 4 too large",
        f"{transport}: each is counted: {lines[-1]}",
    )
    verify(snapshots(out)[0])
    found = collections.Counter()
    for event in events(snapshots(out)[0]):
        if event["process"] == "mistakes":
            lost = event["event"] == "flightrec:lost"
            found[event["event"] + (str(event["fields"]["error"]) if lost else "")] += 1
    check(
        found
        == {
            "mistake:text": 2,
            "mistake:tag": 2,
            "mistake:raw": ADDRESSES + 1,
            "mistake:many": 3,
            "mistake:counted": ADDRESSES + 1,
            "flightrec:lost14": faults,
            "flightrec:lost7": 4,
        },
        f"{transport}: the others are recorded, and the dropped ones are reported {dict(found)}",
    )
done()
