# Other tools can listen to a service's probes. bpftrace lists them and receives the right
# arguments, alone and beside a recorder. When a listener leaves, the events stay on for the others;
# when the last one leaves, they go off.
#
# 	test_listeners.py SHOPD PUPPET
import atexit
import os
import re
import shutil
import subprocess
import sys

from kit import Recorder, check, done, folder, free_port, request, verify, wait_for
from puppet import Puppet, beats, need_silence, whole

SHOPD, PUPPET = map(os.path.realpath, sys.argv[1:3])
FIRED = re.compile(r"^fired (\d+) (.*) (-?\d+)$", re.M)


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


class Bpftrace:
    """A bpftrace that listens in the background and prints to a file."""

    def __init__(self, program):
        self.output = os.path.join(folder(), "bpftrace")
        with open(self.output, "w") as file:
            self.process = subprocess.Popen(
                ["bpftrace", "-e", program], stdout=file, stderr=subprocess.STDOUT
            )
        atexit.register(self.process.kill)

    def text(self):
        with open(self.output, errors="replace") as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            # bpftrace got SIGTERM while it was busy, and goes on. When it is killed, the kernel
            # removes its breakpoints.
            self.process.kill()
            self.process.wait()


if not shutil.which("bpftrace"):
    skip("bpftrace is not installed")
probe = subprocess.run(["bpftrace", "-e", "BEGIN { exit(); }"], capture_output=True, text=True)
if probe.returncode:
    skip("bpftrace does not work here: " + (probe.stderr.strip().splitlines() or ["?"])[-1])

need_silence(PUPPET)
print("== lists", flush=True)
listed = subprocess.run(
    ["bpftrace", "-l", f"usdt:{SHOPD}:*"], capture_output=True, text=True
).stdout.splitlines()
wanted = {
    f"usdt:{SHOPD}:shop:{name}"
    for name in ("request_done", "item_added", "payment_done", "restocked", "step")
}
check(wanted <= set(listed), f"bpftrace lists shopd's probes {wanted - set(listed)}")
result = (
    subprocess.run(["perf", "buildid-cache", "--help"], capture_output=True)
    if shutil.which("perf")
    else None
)
if result and not result.returncode:
    home = {**os.environ, "HOME": folder()}
    subprocess.run(["perf", "buildid-cache", "--add", SHOPD], env=home, capture_output=True)
    listed = subprocess.run(
        ["perf", "list", "sdt"], env=home, capture_output=True, text=True
    ).stdout
    check("sdt_shop:request_done" in listed, f"and so does perf {listed.strip()[:200]}")

print("== receives", flush=True)
puppet = Puppet(PUPPET)
check(puppet.word() == 0, "nobody listens yet")
program = (
    f'usdt:{PUPPET}:accept:beat {{ printf("fired %d %s %d\\n", arg0, str(arg1), (int32)arg2); }}'
)
bpftrace = Bpftrace(program)
check(wait_for(lambda: puppet.word() == 1), f"bpftrace switches the event on {puppet.word():x}")
puppet.emit(20)
expected = [(str(n), "a beat of the puppet's", str(-n)) for n in range(1, 21)]
wait_for(lambda: len(FIRED.findall(bpftrace.text())) >= 20)
check(
    FIRED.findall(bpftrace.text()) == expected,
    f"and receives the right arguments {bpftrace.text()[:300]}",
)

print("== on shopd", flush=True)
port = free_port()
shop = subprocess.Popen(
    [SHOPD, "--listen", f"127.0.0.1:{port}", "--threads", "1"], stdout=subprocess.DEVNULL
)
wait_for(lambda: request(port, "/healthz"))
other = Bpftrace(
    f'usdt:{SHOPD}:shop:request_done '
    '{ printf("fired %d %s %d\\n", arg0, str(arg1), (int32)arg2); }'
)
check(
    wait_for(
        lambda: request(port, "/products")
        and ("0", "/products", "200") in FIRED.findall(other.text())
    ),
    f"bpftrace sees its requests {other.text()[-200:]}",
)
request(port, "/nothing")
check(wait_for(lambda: ("0", "/nothing", "404") in FIRED.findall(other.text())), "and their status")
other.stop()
shop.terminate()
check(shop.wait() == 0, "shopd exits with 0")


def fired(which):
    return [int(n) for n, _, _ in FIRED.findall(which.text())]


# The kernel may count two listeners at the same address as one, so the enable word cannot show that
# the second listener has attached. The events that this listener receives show it.
print("== beside a recorder", flush=True)
recorder = Recorder("-e", "accept:*", "--transport", "usdt", "--ring-size", "1M")
last = puppet.emit(500)
path = recorder.trigger("both")
verify(path)
check(
    whole(beats(path)[puppet.pid], range(21, last + 1)),
    f"the recorder got every event {len(beats(path)[puppet.pid])}",
)
wait_for(lambda: len(fired(bpftrace)) >= last)
check(fired(bpftrace) == list(range(1, last + 1)), f"and so did bpftrace {len(fired(bpftrace))}")

print("== they leave", flush=True)
bpftrace.stop()
last = puppet.emit(10)
check(
    puppet.word() != 0 and whole(beats(recorder.trigger("one"))[puppet.pid], range(21, last + 1)),
    "after bpftrace has left, the recorder still gets every event",
)
bpftrace = Bpftrace(program)
check(wait_for(lambda: puppet.emit(1) and fired(bpftrace)), "bpftrace comes back")
check(recorder.stop() == 0, "the recorder leaves")
last = puppet.emit(10)
check(
    puppet.word() != 0
    and wait_for(lambda: fired(bpftrace)[-10:] == list(range(last - 9, last + 1))),
    "bpftrace still gets every event",
)
bpftrace.stop()
check(wait_for(lambda: puppet.word() == 0), f"nobody listens any more {puppet.word():x}")
puppet.quit()
done()
