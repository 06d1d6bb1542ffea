# Tests the stacks in a snapshot's records: each kind of stack, with each sort of event, from a
# program with known stacks.
#
# 	test_stacks.py TOOL STACKED RECORD_STACKS KIT TRANSPORT [KIND...]
import atexit
import json
import os
import struct
import subprocess
import sys

TOOL, STACKED, READER, KIT = map(os.path.abspath, sys.argv[1:5])
TRANSPORT = sys.argv[5]
EVERYTHING = not sys.argv[6:]
KINDS = sys.argv[6:] or [
    "fp",
    "kernel",
    "fp+kernel",
    "dwarf",
    "dwarf+kernel",
    "dwarf,bytes=65528",
    "none",
]
os.environ["FREC_TOOL"] = TOOL
sys.path.insert(0, KIT)
from kit import Recorder, check, done, events, snapshots, tool, verify, wait_for  # noqa: E402

OF_KERNEL, OF_USER = 2**64 - 128, 2**64 - 512  # PERF_CONTEXT_KERNEL, PERF_CONTEXT_USER
CALLCHAIN, REGISTERS, STACK = 1 << 5, 1 << 12, 1 << 13
ROUNDS = 3


def skip(why):
    print("skipped: " + why)
    sys.exit(1 if os.environ.get("FREC_REQUIRE_KERNEL") else 77)


