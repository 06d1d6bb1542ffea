#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_terminal.py FLIGHTREC MAKE_SNAPSHOT: only a terminal gets a pager, colours and progress."""
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
BASE = {"PATH": os.environ["PATH"], "TERM": "xterm", "TZ": "UTC"}


def run(*words, terminal=(), status=0, **environment):
    """Runs the tool with the named descriptors on a terminal. Returns its stdout and stderr."""
    read, threads, ends, outputs = {}, [], {}, {}

    def drain(name, fd):
        read[name] = b""
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:  # the terminal's other end was closed
                return
            if not data:
                return
            read[name] += data

    for name in ("stdout", "stderr"):
        ends[name], outputs[name] = pty.openpty() if name in terminal else os.pipe()
        threads.append(threading.Thread(target=drain, args=(name, ends[name])))
    process = subprocess.Popen(
        [TOOL, *words], stdin=subprocess.DEVNULL, env={**BASE, **environment}, **outputs
    )
    for fd in outputs.values():
        os.close(fd)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert process.wait(100) == status, (words, read)
    for fd in ends.values():
        os.close(fd)
    # A terminal translates \n to \r\n.
    return read["stdout"].replace(b"\r\n", b"\n"), read["stderr"].replace(b"\r\n", b"\n")


def told_when_stopped(words, status, terminal, ticks):
    """Stops the tool for more than a second after `ticks` ticks of processor time. Returns its
    stderr."""
    ends, other = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [TOOL, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=other, env=BASE
    )
    os.close(other)
    while (
        process.poll() is None
        and int(pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11])
        < ticks
    ):
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.1)
    process.send_signal(signal.SIGCONT)
    told = b""
    try:
        while data := os.read(ends, 65536):
            told += data
    except OSError:
        pass
    os.close(ends)
    assert process.wait(100) == status, told
    return told


def check_progress(*words, status=0):
    """Checks the progress bar of a command. The bar appears after a second, so the command is
    stopped for longer than that in the middle of its work."""
    # A fast machine may be done after two ticks, and a slow one may not have begun after one, so
    # try again if there is no bar.
    for attempt in range(8):
        ticks = 2 - attempt % 2
        told = told_when_stopped(words, status, True, ticks)
        if told:
            break
    # The bar is drawn at least once and then erased.
    assert re.fullmatch(rb"(\r\[#* *\] +\d+%, \d+:\d\d left )+\r\x1b\[K", told), (words, told)
    assert told_when_stopped(words, status, False, ticks) == b"", words


def check_show():
    subprocess.run([MAKE, "s.frec"], check=True)
    plain = run("show", "s.frec", PAGER="touch paged")[0]
    assert b"SIGSEGV" in plain and b"\x1b" not in plain and not os.path.exists("paged")
    colored = run("show", "s.frec", "--color", "always")[0]
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", colored) == plain != colored
    on_terminal = {"terminal": ("stdout",)}
    # The pager gets all output, and prints to the terminal.
    assert (
        run("show", "s.frec", PAGER="tee paged", **on_terminal)[0]
        == colored
        == pathlib.Path("paged").read_bytes()
    )
    assert run("show", "s.frec", PAGER="sed s/SIGSEGV/SEEN/g", **on_terminal)[0] == colored.replace(
        b"SIGSEGV", b"SEEN"
    )
    os.remove("paged")
    # The output is the same if PAGER selects no pager, or if the pager is not installed.
    assert (
        run("show", "s.frec", PAGER="cat", **on_terminal)[0]
        == run("show", "s.frec", PAGER="", **on_terminal)[0]
        == colored
    )
    assert run("show", "s.frec", PATH="/nonexistent", **on_terminal)[0] == colored
    # If PAGER names no program, the shell says so, and the output follows all the same.
    for status, pager in ((127, "/nonexistent/pager"), (126, "/dev/null")):
        output, complaint = run("show", "s.frec", PAGER=pager, **on_terminal)
        assert output == colored and pager.encode() in complaint, (status, output, complaint)
    # The default pager is less, for which this script stands in.
    os.mkdir("bin")
    pathlib.Path("bin/less").write_text('#!/bin/sh\necho "less $*"; cat\n')
    os.chmod("bin/less", 0o755)
    assert (
        run("show", "s.frec", PATH=os.path.abspath("bin") + ":" + BASE["PATH"], **on_terminal)[0]
        == b"less -FRX\n" + colored
    )
    # Colours can be switched off by the usual environment variables.
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert run("show", "s.frec", PAGER="tee", **environment, **on_terminal)[0] == plain
    assert run("show", "s.frec", "--color=always", NO_COLOR="1")[0] == colored
    assert run("show", "s.frec", "--color=never", PAGER="tee", **on_terminal)[0] == plain
    assert b"auto, always or never" in run("show", "s.frec", "--color", "red", status=2)[1]
    # JSON is not paged.
    assert run("show", "s.frec", "--json", PAGER="touch paged", **on_terminal)[0].startswith(b"{")
    assert not os.path.exists("paged")
    # Leaving the pager early is not an error. An error is printed after the pager's output.
    subprocess.run([MAKE, "large.frec", "large", "4"], check=True)
    first = run("show", "large.frec", "--color=always")[0].split(b"\n")[0] + b"\n"
    assert run("show", "large.frec", "--all", PAGER="head -n 1", **on_terminal) == (first, b"")
    pathlib.Path("torn.frec").write_bytes(pathlib.Path("s.frec").read_bytes()[:-30])
    assert (
        b"cut off" in run("show", "torn.frec", PAGER="cat >/dev/null", status=1, **on_terminal)[1]
    )


with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    check_show()
    subprocess.run([MAKE, "large.frec", "large", "64"], check=True)
    check_progress("export", "large.frec", "-o", "large.perf.data")
    check_progress("verify", "large.frec", status=1)  # the file has no loss parts
    check_progress("import", "large.perf.data", "-o", "back.frec")
    os.chdir("/")
print("terminals get a pager, colours and progress, and pipes get plain text")
