#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_core.py FLIGHTREC CRASHER WAYS: flightrec core puts all threads of a crashed process into
the snapshot and loses no core dump. WAYS is tests/unwind/crashes.c.

The test sets the machine's kernel.core_pattern and restores it. It exits with 77 if it has no right
to do so.
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
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data"))
import control  # noqa: E402

SETTING, USES_PID, SUID_DUMPABLE = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/core_uses_pid",
    "/proc/sys/fs/suid_dumpable",
)
FILES = ["/run/sysctl.d/99-flightrec-core.conf", "/etc/sysctl.d/99-flightrec-core.conf"]
THREADS, NOBODY = 50, 61234  # NOBODY: a user that no other test runs as


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
    return subprocess.run(
        [TOOL, *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )


def core(*arguments):
    done = tool("core", *arguments)
    assert not done.returncode, done
    return done


if os.geteuid() != 0:
    skip("only root may set kernel.core_pattern")
if any(map(os.path.exists, FILES)):
    skip("flightrec core is installed on this machine")
BEFORE = {path: read(path) for path in (SETTING, USES_PID, SUID_DUMPABLE)}
try:
    write(SETTING, BEFORE[SETTING] + "\n")
except OSError as error:
    skip(f"{SETTING}: {error}")

SCRATCH = tempfile.mkdtemp(prefix="frec-core-")
os.chmod(SCRATCH, 0o755)
# Copies that every user can run.
TOOL, CRASHER = [shutil.copy(path, SCRATCH) for path in sys.argv[1:3]]
WAYS = os.path.abspath(sys.argv[3])  # tests/unwind/crashes.c
HANDLER, TAKEN = os.path.join(SCRATCH, "handler"), os.path.join(SCRATCH, "taken")
os.mkdir(TAKEN)
write(
    HANDLER,
    f"#!/bin/sh\n# Keeps a core dump and its arguments.\ncd {TAKEN} && cat > part.$1 &&\n"
    "printf '%s\\n' \"$@\" > told.$1 && mv part.$1 core.$1\n",
)
os.chmod(HANDLER, 0o755)
OURS = f"|{HANDLER} %P %I %s %e %u 100%%"


def restore():
    for path in FILES:
        with contextlib.suppress(OSError):
            os.unlink(path)
    for path, text in BEFORE.items():
        write(path, text + "\n")
    shutil.rmtree(SCRATCH, ignore_errors=True)


def restore_after_me():
    """Restores the machine's settings at the end, even if this test is killed."""
    end, mine = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        os.close(mine)
        os.read(end, 1)
        restore()
        os._exit(0)
    os.close(end)
    atexit.register(lambda: (os.close(mine), os.waitpid(child, 0)))


restore_after_me()


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never became true"
        time.sleep(0.02)


def taken(pid):
    """Returns the core dump that HANDLER received for a process, and the arguments of HANDLER."""
    path = os.path.join(TAKEN, f"core.{pid}")
    wait_for(lambda: os.path.exists(path))
    with open(path, "rb") as file:
        return file.read(), read(os.path.join(TAKEN, f"told.{pid}")).splitlines()


def size_of_core(data):
    """Returns the size that a core dump must have according to its header."""
    assert data[:4] == b"\x7fELF", data[:16]
    (offset,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    ends = [sum(struct.unpack_from("<8xQ16xQ", data, offset + 56 * i)) for i in range(count)]
    return max(ends)


def check_core(data, threads):
    assert len(data) == size_of_core(data), (len(data), size_of_core(data))
    if not shutil.which("gdb"):
        return
    with tempfile.NamedTemporaryFile(dir=SCRATCH) as file:
        file.write(data)
        file.flush()
        gdb = subprocess.run(
            ["gdb", "-nx", "-batch", "-ex", "info threads", "-ex", "bt", CRASHER, file.name],
            capture_output=True,
            text=True,
            check=False,
        )
    assert gdb.stdout.count("(LWP ") >= threads and "crashes (" in gdb.stdout, (
        gdb.stdout + gdb.stderr
    )


def record(*command, threads=THREADS, **options):
    """Runs a command that crashes under a recorder and verifies the snapshot. Returns the snapshot
    as `show --json` prints it."""
    out = tempfile.mkdtemp(dir=SCRATCH)
    done = tool("run", "-e", "none:*", "--ring-size", "256K", "-o", out, "--", *command, **options)
    files = sorted(os.listdir(out))
    assert len(files) == 1 and "SIGSEGV" in files[0], (files, done)
    path = os.path.join(out, files[0])
    verify = tool("verify", path)
    assert not verify.returncode, verify
    report = json.loads(tool("show", "--json", path).stdout)
    # If `threads` is None, any number of threads is right, because the stack of the thread that
    # crashed may be known even without a core dump.
    if threads is not None:
        assert len(report["threads"]) == threads, (len(report["threads"]), done.stderr)
    return report


def functions(thread):
    return [frame.get("function") for frame in thread["frames"]]


def check_threads(report, threads=THREADS, how="crashes"):
    """Checks that the report has each thread once, with its name and the expected stack."""
    crash = report["crash"]
    assert {thread["pid"] for thread in report["threads"]} == {crash["pid"]}, report["threads"]
    assert len({thread["tid"] for thread in report["threads"]}) == threads, report["threads"]
    by_name = {thread["thread"]: thread for thread in report["threads"]}
    assert len(by_name) == threads, sorted(by_name)
    for number in range(1, threads):
        thread = by_name[f"sleeper-{number}"]
        names = functions(thread)
        assert thread["frames_end"] == "complete", thread
        assert (
            names.count("sleeps_at") == number % 7 + 1
            and names[names.index("thread") - 1] == "sleeps_at"
        ), (number, names)
        assert names.index("sleeps_at") <= 2, names  # sleeps_at() calls only pause()
    (main,) = [thread for thread in report["threads"] if thread["tid"] == crash["tid"]]
    names = functions(main)
    assert names[0] == how and "main" in names and main["frames_end"] == "complete", main
    return main


def check_install():
    write(SETTING, OURS)
    rows = doctor()
    assert rows["state"] == "limited" and rows["fix"].endswith("core --install"), rows
    core("--install", "--until-reboot")
    pattern = read(SETTING)
    assert (
        pattern.startswith(f"|{TOOL} core --kernel ")
        and f"kernel.core_pattern={pattern}\n" in read(FILES[0]) + "\n"
    ), pattern
    assert not os.path.exists(FILES[1])
    rows = doctor()
    assert rows["state"] == "ok" and OURS in rows["found"], rows
    # A second installation does not make the handler pass core dumps on to itself.
    core("--install", "--until-reboot", "--time", "7", "--threads", "100")
    assert OURS in doctor()["found"] and " --time=7 --threads=100 " in read(SETTING), read(SETTING)
    # If another program changes the setting after the installation, --remove does not change it
    # back.
    write(SETTING, "else")
    assert doctor()["state"] == "limited", doctor()
    assert (
        "stays" in core("--remove").stderr
        and read(SETTING) == "else"
        and not os.path.exists(FILES[0])
    )
    done = tool("core", "--remove")
    assert done.returncode == 1 and "not installed" in done.stderr, done
    # Each previous setting is restored exactly.
    for pattern in (OURS, "", "core", "/var/crash/core.%e.%p  ", "|/bin/false  two  blanks "):
        write(SETTING, pattern + "\n")
        before = read(SETTING)
        core("--install", "--until-reboot")
        assert read(SETTING).startswith(f"|{TOOL}")
        core("--remove")
        assert read(SETTING) == before, (before, read(SETTING))
    done = tool(
        "core", "--install", preexec_fn=lambda: (os.setgid(NOBODY), os.setuid(NOBODY)), cwd="/"
    )
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
        assert told == [
            str(pid),
            str(report["crash"]["tid"]),
            "11",
            os.path.basename(CRASHER),
            "0",
            "100%",
        ], told
        # The main thread has ended, so its folder in /proc shows no memory.
        report = record(CRASHER, "5", "alone", threads=None)
        named = {thread["thread"]: functions(thread) for thread in report["threads"]}
        assert [
            named.get(f"sleeper-{number}", []).count("sleeps_at") for number in range(1, 5)
        ] == [2, 3, 4, 5], report["threads"]
        (died,) = [t for t in report["threads"] if t["tid"] == report["crash"]["tid"]]
        assert functions(died)[:2] == ["crashes", "crash_alone"], died
        # The stack pointer of the thread that crashed is in no mapping.
        report = record(CRASHER, "3", "overflow", threads=3)
        names = functions(
            next(thread for thread in report["threads"] if thread["tid"] == report["crash"]["tid"])
        )
        assert names[0] == "overflows" and names.count("overflows") > 50, names[:5]


def check_memory():
    """What unwinding needs is read from the process, wherever it is."""
    end = ["middle", "outer", "main", "_start"]
    ways = {
        "holes": ["leaf", "crash", "buffered", "hole", "buffered", "holes", *end],
        "giant": ["huge_frame", "giant", *end],
        "reported": ["report", "__restore_rt", "leaf", "crash", "crash_reported", *end],
        "segment": ["leaf", "crash", "call_on", "segment", *end],
        "hole-thread": ["leaf", "crash", "buffered", "hole", "middle", "start_thread", "clone3"],
    }
    if not shutil.which("gcc") or os.uname().machine != "x86_64":
        return
    program = os.path.join(SCRATCH, "ways")
    subprocess.run(["gcc", "-O2", "-w", "-pthread", "-o", program, WAYS], check=True)
    with installed(OURS):
        for way, wanted in ways.items():
            report = record(program, way, threads=2 if way == "hole-thread" else 1)
            (dead,) = [t for t in report["threads"] if t["tid"] == report["crash"]["tid"]]
            rest = iter(functions(dead))
            assert dead["frames_end"] == "complete" and all(name in rest for name in wanted), (
                way,
                functions(dead),
                dead["frames_end_words"],
            )
class Server:
    """A server of core dumps at a socket, as Linux 6.16 knows them. Takes `count` core dumps, and
    answers the kernel's request if `asks`."""

    def __init__(self, path, asks, count=1):
        self.asks, self.count, self.cores = asks, count, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for _ in range(self.count):
            connection = self.socket.accept()[0]
            if self.asks:
                size, ack, mask = struct.unpack("<IIQ", connection.recv(16, socket.MSG_WAITALL))
                assert size == ack == 16 and mask == 15, (size, ack, mask)
                connection.sendall(struct.pack("<IIQ", 16, 0, 1 | 8))  # send it, and wait for me
                assert connection.recv(1) == b"\0"
            with connection.makefile("rb") as file:
                self.cores.append(file.read())
            connection.close()


def check_socket():
    """Core dumps that went to a socket go on to it, and the snapshot has all threads."""
    for number, at in enumerate(("@", "@@")):
        path = os.path.join(SCRATCH, f"socket{number}")
        server = Server(path, asks=at == "@@")
        with installed(at + path):
            report = record(CRASHER, "5", "write", threads=5)
            check_threads(report, 5)
            server.thread.join()
        check_core(server.cores[0], 5)
        server.socket.close()


def handlers():
    """Returns the number of handlers that still work on a core dump. A handler runs until the
    program that it passes the core dump on to has ended."""
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                count += file.read().startswith(TOOL.encode() + b"\0core\0--kernel\0")
    return count


def crash(*command, limit=resource.RLIM_INFINITY, **options):
    """Runs a program that crashes, without starting it under a recorder, and waits until the
    handler has ended. Returns its pid."""
    process = subprocess.Popen(
        command or [CRASHER, "2", "write"],
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (limit, limit)),
        **options,
    )
    assert process.wait() in (-signal.SIGSEGV, 128 + signal.SIGSEGV), process
    wait_for(lambda: not handlers())
    return process.pid


def check_limits():
    with installed(OURS, "--threads", "10"):
        report = record(CRASHER, "50", "write", threads=10)
        assert report["crash"]["stacks_missing"] == 40 and report["crash"]["tid"] in [
            t["tid"] for t in report["threads"]
        ], report
    with installed(OURS, "--time", "0"):
        report = record(CRASHER, "5", "write", threads=None)
        assert len(report.get("threads", [])) <= 1, report
        check_core(taken(report["crash"]["pid"])[0], 5)


def check_alone():
    """Without a recorder, the core dump is only passed on."""
    with installed(OURS):
        check_core(taken(crash())[0], 2)


def run_by_hand(data, *told):
    """Runs the handler with `data` as the core dump. Returns what it passes on."""
    pid = told[0][1:]
    done = tool("core", "--time=2", "--kernel", *told, input=None, stdin=feeding(data))
    assert not done.returncode, done
    return taken(pid)[0]


def feeding(data):
    """Returns the reading end of a pipe into which a child process writes `data`."""
    out, into = os.pipe()
    if not os.fork():
        os.close(out)
        with os.fdopen(into, "wb") as file, contextlib.suppress(BrokenPipeError):
            file.write(data)
        os._exit(0)
    os.close(into)
    return out


def check_anything():
    """The handler passes on any data unchanged."""
    whole, _ = taken(crash_with(OURS))
    head = bytearray(whole[:100000])
    struct.pack_into("<Q", head, 64 + 32, 1 << 62)  # the header claims 2^62 bytes of notes
    with installed(OURS), Listener() as listener:
        sleeper = subprocess.Popen(["sleep", "1000"])
        for data in (
            b"",
            b"x",
            os.urandom(300000),
            whole,
            whole[:70000],
            whole[:2000],
            bytes(head),
            b"\x7fELF" * 50000,
        ):
            for name in os.listdir(TAKEN):
                # Another test's process may dump core here, too, and gives the file its name.
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(TAKEN, name))
            got = run_by_hand(
                data, f"P{sleeper.pid}", "I1", "s11", "ename", "u0", "d1", f"c{1 << 40}"
            )
            assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest(), (
                len(got),
                len(data),
            )
        sleeper.kill()
        sleeper.wait()
        heard = listener.heard()
        # Nobody is asked for the stacks of a process whose core is not being dumped.
        assert not [line for line in heard if f"core {sleeper.pid}" in line], heard


