#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_core.py FLIGHTREC CRASHER: flightrec core has all threads of a crash in its snapshot, and loses no core dump.

It sets kernel.core_pattern, which is the machine's, and puts back what was there. Exits 77 where it may not.
"""
import atexit
import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOOL, CRASHER = map(os.path.abspath, sys.argv[1:3])
SETTING, USES_PID = "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/core_uses_pid"
FILES = ["/run/sysctl.d/99-flightrec-core.conf", "/etc/sysctl.d/99-flightrec-core.conf"]
THREADS, NOBODY = 50, 65534


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().rstrip("\n")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def tool(*arguments, **options):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, check=False, **options)


def core(*arguments):
    done = tool("core", *arguments)
    assert not done.returncode, done
    return done


if os.geteuid() != 0:
    skip("only root may set kernel.core_pattern")
if any(map(os.path.exists, FILES)):
    skip("flightrec core is installed on this machine")
BEFORE, BEFORE_USES_PID = read(SETTING), read(USES_PID)
try:
    write(SETTING, BEFORE)
except OSError as error:
    skip(f"{SETTING}: {error}")

SCRATCH = tempfile.mkdtemp(prefix="frec-core-")
os.chmod(SCRATCH, 0o755)
HANDLER, TAKEN = os.path.join(SCRATCH, "handler"), os.path.join(SCRATCH, "taken")
os.mkdir(TAKEN)
write(HANDLER, f"#!/bin/sh\n# Keeps a core dump, and what it was told of it.\ncd {TAKEN} && cat > part.$1 &&\n"
      "printf '%s\\n' \"$@\" > told.$1 && mv part.$1 core.$1\n")
os.chmod(HANDLER, 0o755)
OURS = f"|{HANDLER} %P %I %s %e %u 100%%"


@atexit.register
def restore():
    for path in FILES:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    write(SETTING, BEFORE)
    write(USES_PID, BEFORE_USES_PID)
    shutil.rmtree(SCRATCH, ignore_errors=True)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def taken(pid):
    """What the handler got of a process."""
    path = os.path.join(TAKEN, f"core.{pid}")
    wait_for(lambda: os.path.exists(path))
    with open(path, "rb") as file:
        return file.read(), read(os.path.join(TAKEN, f"told.{pid}")).splitlines()


def size_of_core(data):
    """How long a core dump has to be, by its own header."""
    assert data[:4] == b"\x7fELF", data[:16]
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    ends = [sum(struct.unpack_from("<8xQ16xQ", data, offset + 56 * i)) for i in range(count)]
    return max(ends)


def check_core(data, threads):
    assert len(data) == size_of_core(data), (len(data), size_of_core(data))
    if not shutil.which("gdb"):
        return
    with tempfile.NamedTemporaryFile(dir=SCRATCH) as file:
        file.write(data)
        file.flush()
        gdb = subprocess.run(["gdb", "-nx", "-batch", "-ex", "info threads", "-ex", "bt", CRASHER, file.name],
                             capture_output=True, text=True, check=False)
    assert gdb.stdout.count("(LWP ") >= threads and "crashes (" in gdb.stdout, gdb.stdout + gdb.stderr


def record(*command, threads=THREADS, **options):
    """Runs it under a recorder: its snapshot of a crash, as `show --json` has it, and what verify says."""
    out = tempfile.mkdtemp(dir=SCRATCH)
    done = tool("run", "--ring-size", "256K", "-o", out, "--", *command, **options)
    files = sorted(os.listdir(out))
    assert len(files) == 1 and "SIGSEGV" in files[0], (files, done)
    path = os.path.join(out, files[0])
    verify = tool("verify", path)
    assert not verify.returncode, verify
    report = json.loads(tool("show", "--json", path).stdout)
    # That of the thread that crashed can be known without a core dump.
    if threads is not None:
        assert len(report["threads"]) == threads, (len(report["threads"]), done.stderr)
    return report


def functions(thread):
    return [frame.get("function") for frame in thread["frames"]]


def check_threads(report, threads=THREADS, how="crashes"):
    """Each thread is there once, by its name, with what it is known to do."""
    crash = report["crash"]
    assert {thread["pid"] for thread in report["threads"]} == {crash["pid"]}, report["threads"]
    assert len({thread["tid"] for thread in report["threads"]}) == threads, report["threads"]
    by_name = {thread["thread"]: thread for thread in report["threads"]}
    assert len(by_name) == threads, sorted(by_name)
    for number in range(1, threads):
        thread = by_name[f"sleeper-{number}"]
        names = functions(thread)
        assert thread["frames_end"] == "complete", thread
        assert names.count("sleeps_at") == number % 7 + 1 and names[names.index("thread") - 1] == "sleeps_at", (number, names)
        assert names.index("sleeps_at") <= 2, names  # pause() alone is above
    main, = [thread for thread in report["threads"] if thread["tid"] == crash["tid"]]
    names = functions(main)
    assert names[0] == how and "main" in names and main["frames_end"] == "complete", main
    return main


def check_install():
    write(SETTING, OURS)
    rows = doctor()
    assert rows["state"] == "limited" and rows["fix"].endswith("core --install"), rows
    core("--install", "--until-reboot")
    pattern = read(SETTING)
    assert pattern.startswith(f"|{TOOL} core --kernel ") and f"kernel.core_pattern={pattern}\n" in read(FILES[0]) + "\n", pattern
    assert not os.path.exists(FILES[1])
    rows = doctor()
    assert rows["state"] == "ok" and OURS in rows["found"], rows
    # Once more is no harm: it does not pass on to itself.
    core("--install", "--until-reboot", "--time", "7", "--threads", "100")
    assert OURS in doctor()["found"] and " --time=7 --threads=100 " in read(SETTING), read(SETTING)
    # Somebody else's setting stays.
    write(SETTING, "else")
    assert doctor()["state"] == "limited", doctor()
    assert "stays" in core("--remove").stderr and read(SETTING) == "else" and not os.path.exists(FILES[0])
    done = tool("core", "--remove")
    assert done.returncode == 1 and "not installed" in done.stderr, done
    # What was there comes back as it was.
    for pattern in (OURS, "", "core", "/var/crash/core.%e.%p  ", "|/bin/false  two  blanks "):
        write(SETTING, pattern + "\n")
        before = read(SETTING)
        core("--install", "--until-reboot")
        assert read(SETTING).startswith(f"|{TOOL}")
        core("--remove")
        assert read(SETTING) == before, (before, read(SETTING))
    done = tool("core", "--install", preexec_fn=lambda: (os.setgid(NOBODY), os.setuid(NOBODY)), cwd="/")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done
    for arguments in (["--install", "--remove"], ["--time", "x"], ["--threads", "0"], [], ["x"]):
        assert tool("core", *arguments).returncode == 2, arguments


def doctor():
    lines = map(json.loads, tool("doctor", "--json").stdout.splitlines())
    return next(row for row in lines if row.get("capability") == "all-threads")


@contextlib.contextmanager
def installed(previous, *options):
    write(SETTING, previous + "\n")
    core("--install", "--until-reboot", *options)
    yield
    core("--remove")
    assert read(SETTING) == previous


def check_all_threads():
    with installed(OURS):
        report = record(CRASHER, str(THREADS), "write")
        check_threads(report)
        pid = report["crash"]["pid"]
        data, told = taken(pid)
        check_core(data, THREADS)
        assert told == [str(pid), str(report["crash"]["tid"]), "11", os.path.basename(CRASHER), "0", "100%"], told
        # The stack pointer of the thread that crashed is in no mapping.
        report = record(CRASHER, "3", "overflow", threads=3)
        names = functions(next(thread for thread in report["threads"] if thread["tid"] == report["crash"]["tid"]))
        assert names[0] == "overflows" and names.count("overflows") > 50, names[:5]


check_install()
check_all_threads()
print("flightrec core has all threads, and passes on")
