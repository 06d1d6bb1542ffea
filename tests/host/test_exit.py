#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_exit.py FLIGHTREC MAKE_SNAPSHOT: each command's exit statuses are those of its man page.

0 means success; 1 means a failure, which one line on stderr reports; 2 means wrong usage, which is
reported by one line and the usage after it. A command that fails prints nothing to stdout.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
MAN = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "man"


def run(*words, status, stdout=subprocess.PIPE):
    done = subprocess.run(
        [TOOL, *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert done.returncode == status, (words, done)
    if status == 0:
        assert not lines, done
    elif status == 1:
        assert len(lines) == 1 and lines[0].startswith("flightrec: ") and not done.stdout, done
    elif words:
        assert (
            len(lines) >= 2
            and lines[0].startswith("flightrec: ")
            and lines[1].startswith("usage: ")
            and not done.stdout
        ), done
    return done


def check_man(command):
    text = (MAN / f"flightrec-{command}.1").read_text(encoding="utf-8")
    statuses = re.search(r"^\.SH EXIT STATUS\n(.*?)^\.SH ", text, re.M | re.S).group(1)
    told = set(re.findall(r"^\\fB(\d)\\fP$", statuses, re.M))
    # `run` exits with the status of its command, so its page lists other statuses too.
    assert told == {"0", "1", "2"} or (command == "run" and "2" in statuses), (command, told)


usage = run("--help", status=0).stdout
commands = re.findall(r"^  ([a-z]+)  ", usage, re.M)
run(status=2)
run("--version", status=0)
run("no-such-command", status=2)
with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    subprocess.run([MAKE, "s.frec"], check=True)
    pathlib.Path("no.frec").write_bytes(b"hello, world\n")
    for command in commands:
        assert run(command, "--help", status=0).stdout.startswith("usage: flightrec " + command)
        run(command, "--no-such-option", status=2)
        run(command, "--output", status=2)  # unknown, or lacks its value
        check_man(command)
    for command in ("export", "show", "verify"):
        run(command, status=2)
        run(command, "missing.frec", status=1)
        run(command, "no.frec", status=1)
        run(command, ".", status=1)
    for words in (
        ["verify", "s.frec"],
        ["show", "s.frec"],
        ["export", "s.frec", "-f", "json", "-o", "-"],
    ):
        run(*words, status=0)
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([TOOL, *words], stdout=full, stderr=subprocess.PIPE, check=False)
        assert (
            done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"No space" in done.stderr
        ), done
    for words in (["trigger", "x"], ["status"]):
        run(*words, "--socket", "missing.sock", status=1)
    run("import", "no.frec", "-o", "x.frec", status=1)
    run("export", "s.frec", "-o", "/nonexistent/x.json", status=1)
    os.chdir("/")
print("every command exits as its man page says")