def crash_with(previous):
    with installed(previous):
        return crash()


class Listener:
    """A simulated recorder with a socket in `folder`. It accepts every request or, if `answers` is
    false, never answers."""

    def __init__(self, folder="/run/flightrec", answers=True, uid=0):
        self.path, self.answers, self.uid = (
            os.path.join(folder, f"test-{os.getpid()}.sock"),
            answers,
            uid,
        )
        self.messages, self.stacks = [], []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def __enter__(self):
        os.makedirs(os.path.dirname(self.path), 0o700, exist_ok=True)
        self.socket.bind(self.path)
        os.seteuid(self.uid)  # the socket belongs to the user that listens
        self.socket.listen(8)
        os.seteuid(0)
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                self.serve(self.socket.accept()[0])

    def serve(self, connection):
        with contextlib.suppress(OSError):
            while message := socket.recv_fds(connection, 65536, 1):
                data, fds = message[:2]
                if not data:
                    break
                self.messages.append(control.heard(data))
                self.stacks += [os.pread(fd, 1 << 24, 0) for fd in fds]
                if self.answers:
                    connection.send(control.done(awaited=1))
        connection.close()

    def heard(self):
        return list(self.messages)


def check_silent_recorder():
    """The handler does not wait for a recorder that never answers, and if connecting takes too
    long, it looks for no more recorders."""
    with installed(OURS, "--time", "1"), Listener(answers=False):
        check_core(taken(crash())[0], 2)
    with installed(OURS, "--time", "1"), contextlib.ExitStack() as stack:
        for i in range(20):
            path = f"/run/flightrec/test-{os.getpid()}-{i}.sock"
            full = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            full.bind(path)
            stack.callback(os.unlink, path)
            full.listen(0)
            stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)).connect(path)
        check_core(taken(crash())[0], 2)


