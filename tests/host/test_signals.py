# SPDX-License-Identifier: MIT
"""Tests what signals, a closed terminal and a service manager do to `record` and `run`, and what
both commands tell the manager. A user without rights runs this test.

    test_signals.py
"""
import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))
from kit import TOOL, check, done, folder, snapshots, tool, verify, wait_for  # noqa: E402

NOTHING = 0.5  # seconds in which something that must not happen would have happened


class Manager:
    """A service manager: the other end of NOTIFY_SOCKET."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)

    def receive(self, seconds=10):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096).decode().split("\n")
        except (TimeoutError, socket.timeout):
            return None

    def until(self, wanted):
        """Receives until there is a line that begins with `wanted`. Returns all lines."""
        lines = []
        while not any(line.startswith(wanted) for line in lines):
            more = self.receive()
            if more is None:
                break
            lines += more
        return lines


class Recorder:
    """`flightrec record`, started by `manager`."""

    def __init__(self, manager, *before, environment=None, **options):
        self.folder = folder()
        self.socket = os.path.join(self.folder, "control")
        self.listen = os.path.join(self.folder, "listen")
        self.process = subprocess.Popen(
            [*before, TOOL, "record", "--transport", "shm", "--ring-size", "64K"]
            + [
                "--cooldown",
                "0",
                "--listen",
                self.listen,
                "--socket",
                self.socket,
                "-o",
                self.folder,
            ],
            env={**os.environ, "NOTIFY_SOCKET": manager.name, **(environment or {})},
            **options,
        )

    def trigger(self):
        return tool("trigger", "--socket", self.socket, "asked").returncode == 0

    def ended_in_order(self, what):
        status = self.process.wait(30)
        left = [p for p in (self.socket, self.listen) if os.path.exists(p)]
        check(status == 0 and not left, f"{what}: it ends in order {status} {left}")


def on_terminal(start):
    """Calls `start` with the options that give a process a terminal of its own. Returns what
    `start` returns, and the descriptor of the terminal's other end."""
    master, slave = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    started = start(stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal)
    os.close(slave)
    return started, master


place = folder()
for name in (os.path.join(place, "notify"), f"@frec-test-{os.getpid()}"):
    print(f"== a service manager at {name[:1]}", flush=True)
    manager = Manager(name)
    recorder = Recorder(manager, environment={"WATCHDOG_USEC": "100000"})
    first = manager.receive()
    check(
        first and first[0] == "READY=1" and first[1].startswith("STATUS=Recording "),
        f"it says when it is ready {first}",
    )
    check(recorder.trigger(), "and then it is")
    lines = manager.until("WATCHDOG=1")
    check("WATCHDOG=1" in lines, f"its loop answers the watchdog {lines[-1:]}")
    recorder.trigger()
    lines = manager.until("STATUS=Recording; the last snapshot is " + recorder.folder)
    check(any(recorder.folder in line for line in lines), f"it names snapshots {lines[-1:]}")
    recorder.process.send_signal(signal.SIGSTOP)
    os.waitpid(recorder.process.pid, os.WUNTRACED)
    while manager.receive(NOTHING):
        pass
    check(not manager.receive(NOTHING), "a loop that hangs does not answer")
    recorder.process.send_signal(signal.SIGCONT)
    manager.until("WATCHDOG=1")
    recorder.process.send_signal(signal.SIGTERM)
    lines = manager.until("STOPPING=1")
    check("STOPPING=1" in lines, f"it says that it ends {lines[-2:]}")
    recorder.ended_in_order("SIGTERM")

print("== a watchdog for somebody", flush=True)
for pid, answers in (("1", False), ("$$", True), ("1x", False)):
    recorder = Recorder(
        manager,
        "sh",
        "-c",
        f'WATCHDOG_PID={pid} exec "$@"',
        "sh",
        environment={"WATCHDOG_USEC": "50000"},
    )
    manager.until("READY=1")
    check(
        (manager.receive(NOTHING) is not None) == answers,
        f"WATCHDOG_PID={pid}: it {'answers' if answers else 'is for somebody else'}",
    )
    recorder.process.send_signal(signal.SIGINT)
    recorder.ended_in_order("SIGINT")
    while manager.receive(0.1):
        pass

