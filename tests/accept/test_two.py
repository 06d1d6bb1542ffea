# Runs two recorders at once, one that a service starts for itself and one for the machine, with
# every pair of transports that this machine has. Both get every event, and the end of one does not
# affect the other. If both use shm, the second one is refused.
#
# 	test_two.py PUPPET TRANSPORT...
import os
import subprocess
import sys

from kit import TOOL, Recorder, check, done, folder, keepers, snapshots, tool, verify, wait_for
from puppet import Puppet, beats, need_silence, whole

PUPPET, TRANSPORTS = os.path.realpath(sys.argv[1]), sys.argv[2:]


def machine(transport):
    """Starts the machine's recorder and a puppet that it records. Returns the puppet, a function
    that triggers the recorder, and a function that ends it. With shm, which needs no rights,
    `flightrec run` stands in for the machine's recorder, and the last of the three is None."""
    if transport != "shm":
        recorder = Recorder("-e", "accept:*", "--transport", transport, "--ring-size", "1M")
        puppet = Puppet(PUPPET)
        return puppet, recorder.trigger, recorder.stop
    control = os.path.join(folder(), "control")
    puppet = Puppet(
        PUPPET,
        [
            TOOL,
            "run",
            "-e",
            "accept:*",
            "--transport",
            transport,
            "--ring-size",
            "1M",
            "-o",
            folder(),
            "--socket",
            control,
            "--",
        ],
        stderr=subprocess.DEVNULL,
    )
    return puppet, lambda name: tool("trigger", name, "--socket", control).stdout.strip(), None


def check_file(path, puppet, numbers, who):
    verify(path)
    found = beats(path)[puppet.pid]
    check(
        whole(found, numbers), f"{who} has every event {found[:1]} {len(found)} of {len(numbers)}"
    )


need_silence(PUPPET)
# On a kernel with user_events, recorders use these by default; test_default.py has the other cases.
if "user_events" in TRANSPORTS:
    puppet = Puppet(PUPPET)
    check(puppet.start("auto", folder(), TOOL) == "ok", "a recorder starts that may take any")
    taken = puppet.ask("transport")
    check(taken == "user_events: the kernel has user_events", f"it takes user_events: {taken}")
    puppet.ask("stop")
    puppet.quit()
for theirs in TRANSPORTS:
    for own in TRANSPORTS:
        print(f"== the machine's by {theirs}, the service's by {own}", flush=True)
        puppet, trigger, end = machine(theirs)
        check(wait_for(puppet.word), "the machine's recorder listens")
        puppet.emit(50)
        out = folder()
        answer = puppet.start(own, out, TOOL)
        if own == theirs == "shm":
            # A service writes into the memory of one recorder only.
            check(
                answer.startswith("failed ") and "another recorder" in answer,
                f"the service's own is refused: {answer}",
            )
            puppet.emit(50)
            check_file(trigger("first"), puppet, range(1, 101), "the machine's")
            check(not keepers(puppet.pid), "no keeper is left")
            puppet.quit()
            continue
        if not check(answer == "ok", f"the service's own starts beside it: {answer}"):
            continue
        puppet.emit(500)
        check(
            puppet.ask("trigger", "own") == "ok" and wait_for(lambda: snapshots(out)), "it records"
        )
        check_file(snapshots(out)[0], puppet, range(51, 551), "the service's")
        check_file(trigger("first"), puppet, range(1, 551), "the machine's")
        if end and own != theirs:
            # Here the machine's recorder ends first. In the other cases the service's recorder ends
            # first, see below.
            check(end() == 0, "the machine's exits with 0")
            puppet.emit(50)
            puppet.ask("trigger", "alone")
            check(wait_for(lambda: len(snapshots(out)) == 2), "the service's goes on")
            check_file(
                max(snapshots(out), key=os.path.getmtime), puppet, range(51, 601), "the service's"
            )
            puppet.ask("stop")
            check(
                wait_for(lambda: puppet.emit(1) and puppet.word() == 0),
                f"the event is off after both have left {puppet.word():x}",
            )
        else:
            puppet.ask("stop")
            check(
                wait_for(lambda: not keepers(puppet.pid)) and puppet.word() != 0,
                "the service's ends, and the machine's still listens",
            )
            puppet.emit(50)
            check_file(trigger("second"), puppet, range(1, 601), "the machine's")
            if end:
                end()
        puppet.quit()
done()