@contextlib.contextmanager
def suid_dumpable():
    """Makes the kernel also dump processes whose program file their user has no right to read. Only
    root can read these core dumps."""
    write(SUID_DUMPABLE, "2")
    yield
    write(SUID_DUMPABLE, BEFORE[SUID_DUMPABLE])


def as_user(uid):
    return {
        "user": uid,
        "group": uid,
        "extra_groups": [],
        "cwd": "/",
        "env": {"PATH": os.environ["PATH"]},
    }


def check_users():
    """A user's recorder learns only of that user's processes."""
    folder = f"/tmp/flightrec-{NOBODY}"
    if os.path.exists(folder):
        shutil.rmtree(folder)
    with installed(OURS):
        # The folder is named after the user, but another user owns it.
        with Listener(folder) as listener:
            crash(CRASHER, "2", "write", **as_user(NOBODY))
            assert not listener.heard(), listener.heard()
        os.chown(folder, NOBODY, NOBODY)
        private = os.path.join(SCRATCH, "unreadable")
        shutil.copy(CRASHER, private)
        os.chmod(private, 0o111)
        with Listener(folder, uid=NOBODY) as listener:
            crash(CRASHER, "2", "write")
            assert not listener.heard(), listener.heard()
            # The user may run the program but not read its memory.
            with suid_dumpable():
                crash(private, "2", "write", **as_user(NOBODY))
            assert not listener.heard(), listener.heard()
            pid = crash(CRASHER, "2", "write", **as_user(NOBODY))
            assert (
                listener.heard() == [f"core {pid}", f"stacks {pid}"] and len(listener.stacks) == 1
            ), listener.heard()
        shutil.rmtree(folder)
        # A recorder without any right gets the stacks of the process that it started.
        out = os.path.join(SCRATCH, "nobody")
        os.mkdir(out)
        os.chown(out, NOBODY, NOBODY)
        done = tool(
            "run",
            "-e",
            "x:*",
            "--ring-size",
            "64K",
            "-o",
            out,
            "--",
            CRASHER,
            "5",
            "write",
            **as_user(NOBODY),
        )
        files = os.listdir(out)
        assert len(files) == 1, (files, done)
        report = json.loads(tool("show", "--json", os.path.join(out, files[0])).stdout)
        assert len(report["threads"]) == 5 and {
            thread["frames_end"] for thread in report["threads"]
        } == {"complete"}, report
        shutil.rmtree(folder, ignore_errors=True)


