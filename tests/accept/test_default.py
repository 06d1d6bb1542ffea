# Tests which transport a recorder uses by default, that it reports which one and why, and that it
# uses another one if only that can do what is asked for.
#
# 	test_default.py PUPPET	in any environment of accept/in
import json
import os
import re
import subprocess
import sys
import time

from kit import TOOL, Recorder, check, done, events, folder, report, snapshots, tool, verify
from kit import wait_for
from puppet import Puppet, beats, need_silence, whole

PUPPET = os.path.realpath(sys.argv[1])
ROOT = os.environ["FREC_PLACE"] == "root"
USER_EVENTS = ROOT and os.path.exists("/sys/kernel/tracing/user_events_data")
# The default of a recorder that can hand memory to its services, and of one of the whole machine.
OWN = "user_events" if USER_EVENTS else "shm"
MACHINE = "user_events" if USER_EVENTS else "usdt"
GUARD = 1  # FREC_SHM_GUARD of recorder/service/shm.h


def memory_options(pid):
    """Returns the options in the memory that recorder `pid` shares with services, or None."""
    for number in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{number}"
        try:
            if "memfd:flightrec" in os.readlink(path):
                with open(path, "rb") as file:
                    return int.from_bytes(file.read(12)[8:], "little")
        except OSError:
            pass
    return None


def status(control):
    return json.loads(tool("status", "--json", "--socket", control).stdout)


class Run:
    """A puppet under `flightrec run`."""

    def __init__(self, *options):
        self.out, self.control = folder(), os.path.join(folder(), "control")
        self.puppet = Puppet(
            PUPPET,
            [TOOL, "run", "-e", "accept:*", "--ring-size", "1M", "-o", self.out]
            + ["--socket", self.control, *options, "--"],
            stderr=subprocess.DEVNULL,
        )
        # Popen started the recorder, and the puppet is its child.
        self.recorder = self.puppet.process.pid

    def trigger(self, name):
        return tool("trigger", name, "--socket", self.control).stdout.strip()


need_silence(PUPPET)

print("== run", flush=True)
run = Run()
told = status(run.control)
check(told["transport"] == OWN, f"run takes {OWN} ({told['transport']})")
words = tool("status", "--socket", run.control).stdout
check(
    told["transport_why"] and f"events by  {OWN}: {told['transport_why']}\n" in words,
    f"status says why, in JSON and in words: {told['transport_why']}",
)
if OWN == "shm":
    check(
        memory_options(run.recorder) & GUARD, "the memory is guarded where the processor can do it"
    )
run.puppet.emit(100)
path = run.trigger("default")
verify(path)
check(whole(beats(path)[run.puppet.pid], range(1, 101)), "every event is recorded")
check(report(path)["transports"] == [OWN], "the snapshot names the transport")

print("== a service that has one starts its own", flush=True)
out = folder()
answer = run.puppet.start("auto", out, TOOL)
if ROOT:
    check(answer == "ok", f"it starts, because rights allow a second way: {answer}")
    taken = run.puppet.ask("transport")
    check(
        taken.startswith(f"{MACHINE}: ") and ("another recorder" in taken) == (MACHINE == "usdt"),
        f"and says which: {taken}",
    )
    run.puppet.emit(100)
    run.puppet.ask("trigger", "own")
    check(wait_for(lambda: snapshots(out)), "it records")
    check(
        whole(beats(snapshots(out)[0])[run.puppet.pid], range(101, 201)),
        "its recorder has every event, each once",
    )
    check(
        whole(beats(run.trigger("both"))[run.puppet.pid], range(1, 201)),
        "and so has the first recorder",
    )
    run.puppet.ask("stop")
else:
    check(
        answer.startswith("failed ") and "another recorder" in answer,
        f"it is refused, because there is one memory: {answer}",
    )
run.puppet.quit()

