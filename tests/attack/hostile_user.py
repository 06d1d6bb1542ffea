"""The attacker of tests/soak: as user nobody, does to a recorder of root at once what the tests of
this folder do one by one, until the end of its input.

    hostile_user.py FOLDER SOCKET SERVICE

FOLDER is his to write to, SOCKET that of `flightrec record --listen`, SERVICE a program that emits.
"""
import ctypes
import mmap
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

import hostile_files

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
TRIGGER, NOTIFY, ATTACH, STATUS, CORE, STACKS, END, STOP, NOTICES, LEAVE = range(1, 11)
# So that he cannot harm the machine itself.
PROCESSES, MEMORY, FILE = 400, 2 << 30, 2 << 30
CONNECTIONS = 100
PAUSE = 0.02

FOLDER, SOCKET, SERVICE = sys.argv[1:4]
libc = ctypes.CDLL(None, use_errno=True)


def name_it(name):
    libc.prctl(PR_SET_NAME, name.encode())


def connect():
    """Returns a connection, or None while there is no recorder, or it has enough of him."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(0.2)
    try:
        s.connect(SOCKET)
        return s
    except OSError:
        s.close()
        return None


def request(kind, name=b"", pid=0):
    return (
        bytes([8, kind])
        + (b"\x12" + bytes([len(name)]) + name if name else b"")
        + (b"\x18" + bytes([pid & 0x7F]) if pid else b"")
    )


def crash_alone():
    """Processes that emit nothing crash in a loop, and bear the name of root's service."""
    while True:
        for _ in range(20):
            if not os.fork():
                name_it(os.path.basename(SERVICE)[:15])
                os.kill(os.getpid(), random.choice((signal.SIGSEGV, signal.SIGKILL)))
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        time.sleep(PAUSE)


def crash_as_service():
    """The program of root's service crashes in a loop, with events and as a client."""
    while True:
        for where in ("-", SOCKET):
            subprocess.run(
                [SERVICE, "of-nobody", where, "3", "0", "crash"],
                stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip


def emit():
    while True:
        subprocess.run(
            [SERVICE, "of-nobody", SOCKET, "2000", "100", "exit"],
            stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip


def trigger():
    """Asks for snapshots without waiting for them, each with a name of its own."""
    n = 0
    while True:
        s = connect()
        while s:
            n += 1
            try:
                s.send(request(random.choice((TRIGGER, NOTIFY, NOTIFY)), b"nobody-%d" % n))
            except OSError:
                s.close()
                s = None
            time.sleep(PAUSE / 4)
        time.sleep(PAUSE)


def crowd():
    """Holds all connections that he gets, and asks for what he may not have."""
    while True:
        crowd = [s for s in (connect() for _ in range(CONNECTIONS)) if s]
        for s in crowd:
            try:
                s.send(
                    random.choice(
                        (
                            request(random.choice((STATUS, CORE, STACKS, STOP, LEAVE)), pid=1),
                            request(NOTICES),
                            request(ATTACH),
                            os.urandom(random.randrange(1, 9000)),
                        )
                    )
                )
            except OSError:
                pass
        time.sleep(1)
        for s in crowd:
            s.close()


def forge():
    """Overwrites the memory that he shares with the recorder."""
    while True:
        s = connect()
        try:
            s.send(request(ATTACH))
            _, fds, _, _ = socket.recv_fds(s, 4096, 4)
            with mmap.mmap(fds[0], 0) as memory:
                for _ in range(200):
                    at = random.randrange(len(memory) - 8)
                    pid = random.choice((1, os.getppid(), os.getpid(), random.randrange(1 << 22)))
                    memory[at : at + 8] = random.choice(
                        (os.urandom(8), struct.pack("<II", pid, pid), bytes(8), b"\xff" * 8)
                    )
                    time.sleep(PAUSE / 20)
            for fd in fds:
                os.close(fd)
        except (AttributeError, IndexError, OSError, ValueError):
            time.sleep(PAUSE)
        finally:
            if s:
                s.close()


def map_files():
    """Maps files that are meant to harm their reader, changed again and again."""
    paths = hostile_files.make(FOLDER)
    while True:
        for path in paths:
            with open(path, "r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(b"\0")
                file.flush()
                with mmap.mmap(
                    file.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC
                ):
                    time.sleep(PAUSE)
                # The file must not grow for an hour.
                os.ftruncate(file.fileno(), file.tell() - 1)
            time.sleep(PAUSE)


def live_shortly():
    """Starts processes that are soon over, with long arguments."""
    while True:
        children = [
            subprocess.Popen(["/bin/true", os.urandom(2000).hex(), "\n\x1b[2J" * 100])
            for _ in range(10)
        ]
        for child in children:
            child.wait()
        time.sleep(PAUSE)


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    os.chdir(FOLDER)
    for attack in (
        crash_alone, crash_as_service, emit, trigger, crowd, forge, map_files, live_shortly,
    ):  # fmt: skip
        if not os.fork():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.close(sys.stdin.fileno())
            attack()
    sys.stdin.read()
    # The caller has started a session for this process.
    os.killpg(0, signal.SIGKILL)


main()
