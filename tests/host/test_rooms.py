# SPDX-License-Identifier: MIT
"""Includes go only one way between the rooms, which are folders of the tree.

    test_rooms.py TREE [FILE...]

ROOMS lists each room below the rooms that it may include, so there can be no circle between rooms.
The test fails on an include that the table does not allow, a room that is not in it, and a rule
that no include needs. Without a FILE it reads all files that git tracks.
"""
import os
import re
import subprocess
import sys

# room: the rooms that its files may include, besides itself
ROOMS = {
    # This code runs in other people's services and must not need any library but libc.
    "recorder/service": [],
    "proto": [],
    "unwind": ["proto"],
    "recorder/worker": ["proto", "unwind"],
    "recorder/declared": ["proto", "recorder/service", "recorder/worker"],
    "recorder/rings": ["proto", "recorder/service", "recorder/declared"],
    "recorder/processes": ["proto", "recorder/declared", "recorder/rings"],
    "recorder/sources": ["proto", "recorder/declared", "recorder/rings"],
    "recorder/snapshot": ["proto", "unwind", "recorder/worker", "recorder/rings",
                          "recorder/processes", "recorder/sources"],
    "recorder/core": ["proto", "unwind", "recorder/service", "recorder/worker",
                      "recorder/rings", "recorder/processes", "recorder/snapshot"],
    "recorder": ["proto", "recorder/service", "recorder/declared", "recorder/rings",
                 "recorder/processes", "recorder/sources", "recorder/snapshot", "recorder/core"],
    "recorder/import": ["proto", "recorder/rings", "recorder/sources", "recorder/snapshot"],
    "recorder/doctor": ["proto", "recorder/service", "recorder/declared", "recorder/rings",
                        "recorder/sources", "recorder/core", "recorder"],
    "export/read": ["proto"],
    "export/timeline": ["proto", "unwind", "export/read"],
    "export/report": ["proto", "unwind", "export/read", "export/timeline"],
    "export": ["proto", "unwind", "export/read", "export/timeline", "export/report"],
    # The export formats that consist of more than two files each. They do not include each other.
    "export/perfetto": ["proto", "unwind", "export/read", "export/report", "export"],
    "export/otlp": ["proto", "export/read", "export/timeline", "export/report", "export"],
    "export/perf": ["proto", "export/read", "export"],
    "export/firefox": ["proto", "export/read", "export/report", "export"],
    "export/html": ["proto", "unwind", "export/read", "export/report", "export"],
    "tools": ["proto", "unwind", "recorder/service", "recorder/declared",
              "recorder/sources", "recorder/core", "recorder", "recorder/import",
              "recorder/doctor", "export/read", "export/timeline", "export"],
    "tools/demo": ["recorder/service"],
}


def room_of(path):
    """Returns the room of a file, or None if the file is outside the folders that have rooms."""
    if path.startswith("recorder/service/"):
        return "recorder/service"
    folder = os.path.dirname(path)
    known = folder.split("/")[0] in ("recorder", "unwind", "export", "proto", "tools")
    return folder if known else None


def included(tree, path):
    """Yields (line number, path in the tree) for each include in `path` that names a file of the
    tree."""
    with open(os.path.join(tree, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
            if not match:
                continue
            name = match[1]
            if name.startswith("flightrec/"):
                name = "recorder/service/include/" + name
            if name.split("/")[0] in ("recorder", "unwind", "export", "proto", "tools"):
                yield number, name


def main():
    tree, names = os.path.realpath(sys.argv[1]), sys.argv[2:]
    whole = not names
    names = names or subprocess.run(
        ["git", "-C", tree, "ls-files"], check=True, capture_output=True, text=True
    ).stdout.split()
    bad, used = [], set()
    order = list(ROOMS)
    for room, allowed in ROOMS.items():
        bad += [f"the table: {room} may include {other}, which is not above it"
                for other in allowed if order.index(other) > order.index(room)]
    for name in names:
        room = room_of(name)
        if not room or not name.endswith((".c", ".h")):
            continue
        if room not in ROOMS:
            bad.append(f"{name}: the room {room} is not in the table")
            continue
        for number, other in included(tree, name):
            to = room_of(other)
            used.add((room, to))
            if to != room and to not in ROOMS[room]:
                bad.append(f"{name}:{number}: {room} may not include {other}")
    if whole:
        bad += [f"the table: {room} may include {to}, but does not"
                for room, allowed in ROOMS.items() for to in allowed if (room, to) not in used]
    for line in bad:
        print(line)
    return bool(bad)


sys.exit(main())
