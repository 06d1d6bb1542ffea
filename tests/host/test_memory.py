#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_memory.py FLIGHTREC WITHOUT WITH: libflightrec makes a service write to less than 96 KiB
more of its memory, whether it is recorded or not. Rings, which are shared, do not count."""
import os
import re
import subprocess
import sys
import tempfile

TOOL, WITHOUT, WITH = map(os.path.realpath, sys.argv[1:])
LIMIT = 96  # KiB
# The stack begins at a random byte of a page, so a process may need a page more or less.
TRIES = 5


def private(program, *arguments):
    """Returns the first line that a process prints, and the KiB that it has written to. Shared
    rings do not count. Nor do clean pages of files: how many of them the kernel maps at once, and
    whether they are private, depends on its cache and on other processes."""
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().strip()
    with open(f"/proc/{process.pid}/smaps") as file:
        mappings = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", file.read(), flags=re.M)
    # SIGTERM is a normal end, for which the keeper writes no snapshot.
    process.terminate()
    process.wait()
    size = 0
    for mapping in mappings:
        name = mapping.split("\n")[0]
        if "memfd:" not in name:
            size += sum(map(int, re.findall(r"^Private_Dirty: +(\d+) kB", mapping, re.M)))
    return line, size


def least(*command):
    found = [private(*command) for _ in range(TRIES)]
    return {line for line, _ in found}, min(size for _, size in found)


failed = False
_, base = least(WITHOUT)
with tempfile.TemporaryDirectory() as folder:
    for command in [WITH], [WITH, TOOL, folder, "shm"], [WITH, TOOL, folder, "auto"]:
        lines, size = least(*command)
        how = " ".join(command[3:]) or "not recorded"
        print(f"{how:15} {size - base:4} KiB more than the {base} without")
        failed |= lines != {"ready"} or not size - base < LIMIT
sys.exit(failed)
