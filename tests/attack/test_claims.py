"""In the shared memory of user nobody lie events that say that they are of root's service. The
recorder of root marks them, and every output shows the mark.

    test_claims.py IMPOSTOR

Who: a service of a user in whose shared memory it writes
Tried: writes events that name processes of root
Happened: each is marked, in the file and in every output, belongs to no process, is no last word
    of one, and makes no death of one worth a snapshot
"""
import os
import signal
import subprocess
import sys

from kit import Recorder, check, done, events, folder, report, snapshots, tool, verify, wait_for

NOBODY = 65534
EVENTS = 20
MARK = f"accept:beat-claimed-by-{NOBODY}"
FORMATS = (
    "text", "json", "csv", "chrome", "perfetto", "html", "firefox", "ctf", "perf", "otlp",
)  # fmt: skip


class Service:
    def __init__(self, **options):
        self.process = subprocess.Popen(
            [os.path.realpath(sys.argv[1]), public],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options,
        )  # fmt: skip
        line = self.process.stdout.readline()
        if not check(line.startswith("ready"), f"a service attaches {line.strip()}"):
            done()
        self.pid = self.process.pid

    def emit(self, pid):
        self.process.stdin.write(f"emit {EVENTS} {pid}\n")
        self.process.stdin.flush()
        check(self.process.stdout.readline() == "ok\n", f"{EVENTS} events that name {pid}")


def all_bytes(path):
    """Returns the bytes of a file, or of all files in a folder."""
    if os.path.isdir(path):
        return b"".join(all_bytes(os.path.join(path, name)) for name in sorted(os.listdir(path)))
    with open(path, "rb") as file:
        return file.read()


shared = folder()
os.chmod(shared, 0o755)
public = os.path.join(shared, "public")
recorder = Recorder("-e", "accept:*", "--transport", "shm", "--listen", public)
victim = Service()
victim.emit(victim.pid)
impostor = Service(user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
impostor.emit(impostor.pid)
bystander = subprocess.Popen(["sleep", "1000"])
impostor.emit(bystander.pid)
impostor.emit(victim.pid)
victim.process.send_signal(signal.SIGSEGV)
victim.process.wait()
path = wait_for(
    lambda: next((p for p in snapshots(recorder.folder) if f"-{victim.pid}-SIG" in p), None)
)
if not check(path and os.stat(path).st_uid == 0, "root has the snapshot of root's service"):
    done()
verify(path)
found = events(path)
check(
    sum(event["pid"] == victim.pid for event in found if event["event"].startswith("accept:"))
    == EVENTS,
    "its own events are its only ones",
)
check(
    sum(event["pid"] == impostor.pid for event in found if event["event"] == "accept:beat")
    == EVENTS,
    "the impostor's own events are his",
)
claims = [event for event in found if event["event"] == MARK]
check(
    sorted(event["claimed_pid"] for event in claims) == sorted([victim.pid, bystander.pid] * EVENTS)
    and all(event["pid"] is event["tid"] is None and "process" not in event for event in claims),
    f"the events that name others are marked and belong to no process {claims[:1]}",
)
last = [event["fields"].get("text") for event in report(path)["events"]]
check("the truth" in last and "a lie" not in last, f"none is among the last words {set(last)}")
shown = tool("show", path).stdout
own, _, others = shown.partition("last of all other events")
check("a lie" not in own and MARK in others, "nor in the words of the report")
for name in FORMATS:
    out = os.path.join(shared, "out." + name)
    result = tool("export", "-f", name, "-o", out, path)
    check(
        result.returncode == 0
        # In perf.data, names are identifiers.
        and MARK.split(":")[1].encode() in all_bytes(out).replace(b"_claimed_by_", b"-claimed-by-"),
        f"{name} shows the mark {result.stderr.strip()}",
    )
print("== of nobody", flush=True)
result = tool("trigger", "mine", "--socket", public, user=NOBODY, group=NOBODY, extra_groups=[])
verify(result.stdout.strip())
found = events(result.stdout.strip())
check(
    {event["pid"] for event in found} == {impostor.pid, None}
    and sum(event["event"] == MARK for event in found) == 2 * EVENTS,
    "the impostor's own file has the marks",
)
print("== a process that never emitted", flush=True)
bystander.send_signal(signal.SIGSEGV)
bystander.wait()
recorder.trigger("after")
check(recorder.stop() == 0, f"the recorder exits with 0 {recorder.errors}")
check(
    not any(f"-{bystander.pid}-" in name for name in snapshots(recorder.folder)),
    "its death gets no snapshot because of a claim",
)
done()
