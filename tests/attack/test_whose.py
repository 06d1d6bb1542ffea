"""User nobody tries to get what processes of others did from a recorder of root: their deaths,
their events, their names, and which events they have.

    test_whose.py PUPPET TRANSPORT

Who: a user beside a recorder of root
Tried: waits for the pid of a daemon's dead parent, runs set-uid and set-gid programs below a
    client, leaves a connection to a process of root, crashes a program that root runs, too
Happened: the deaths are root's, no file of his has records, names or counts of others, and his
    crashes do not make root's a repeat
"""
import os
import shutil
import subprocess
import sys

from as_pid import start_as
from kit import Recorder, check, done, folder, snapshots, tool, verify, wait_for
from puppet import Puppet, beats, whole

NOBODY = 65534
EVENTS = 50
PUPPET, TRANSPORT = os.path.realpath(sys.argv[1]), sys.argv[2]
CLIENT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "client.py")
PYTHON = "/usr/bin/python3"
# Runs a program in a child and ends, like a program that becomes a daemon.
LEAVE = "import os, sys\nif os.fork():\n    os._exit(0)\nos.execv(sys.argv[1], sys.argv[1:])"

as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


def of_nobody():
    return [path for path in snapshots(recorder.folder) if os.stat(path).st_uid == NOBODY]


def content(path):
    with open(path, "rb") as file:
        return file.read()


def trigger_as_nobody(name):
    """Returns the path of a snapshot that nobody asked for."""
    result = tool("trigger", name, "--socket", public, **as_nobody)
    path = result.stdout.strip()
    check(
        path and os.stat(path).st_uid == NOBODY, f"nobody gets a snapshot {result.stderr.strip()}"
    )
    verify(path)
    return path


def crash(service):
    """Lets a service crash, and returns the path of the snapshot of its death, or None."""
    service.process.stdin.write("crash\n")
    service.process.stdin.flush()
    return wait_for(
        lambda: next((p for p in snapshots(recorder.folder) if f"-{service.pid}-SIG" in p), None),
        10,
    )


def check_roots(path, pid, last, what):
    """Checks that the snapshot is root's and has the last EVENTS events of the process."""
    if check(path and os.stat(path).st_uid == 0, f"root has the snapshot of {what}"):
        verify(path)
        check(
            whole(beats(path)[pid], range(last - EVENTS + 1, last + 1)),
            f"with all its events {len(beats(path)[pid])}",
        )


def check_hidden():
    """Processes of nobody that the kernel does not let nobody trace."""
    print("== a set-gid program, one that cannot be read, and one that hides", flush=True)
    seen = Puppet(PUPPET, **as_nobody)
    hidden = [Puppet(PUPPET, **as_nobody)]
    for name, mode in (("set-gid-program", 0o2755), ("unreadable-program", 0o4111)):
        program = os.path.join(shared, name)
        shutil.copy(PUPPET, program)
        os.chown(program, 0 if mode & 0o2000 else NOBODY, 1)
        os.chmod(program, mode)
        hidden.append(Puppet(program, **as_nobody))
    for puppet in seen, *hidden:
        wait_for(lambda: puppet.word() != 0)
        puppet.emit(EVENTS)
    check(hidden[0].ask("hide") == "ok", "a process of nobody is not dumpable any more")
    path = trigger_as_nobody("hidden")
    check(
        list(beats(path)) == [seen.pid] and len(beats(path)[seen.pid]) == EVENTS,
        f"nobody sees the process that he may trace, and no other {list(beats(path))} {seen.pid}",
    )
    check(b"beat" in content(path), "the file now knows the event")
    check(b"program" not in content(path), "but not the names of the others")
    before = len(of_nobody())
    for puppet in hidden:
        check_roots(crash(puppet), puppet.pid, EVENTS, f"process {puppet.pid}")
    check(len(of_nobody()) == before, f"nobody has none of them {of_nobody()}")
    path = crash(seen)
    check(
        path and os.stat(path).st_uid == NOBODY, "nobody has the snapshot of the one that he sees"
    )


