"""User nobody tries to use up what a recorder of root has for all users: places for deaths, the
time of the loop, connections, sources, shared memory, and the time that the recorder takes to end.
Root's service gets what it needs all the same.

    test_shares.py TRANSPORT PUPPET STORM

Who: users beside a recorder of root
Tried: crash thousands of processes a second, queue thousands of requests, open all connections,
    register 4096 events, ask for memory for ten users
Happened: each user gets a share; every crash of root's service has a snapshot with its events and
    registers, root can connect, and the recorder ends within 5 s
"""
import json
import os
import re
import subprocess
import sys
import time

from kit import Recorder, check, done, folder, report, snapshots, tool, verify, wait_for
from puppet import Puppet, beats, whole

NOBODY = 65534
TRANSPORT = sys.argv[1]
PUPPET, STORM = map(os.path.realpath, sys.argv[2:4])
HERE = os.path.dirname(os.path.realpath(__file__))
CLIENTS_MAX, SOURCES_MAX, MEMORIES_MAX = 256, 4096, 8
# Users that do not exist, but who can attack all the same.
USERS = range(70000, 70010)
CRASHES = 6
EVENTS = 100
END_SECONDS = 5


class Attacker:
    """A program that another user runs. Its first line says that it has begun."""

    def __init__(self, *command, uid=NOBODY):
        environment = dict(os.environ, PYTHONPATH=f"{HERE}:{HERE}/../data")
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            user=uid, group=uid, extra_groups=[], env=environment,
        )  # fmt: skip
        self.line = self.process.stdout.readline().strip()

    def end(self):
        """Returns the last line that it prints."""
        return self.process.communicate(timeout=60)[0].strip()


def client(*words, uid=NOBODY):
    return Attacker(sys.executable, f"{HERE}/hostile_clients.py", *words, uid=uid)


class Listening(Recorder):
    def __init__(self, *arguments):
        self.public = os.path.join(folder(), "public")
        os.chmod(os.path.dirname(self.public), 0o755)
        super().__init__("-e", "accept:*", "-e", "attack:*", "-e", "storm:*", "--transport",
                         TRANSPORT, "--listen", self.public, *arguments)  # fmt: skip

    def status(self):
        return json.loads(tool("status", "--json", "--socket", self.socket).stdout)

    def service(self):
        """Starts a service of root."""
        puppet = Puppet(PUPPET)
        if TRANSPORT == "shm":
            check(puppet.ask("attach", self.public) == "ok", "root's service attaches")
        # Another recorder on this machine may have its events on, too.
        check(
            wait_for(lambda: puppet.word() != 0 and "accept:beat" in self.status()["sources"]),
            "its events are on",
        )
        return puppet


def of_puppets(recorder):
    return [path for path in snapshots(recorder.folder) if "puppet" in os.path.basename(path)]


def crash_beside(recorder, what, *storm):
    """Crashes of root's service while another user's processes crash."""
    print(f"== {what}", flush=True)
    attacker = Attacker(STORM, *storm)
    check(attacker.line == "begun", "a storm of crashes has begun")
    expected = []
    for _ in range(CRASHES):
        puppet = recorder.service()
        last = puppet.emit(EVENTS)
        puppet.tell("crash")
        expected.append((puppet.pid, last))
    files = wait_for(lambda: len(of_puppets(recorder)) >= CRASHES and of_puppets(recorder), 60)
    check(
        len(of_puppets(recorder)) == CRASHES,
        f"every crash of root's service has a snapshot: {len(of_puppets(recorder))} of {CRASHES}",
    )
    print(f"{attacker.end()} crashes of the attacker; {recorder.status()}", flush=True)
    for pid, last in expected:
        path = next((f for f in files or [] if f"-{pid}-" in os.path.basename(f)), None)
        if not path:
            continue
        verify(path)
        check(
            whole(beats(path)[pid], range(1, last + 1)),
            f"it has the service's events {len(beats(path)[pid])}",
        )
        check(report(path)["crash"].get("registers"), "and the registers of its thread")
    for path in files or []:
        os.unlink(path)


