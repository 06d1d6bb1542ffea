# Tests doctor, events, trigger and status on a kernel that can record, as root and as a user
# without rights. Also tests events that contain their own description, from the kernel to an
# export.
import json
import os
import shutil
import subprocess
import sys

import kit
from kit import Recorder, check, done, events, folder, snapshots, tool, verify, wait_for

EMITTER, DESCRIBING = sys.argv[1:3]
NOBODY = 65534
# What the test VM lacks is always the same; another machine may lack other things.
IN_VM = bool(os.environ.get("FREC_IN_TEST_KERNEL"))


def doctor(**options):
    result = tool("doctor", "--json", **options)
    *probes, summary = [json.loads(line) for line in result.stdout.splitlines()]
    return result, {probe["capability"]: probe for probe in probes}, summary


def listed(*arguments):
    result = tool("events", "--json", *arguments)
    check(result.returncode == 0, f"events {' '.join(arguments)} {result.stderr.strip()}")
    return {
        f"{event['system']}:{event['name']}": event
        for event in map(json.loads, result.stdout.splitlines())
    }, result.stderr


def dynamic_event(command):
    # No mode of Python's open() is right: truncating would remove the events of others, and
    # appending would seek, which the file refuses.
    fd = os.open("/sys/kernel/tracing/dynamic_events", os.O_WRONLY)
    os.write(fd, command.encode() + b"\n")
    os.close(fd)


def types(event):
    return {field["name"]: field["type"] for field in event["fields"]}


print("== doctor", flush=True)
result, probes, summary = doctor()
check(
    result.returncode == 0 and summary["auto"] == "user_events" and summary["tracepoints"],
    f"everything can be recorded {summary} {result.stderr}",
)
bad = {name: probe for name, probe in probes.items() if probe["state"] != "ok"}
# The test kernel or its emulated CPU lacks some of these, and flightrec core is not installed.
check(
    not IN_VM
    or bad.keys() <= {"fast-uprobes", "exit-info", "memory-keys", "all-threads", "suid-dumps"},
    f"doctor finds nothing else missing {bad}",
)
check(
    "flightrec_doctor" not in open("/sys/kernel/tracing/user_events_status").read(),
    "doctor leaves no event behind",
)