def unshared(options, script, *arguments):
    return ["unshare", *options, "bash", "-c", script, "bash", *arguments]


def check_namespaces():
    """The process has namespaces of its own, so its paths and pids are not those of the handler,
    and its program file is gone."""
    if subprocess.run(
        ["unshare", "-mpf", "--mount-proc", "true"], check=False, capture_output=True
    ).returncode:
        print("namespaces: cannot be created here")
        return
    hidden = os.path.join(SCRATCH, "hidden")
    os.mkdir(hidden)
    script = (
        'mount -t tmpfs none "$1" && cp "$2" "$1/program" && exec 3<"$1/program" '
        '&& rm "$1/program" && exec /proc/self/fd/3 9 write'
    )
    with installed(OURS):
        plain = record(CRASHER, "9", "write", threads=9)
        lengths = sorted(len(thread["frames"]) for thread in plain["threads"])
        report = record(*unshared(["-m"], script, hidden, CRASHER), threads=9)
        assert {thread["frames_end"] for thread in report["threads"]} == {"complete"}, report[
            "threads"
        ]
        assert sorted(len(thread["frames"]) for thread in report["threads"]) == lengths, report[
            "threads"
        ]
        report = record(*unshared(["-mpf", "--mount-proc"], '"$1" 50 write; exit 139', CRASHER))
        check_threads(report)
        assert taken(report["crash"]["pid"])[1][0] == str(report["crash"]["pid"]) != "2"