def crashes():
    recorder = Listening("--cooldown", "0")
    pid = recorder.process.pid
    check(os.getpriority(os.PRIO_PROCESS, pid) == -10, "the recorder has a nice value of -10")
    check(os.sched_getscheduler(pid) & os.SCHED_RESET_ON_FORK, "its children have 0")
    crash_beside(recorder, "crashes of processes that emitted nothing", "crash")
    crash_beside(recorder, "crashes of processes that emitted events", "emit", 60)
    check(recorder.stop() == 0, "the recorder exits with 0")


def end_in_time():
    print("== an end with thousands of requests queued", flush=True)
    recorder = Listening("--cooldown", "0")
    attacker = client("queue", recorder.public)
    count, connections = map(int, re.findall(r"\d+", attacker.line))
    check(count > 1000, f"the attacker has {attacker.line}")
    check(connections <= CLIENTS_MAX / 4, f"it has {connections} connections")
    check(recorder.trigger("root"), "root gets a snapshot meanwhile")
    began = time.monotonic()
    check(recorder.stop() == 0, "the recorder exits with 0")
    check(time.monotonic() - began < END_SECONDS, f"it ends soon: {time.monotonic() - began:.1f} s")
    lines = [line for line in recorder.errors.splitlines() if "requests got no snapshot" in line]
    check(len(lines) == 1, f"and says in one line what it has given up {lines}")
    attacker.end()


def connections():
    print("== connections of many users", flush=True)
    recorder = Listening()
    attackers = [client("connect", recorder.public, CLIENTS_MAX, uid=uid) for uid in USERS]
    counts = [int(attacker.line.split()[1]) for attacker in attackers]
    check(max(counts) == CLIENTS_MAX / 4, f"one user gets a quarter {counts}")
    check(sum(counts) == CLIENTS_MAX * 3 / 4, f"all get three quarters {sum(counts)}")
    done = tool("status", "--socket", recorder.public)
    check(not done.returncode, f"root can connect {done.stderr}")
    for attacker in attackers:
        attacker.end()
    recorder.stop()


def shared_memory():
    print("== sources", flush=True)
    recorder = Listening()
    attackers = [client("attach", recorder.public, SOURCES_MAX, uid=uid) for uid in USERS[:4]]
    check(
        wait_for(lambda: recorder.status()["source_count"] >= SOURCES_MAX * 3 / 4),
        f"users get three quarters of the sources {recorder.status()['source_count']}",
    )
    puppet = recorder.service()
    last = puppet.emit(EVENTS)
    path = recorder.trigger("full")
    check(whole(beats(path)[puppet.pid], range(1, last + 1)), "root's service is recorded")
    for attacker in attackers:
        attacker.end()
    print("== memories", flush=True)
    attackers = [client("attach", recorder.public, 0, uid=uid) for uid in USERS]
    lines = [attacker.line for attacker in attackers]
    check(lines.count("attached") == MEMORIES_MAX * 3 / 4, f"six users get memory {lines}")
    check(all("in use" in line for line in lines if line != "attached"), "the others are told why")
    puppet.quit()
    puppet = recorder.service()
    last = puppet.emit(EVENTS)
    for attacker in attackers:
        attacker.end()
    late = [client("attach", recorder.public, 0, uid=uid) for uid in USERS[-3:]]
    check([a.line for a in late] == ["attached"] * 3, "users who come later get what is unused")
    path = recorder.trigger("late")
    verify(path)
    check(beats(path)[puppet.pid], "root's service is recorded all the while")
    for attacker in late:
        attacker.end()
    recorder.stop()


crashes()
end_in_time()
if TRANSPORT != "usdt":
    shared_memory()
else:
    connections()
done()
