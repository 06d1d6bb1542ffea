# Tests flightrec record: triggers, events that are registered later, other users, other recorders,
# CPUs that go offline and online, a full disk.
import array
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data"))
import control  # noqa: E402
from kit import (
    TOOL,
    Recorder,
    check,
    done,
    events,
    folder,
    report,
    snapshots,
    tool,
    verify,
    wait_for,
)

EMITTER, SHOPD = sys.argv[1:3]
USER = 65534


def ask(path, message, wants_fd=False):
    """Sends a request over a control socket. Returns "ok" or "error", the text of the reply and, if
    `wants_fd`, the descriptor in it or -1."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
        kind, _, name = message.partition(" ")
        s.sendall(control.request(kind, name))
        data, ancillary, _, _ = s.recvmsg(65536, socket.CMSG_SPACE(4))
        fds = array.array("i")
        for level, kind, payload in ancillary:
            fds.frombytes(payload[: len(payload) - len(payload) % 4])
        word, text = control.answer(data)
        return (word, text, fds[0] if fds else -1) if wants_fd else (word, text)


def status(recorder):
    return json.loads(tool("status", "--json", "--socket", recorder.socket).stdout)


def has(recorder, name):
    return wait_for(lambda: name in status(recorder)["sources"])


def ticks(path):
    return [e for e in events(path) if e["event"] == "test:tick"]


def emit(*arguments, **options):
    return subprocess.Popen([EMITTER, *map(str, arguments)], **options)


def ledger_of(path):
    with open(path, "rb") as file:
        return struct.unpack("2Q", file.read(16))


print("== events that are registered later, and triggers", flush=True)
recorder = Recorder("-e", "test:*", "-e", "sched:sched_process_exit", "--ring-size", "256K")
ledger = os.path.join(folder(), "ledger")
process = emit("-w", 2000, "-n", 100000, "-l", ledger, "hang")
check(has(recorder, "test:tick"), "an event registered after the start is found")
first = ledger_of(ledger)[0]
time.sleep(0.2)
word, path = ask(recorder.socket, "trigger first look")
check(
    word == "ok" and path in snapshots(recorder.folder),
    f"trigger answers with the file {word} {path}",
)
numbers = [e["fields"]["sequence"] for e in ticks(path)]
check(numbers == list(range(numbers[0], numbers[-1] + 1)), "no event is missing since it was found")
print(f"        found after {numbers[0] - 1} events of 2 ms or more")
verify(path)
check(report(path)["trigger"]["name"] == "first look", "the trigger's name is in the file")
os.kill(recorder.process.pid, signal.SIGUSR2)
check(wait_for(lambda: len(snapshots(recorder.folder)) == 2), "SIGUSR2 leaves a snapshot")
os.kill(process.pid, signal.SIGKILL)
process.wait()
check(wait_for(lambda: len(snapshots(recorder.folder)) == 3), "so does the death of an emitter")

print("== a restarted service has its events on from the start", flush=True)
process = emit("-n", 50, "abort")
process.wait()
check(
    wait_for(lambda: len(snapshots(recorder.folder)) == 4),
    "the crash of a service that starts later leaves a snapshot",
)
last = max(snapshots(recorder.folder), key=os.path.getmtime)
numbers = [e["fields"]["sequence"] for e in ticks(last) if e["pid"] == process.pid]
check(numbers == list(range(1, 51)), f"no event of its start is lost {numbers[:1]} {numbers[-1:]}")
subprocess.run([sys.executable, "-c", "import os; os.abort()"])
time.sleep(1.5)
check(
    len(snapshots(recorder.folder)) == 4, "the crash of a process without events leaves no snapshot"
)
check(recorder.stop() == 0, "after SIGTERM the recorder exits with 0")
check(not os.path.exists(recorder.socket), "its socket is gone")

print("== a foreign user_event, and one name with two layouts", flush=True)
foreign = f"""
import fcntl, os, struct, ctypes, sys, time
fd = os.open('/sys/kernel/tracing/user_events_data', os.O_WRONLY)
def register(text):
    word, name = ctypes.c_uint32(0), ctypes.create_string_buffer(text)
    flags = 2 if text.startswith(b'test__tick') else 0
    request = bytearray(struct.pack('<IBBHQQI', 28, 0, 4, flags,
                                    ctypes.addressof(word), ctypes.addressof(name), 0))
    fcntl.ioctl(fd, 0xC0082A00, request)
    return word, name, struct.unpack('<I', request[24:])[0]
mine = register(b'foreign_thing u32 value; u64 big; s32 below; char[8] tag; __rel_loc char[] text')
same = register(b'test__tick u32 thread; u16 other')
print('ready', flush=True)
sys.stdin.readline()
for i in range(10):
    text = b'text %d\\0' % i
    os.write(fd, struct.pack('<IIQi8sI', mine[2], i, i << 40, -i, b'tag', len(text) << 16) + text)
    os.write(fd, struct.pack('<IIH', same[2], i, 7))