def describe(folder):
    """Describes the files of a folder without their sizes, which vary with a process's random
    layout."""
    found = {}
    for name in sorted(os.listdir(folder)):
        status = os.lstat(os.path.join(folder, name))
        whole = None
        if os.path.isfile(os.path.join(folder, name)) and not os.path.islink(
            os.path.join(folder, name)
        ):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            whole = data[:4] == b"\x7fELF" and len(data) >= size_of_core(data)
        found[name.replace(str(describe.pid), "PID")] = (
            oct(status.st_mode),
            status.st_uid,
            status.st_gid,
            status.st_nlink,
            whole,
        )
    return found


def make_folder(uid, kind):
    folder = tempfile.mkdtemp(dir=SCRATCH)
    os.chown(folder, uid, uid)
    if kind == "forbidden":
        os.chmod(folder, 0o500)
        os.chown(folder, 0, 0)
    elif kind == "link":
        os.symlink("target", os.path.join(folder, "core"))
        write(os.path.join(folder, "target"), "mine")
    elif kind == "hardlink":
        write(os.path.join(folder, "target"), "mine")
        os.link(os.path.join(folder, "target"), os.path.join(folder, "core"))
    elif kind == "folder":
        os.mkdir(os.path.join(folder, "core"))
    if kind.startswith("roots"):
        os.chmod(folder, 0o755)
        os.chown(folder, 0, 0)
    if kind.endswith("old"):
        write(os.path.join(folder, "core"), "old")
    return folder