print("== a manager that cannot be told", flush=True)
for wrong in ("vsock:2:1234", "@" + "x" * 200, os.path.join(place, "nobody")):
    stranger = Recorder(manager, environment={"NOTIFY_SOCKET": wrong, "WATCHDOG_USEC": "-5"})
    check(wait_for(lambda: os.path.exists(stranger.listen)), f"{wrong[:20]}: it records")
    check(stranger.trigger(), "and answers")
    stranger.process.send_signal(signal.SIGTERM)
    stranger.ended_in_order("and")

print("== SIGHUP", flush=True)
recorder = Recorder(manager)
manager.until("READY=1")
recorder.process.send_signal(signal.SIGHUP)
recorder.ended_in_order("SIGHUP")
manager.until("STOPPING=1")
recorder = Recorder(manager, "nohup", stdin=subprocess.DEVNULL)
manager.until("READY=1")
recorder.process.send_signal(signal.SIGHUP)
check(recorder.trigger() and recorder.process.poll() is None, "nohup: it goes on")
recorder.process.send_signal(signal.SIGTERM)
recorder.ended_in_order("nohup, SIGTERM")
manager.until("STOPPING=1")

print("== a terminal that closes", flush=True)
recorder, terminal = on_terminal(lambda **options: Recorder(manager, **options))
manager.until("READY=1")
os.close(terminal)
recorder.ended_in_order("its terminal closes")
manager.until("STOPPING=1")
recorder, terminal = on_terminal(
    lambda **options: Recorder(manager, "sh", "-c", 'trap "" HUP; exec "$@"', "sh", **options)
)
manager.until("READY=1")
os.close(terminal)
check(
    recorder.trigger() and recorder.trigger() and len(snapshots(recorder.folder)) == 2,
    "SIGHUP ignored: it goes on without the terminal, and writes snapshots",
)
for path in snapshots(recorder.folder):
    verify(path)
recorder.process.send_signal(signal.SIGTERM)
recorder.ended_in_order("without a terminal, SIGTERM")
manager.until("STOPPING=1")

print("== a pipe that closes", flush=True)
read, write = os.pipe()
recorder = Recorder(manager, stderr=write)
os.close(write)
os.close(read)
manager.until("READY=1")
check(recorder.trigger() and recorder.trigger(), "it goes on without its standard error")
recorder.process.send_signal(signal.SIGTERM)
recorder.ended_in_order("without standard error, SIGTERM")
manager.until("STOPPING=1")


def run(*command, **options):
    out = folder()
    process = subprocess.Popen(
        [TOOL, "run", "--transport", "shm", "--ring-size", "64K", "-o", out, "--", *command],
        **options,
    )
    return process, out


print("== run", flush=True)
process, out = run(
    "sh", "-c", 'trap "exit 5" HUP; echo on; while :; do sleep 0.1; done', stdout=subprocess.PIPE
)
process.stdout.readline()
process.send_signal(signal.SIGHUP)
check(process.wait(30) == 5, "a SIGHUP of a process is passed on to the command")
check(len(snapshots(out)) == 1, "whose status is kept in a snapshot")
file = os.path.join(place, "said")
(process, out), terminal = on_terminal(
    lambda **options: run(
        "sh", "-c", f'trap "echo HUP >>{file}" HUP; echo on; read x; sleep 1; exit 6', **options
    )
)
os.read(terminal, 2)
os.close(terminal)
check(process.wait(30) == 6, "a closed terminal: the command decides when the recording ends")
check(len(snapshots(out)) == 1, "and has its snapshot")
check(open(file).read().split().count("HUP") == 1, "the command gets one SIGHUP")
process, out = run(
    "sh",
    "-c",
    'echo "$WATCHDOG_PID $NOTIFY_SOCKET"',
    stdout=subprocess.PIPE,
    text=True,
    env={**os.environ, "NOTIFY_SOCKET": manager.name, "WATCHDOG_PID": "1"},
)
watchdog, notify = process.communicate()[0].split()
check(watchdog == "1" and notify == manager.name, "the command gets its manager's variables")
check(manager.receive(NOTHING) is None, "which `run` does not use itself")
script = 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"'
said = subprocess.run(
    ["sh", "-c", script, "sh", TOOL, "run", "--transport", "shm", "-o", out, "--"]
    + ["sh", "-c", 'echo "$LISTEN_PID $WATCHDOG_PID $$"'],
    capture_output=True,
    text=True,
)
check(len(set(said.stdout.split())) == 1, f"and is the process that they name {said.stdout}")
done()
