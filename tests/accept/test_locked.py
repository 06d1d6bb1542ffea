# A service locks itself in: its threads and children are killed for any system call but those that
# write and exit. Whatever the recorder does, they emit and live, and their events have their ids.
#
# 	test_locked.py LOCKED TRANSPORT
import os
import signal
import sys

from kit import Recorder, check, done, events, folder, verify, wait_for
from puppet import Puppet

LOCKED, TRANSPORT = os.path.realpath(sys.argv[1]), sys.argv[2]
UNKNOWN = 2**32 - 1
# In strict mode the kernel kills for writev(2), too.
ACTORS = ["old", "new", "fork", "raw"] + ["strict"] * (TRANSPORT != "user_events")


def record():
    recorder = Recorder(
        "-e", "accept:*", "--transport", TRANSPORT, "--listen", os.path.join(place, "listen")
    )
    return recorder


def act(service, when):
    """Lets each actor emit. Returns {who: (pid, tid)}."""
    ids = {}
    for who in ACTORS:
        answer = service.ask(who, 3).split()
        check(answer[0] == "ok", f"{when}: {who} emits and lives {' '.join(answer)}")
        ids[who] = tuple(map(int, answer[1:]))
    return ids


def check_recorded(recorder, service, when):
    ids = act(service, when)
    path = recorder.trigger("look")
    verify(path)
    found = [e for e in events(path) if e["event"] == "accept:locked"]
    for who, (pid, tid) in ids.items():
        ours = [e for e in found if e["fields"]["who"] == who]
        ours = ours if who != "raw" else ours[-3:]
        ours = [e for e in ours if TRANSPORT == "shm" and who == "raw" or e["tid"] == tid]
        check(
            [e["fields"]["number"] for e in ours] == [0, 1, 2],
            f"{when}: the three events of {who} are recorded {len(ours)}",
        )
        # A child that runs no handlers cannot know its ids in shared memory.
        wanted = (UNKNOWN, UNKNOWN) if TRANSPORT == "shm" and who == "raw" else (pid, tid)
        check(
            all((e["pid"] % 2**32, e["tid"] % 2**32) == wanted for e in ours),
            f"{when}: they are of process {pid}, thread {tid} "
            f"{[(e['pid'], e['tid']) for e in ours]}",
        )


def attach(service):
    answer = service.ask("attach", os.path.join(place, "listen"))
    check(answer == "ok", f"the service attaches to the recorder: {answer}")
    check(wait_for(service.word), "its events are on")


place = folder()
service = Puppet("writev" if TRANSPORT == "user_events" else "write", [LOCKED])
recorder = record()
attach(service)
check_recorded(recorder, service, "recorder alive")
check(recorder.stop() == 0, f"the recorder stops {recorder.errors}")
act(service, "recorder stopped")
service.ask("detach")
recorder = record()
attach(service)
check_recorded(recorder, service, "recorder restarted")
recorder.process.send_signal(signal.SIGKILL)
recorder.process.wait()
act(service, "recorder killed")
service.ask("detach")
recorder = record()
attach(service)
check_recorded(recorder, service, "recorder restarted after its death")
check(service.quit() == 0, "the service exits with 0")
recorder.stop()
done()