def check_files():
    """The core files that the handler writes are like those that the kernel itself writes."""
    private = os.path.join(SCRATCH, "private")
    shutil.copy(CRASHER, private)
    os.chmod(private, 0o111)
    with suid_dumpable():
        for pattern, uses_pid, uid, kind, limit, program in (
            ("core", 0, 0, "", -1, CRASHER),
            ("core", 1, NOBODY, "", -1, CRASHER),
            ("core", 0, NOBODY, "old", -1, CRASHER),
            ("%e.%p.%s.%u", 1, NOBODY, "", -1, CRASHER),
            ("@/%e-%P", 1, NOBODY, "", -1, CRASHER),
            ("core", 0, NOBODY, "forbidden", -1, CRASHER),
            ("core", 0, NOBODY, "link", -1, CRASHER),
            ("core", 0, NOBODY, "hardlink", -1, CRASHER),
            ("core", 0, NOBODY, "folder", -1, CRASHER),
            ("core", 0, NOBODY, "", 0, CRASHER),
            ("core", 0, NOBODY, "", 4095, CRASHER),
            ("core", 0, NOBODY, "", 65536, CRASHER),
            ("", 0, 0, "", -1, CRASHER),
            ("core", 0, NOBODY, "", -1, private),
            ("@/core", 0, NOBODY, "", -1, private),
            ("@/core", 0, NOBODY, "roots", -1, private),
            ("@/core", 0, NOBODY, "roots, old", -1, private),
        ):
            results = []
            for ours in (False, True):
                write(USES_PID, str(uses_pid))
                folder = make_folder(uid, kind)
                there = pattern.replace("@", folder)
                with installed(there) if ours else contextlib.nullcontext():
                    write(SETTING, there + "\n") if not ours else None
                    describe.pid = crash(
                        program, "2", "write", limit=limit, **{**as_user(uid), "cwd": folder}
                    )
                results.append((describe(folder), folder))
            (kernels, first), (mine, second) = results
            assert kernels == mine, (pattern, uses_pid, uid, kind, limit, program, kernels, mine)
            for name, told in mine.items():
                if told[4]:  # the file is sparse, like the kernel's
                    blocks = [
                        os.stat(
                            os.path.join(where, name.replace("PID", str(describe.pid)))
                        ).st_blocks
                        for where in (second,)
                    ]
                    size = os.stat(
                        os.path.join(second, name.replace("PID", str(describe.pid)))
                    ).st_size
                    assert blocks[0] * 512 < size, (blocks, size)
            assert ("core" in mine) == bool(mine) or "%" in pattern or uses_pid, mine
        for where in (first, second):
            assert read(os.path.join(where, "core")) == "old", where
    write(USES_PID, BEFORE[USES_PID])
    # The main thread of the process, whose pid names it, has ended.
    ended = os.path.join(SCRATCH, "ended")
    os.mkdir(ended)
    with installed("core"):
        crash(CRASHER, "2", "alone", cwd=ended)
        assert os.listdir(ended) == ["core"], os.listdir(ended)
    # The core file is written to the working directory of the process, in that process's mount
    # namespace.
    inside = os.path.join(SCRATCH, "inside")
    os.mkdir(inside)
    with installed("core"):
        script = (
            'mount -t tmpfs none "$1" && cd "$1" '
            '&& { "$2" 2 write; echo crashed; read; stat -c %s core; }'
        )
        process = subprocess.Popen(
            unshared(["-m"], script, inside, CRASHER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)),
        )
        assert process.stdout.readline() == "crashed\n"
        wait_for(lambda: not handlers())
        assert int(process.communicate("\n")[0]) > 100000 and not os.listdir(inside)


check_install()
check_all_threads()
check_memory()
check_socket()
check_limits()
check_alone()
check_anything()
check_silent_recorder()
check_users()
check_namespaces()
check_files()
print("flightrec core has all threads and passes core dumps on")