class Stacked:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [STACKED, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.places = json.loads(self.process.stdout.readline())
        self.pid = self.places["pid"]

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def where(self, address):
        """Returns the function that contains an address, or None."""
        return next(
            (
                name
                for name in ("leaf", "middle", "outer", "main")
                if self.places[name][0] <= address < self.places[name][1]
            ),
            None,
        )

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def records(path, pid):
    result = subprocess.run([READER, path, str(pid)], capture_output=True, text=True)
    check(result.returncode == 0, f"the records can be read {result.stderr.strip()}")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return lines[0]["maps"], lines[1:]


def split(chain):
    """Splits a callchain into the kernel's part and the process's."""
    user = chain.index(OF_USER) if OF_USER in chain else len(chain)
    kernel = chain[:user]
    if kernel and kernel[0] != OF_KERNEL:
        return None, None
    return kernel[1:], chain[user + 1 :]


# Events that the program's own code emits. The others are emitted in a system call.
BY_SITE = {"stacked_probe:fired"} | ({"stacked:fired"} if TRANSPORT == "usdt" else set())
# Events whose callchain includes the function leaf. The others are emitted in a system call, whose
# wrapper in the C library sets up no frame, so their callchain skips leaf, which called the
# wrapper.
BELOW_LEAF = {"stacked:fired", "stacked_probe:fired"}
EVENTS = [
    "stacked:fired",
    "stacked_probe:fired",
    "signal:signal_generate",
    "tp_btf:signal_generate",
]
SELECTIONS = [
    "stacked:*",
    f"usdt:{STACKED}:stacked_probe:*",
    "signal:signal_generate",
    "tp_btf:signal_generate",
]


def look_at(record, kind, program, maps, mark):
    """Returns a description of what is wrong with a record, or None."""
    kinds = set(kind.split(",")[0].split("+"))
    site = record["event"] in BY_SITE
    promised = (CALLCHAIN if kinds & {"fp", "kernel"} else 0) | (
        REGISTERS | STACK if "dwarf" in kinds else 0
    )
    if record["sample_type"] & (CALLCHAIN | REGISTERS | STACK) != promised:
        return f"the sample type is {record['sample_type']:#x}"
    kernel, user = split(record["chain"])
    if kernel is None:
        return "the callchain does not begin with a context"
    if bool(kernel) != ("kernel" in kinds and not site):
        return f"{len(kernel)} frames of the kernel"
    if any(address < 1 << 63 for address in kernel) or any(address >= 1 << 63 for address in user):
        return "kernel and process are mixed up"
    if bool(user) != ("fp" in kinds):
        return f"{len(user)} frames of the process"
    if user:
        functions = [program.where(address) for address in user]
        if [name for name in functions if name] != (
            ["leaf"] if record["event"] in BELOW_LEAF else []
        ) + ["middle", "outer", "main"]:
            return f"frames of {functions}"
    if "dwarf" not in kinds:
        return None if not record["abi"] and not record["stack"] else "there are registers"
    stack = bytes.fromhex(record["stack"])
    file = next((name for start, end, name in maps if start <= record["ip"] < end), "no mapping")
    # The call that writes to user_events is in the static library, and so in the program.
    inside = site or record["event"].startswith("stacked:")
    if (file == os.path.realpath(STACKED)) != inside or (
        record["event"] == "stacked_probe:fired"
    ) != (program.where(record["ip"]) == "leaf"):
        return f"the program counter is in {program.where(record['ip'])} of {file}"
    at = mark - record["sp"]
    if (
        not 0 <= at <= len(stack) - 8
        or struct.unpack_from("<Q", stack, at)[0] != program.places["mark"]
    ):
        return f"the mark is not {at} bytes above the stack pointer, in {len(stack)} bytes of stack"
    return None


def start(*arguments):
    try:
        return Recorder("--transport", TRANSPORT, *arguments)
    except RuntimeError as error:
        # Skip only if the container or the kernel forbids recording. Other errors are failures.
        if any(
            words in str(error)
            for words in (
                "no right to record",
                "cannot be loaded (Operation not permitted)",
                "no breakpoints at the sites",
                "has no user_events",
                "CONFIG_PERF_EVENTS",
            )
        ):
            skip(str(error))
        raise


def selected(kind):
    return [word for selection in SELECTIONS for word in ("-e", f"{selection}/stack={kind}/")]


def take(recorder):
    """Takes a snapshot and verifies it. Returns its path."""
    before = snapshots(recorder.folder)
    result = tool("trigger", "stacks", "--socket", recorder.socket)
    check(
        result.returncode == 0,
        "a snapshot " + ("" if not result.returncode else result.stderr.strip()),
    )
    path = next(
        path for path in snapshots(recorder.folder) if path not in before and "/stacks-" in path
    )
    verify(path)
    return path


def status(recorder, *options):
    result = tool("status", "--socket", recorder.socket, *options)
    return json.loads(result.stdout) if options else result.stdout


def on(program):
    check(wait_for(lambda: program.ask("on?")), "the event is on")


if os.environ.get("FREC_REQUIRE_KERNEL"):
    # In the test kernel, limit callchains to less than the requested depth.
    with open("/proc/sys/kernel/perf_event_max_stack", "r+") as limit:
        depth = limit.read()
        limit.write("60\n")

    @atexit.register
    def restore():
        with open("/proc/sys/kernel/perf_event_max_stack", "w") as limit:
            limit.write(depth)


for kind in KINDS:
    print(f"== {kind}", flush=True)
    recorder = start("--ring-size", "16M" if EVERYTHING else "4M", *selected(kind))
    program = Stacked()
    on(program)
    mark = [program.ask("fire") for _ in range(ROUNDS)][0]
    path = take(recorder)
    maps, found = records(path, program.pid)
    check(
        any(name == os.path.realpath(STACKED) for _, _, name in maps),
        "the file has the mappings of the process",
    )
    for event in EVENTS:
        ours = [record for record in found if record["event"] == event]
        wrong = [
            why for why in (look_at(record, kind, program, maps, mark) for record in ours) if why
        ]
        check(len(ours) == ROUNDS and not wrong, f"{event}: {len(ours)} records {wrong}")
    check(
        len(
            [
                event
                for event in events(path)
                if event["pid"] == program.pid and event["event"] == "stacked:fired"
            ]
        )
        == ROUNDS,
        "the events are exported with their fields",
    )
    for form in "perf", "perfetto":
        result = tool("export", "-f", form, "-o", f"{path}.{form}", path)
        check(result.returncode == 0, f"export as {form} succeeds {result.stderr.strip()}")
    now = status(recorder, "--json")
    check(
        ("without_stacks" in now) == (kind != "none"),
        f"status says how long a full ring would last without stacks: {now.get('without_stacks')}",
    )
    # Without stacks, a full ring covers a longer time. How much longer is not known, because
    # crashes of other programs may also fill the ring during the test.
    if kind != "none":
        check(
            now["without_stacks"] > now["full_ring"],
            f"that is longer than with them: {now['full_ring']}",
        )
    check((", without stacks " in status(recorder)) == (kind != "none"), "also in words")
    program.end()
    check(recorder.stop() == 0, "the recorder exits with 0")
if not EVERYTHING:
    done()


def sizes(found):
    """Returns {event: the sizes of the stacks in its records, sorted and without duplicates}."""
    return {
        event: sorted({len(record["stack"]) // 2 for record in found if record["event"] == event})
        for event in EVENTS
    }


print("== a default for all events, and exceptions from it", flush=True)
recorder = start(
    "-e",
    "stacked:*,signal:signal_generate/stack=dwarf,bytes=100/,tp_btf:signal_generate",
    "-e",
    f"usdt:{STACKED}:*:*",
    "-e",
    f"usdt:{STACKED}:stacked_probe:f*/stack=fp/",
    "-e",
    "tp_btf:signal_gen*/stack=none/",
    "--stack=520",
)
program = Stacked()
on(program)
program.ask("fire")
maps, found = records(take(recorder), program.pid)
check(
    sizes(found) == dict(zip(EVENTS, ([520], [0], [104], [0]))),
    f"the stacks have the chosen numbers of bytes: {sizes(found)}",
)
check(
    [bool(record["chain"]) for record in found if record["event"] == "stacked_probe:fired"]
    == [True],
    "an exception has a callchain instead",
)

print("== a crash with events that have stacks: its registers are those of the crash", flush=True)
recorder.stop()
# The rings are large, because a crash leaves a snapshot only if an event of the process is still in
# a ring, and a busy machine fills the rings with switches.
recorder = start(
    "--ring-size",
    "32M",
    "-e",
    "stacked:*,sched:sched_switch,signal:*/stack=dwarf,bytes=16/",
    "--stack=64",
)
program = Stacked()
on(program)
program.ask("fire")
program.process.stdin.write("crash\n")
program.process.stdin.flush()
program.process.wait()
# Another program of this name may crash at the same time.
path = (
    wait_for(
        lambda: [path for path in snapshots(recorder.folder) if f"-{program.pid}-SIGSEGV" in path]
    )
    or [None]
)[0]
check(path, "the crash leaves a snapshot")
verify(path)
told = json.loads(tool("show", "--json", path).stdout)
ip = int(told["crash"].get("registers", {}).get("ip", "0"), 0)
check(program.where(ip) == "main", f"the program counter is where it crashed: {told['crash']}")

print("== large stacks in a ring that is overwritten", flush=True)
recorder.stop()
for options in ("stack=dwarf+kernel,bytes=65528", "stack=fp+kernel"):
    recorder = start(
        "--ring-size",
        "1M",
        "-e",
        f"stacked:*/{options}/,signal:signal_generate/{options}/,sched:sched_switch/{options}/",
        "-e",
        f"usdt:{STACKED}:*:*/{options}/",
        "-e",
        f"tp_btf:signal_generate/{options}/",
    )
    programs = [Stacked(), Stacked()]
    for program in programs:
        on(program)
    overwritten = 0
    for _ in range(5):
        for program in programs:
            program.process.stdin.write("storm\n")
            program.process.stdin.flush()
        # One snapshot is taken during the storm.
        path = take(recorder)
        for program in programs:
            program.process.stdout.readline()
        path = take(recorder)
        overwritten += json.loads(tool("show", "--json", path).stdout)["loss"]["overwritten"]
    check(overwritten > 0, f"{overwritten} records were overwritten")
    for program in programs:
        program.end()
    check(recorder.stop() == 0, "the recorder exits with 0")

print("== an embedded recorder", flush=True)
program = Stacked(TOOL, recorder.folder, "4090")
check(program.ask("on?") == 1, "the event is on")
program.ask("fire")
before = snapshots(recorder.folder)
check(program.ask("trigger") == 0, "a snapshot is requested")
path = (
    wait_for(
        lambda: [
            path for path in snapshots(recorder.folder) if path not in before and "embedded" in path
        ]
    )
    or [None]
)[0]
verify(path)
maps, found = records(path, program.pid)
check(
    sizes(found)["stacked:fired"] == [4096] and sizes(found)["signal:signal_generate"] == [0],
    f"the events have the requested stacks {sizes(found)}",
)
program.end()

print("== what is refused", flush=True)


def refused(words, *arguments, status=1, prefix=()):
    done = subprocess.run(
        [*prefix, TOOL, *arguments], capture_output=True, text=True, timeout=60, cwd="/tmp"
    )
    check(
        done.returncode == status
        and words in done.stderr
        and (status == 2 or done.stderr.count("\n") == 1),
        f"{' '.join(arguments)}: {done.returncode}: {done.stderr.strip()}",
    )


refused("bytes are a number from 8 to 65528", "record", "-e", "shop:*/stack=dwarf,bytes=65529/")
refused("a stack is dwarf, fp, kernel", "record", "-e", "shop:*/stack=lbr/")
refused("options stand between two slashes", "record", "-e", "shop:*/stack=fp")
refused("--stack=65529", "record", "--stack=65529", status=2)
refused("use --ring-size 1024K", "record", "--ring-size", "512K", "--stack=65528")
refused(
    "-e shop:*/stack=fp+kernel/: with --transport shm there are no such stacks",
    "run",
    "--transport",
    "shm",
    "-e",
    "shop:*/stack=fp+kernel/",
    "true",
)
refused(
    "-e *:*: with --transport shm there are no such stacks",
    "run",
    "--transport",
    "shm",
    "--stack",
    "true",
)
nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
if not subprocess.run([*nobody, "test", "-x", TOOL]).returncode:
    refused("-e *:*: only the kernel takes such stacks, ", "run", "--stack", "true", prefix=nobody)

print("== events that come in by shm, beside the kernel's", flush=True)
# The recorder may watch the kernel but not load BPF programs.
command = [
    "setpriv",
    "--bounding-set=-bpf,-sys_admin",
    TOOL,
    "record",
    "-o",
    recorder.folder,
    "--socket",
    recorder.socket,
    "--listen",
    recorder.socket + ".all",
    "-e",
    "stacked:*,signal:signal_generate/stack=fp/",
    "--stack",
]
process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
atexit.register(process.kill)
said = process.stderr.readline()
if "come in without stacks" in said:
    wait_for(lambda: os.path.exists(recorder.socket))
    program = Stacked("", "", "0", recorder.socket + ".all")
    check(program.ask("on?") == 1, "the event is on")
    program.ask("fire")
    path = take(recorder)
    maps, found = records(path, program.pid)
    check(
        [bool(record["chain"]) for record in found if record["event"] == "signal:signal_generate"]
        == [True],
        "the kernel's events have stacks",
    )
    check(
        [
            record["sample_type"] & (CALLCHAIN | REGISTERS | STACK)
            for record in found
            if record["event"] == "stacked:fired"
        ]
        == [0],
        "the others have none",
    )
    check(status(recorder, "--json").get("stacks_missing", 0) >= 1, "status counts them")
    check("have none, as they come in by shm" in status(recorder), "also in words")
    program.end()
else:
    check(
        TRANSPORT == "user_events" or "no right" in said,
        f"BPF works without the capability, or the recorder refuses to start: {said}",
    )
process.terminate()
process.wait()
done()