print("== doctor for nobody", flush=True)
unprivileged = os.path.join(folder(), "flightrec")
os.chmod(os.path.dirname(unprivileged), 0o755)
kit.TOOL, root_tool = shutil.copy(kit.TOOL, unprivileged), kit.TOOL
result, probes, summary = doctor(user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
check(
    result.returncode == 0 and not summary["tracepoints"] and summary["auto"] == "shm",
    f"only shm works {summary}",
)
check(
    probes["user-events"]["state"] == "missing"
    and "chgrp 65534" in probes["user-events"].get("fix", ""),
    f"doctor prints the fix {probes['user-events']}",
)
check(
    probes["cap-perfmon"]["state"] == "missing" and "fix" in probes["cap-perfmon"],
    f"{probes['cap-perfmon']}",
)
text = tool("doctor", user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
check(
    "Events of services can be recorded; the kernel's cannot, for want of tracepoints."
    in text.stdout,
    "the text says so, too",
)
if IN_VM:
    # The fixes that doctor prints have the promised effect.
    for probe in ("tracefs-rights", "user-events", "cap-perfmon"):
        command = probes[probe]["fix"].replace("sudo ", "")
        check(subprocess.run(command, shell=True, check=False).returncode == 0, command)
    result, probes, summary = doctor(user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
    check(
        all(
            probes[name]["state"] == "ok"
            for name in ("tracefs-rights", "user-events", "register", "tracepoints", "cap-bpf")
        )
        and summary["auto"] == "user_events",
        f"the fixes work {probes} {summary}",
    )
    os.chmod("/sys/kernel/tracing/user_events_data", 0o640)
    subprocess.run(["mount", "-o", "remount,gid=0,mode=700", "/sys/kernel/tracing"], check=False)
    print("== doctor where tracefs is not mounted", flush=True)
    WITHOUT = "umount /sys/kernel/tracing && exec \"$0\" doctor --json"
    ALONE = (
        "touch /tmp/data && mount --bind /sys/kernel/tracing/user_events_data /tmp/data && "
        "umount /sys/kernel/tracing && "
        "mount -t tmpfs none /sys/kernel/tracing && touch /sys/kernel/tracing/user_events_data && "
        "mount --bind /tmp/data /sys/kernel/tracing/user_events_data && umount /tmp/data && "
        "exec \"$0\" doctor --json"
    )
    for script, state, word, carrier in (
        (WITHOUT, "missing", "needs a mounted tracefs", "shm"),
        (ALONE, "ok", "which is all of tracefs here", "user_events"),
    ):
        result = subprocess.run(
            ["unshare", "-m", "sh", "-ec", script, root_tool],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        *rows, summary = [json.loads(line) for line in result.stdout.splitlines()]
        row = {row["capability"]: row for row in rows}
        check(
            word in row["user-events"]["found"]
            and row["user-events"]["state"] == state == row["register"]["state"]
            and row["tracefs-rights"]["state"] == "ok"
            and summary["auto"] == carrier,
            f"{row['user-events']} {summary}",
        )
    # A service in a container with nothing of tracefs but user_events_data is recorded from
    # outside. The first service keeps the event registered, so that it is on for the second service
    # at once.
    running = subprocess.Popen(
        ["unshare", "-m", "sh", "-ec", ALONE.replace("doctor --json", "-n 1 hang"), EMITTER]
    )
    wait_for(lambda: tool("events", "test:*").returncode == 0)
    recorder = Recorder("-e", "test:*", "--ring-size", "64K")
    subprocess.run(
        ["unshare", "-m", "sh", "-ec", ALONE.replace("doctor --json", "-n 3 ok"), EMITTER],
        check=False,
    )
    path = tool("trigger", "x", "--socket", recorder.socket).stdout.strip()
    check(
        [e["fields"]["sequence"] for e in events(path) if e["event"] == "test:tick"] == [1, 2, 3],
        "a service in a container with only that file is recorded",
    )
    recorder.stop()
    running.kill()
    running.wait()
    wait_for(lambda: tool("events", "test:*").returncode == 1)
kit.TOOL = root_tool

print("== events", flush=True)
result = tool("events", "test:*")
check(
    result.returncode == 1 and result.stderr.count("\n") == 1 and "test:*" in result.stderr,
    f"none yet: {result.stderr}",
)
emitter = subprocess.Popen([EMITTER, "-n", "1", "hang"])
dynamic_event("u:foreign_thing u32 value; char[8] tag; __rel_loc char[] text")
try:
    wait_for(lambda: tool("events", "test:*").returncode == 0)
    found, errors = listed()
    check(
        "test:tick" in found and found["test:tick"]["kind"] == "event",
        f"user events are listed {list(found)}",
    )
    tick = types(found["test:tick"])
    check(
        tick
        == {
            "thread": "u32",
            "sequence": "u64",
            "text": "string",
            "negative": "i32",
            "ratio": "f64",
            "phase": "enum",
            "odd": "bool",
            "where": "pointer",
        },
        f"types are those of the declaration {tick}",
    )
    phase = [field for field in found["test:tick"]["fields"] if field["name"] == "phase"][0]
    check(
        phase["enumerators"] == {"PHASE_WARM": 0, "PHASE_HOT": 1},
        f"enumerators have their names {phase}",
    )
    foreign = found.get("user_events:foreign_thing", {"kind": "", "fields": []})
    check(
        foreign["kind"] == "user_event"
        and types(foreign) == {"value": "u32", "tag": "char[8]", "text": "string"},
        f"a foreign user event is listed {foreign}",
    )
    check(
        not errors and not any("conflict" in event for event in found.values()),
        f"there is no conflict {errors}",
    )
    check(
        not any(name.startswith("sched:") for name in found),
        "tracepoints are listed only on request",
    )
    found, _ = listed("sched:sched_s*", "user_events:*")
    check(
        "user_events:foreign_thing" in found and "test:tick" not in found,
        f"globs select events {list(found)}",
    )
    check(
        types(found["sched:sched_switch"])["prev_comm"] == "char[16]"
        and found["sched:sched_switch"]["kind"] == "tracepoint",
        "a kernel tracepoint is listed",
    )
    check("test:tick  " in tool("events", "test:*").stdout, "events are listed as text")
    found, errors = listed("--file", EMITTER)
    check(
        found["test:tick"]["kind"] == "declared" and not errors,
        "a program's declaration agrees with the kernel's",
    )
    result = tool("events", "sched:nothing")
    check(
        result.returncode == 1
        and result.stderr.count("\n") == 1
        and "sched:nothing" in result.stderr,
        f"{result.stderr}",
    )
finally:
    emitter.kill()
    emitter.wait()

print("== conflict", flush=True)
wait_for(lambda: tool("events", "test:*").returncode == 1)
# The names and sizes are the same, but the kernel regards this as another layout.
OTHER = (
    "test__tick s32 thread; u64 sequence; __rel_loc char[] text; s32 negative; "
    "struct double ratio 8; s32 phase; unsigned char odd; u64 where"
)
dynamic_event("u:" + OTHER)
found, errors = listed(EMITTER)
check(
    "u32 thread" in found["test:tick"].get("conflict", ""),
    f"the JSON has the conflict {found['test:tick']}",
)
check(errors.count("\n") == 1 and "test:tick" in errors, f"one line reports it {errors}")
dynamic_event("-:" + OTHER)
check(tool("events", "test:*").returncode == 1, "the event is deleted again")

print("== record, trigger, status", flush=True)
result = tool("status")
check(
    result.returncode == 1 and result.stderr.count("\n") == 1,
    f"status reports that no recorder runs: {result.stderr}",
)
# While this service runs, the event stays registered and on, so that later services are recorded
# from their first event.
running = subprocess.Popen([EMITTER, "-n", "1", "hang"])
wait_for(lambda: tool("events", "test:*").returncode == 0)
recorder = Recorder("-e", "test:*", "-e", "sched:sched_process_*", "--ring-size", "64K")
out = folder()
other = subprocess.Popen(
    [kit.TOOL, "record", "-e", "user_events:*", "-o", out, "--ring-size", "64K"]
)
control = f"/run/flightrec/{other.pid}.sock"
wait_for(lambda: os.path.exists(control))
subprocess.run([EMITTER, "-n", "5", "ok"], check=False)
result = tool("trigger", "slow request", "--socket", recorder.socket)
check(
    result.returncode == 0 and result.stdout.split("\n")[:-1] == snapshots(recorder.folder),
    f"trigger prints the path {result.stdout}{result.stderr}",
)
for path in snapshots(recorder.folder):
    verify(path)
    check(
        [e["fields"]["sequence"] for e in events(path) if e["event"] == "test:tick"]
        == [1, 2, 3, 4, 5],
        "the file has the emitted events",
    )
result = tool("trigger", "x", "--pid", other.pid)
check(
    result.returncode == 0 and result.stdout.split("\n")[:-1] == snapshots(out),
    f"--pid selects the recorder {result.stdout}{result.stderr}",
)
result = tool("status", "--json", "--socket", recorder.socket)
status = json.loads(result.stdout)
check(
    status["pid"] == recorder.process.pid
    and status["ring_size"] == 65536
    and status["rings"] == os.cpu_count()
    and status["snapshots"] == 1
    and status["folder"] == recorder.folder
    and [status["last"]] == snapshots(recorder.folder)
    and "sched:sched_process_exec" in status["sources"]
    and len(status["sources"]) == status["source_count"]
    and status["fault_addresses"],
    f"status as JSON {status}",
)
text = tool("status").stdout
check(
    f"recorder {other.pid}, version " in text
    and f"folder     {out}\n" in text
    and "1, 0 failed" in text,
    f"status without --socket finds the other {text}",
)
other.kill()
other.wait()
running.kill()
running.wait()
result = tool("trigger", "x")
check(
    os.path.exists(control) and result.returncode == 1 and "no recorder runs" in result.stderr,
    f"a dead socket is ignored {result.stderr}",
)
check(recorder.stop() == 0, "the recorder exits with 0")

print("== events that contain their own description", flush=True)
PROVIDER, RAW = "Test_Provider", "user_events:Test_Provider_L4K2aGgroup"
describing = subprocess.Popen([DESCRIBING, "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
check(
    describing.stdout.readline() == b"registered\n" and RAW in listed("user_events:*")[0],
    "they are listed as user events",
)
recorder = Recorder("-e", "user_events:*_L4K*", "--ring-size", "64K")
describing.communicate(b"\n", timeout=60)
check(describing.returncode == 0, "emitted")
path = tool("trigger", "x", "--socket", recorder.socket).stdout.strip()
verify(path)
found = [(event["pid"], event["event"], event["fields"]) for event in events(path)]
head = {"level": "error", "keyword": "0x2a"}
want = []
for number in (1, 2, 3):
    own = {"activity": f"01000000-0000-0000-0000-{number:012x}"}
    for name, fields in (
        (
            "RequestStart",
            {"order": 1000 + number, "path": "/pay/ä", **head, "opcode": "start", **own},
        ),
        ("Prices", {"cents": [250, -7], **head, **own}),
        ("RequestStop", {"error": "ENOENT", **head, "opcode": "stop", **own}),
    ):
        want.append((describing.pid, f"{PROVIDER}:{name}", fields))
check(found == want, f"they have their own names and fields {found}")
result = tool("export", path, "-f", "csv", "-o", "-", "-e", f"{PROVIDER}:Prices")
check(
    result.returncode == 0 and result.stdout.count("\n") == 4,
    f"-e selects them by these names {result.stdout}",
)
traces = os.path.join(folder(), "x.traces.otlp")
result = tool("export", path, "-o", traces)
with open(traces, "rb") as file:
    check(
        result.returncode == 0 and file.read().count(b"*\x07Request0\x01") == 3,
        f"their activities are spans {result.stderr}",
    )
check(recorder.stop() == 0, "the recorder exits with 0")
done()
