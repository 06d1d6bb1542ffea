# A service locks itself in: its threads and children are killed for any system call but those that
# write and exit. Whatever the recorder does, they emit and live, and their events have the right
# ids.
#
# 	test_locked.py LOCKED TRANSPORT...
import os
import sys

from kit import Recorder, check, done, events, folder, verify, wait_for
from puppet import Puppet

LOCKED, TRANSPORTS = os.path.realpath(sys.argv[1]), sys.argv[2:]
# With shm, the events of a child that the bare system call has forked have unknown ids.
UNKNOWN = (None, None)
CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"


class Case:
    def __init__(self, transport):
        self.transport = transport
        self.listen = os.path.join(folder(), "listen")
        # Strict mode forbids writev(2), which user_events needs.
        self.actors = ["old", "new", "fork", "raw"] + ["strict"] * (transport != "user_events")
        self.service = Puppet("writev" if transport == "user_events" else "write", [LOCKED])

    def record(self):
        """Starts a recorder, and attaches the service to it."""
        recorder = Recorder(
            "-e", "accept:*", "--transport", self.transport, "--listen", self.listen
        )
        check(wait_for(lambda: os.path.exists(self.listen)), "the recorder listens")
        answer = self.service.ask("attach", self.listen)
        check(answer == "ok", f"the service attaches to the recorder: {answer}")
        check(wait_for(self.service.word), "its events are on")
        return recorder

    def act(self, when):
        """Lets each actor emit. Returns {who: (pid, tid)}."""
        ids = {}
        for who in self.actors:
            answer = self.service.ask(who, 3).split()
            check(
                answer[0] == "ok",
                f"{self.transport}, recorder {when}: {who} emits and lives {answer}",
            )
            ids[who] = tuple(map(int, answer[1:]))
        return ids

    def check_recorded(self, recorder, when):
        ids = self.act(when)
        path = recorder.trigger("look")
        verify(path)
        found = [e for e in events(path) if e["event"] == "accept:locked"]
        for who, wanted in ids.items():
            if who == "raw" and self.transport == "shm":
                wanted = UNKNOWN
            numbers = [
                e["fields"]["number"]
                for e in found
                if e["fields"]["who"] == who and (e["pid"], e["tid"]) == wanted
            ]
            check(
                numbers == [0, 1, 2],
                f"{self.transport}, recorder {when}: the events of {who}, {wanted}, are recorded "
                f"{numbers}",
            )

    def run(self, meanwhile=None):
        """`meanwhile` is called after the recorder has started."""
        recorder = self.record()
        if meanwhile:
            meanwhile()
            recorder.trigger("look")  # takes longer than the recorder needs to notice
        self.check_recorded(recorder, "alive")
        status = recorder.stop()
        check(status == 0, f"the recorder stops {status} {recorder.errors if status else ''}")
        self.act("stopped")
        self.service.ask("detach")
        recorder = self.record()
        self.check_recorded(recorder, "restarted")
        recorder.process.kill()
        recorder.process.wait()
        self.act("killed")
        self.service.ask("detach")
        os.unlink(self.listen)
        recorder = self.record()
        self.check_recorded(recorder, "restarted after its death")
        self.service.ask("detach")
        status = self.service.tell("end")
        check(status == 0, f"{self.transport}: the service, locked in, exits with 0 {status}")
        recorder.stop()


for transport in TRANSPORTS:
    print(f"== {transport}", flush=True)
    Case(transport).run()
if os.environ.get("FREC_IN_TEST_KERNEL"):
    # While the recorder runs, the clock becomes one that takes a system call to read.
    print("== shm and a timer chip as clock", flush=True)

    def change_clock():
        with open(CLOCK, "w") as file:
            file.write("hpet")
        with open(CLOCK) as file:
            check(file.read().strip() == "hpet", "the clock is a timer chip")

    Case("shm").run(change_clock)
done()
