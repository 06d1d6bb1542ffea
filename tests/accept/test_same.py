# The events in the file are the same, byte for byte, for every transport, except for process,
# thread, CPU and time.
#
# 	test_same.py KINDS GOLDEN TRANSPORT...
#
# GOLDEN lists the events that every transport must deliver. For a long line it has the beginning,
# the length and a checksum. With UPDATE=1 in the environment, the test rewrites GOLDEN with the
# events of the first transport.
import hashlib
import itertools
import os
import re
import sys

from kit import check, done, events, folder, report, snapshots, tool, verify

KINDS, GOLDEN, TRANSPORTS = sys.argv[1], sys.argv[2], sys.argv[3:]
WHERE_AND_WHEN = re.compile(r'^\{"time":\d+,"cpu":\d+,"pid":\d+,"tid":\d+,')


def recorded(transport):
    """Runs `kinds` under `flightrec run`. Returns its events as JSON lines without time, CPU, pid
    and tid."""
    out = folder()
    result = tool(
        "run",
        "-e",
        "same:*",
        "-e",
        "flightrec:lost",
        "--transport",
        transport,
        "-o",
        out,
        "--",
        KINDS,
    )
    if not check(
        result.returncode == 3 and len(snapshots(out)) == 1,
        f"{transport}: recorded {result.returncode} {result.stderr.strip()}",
    ):
        return []
    path = snapshots(out)[0]
    verify(path)
    found = events(path)
    # A recorder with rights also records the crashes of other processes on the machine.
    pid = int(os.path.basename(path).split("-")[1])
    ours = [e["pid"] == pid or e["event"].startswith("same:") for e in found]
    check(
        {(e["process"], e["pid"], e["tid"]) for e in itertools.compress(found, ours)}
        == {("kinds", pid, pid)},
        f"{transport}: all events are of one thread",
    )
    check(
        [e["time"] for e in found] == sorted(e["time"] for e in found),
        f"{transport}: the events are in the order of time",
    )
    names = {e["event"].partition(":")[2] for e in itertools.compress(found, ours)}
    sources = [s for s in report(path)["loss"]["sources"] if s["name"] in names]
    emitted, in_file = (sum(s[key] for s in sources) for key in ("emitted", "in_file"))
    check(
        in_file == emitted == sum(ours),
        f"{transport}: nothing is lost {emitted} {in_file} {sum(ours)}",
    )
    lines = tool("export", "-f", "json", "-o", "-", path).stdout.splitlines()
    check(
        all(WHERE_AND_WHEN.match(line) for line in lines),
        f"{transport}: each event says when and where",
    )
    return [WHERE_AND_WHEN.sub("{", line) for line in itertools.compress(lines, ours)]


def short(line):
    if len(line) <= 400:
        return line
    digest = hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{line[:100]} ... {len(line)} {digest[:16]}"


def compare(what, lines, wanted):
    same = lines == wanted
    differ = [pair for pair in zip(lines, wanted) if pair[0] != pair[1]] or [
        (len(lines), len(wanted))
    ]
    check(
        same,
        what
        + (
            ""
            if same
            else f": {short(str(differ[0][0]))}\n        instead of {short(str(differ[0][1]))}"
        ),
    )


first = None
for transport in TRANSPORTS:
    print(f"== {transport}", flush=True)
    lines = recorded(transport)
    if os.environ.get("UPDATE") and first is None:
        with open(GOLDEN, "w", encoding="utf-8") as file:
            file.writelines(short(line) + "\n" for line in lines)
    with open(GOLDEN, encoding="utf-8") as file:
        compare(
            f"{transport}: the events are those of the golden file",
            [short(line) for line in lines],
            file.read().splitlines(),
        )
    first = first or lines
    compare(f"{transport}: the events are the same as by {TRANSPORTS[0]}", lines, first)
done()
