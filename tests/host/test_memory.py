#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_memory.py FLIGHTREC WITHOUT WITH: libflightrec adds less than 64 KiB to a service's memory,
recorded or not. Rings, which are shared, do not count."""
import re
import subprocess
import sys
import tempfile

TOOL, WITHOUT, WITH = sys.argv[1:]
LIMIT = 64  # KiB


def private(*command):
    """The KiB that are private to this process, without rings."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().strip()
    with open(f"/proc/{process.pid}/smaps") as file:
        mappings = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", file.read(), flags=re.M)
    process.kill()
    process.wait()
    size = sum(
        int(number)
        for mapping in mappings
        if "memfd:" not in mapping.split("\n")[0]
        for number in re.findall(r"^Private_\w+: +(\d+) kB", mapping, re.M)
    )
    return line, size


failed = False
_, base = private(WITHOUT)
with tempfile.TemporaryDirectory() as folder:
    for command in [WITH], [WITH, TOOL, folder, "shm"], [WITH, TOOL, folder, "auto"]:
        line, size = private(*command)
        print(
            f"{' '.join(command[3:]) or 'not recorded':15} "
            f"{size - base:4} KiB more than the {base} without"
        )
        failed |= line != "ready" or not 0 < size - base < LIMIT
sys.exit(failed)