shared = folder()
os.chmod(shared, 0o755)
public = os.path.join(shared, "public")
recorder = Recorder(
    "-e", "accept:*", "--transport", TRANSPORT, "--listen", public, "--cooldown", "0"
)

print("== names and rates", flush=True)
service = Puppet(PUPPET)
wait_for(lambda: service.word() != 0)
service.emit(EVENTS)
path = trigger_as_nobody("names")
for text in b"beat", b"accept", b"puppet":
    check(text not in content(path), f"the file of nobody does not know {text}")

print("== the number of a daemon's dead parent", flush=True)
service.quit()
service = Puppet(PUPPET, before=(PYTHON, "-c", LEAVE))
service.process.wait()
wait_for(lambda: service.word() != 0)
read, write = os.pipe(), os.pipe()
attacker = start_as(service.process.pid, NOBODY, [PYTHON, CLIENT, public], (read[0], write[1]))
check(os.read(write[0], 1000).startswith(b"ok"), "nobody attaches with that number")
last = service.emit(EVENTS)
check_roots(crash(service), service.pid, last, "root's service")
check(len(of_nobody()) == 1, f"nobody has none of it {of_nobody()}")
os.close(read[1])
os.waitpid(attacker, 0)

print("== a set-uid program", flush=True)
program = os.path.join(shared, "set-uid-program")
shutil.copy(PUPPET, program)
os.chmod(program, 0o4755)
service = Puppet(
    "--run", before=(PYTHON, CLIENT, public), env={**os.environ, "PROGRAM": program}, **as_nobody
)
wait_for(lambda: service.word() != 0)
last = service.emit(EVENTS)
path = trigger_as_nobody("set-uid")
check(not beats(path), "nobody does not see its events")
check(b"set-uid-program" not in content(path), "nor its name, arguments and mappings")
before = len(of_nobody())
check_roots(crash(service), service.pid, last, "a set-uid program that nobody started")
check(len(of_nobody()) == before, f"nobody has none of it {of_nobody()}")

if TRANSPORT == "usdt":  # the others need a connection to emit
    check_hidden()

print("== a connection whose process is gone", flush=True)
client = subprocess.Popen(
    [PYTHON, CLIENT, public, "--inherited"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **as_nobody,
)  # fmt: skip
number = int(client.stdout.readline())
client.wait()
read, write = os.pipe(), os.pipe()
pid = start_as(number, 0, [PUPPET], (read[0], write[1]))
answer = os.fdopen(write[0])
commands = os.fdopen(read[1], "w", buffering=1)
check(answer.readline() == f"ready {number}\n", "a service of root has its number")
client.stdin.write("attach\n")
client.stdin.flush()
reply = client.stdout.readline()
check(reply.startswith("error"), f"the connection is not taken for that service {reply.strip()}")
commands.write(f"emit {EVENTS}\n")
answer.readline()
commands.write("word\n")
wait_for(lambda: int(answer.readline(), 16) != 0 or commands.write("word\n") is None)
commands.write(f"emit {EVENTS}\n")
last = int(answer.readline().split()[1])
before = len(of_nobody())
commands.write("crash\n")
os.waitpid(pid, 0)
path = wait_for(lambda: next((p for p in snapshots(recorder.folder) if f"-{pid}-SIG" in p), None))
check(path and os.stat(path).st_uid == 0, "root has the snapshot of that service")
check(len(of_nobody()) == before, "and nobody has none")
client.stdin.close()
check(recorder.stop() == 0, f"the recorder exits with 0 {recorder.errors}")

if TRANSPORT == "usdt":
    print("== without --listen: the same program, of nobody and of root", flush=True)
    recorder = Recorder("-e", "accept:*", "--transport", TRANSPORT, "--cooldown", "1h")
    for whose, what in ((as_nobody, "a process of nobody"), ({}, "root's process after that")):
        service = Puppet(PUPPET, **whose)
        wait_for(lambda: service.word() != 0)
        last = service.emit(EVENTS)
        path = crash(service)
        check_roots(path, service.pid, last, what)
        check(path and os.stat(path).st_mode & 0o777 == 0o600, "nobody else can read it")
    check(recorder.stop() == 0, f"the recorder exits with 0 {recorder.errors}")
done()
