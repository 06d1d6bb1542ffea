# frec_..._enabled() is right in every file of a program, also in files that do not emit the event:
# in C and C++, in a shared library, and for an event of the same name with other fields.
#
# 	test_asks.py ASKS TRANSPORT...
import os
import signal
import subprocess
import sys

from kit import TOOL, Recorder, check, done, events, folder, tool, verify, wait_for

ASKS, TRANSPORTS = os.path.realpath(sys.argv[1]), sys.argv[2:]
ON, OFF = "1 1 1 1", "0 0 0 0"


class Asks:
    def __init__(self, before=()):
        self.process = subprocess.Popen(
            [*before, ASKS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.pid = int(self.process.stdout.readline().split()[1])

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def quit(self):
        self.process.stdin.close()
        return self.process.wait()


def check_file(path, asks, count):
    verify(path)
    found = [e["fields"] for e in events(path) if e["event"] == "asks:work"]
    check(
        found == [{"number": n, "what": "work"} for n in range(1, count + 1)],
        f"the event is in the file, from the file that emits it {found}",
    )


# Another tool may count up only one of the enable words of an event, so it must find only the site
# in the file that emits.
notes = subprocess.run(["readelf", "-n", ASKS], capture_output=True, text=True).stdout
check(notes.count("Name: work\n") == 1, "other tools see the event where it is emitted, once")

for transport in TRANSPORTS:
    print(f"== {transport}", flush=True)
    if transport == "shm":
        control = os.path.join(folder(), "control")
        asks = Asks(
            [TOOL, "run", "-e", "asks:*", "--transport", "shm", "-o", folder()]
            + ["--socket", control, "--"]
        )
        check(asks.tell("ask") == ON, f"on in every file {asks.tell('ask')}")
        asks.tell("emit")
        check_file(tool("trigger", "now", "--socket", control).stdout.strip(), asks, 1)
        check(asks.tell("ask") == ON, "and still on after an emit")
        # The recorder dies. The next emit notices, and the event goes off in every file.
        asks.process.send_signal(signal.SIGKILL)
        asks.process.wait()
        check(
            wait_for(lambda: asks.tell("emit") and asks.tell("ask") == OFF),
            f"off in every file after the recorder's death {asks.tell('ask')}",
        )
        asks.process.stdin.close()
        continue
    asks = Asks()
    if not wait_for(lambda: asks.tell("ask") == OFF, 10):
        print("skipped: another recorder on this machine has the test's events on")
        sys.exit(77)
    recorder = Recorder("-e", "asks:*", "--transport", transport, "--ring-size", "1M")
    check(wait_for(lambda: asks.tell("ask") == ON), f"on in every file {asks.tell('ask')}")
    asks.tell("emit")
    check_file(recorder.trigger("now"), asks, 1)
    late = Asks()
    check(wait_for(lambda: late.tell("ask") == ON), f"also later ones {late.tell('ask')}")
    check(recorder.stop() == 0, "the recorder ends")
    check(wait_for(lambda: asks.tell("ask") == OFF), f"off in every file {asks.tell('ask')}")
    check(late.quit() == 0 and asks.quit() == 0, "the programs end")
done()