print('done', flush=True)
sys.stdin.readline()
"""
recorder = Recorder("-e", "user_events:foreign_*", "-e", "test:tick", "--ring-size", "256K")
process = emit("-w", 2000, "-n", 100000, "-l", ledger, "hang")
has(recorder, "test:tick")
other = subprocess.Popen(
    [sys.executable, "-c", foreign], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
check(other.stdout.readline() == "ready\n", "another program registers its events")
check(has(recorder, "user_events:foreign_thing"), "a foreign user_event is found")
check(
    wait_for(lambda: status(recorder)["sources"].count("test:tick") == 2),
    "both layouts of test:tick are found",
)
other.stdin.write("\n")
other.stdin.flush()
other.stdout.readline()
path = ask(recorder.socket, "trigger both")[1]
verify(path)
all_events = events(path)
things = [e["fields"] for e in all_events if e["event"] == "user_events:foreign_thing"]
check(
    things
    == [
        {"value": i, "big": i << 40, "below": -i, "tag": "tag", "text": f"text {i}"}
        for i in range(10)
    ],
    f"the foreign event has its fields {things[:2]}",
)
kinds = {tuple(e["fields"]) for e in all_events if e["event"] == "test:tick"}
check(len(kinds) == 2, f"each layout has its own fields {kinds}")
other.stdin.close()
other.wait()

print("== two recorders, and one that is killed", flush=True)
second = Recorder("-e", "test:*", "--ring-size", "256K")
has(second, "test:tick")
seen = ledger_of(ledger)[0]
wait_for(lambda: ledger_of(ledger)[1] > seen + 50)
paths = [ask(r.socket, "trigger pair")[1] for r in (recorder, second)]
numbers = [{e["fields"]["sequence"] for e in ticks(p) if e["pid"] == process.pid} for p in paths]
# The second snapshot is taken a little later, so it may have more events at its end.
common = {number for number in numbers[1] if number <= max(numbers[0])}
check(
    len(common) > 20 and common <= numbers[0],
    "both get every event",
)
for r in (recorder, second):
    r.process.kill()
    r.process.wait()
check(
    wait_for(
        lambda: all("perf" not in line for line in open("/sys/kernel/tracing/user_events_status"))
    ),
    "the events are off after the recorders were killed",
)
process.kill()
process.wait()
leftover = Recorder("-e", "test:*", "--ring-size", "256K")
check(True, "a recorder starts although a killed one has left its socket")
leftover.stop()

print("== a service without rights", flush=True)
public = os.path.join(folder(), "public")
os.chmod(os.path.dirname(public), 0o755)
recorder = Recorder("-e", "test:*", "-e", "shop:*", "--ring-size", "256K", "--listen", public)
# These events are root's, and no other user may see them.
process = emit("-w", 3000, "-n", 100000, "hang")
has(recorder, "test:tick")
shop = subprocess.Popen(
    [
        "setpriv",
        "--reuid",
        str(USER),
        "--regid",
        str(USER),
        "--clear-groups",
        SHOPD,
        "--listen",
        "127.0.0.1:8090",
        "--threads",
        "1",
        "--recorder-socket",
        public,
        "--allow-crash",
    ],
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
)
check(
    wait_for(lambda: "shop:request_done" in status(recorder)["sources"]), "its events are recorded"
)


def get(path):
    try:
        with socket.create_connection(("127.0.0.1", 8090), timeout=10) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return s.recv(65536)
    except OSError:
        return None


wait_for(lambda: get("/healthz"))
for i in range(3):
    get("/products")
get("/crash?how=null")
shop.wait()
files = wait_for(lambda: [f for f in snapshots(recorder.folder) if "shopd" in f])
if check(
    len(files) == 1,
    f"its crash leaves a snapshot {os.listdir(recorder.folder)} {shop.stdout.read()}",
):
    verify(files[0])
    check(os.stat(files[0]).st_uid == USER, "the service's user owns the snapshot")
    pids = {e["pid"] for e in events(files[0])}
    check(pids == {shop.pid}, f"it has only the service's events {pids} {shop.pid}")
    header = tool("show", "--json", files[0]).stdout
    check(
        f'"pid":{process.pid}' not in header.replace(" ", ""), "it has no process of another user"
    )
unprivileged = """
import socket, sys
for message in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1]); s.sendall(bytes.fromhex(message)); print(s.recv(65536).hex())
"""
hostile = [
    control.request("status"),
    control.request("stop"),
    control.request("trigger", "mine"),
    control.request("trigger"),
    b"x" * 60000,
]
answers = subprocess.run(
    [
        "setpriv",
        "--reuid",
        str(USER),
        "--regid",
        str(USER),
        "--clear-groups",
        sys.executable,
        "-c",
        unprivileged,
        public,
        *(message.hex() for message in hostile),
    ],
    capture_output=True,
    text=True,
).stdout.splitlines()
check(
    len(answers) == 5 and not answers[4],
    f"a request that is too large closes the connection {answers}",
)
answers = [control.answer(bytes.fromhex(answer)) for answer in answers[:4]]
check(
    [word for word, _ in answers] == ["ok", "error", "ok", "error"]
    and set(json.loads(answers[0][1])) <= {"pid", "version", "attached", "last"},
    f"another user may ask for status and a trigger only {answers}",
)
mine = answers[2][1]
check(
    os.stat(mine).st_uid == USER and not ticks(mine),
    "a snapshot that a user triggers has only that user's events",
)
verify(mine)
check(
    subprocess.run(
        [
            "setpriv",
            "--reuid",
            str(USER),
            "--regid",
            str(USER),
            "--clear-groups",
            sys.executable,
            "-c",
            "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)"
            f".connect({recorder.socket!r})",
        ],
        capture_output=True,
    ).returncode
    != 0,
    "another user cannot connect to the owner's socket",
)
check(status(recorder)["pid"] == recorder.process.pid, "the recorder still runs")

print("== a CPU goes offline and online", flush=True)
ask(recorder.socket, "trigger before")
with open("/sys/devices/system/cpu/cpu1/online", "w") as file:
    file.write("0")
time.sleep(0.5)
path = ask(recorder.socket, "trigger away")[1]
verify(path)
check(report(path) and len(ticks(path)) > 10, "a snapshot is taken while a CPU is offline")
with open("/sys/devices/system/cpu/cpu1/online", "w") as file:
    file.write("1")
time.sleep(1.0)
path = ask(recorder.socket, "trigger back")[1]
verify(path)
newest = {e["cpu"]: e["time"] for e in events(path)}
check(0 in newest, "a snapshot is taken after the CPU is online again")

print("== a CPU that goes offline and online while the recorder is stopped", flush=True)
recorder.process.send_signal(signal.SIGSTOP)
for state in ("0", "1"):
    with open("/sys/devices/system/cpu/cpu1/online", "w") as file:
        file.write(state)
recorder.process.send_signal(signal.SIGCONT)
time.sleep(3)
process.kill()
process.wait()
mover = subprocess.Popen(["taskset", "-c", "1", EMITTER, "-n", "40", "hang"])
wait_for(
    lambda: status(recorder)
    and len(
        [
            e
            for e in ticks(ask(recorder.socket, "trigger cpu1")[1])
            if e["cpu"] == 1 and e["pid"] == mover.pid
        ]
    )
    == 40,
    20,
)
path = ask(recorder.socket, "trigger last")[1]
check(
    len([e for e in ticks(path) if e["cpu"] == 1 and e["pid"] == mover.pid]) == 40,
    "events on that CPU are recorded",
)
mover.kill()
mover.wait()
recorder.stop()

print("== a full disk", flush=True)
small, spare = folder(), folder()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", small], check=True)
filler = os.open(os.path.join(small, "filler"), os.O_WRONLY | os.O_CREAT)
try:
    while True:
        os.write(filler, b"x" * 4096)
except OSError:
    os.close(filler)
os.makedirs("/run/systemd/journal", exist_ok=True)
# The real journal does not run here, so the test creates its socket.
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
recorder = Recorder("-e", "test:*", "--ring-size", "256K", "-o", small, "--fallback", spare)
process = emit("-n", 20, "hang")
has(recorder, "test:tick")
word, path = ask(recorder.socket, "trigger full")
check(
    word == "ok" and path.startswith(spare),
    f"the snapshot is written to the fallback folder {path}",
)
check(os.listdir(small) == ["filler"], f"no partial file is left {os.listdir(small)}")
process.kill()
process.wait()
recorder.stop()
told = journal.recv(4096).decode()
check(
    told.startswith("PRIORITY=3\n")
    and "\nSYSLOG_IDENTIFIER=flightrec\n" in told
    and "No space left" in told,
    f"the error is logged to the journal {told!r}",
)
check(
    "No space left" in recorder.errors and small in recorder.errors,
    f"the error is printed {recorder.errors.strip()}",
)
result = subprocess.run(
    ["prlimit", "--nofile=24:24", TOOL, "record", "-e", "sched:*", "-o", "/tmp"],
    capture_output=True,
    text=True,
)
check(
    result.returncode == 1 and "ulimit -n" in result.stderr,
    f"a too low limit of descriptors is reported: {result.stderr.strip()}",
)
result = subprocess.run(
    [
        "setpriv",
        "--reuid",
        str(USER),
        "--regid",
        str(USER),
        "--clear-groups",
        TOOL,
        "record",
        "-o",
        "/tmp",
    ],
    capture_output=True,
    text=True,
)
check(
    result.returncode == 1 and result.stderr.count("\n") == 1,
    f"a missing right is reported in one line: {result.stderr.strip()}",
)
done()
