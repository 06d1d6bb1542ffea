# Services become daemons, give up rights and start workers after or before their recorder has
# started: the keeper follows whichever process lives, or the start fails at once with a message.
# The orders of these steps are those of nginx, memcached, PostgreSQL, sshd and of units of a
# service manager.
#
#   test_daemons.py DAEMONS TRANSPORT...
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))
from kit import (
    TOOL,
    check,
    done,
    events,
    folder,
    keepers,
    report,
    snapshots,
    tool,
    verify,
    wait_for,
)  # noqa: E402

DAEMONS, TRANSPORTS = sys.argv[1], sys.argv[2:]
# Whether keepers may watch the kernel.
ROOT = os.geteuid() == 0 and os.stat("/proc/self/ns/user").st_ino == 4026531837


# True if the kernel remembers how processes ended.
PIDFD_INFO = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 15)


class Service:
    """A run of DAEMONS with these steps."""

    def __init__(self, *steps, keeper=TOOL, under=()):
        self.out = folder()
        os.chmod(self.out, 0o777)
        self.log = os.path.join(self.out, "log")
        self.process = subprocess.Popen([*under, DAEMONS, keeper, self.out, self.log, *steps])

    def said(self):
        """Returns what the service reported: a list of words for each line."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return [line.split() for line in file]

    def pid_of(self, name):
        return next((int(words[1]) for words in self.said() if words[0] == name), 0)

    def go_on(self):
        """Ends the pause of a process, once the keeper watches that process."""
        if not wait_for(lambda: self.pid_of("waiting") or self.process.poll()):
            return
        pid = self.pid_of("waiting")
        wait_for(lambda: is_known(pid, keepers(self.out)), 10)
        if pid:
            os.kill(pid, signal.SIGUSR1)

    def ended(self):
        self.process.wait(60)
        return wait_for(lambda: not keepers(self.out), 20)


def is_known(pid, of):
    """Returns whether one of the keepers `of` waits for the end of a process. A keeper of root,
    which watches the kernel, always does."""
    for keeper in of:
        folder = f"/proc/{keeper}/fdinfo"
        try:
            watches = ROOT and os.stat(folder).st_uid == 0
            texts = [open(os.path.join(folder, fd)).read() for fd in os.listdir(folder)]
        except OSError:
            continue
        if watches or any(f"Pid:\t{pid}\n" in text for text in texts):
            return True
    return False


def dies(what, *steps, number=signal.SIGSEGV, count=7, **options):
    """Checks that the process that reports "dead" dies, and that this leaves one snapshot."""
    service = Service(*steps, **options)
    service.go_on()
    pid = service.pid_of("dead")
    check(service.ended(), f"{what}: no keeper is left {keepers(service.out)}")
    files = snapshots(service.out)
    if not check(len(files) == 1, f"{what}: one file {files} {service.said()}"):
        return
    verify(files[0])
    crash = report(files[0]).get("crash", {})
    check(
        crash.get("pid") == pid and crash.get("signal_number") == number,
        f"{what}: it is about process {pid} and signal {number} {crash.get('pid')} "
        f"{crash.get('signal_number')}",
    )
    found = [e for e in events(files[0]) if e["event"] == "test:step" and e["pid"] == pid]
    check(len(found) == count, f"{what}: it has what the process did last ({len(found)})")


def lives(what, *steps, **options):
    """Checks that the service ends normally, and leaves neither a file nor a keeper."""
    service = Service(*steps, **options)
    if "pause" in steps:
        service.go_on()
    check(service.ended(), f"{what}: no keeper is left {keepers(service.out)}")
    check(not snapshots(service.out), f"{what}: no file {snapshots(service.out)}")
    check(not any(words[0] == "FAILED" for words in service.said()), f"{what}: {service.said()}")


LAST = ("pid:dead", "pause", "emit:7", "end:segv")
KILLED = ("pid:dead", "pause", "emit:7", "end:kill")

for transport in TRANSPORTS:
    START = f"start:{transport}"
    user = ("user:65534",) if ROOT else ()
    jail = folder()
    os.chmod(jail, 0o755)
    root = (f"chroot:{jail}",) if ROOT else ()
    print(f"== {transport}: nginx, memcached, PostgreSQL, sshd", flush=True)
    dies(
        "nginx: a worker, and its master lives",
        START, "emit:1", "leave", "setsid", "worker", *user, *LAST, "--", "emit:1", "end:exit",
    )
    dies("nginx: its master", START, "emit:1", "leave", "setsid", *LAST)
    dies(
        "memcached -d -u",
        START, *user, "fork", "setsid", "chdir:/", "close:0", "close:1", "close:2", *KILLED,
        number=signal.SIGKILL,
    )
    dies(
        "memcached -u, started afterwards, without rights",
        "init", *user, "daemon", "start:shm", *LAST,
        # Before Linux 6.15 only the parent learns which signal ended a process.
        number=signal.SIGSEGV if PIDFD_INFO else None,
    )
    dies(
        "PostgreSQL: a backend that outlives the postmaster",
        START, "emit:1", "setsid", "fork", *LAST,
    )
    dies(
        "sshd: the child of a connection",
        START, "daemon", "worker", *root, *user, *LAST, "--", "emit:1", "end:exit",
    )
    print(f"== {transport}: double forks", flush=True)
    dies("a double fork", START, "fork", "setsid", "fork", *LAST)
    # The other orders make no difference for recorders that see every fork.
    if transport == "usdt":
        continue
    dies("it closes all descriptors", START, "fork", "setsid", "fork", "closeall", *LAST)
    dies("it was started between the forks", "fork", "setsid", START, "fork", *LAST)
    dies("no fork, but all descriptors closed", START, "closeall", *LAST)
    print(f"== {transport}: process 1 is the parent", flush=True)
    dies("Type=simple", "init", START, *user, *LAST)
    dies("Type=forking", "init", START, "fork", "setsid", "fork", *user, *LAST)
    dies("Type=forking, killed", "init", START, "fork", "setsid", "fork", *user, *KILLED,
         number=signal.SIGKILL)
    print(f"== {transport}: normal ends", flush=True)
    lives("a daemon", START, "fork", "setsid", "fork", "emit:1", "end:exit")
    lives("a daemon that _exits", START, "fork", "setsid", "fork", "emit:1", "end:_exit")
    lives("a daemon that stops its recorder", START, "daemon", "emit:1", "stop", "end:kill")
    lives("a daemon, reaped at once", "init", START, "leave", "emit:1", "end:exit")
    lives("another image", START, "emit:1", "daemon", "exec", "end:exit")

print("== a kernel that does not remember how processes ended", flush=True)
if "shm" in TRANSPORTS and not ROOT:
    lives("a daemon that announces its end", "init", "old", "start:shm", "fork", "setsid",
          "fork", "emit:1", "pause", "end:exit")
    service = Service("init", "old", "start:shm", "fork", "setsid", "fork", *LAST)
    service.go_on()
    check(service.ended(), "no keeper is left")
    files = snapshots(service.out)
    check(len(files) == 1, f"a daemon that ends without a word leaves one file {files}")
    if files:
        crash = report(files[0])["crash"]
        check(
            crash["pid"] == service.pid_of("dead"),
            f"the file is about that daemon, and not about the process that it began with {crash}",
        )

print("== a worker's trigger", flush=True)
service = Service(
    f"start:{TRANSPORTS[0]}", "daemon", "emit:1", "worker", "pid:worker", "emit:3",
    "trigger:slow checkout", "pause", "end:exit", "--", "pid:master", "emit:1", "stop", "end:exit",
)
wait_for(lambda: snapshots(service.out))
service.go_on()
check(service.ended(), "no keeper is left")
files = snapshots(service.out)
if check(len(files) == 1, f"one file {files}"):
    trigger = report(files[0])["trigger"]
    check(
        trigger["requested_by_pid"] == service.pid_of("worker")
        and trigger.get("requested_by_name") == "daemons",
        f"it names the worker {trigger} {service.said()}",
    )
    check(
        f"asked for by process {service.pid_of('worker')} (daemons)"
        in tool("show", files[0]).stdout,
        "show names the worker",
    )

print("== one recorder for a master and its worker", flush=True)
service = Service(
    f"start:{TRANSPORTS[0]}", "worker", "stop", "emit:1", "end:exit", "--", "pid:dead", "emit:7",
    "end:segv",
)
wait_for(lambda: snapshots(service.out))
check(service.ended() and len(snapshots(service.out)) == 1, "a worker's stop leaves it alone")

print("== a start that fails", flush=True)
if "shm" in TRANSPORTS:
    # The service uses the memory of `run` already, which the library learns when its own keeper is
    # ready.
    outer = folder()
    service = Service(
        "try:shm", "pause",
        under=(TOOL, "run", "-e", "test:*", "--transport", "shm", "--ring-size", "64K", "-o",
               outer, "--"),
    ) if not ROOT else None
    if service:
        wait_for(lambda: service.pid_of("waiting"))
        check(service.said()[:1] and service.said()[0][1] == "-114", f"{service.said()}")
        check(
            wait_for(lambda: not keepers(service.out)),
            f"it leaves no keeper behind {keepers(service.out)}",
        )
        os.kill(service.pid_of("waiting"), signal.SIGUSR1)
        service.process.wait(30)
lives("no keeper", "try", "emit:1", "end:exit", keeper="/nonexistent/flightrec")
done()
