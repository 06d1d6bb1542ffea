# A service in an odd state starts a keeper: the keeper takes over nothing of that state. If it
# needs a limit that it cannot raise, the start fails with one line that names the limit.
#
#   test_keeper.py DAEMONS TRANSPORT...
import os
import re
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
    verify,
    wait_for,
)  # noqa: E402

DAEMONS = sys.argv[1]
ROOT = os.geteuid() == 0 and os.stat("/proc/self/ns/user").st_ino == 4026531837
with open("/proc/self/status", encoding="utf-8") as file:
    CAPABILITIES = int(next(line.split()[1] for line in file if line.startswith("CapEff")), 16)
# True if this test may raise hard limits.
RESOURCE = ROOT and CAPABILITIES >> 24 & 1
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)


class Service:
    def __init__(self, *steps, under=(), environment=None, out=None):
        self.out = out or folder()
        self.log = os.path.join(self.out, "log")
        self.process = subprocess.Popen(
            [*under, DAEMONS, TOOL, self.out, self.log, *steps],
            env=environment,
            stderr=open(os.path.join(self.out, "stderr"), "w"),
        )

    def said(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def keeper(self):
        """Returns the pid of the keeper, once the service waits, or 0."""
        wait_for(lambda: "waiting" in self.said() or self.process.poll() is not None)
        found = keepers(self.out)
        return found[0] if check(len(found) == 1, f"one keeper {found} {self.said()}") else 0

    def go_on(self):
        os.kill(int(self.said().split("waiting ")[1].split()[0]), signal.SIGUSR1)
        self.process.wait(60)

    def crashed(self, what):
        check(wait_for(lambda: not keepers(self.out)), f"{what}: no keeper is left")
        files = snapshots(self.out)
        if not check(len(files) == 1, f"{what}: one file {files} {self.said()}"):
            return
        verify(files[0])
        check(report(files[0])["crash"]["signal"] == "SIGSEGV", f"{what}: it has the crash")
        count = sum(e["event"] == "test:step" for e in events(files[0]))
        check(count == 9, f"{what}: it has what the service did last ({count})")


def limits(pid):
    """Returns {name in /proc: soft limit} of a process."""
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        return {line[:26].strip(): line[26:].split()[0] for line in file.readlines()[1:]}


def status(pid, key):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(line.split(":")[1].split() for line in file if line.startswith(key + ":"))


print("== a keeper of an odd service", flush=True)
gone = folder()
odd = [
    "soft:1:100000",  # RLIMIT_FSIZE
    "soft:7:230",  # RLIMIT_NOFILE
    "soft:3:200000",  # RLIMIT_STACK
    "soft:0:3600",  # RLIMIT_CPU
    "umask:0777",
    "cpu:%d" % min(os.sched_getaffinity(0)),
    f"ignore:{int(signal.SIGPIPE)}",
    f"ignore:{int(signal.SIGXFSZ)}",
    f"ignore:{int(signal.SIGCHLD)}",
    f"chdir:{gone}",
    f"rmdir:{gone}",
    "close:0",
    "close:1",
    "close:2",
    "oom:700",
]
if ROOT:
    odd += ["fifo"]
else:
    odd += ["nice:19"]
if RESOURCE:
    odd += ["limit:15:100000000", "limit:1:100000"]  # RLIMIT_RTTIME, and RLIMIT_FSIZE again
environment = dict(os.environ, LD_BIND_NOW="1", MALLOC_ARENA_MAX="1", NOTIFY_SOCKET="/nowhere",
                   SHOP="open")
service = Service(*odd, "start:shm", "emit:9", "pause", "end:segv", environment=environment)
pid = service.keeper()
if pid:
    found = limits(pid)
    check(found["Max file size"] == "unlimited", f"files of any size {found['Max file size']}")
    check(int(found["Max open files"]) > 230, f"descriptors {found['Max open files']}")
    check(found["Max stack size"] == "unlimited" or int(found["Max stack size"]) > 200000,
          f"stack {found['Max stack size']}")
    check(found["Max cpu time"] == "unlimited", f"CPU time {found['Max cpu time']}")
    check(status(pid, "Umask") == ["0077"], f"its own umask {status(pid, 'Umask')}")
    if os.cpu_count() > 1:
        check(len(os.sched_getaffinity(pid)) > 1, f"all CPUs {os.sched_getaffinity(pid)}")
    if ROOT or os.sched_getscheduler(0) == os.SCHED_OTHER:
        check(os.sched_getscheduler(pid) == os.SCHED_OTHER, "the usual scheduling class")
    with open(f"/proc/{pid}/oom_score_adj", encoding="utf-8") as file:
        score = int(file.read())
    check(score < 700, f"the OOM killer takes the service first {score}")
    check(os.readlink(f"/proc/{pid}/cwd") == "/", "it keeps no file system busy")
    check(os.getsid(pid) not in (os.getsid(0), pid), "another session, of which it is not the head")
    for fd in range(3):
        check(os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null", f"descriptor {fd} is taken")
    with open(f"/proc/{pid}/environ", "rb") as file:
        variables = file.read().split(b"\0")
    check(b"SHOP=open" in variables, "it has the environment")
    check(
        not [v for v in variables if v.startswith((b"LD_BIND", b"MALLOC_", b"NOTIFY_SOCKET"))],
        "but not what is for the service alone",
    )
    if ROOT:
        check(os.getpriority(os.PRIO_PROCESS, pid) == 0, "the usual nice value")
    if RESOURCE:
        check(found["Max realtime timeout"] == "unlimited", "real-time limits are gone")
    for number in SIGNALS:
        os.kill(pid, number)
service.go_on()
service.crashed("odd")

print("== control groups", flush=True)
GROUPS = "/sys/fs/cgroup"
own = [g for g in (f"{GROUPS}/memory", f"{GROUPS}/unified", GROUPS)
       if ROOT and os.path.exists(f"{g}/cgroup.procs") and os.access(g, os.W_OK)]
group = own and os.path.join(own[0], f"flightrec-test-{os.getpid()}")
try:
    if group:
        os.mkdir(group)
except OSError:
    group = None
if group:
    service = Service(
        "start:shm", "emit:9", "pause", "end:segv",
        under=("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"),
    )
    pid = service.keeper()
    with open(f"{group}/cgroup.procs", encoding="utf-8") as file:
        inside = file.read().split()
    check(str(service.process.pid) in inside and str(pid) not in inside,
          f"the keeper has left the group of its service {inside}")
    service.go_on()
    service.crashed("in a group")
    wait_for(lambda: not open(f"{group}/cgroup.procs").read())
    os.rmdir(group)
else:
    print("no control group can be made here")

print("== what cannot be raised is said", flush=True)
# Without CAP_SYS_RESOURCE hard limits cannot be raised.
plain = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--") if ROOT else ()
for limit, steps, needed in (
    ("RLIMIT_FSIZE", ["limit:1:1500000"], 3 << 20),
    ("RLIMIT_AS", ["ring:67108864", "limit:9:60000000"], 128 << 20),
    ("RLIMIT_DATA", ["limit:2:1100000"], 3 << 20),
):
    service = Service(*steps, "start:shm", under=plain)
    service.process.wait(60)
    said = service.said()
    told = re.search(limit + r" is (\d+), and (\d+) is needed", said)
    check(
        said.startswith("start -") and said.count("\n") == 1 and told
        and told[1] == steps[-1].split(":")[2] and int(told[2]) > needed,
        f"{limit}: {said.strip()}",
    )
    check(wait_for(lambda: not keepers(service.out)), "no keeper is left")
if not ROOT:
    service = Service("limit:6:1", "start:shm")
    service.process.wait(60)
    check("RLIMIT_NPROC is 1 " in service.said(), service.said().strip())

print("== a root file system that is read-only", flush=True)
if ROOT:
    out = folder()
    script = f"""mount --make-rprivate / && mount --bind {out} {out} &&
        mount -t tmpfs -o ro no /run && mount --bind /tmp /tmp &&
        mount --bind {out} {out} && mount -o remount,bind,ro /tmp &&
        unset XDG_RUNTIME_DIR && exec "$@" """
    service = Service("start:shm", "emit:9", "pause", "end:segv", out=out,
                      under=("unshare", "-m", "sh", "-c", script, "sh"))
    if service.keeper():
        service.go_on()
    service.crashed("read-only")
    with open(os.path.join(out, "stderr"), encoding="utf-8") as file:
        said = file.read()
    check(
        said.count("without a control socket") == 1,
        f"the keeper says what is missing {said}",
    )

print("== whoever waits for the output of a daemon", flush=True)
out = folder()
service = subprocess.Popen(
    [DAEMONS, TOOL, out, os.path.join(out, "log"), "start:shm", "fork", "setsid", "close:0",
     "close:1", "close:2", "emit:9", "pause", "end:segv"],
    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
)
try:
    service.communicate(timeout=30)
    check(True, "sees its end while the daemon and its keeper live")
except subprocess.TimeoutExpired:
    check(False, "sees its end while the daemon and its keeper live")
check(len(keepers(out)) == 1, f"they do {keepers(out)}")
def waiting():
    with open(os.path.join(out, "log"), encoding="utf-8") as file:
        return re.search(r"waiting (\d+)\n", file.read())


check(wait_for(waiting), "the daemon waits")
os.kill(int(waiting()[1]), signal.SIGUSR1)
check(wait_for(lambda: not keepers(out)), "no keeper is left")
done()