print("== a service's own", flush=True)
puppet, out = Puppet(PUPPET), folder()
check(puppet.start("auto", out, TOOL) == "ok", "a recorder starts")
taken = puppet.ask("transport")
check(re.fullmatch(rf"{OWN}: .{{10,}}[^.]", taken), f"and says which transport and why: {taken}")
logged = puppet.ask("log")
check(logged == f"events are recorded by {taken}", f"and so does the log: {logged}")
puppet.emit(50)
if ROOT:
    # What the kernel reports about a death does not depend on the transport of the events.
    puppet.process.stdin.write("crash\n")
    puppet.process.stdin.flush()
    check(wait_for(lambda: snapshots(out)), "a crash leaves a snapshot")
    path = snapshots(out)[0]
    verify(path)
    crash = report(path)["crash"]
    check(
        crash["signal"] == "SIGSEGV" and crash.get("tid") == puppet.pid,
        f"with its signal and thread {crash['signal']}",
    )
    check(
        len(crash.get("registers", {})) >= 18 and crash["stack"]["size"] > 0,
        "and with registers and stack",
    )
    check(
        whole(beats(path)[puppet.pid], range(1, 51))
        and {e["tid"] for e in events(path) if e["event"] == "accept:beat"} == {puppet.pid},
        "and with the events of the thread that crashed",
    )
else:
    puppet.ask("stop")
    puppet.quit()

if ROOT:
    # The service reads the clock in another way than the kernel does. An event must lie between the
    # switches to and from its thread that the kernel records. A difference of a microsecond,
    # which is less than a switch takes, is tolerated.
    print("== times", flush=True)
    run = Run("-e", "sched:sched_switch", "--ring-size", "8M")
    time.sleep(0.1)
    for _ in range(20):
        run.puppet.emit(1000)
    running, right, wrong = {}, 0, []
    for event in events(run.trigger("times")):
        if event["event"] == "sched:sched_switch":
            running[event["cpu"]] = (event["fields"]["next_pid"], event["time"])
        elif event["event"] == "accept:beat" and event["cpu"] in running:
            tid, since = running[event["cpu"]]
            if tid == event["tid"]:
                right += 1
            # Some kernels do not record the switch away from a CPU's idle task, whose tid is 0.
            elif tid and event["time"] - since > 1000:
                wrong.append((event["time"], since, tid))
    check(right > 1000 and not wrong, f"events lie where their thread ran: {right} {wrong[:2]}")
    run.puppet.quit()

    print("== stacks", flush=True)
    run = Run("-e", "accept:beat/stack=fp/")
    told = status(run.control)
    check(
        told["transport"] == MACHINE
        and (MACHINE != "usdt" or "accept:beat/stack=fp/" in told["transport_why"]),
        f"what only the kernel can add decides: {told['transport']}: {told['transport_why']}",
    )
    run.puppet.emit(5)
    path = run.trigger("stacks")
    found = [e for e in events(path) if e["event"] == "accept:beat" and e["pid"] == run.puppet.pid]
    check(len(found) == 5 and all(e.get("stack") for e in found), "and the stacks are there")
    run.puppet.quit()

    print("== record", flush=True)
    for options in ([], ["--listen", os.path.join(folder(), "listen")]):
        os.chmod(os.path.dirname(options[-1]), 0o755) if options else None
        recorder = Recorder("-e", "accept:*", "--ring-size", "1M", *options)
        told = status(recorder.socket)
        check(
            told["transport"] == MACHINE,
            f"a recorder of the machine takes {MACHINE}: {told['transport_why']}",
        )
        puppet = Puppet(PUPPET)
        check(wait_for(puppet.word), "it records who has never heard of it")
        puppet.emit(20)
        check(
            whole(beats(recorder.trigger("machine"))[puppet.pid], range(1, 21)), "with every event"
        )
        puppet.quit()
        recorder.stop()
        if options:
            check(
                f"events of services by {MACHINE}: {told['transport_why']}; " in recorder.errors,
                f"and its first line says so: {recorder.errors.splitlines()[:1]}",
            )
done()
