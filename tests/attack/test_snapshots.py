#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_snapshots.py FLIGHTREC MAKE_HOSTILE: small files that are made to be expensive to
read.

Memory and output of every command stay below the limits in docs/limits.md, which grow with the
file's size. Each command says in one line what it left out because of them. The number of
instructions does not grow faster than the file.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
FORMATS = (
    "perfetto json csv text chrome otlp otlp-traces perf firefox html folded pprof ctf".split()
)
COMMANDS = [["show"], ["show", "--all"], ["show", "--all", "--json"], ["verify"]] + [
    ["export", "-f", name, "-o", "out"] for name in FORMATS
]
# As in docs/limits.md.
MEMORY = lambda size: (256 << 20) + 64 * size
OUTPUT = lambda size: (256 << 20) + 1024 * size
SLACK = 16 << 20  # the limit is checked before an event is written
ADDRESSES = 4 << 30

# kind: the argument COUNT of make_hostile, and a pattern of what every command has to report (None:
# nothing is left out)
KINDS = {
    "fields": (100000, "99488 fields of sources"),
    "names": (1 << 20, "3 ends of long names"),
    "bomb": (1000, "records up to here are more"),
    "cpus": (2000, "records up to here are more"),
    "processes": (100000, None),
    "threads": (2000000, None),
    "source-fields": (4000000, "would take more memory"),
    "unknown": (4000000, "would take more memory"),
    "packed": (5000000, None),
    "enumerators": (500000, "495904 enumerators"),
    "losses": (20000, None),
    "clocks": (100000, "99936 readings of the clocks"),
    "sources": (20000, None),
    "stacks": (100000, "records up to here are more"),
    "maps": (13000, None),
}
# With these kinds, each format takes seconds until a limit is reached, so only some are tried.
FEW = {
    kind: [["show", "--all"], ["verify"]] + [["export", "-f", name, "-o", "out"] for name in names]
    for kind, names in {
        "bomb": ["json"],
        "cpus": ["json"],
        "stacks": ["json", "folded", "firefox"],
        "maps": ["folded"],
    }.items()
}
# Kinds and commands that once took quadratic time, with the smallest of the three counts to
# compare.
LINEAR = [
    ("processes", 1500, ["export", "-f", "perfetto", "-o", "out"]),
    ("losses", 1000, ["export", "-f", "perfetto", "-o", "out"]),
    ("losses", 1000, ["verify"]),
    ("losses", 1000, ["show"]),
    ("losses", 1000, ["show", "--json"]),
    ("sources", 1000, ["export", "-f", "json", "-o", "out"]),
]


def forget_output():
    if os.path.isdir("out"):
        shutil.rmtree("out")
    elif os.path.exists("out"):
        os.remove("out")


def size_of_output():
    if os.path.isdir("out"):
        return sum(os.path.getsize(os.path.join("out", name)) for name in os.listdir("out"))
    return os.path.getsize("out") if os.path.exists("out") else 0


def measure(command):
    """Runs a command on s.frec. Returns its exit status, bytes of memory, bytes of output, stdout
    and stderr."""
    forget_output()
    pid = os.fork()
    if not pid:
        os.dup2(os.open("stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(os.open("stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        try:
            os.execv(TOOL, [TOOL, command[0], "s.frec", *command[1:]])
        finally:
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    written = size_of_output() + os.path.getsize("stdout")
    with open("stderr", encoding="utf-8") as errors:
        text = errors.read()
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10, written, text


def check_kind(kind, count, said):
    subprocess.run([MAKE, "s.frec", kind, str(count)], check=True)
    size = os.path.getsize("s.frec")
    most = 0
    for command in FEW.get(kind, COMMANDS):
        what = f"{kind} {' '.join(command)}"
        status, memory, written, errors = measure(command)
        assert status in (0, 1), (what, status, errors)
        assert memory < MEMORY(size), (what, size, memory)
        assert written < OUTPUT(size) + SLACK, (what, size, written)
        assert errors.count("\n") <= 1, (what, errors)
        if said and command[0] == "verify":
            with open("stdout", encoding="utf-8") as lines:
                errors = lines.read()
        if said and "cannot hold" not in errors and "no event has" not in errors:
            assert status == 1 and re.search(said, errors), (what, errors)
        if kind in ("stacks", "maps") and "folded" in command:
            assert "call stacks" in errors, (kind, errors)
        most = max(most, memory)
        if "--json" in command:
            with open("stdout", "rb") as report:
                report.seek(-min(4096, os.path.getsize("stdout")), os.SEEK_END)
                end = report.read()
            assert "left out" not in errors or b'"left_out":' in end, (what, end)
    print(f"{kind}: {size >> 10} KiB, at most {most >> 20} MiB of memory", flush=True)


def instructions(kind, count, command):
    subprocess.run([MAKE, "s.frec", kind, str(count)], check=True)
    forget_output()
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", TOOL, command[0],
         "s.frec", *command[1:]],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        env=dict(os.environ, FLIGHTREC_SANDBOX="off"),  # valgrind makes new code
    )  # fmt: skip
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def check_linear():
    if not shutil.which("valgrind"):
        print("not tested: without valgrind nothing counts instructions")
        return
    for kind, count, command in LINEAR:
        one, two, four = (instructions(kind, n * count, command) for n in (1, 2, 4))
        # Instructions that do not depend on the count cancel out in the differences.
        growth = (four - two) / (two - one)
        assert growth < 2.5, (kind, command, one, two, four)
        print(f"{kind} {' '.join(command)}: twice as much takes {growth:.2f} times as long")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for kind, (count, said) in KINDS.items():
            check_kind(kind, count, said)
        check_linear()
        os.chdir("/")


main()
