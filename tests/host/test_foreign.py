# Tests foreign sources on this machine's kernel: USDT probes of programs that do not use flightrec,
# with arguments of every kind, in one program that started before the recorder and one that started
# after it; the probes of Python and of the C++ library; and tracepoints recorded by their
# arguments.
import difflib
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

TOOL, PROBED, THROW, KIT = sys.argv[1:5]
os.environ["FREC_TOOL"] = TOOL
sys.path.insert(0, KIT)
from kit import Recorder, check, done, events, snapshots, tool, verify, wait_for  # noqa: E402


def skip(why):
    print("skipped: " + why)
    sys.exit(1 if os.environ.get("FREC_REQUIRE_KERNEL") else 77)


class Probed:
    """Runs the program with probes. That program fires the probes that it is asked to fire, and
    answers with the value of its semaphore."""

    def __init__(self):
        self.process = subprocess.Popen(
            [PROBED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def start(*selections):
    try:
        return Recorder(*(word for selection in selections for word in ("-e", selection)))
    except RuntimeError as error:
        # Skip only if the container or the kernel forbids recording. Other errors are failures.
        if any(
            words in str(error)
            for words in (
                "no right to record",
                "cannot be loaded (Operation not permitted)",
                "CONFIG_PERF_EVENTS",
            )
        ):
            skip(str(error))
        raise


def take(recorder):
    """Takes a snapshot and verifies it. Returns its events."""
    before = snapshots(recorder.folder)
    result = tool("trigger", "test", "--socket", recorder.socket)
    check(result.returncode == 0, "a snapshot " + result.stderr.strip().split("/")[-1])
    path = next(path for path in snapshots(recorder.folder) if path not in before)
    verify(path)
    return events(path)


def of(everything, name, pid=None):
    return [
        event["fields"]
        for event in everything
        if event["event"] == name and (pid is None or event["pid"] == pid)
    ]


# Arguments of each size and sign and in each place have the same values from a process that started
# before the recorder and from one that started after it.
old = Probed()
check(old.do("all") == 0, "nobody listens yet")
recorder = start(
    f"usdt:{PROBED}:probed:*",
    f"usdt:{PROBED}:*:text:arg1=str",
    f"usdt:{PROBED}:*:texts:arg0=str:arg1=str:arg2=str",
    f"usdt:{PROBED}:*:sequence:arg2=str",
    f"usdt:{PROBED}:*:counted:arg1=str[arg2]",
    f"usdt:{PROBED}:*:counted_first:arg1=str[arg0]",
)
new = Probed()
EXPECTED = {
    "registers": [[0xF0, -0x80, 0xFFFE, -0x8000, 0x9ABCDEF0, -2, 0xFEDCBA9876543210, -(2**63)]],
    "memory": [[-1, -2, 200, -300, 0x8000000000000001]],
    "constants": [[-7, 123, 4294967295, -9000000000]],
    "sites": [[5, None], [-5, 6]],
    "none": [[]],
    "guarded": [[1]],
    "indexed": [[0x8877665544332211, -16, 0x11]],
    "relative": [[4294967290, -2, -3, 77, None, None, None]],
    "twin": [[11], [22]],
    "twin_of_whom": [[None, 1]],
    "floats": [[-1e300, 0.15625, None, 5]],
    # The first of two sites has more arguments. A place that one site lacks is null in its events.
    "places": [[1, None, None, -5, None, None], [2, 3, 0x12, None, None, None]],
    "unsigned": [[2**64 - 1, 2**32 - 1, -(2**63), 2**64 - 16, -1, 2**64 - 2, 44]],
    "thirteen": [list(range(13))],
    "twenty_six": [list(range(13)) + list(range(11))],
}
for program, which in (old, "ran before"), (new, "started after"):
    check(program.do("all") > 0, f"a program that {which} the recorder has its semaphore raised")
everything = take(recorder)
for program, which in (old, "ran before"), (new, "started after"):
    for name, expected in EXPECTED.items():
        found = [list(fields.values()) for fields in of(everything, f"probed:{name}", program.pid)]
        check(found == expected, f"{name} of the program that {which}: {found}")
shown = tool("show", "--all", snapshots(recorder.folder)[-1]).stdout
check("arg1=0.15625 arg2=null arg3=5" in shown, "show says null for an argument without a value")
# What no writer can know it does not write as a number.
path = snapshots(recorder.folder)[-1]
tool("export", "-f", "csv", "-o", path + ".csv", "-e", "probed:floats", path)
check(
    any(row.endswith(",-1e+300,0.15625,,5,") for row in open(path + ".csv").read().splitlines()),
    "in CSV such a field is empty",
)

# A text is complete, or cut at the limit or where readable memory ends. Pages of it that are not
# resident are read in from the file, if BPF programs may sleep.
new.do("texts")
new.do("cold")
everything = take(recorder)
texts = {fields["arg0"]: fields["arg1"] for fields in of(everything, "probed:text", new.pid)}
for number, expected in {
    1: "plain",
    2: "",
    3: "(null)",
    4: "(not in memory)",
    5: "torn(not in memory)",
    6: "x" * 4095,
    7: "x" * 4094,
    8: "x" * 4094,
}.items():
    check(
        texts.get(number) == expected,
        f"text {number}: {str(texts.get(number))[:40]!r} of {len(texts.get(number, ''))}",
    )
check(
    texts.get(100) in ("over the border", "(not in memory)"),
    f"a text in pages that are not resident: {texts.get(100)!r}",
)
sleepable = subprocess.run(["uname", "-r"], capture_output=True, text=True).stdout.split(".")[0]
if int(sleepable) >= 6:
    check(texts.get(100) == "over the border", "it is paged in if BPF programs may sleep")
(three,) = of(everything, "probed:texts", new.pid)
check(
    three["arg1"] == "between" and three["arg0"] == three["arg2"] == "x" * ((8192 - 40) // 3 - 2),
    "three texts share a record's room",
)
shown = tool("show", "--all", snapshots(recorder.folder)[-1]).stdout
check('probed:text  ' in shown and 'arg0=1 arg1="plain"' in shown, "show prints texts")

# A text with a length needs no NUL, may hold some, and is read no further.
new.do("counted")
everything = take(recorder)
counted = {fields["arg0"]: fields["arg1"] for fields in of(everything, "probed:counted", new.pid)}
for number, expected in {
    1: "some",
    2: "with\0nul",
    3: "ends in one\0",
    4: "",
    5: "(null)",
    6: "(not in memory)",
    7: "torn(not in memory)",
    8: None,
    9: "x" * 4094,
    10: "x" * 4094,
    11: "over the bor",
}.items():
    check(counted.get(number, 0) == expected, f"text {number}: {str(counted.get(number))[:40]!r}")
(short,) = of(everything, "probed:counted_first", new.pid)
check(short == {"arg0": 2, "arg1": "sh"}, f"the length can come first: {short}")

# If many threads emit at once, the events of each thread are in order, up to its last one.
THREADS, COUNT = 4, 20000
new.do(f"storm {THREADS} {COUNT}")
everything = take(recorder)
sequence = {}
for fields in of(everything, "probed:sequence", new.pid):
    check(
        fields["arg2"] == ("odd" if fields["arg1"] % 2 else "even"), "a text belongs to its number"
    ) if fields["arg1"] == 7 else None
    sequence.setdefault(fields["arg0"], []).append(fields["arg1"])
for thread, numbers in sequence.items():
    # If a thread moves between CPUs, its events are in several rings, each of which may have
    # overwritten its oldest ones. So numbers may be missing, but not the last one.
    check(
        numbers == sorted(set(numbers)) and numbers[-1] == COUNT - 1,
        f"thread {thread}: {len(numbers)} in order, to the end",
    )
path = snapshots(recorder.folder)[-1]
check(
    tool("export", "-f", "perfetto", "-o", path + ".pftrace", path).returncode == 0,
    "it is exported for Perfetto",
)

# If a process that has hit a probe is killed, a snapshot is written.
before = snapshots(recorder.folder)
new.do("say last words")
new.process.kill()
found = wait_for(lambda: [path for path in snapshots(recorder.folder) if path not in before])
check(len(found) == 1, "its death leaves a snapshot")
if found:
    last = [
        event
        for event in events(found[0])
        if event["pid"] == new.pid and event["event"] == "probed:text"
    ][-1]
    check(
        last["fields"]["arg1"] == "last words", f"the snapshot has its last event: {last['fields']}"
    )

# A recorder that is killed leaves nothing behind.
recorder.process.send_signal(signal.SIGKILL)
recorder.process.wait()
check(wait_for(lambda: old.do("none") == 0), "the semaphore is down after the recorder was killed")
check(
    wait_for(lambda: PROBED not in open("/sys/kernel/tracing/uprobe_profile").read())
    if os.path.exists("/sys/kernel/tracing/uprobe_profile")
    else True,
    "no breakpoint is left",
)
old.end()

# Other programs and libraries are found by name.
python = next(
    (
        path
        for path in glob.glob("/usr/bin/python3.[0-9]*")
        if os.access(path, os.X_OK)
        and tool("events", f"usdt:{path}:python:import*").returncode == 0
    ),
    None,
)
throws = tool("events", "usdt:libstdc++.so.6:libstdcxx:throw").returncode == 0
if python:
    recorder = start(f"usdt:{os.path.basename(python)}:python:import__find__load__*:arg0=str")
    child = subprocess.Popen([python, "-c", "import this_is_not_there"], stderr=subprocess.DEVNULL)
    child.wait()
    # The recorder may show another path of this program, because PATH may have that one first.
    names = [
        fields["arg0"]
        for fields in of(take(recorder), "python:import__find__load__start", child.pid)
    ]
    check("this_is_not_there" in names, f"Python's imports are recorded: {len(names)} names")
    recorder.stop()
else:
    print("no Python with probes on this machine")
if throws:
    recorder = start("usdt:libstdc++.so.6:libstdcxx:*")
    child = subprocess.Popen([THROW, "25"])
    child.wait()
    everything = take(recorder)
    check(
        [
            len(of(everything, f"libstdcxx:{name}", child.pid))
            for name in ("throw", "catch", "rethrow")
        ]
        == [25, 25, 0],
        "a C++ program's throws and catches are recorded",
    )
    recorder.stop()
else:
    print("no C++ library with probes on this machine")

# A tracepoint has the same values, whether it is recorded by its fields or by its arguments
# (tp_btf).
recorder = start("sched:sched_switch", "tp_btf:sched_switch", "tp_btf:sched_process_exec")
for _ in range(20):
    subprocess.run(["true"], check=True)
everything = take(recorder)
KEYS = "prev_pid", "prev_comm", "next_pid", "next_comm"


def switches(name):
    """Returns {cpu: its task switches} for the source `name`."""
    of_cpu = {}
    for event in everything:
        # Switches from the idle task are left out, because on Linux 6.18 perf sometimes skips all
        # events of that task on one CPU, without counting them.
        if event["event"] == name and event["fields"]["prev_pid"]:
            of_cpu.setdefault(event["cpu"], []).append(tuple(event["fields"][key] for key in KEYS))
    return of_cpu


by_format, by_arguments = switches("sched:sched_switch"), switches("tp_btf:sched_switch")
for cpu, found in by_arguments.items():
    # The switches of by_format may begin earlier, because its source was opened first.
    expected = by_format[cpu]
    matched = difflib.SequenceMatcher(None, expected, found, autojunk=False).get_matching_blocks()
    common = sum(block.size for block in matched)
    # perf may skip some switches, see above. If the fields were wrong, almost none would match.
    check(
        common > 20 and common >= 0.9 * min(len(found), len(expected) - matched[0].a),
        f"CPU {cpu}: {common} switches are the same both ways, of {len(found)}",
    )
executed = of(everything, "tp_btf:sched_process_exec")
check(
    len([fields for fields in executed if fields["p_comm"] == "true"]) >= 20,
    "an argument that is a task has the task's name",
)
recorder.stop()

# Without .symtab only the symbols of .dynsym are known.
with tempfile.TemporaryDirectory(prefix="frec-foreign-") as folder:
    stripped = os.path.join(folder, "stripped")
    subprocess.run(["strip", "-o", stripped, PROBED], check=True)
    recorder = start(f"usdt:{stripped}:probed:relative")
    PROBED, unstripped = stripped, PROBED
    program = Probed()
    PROBED = unstripped
    program.do("all")
    (relative,) = of(take(recorder), "probed:relative", program.pid)
    check(
        list(relative.values()) == [4294967290] + 6 * [None],
        f"a program without .symtab: {relative}",
    )
    program.end()
    recorder.stop()

# A program of 32 bits.
THIRTY_TWO = """
	.globl _start
_start:	nop
	.pushsection .note.stapsdt, "", "note"
	.4byte 8, 2f - 1f, 3
	.asciz "stapsdt"
1:	.4byte _start, 0, 0
	.asciz "probed"
	.asciz "old"
	.asciz "4@%eax"
2:	.balign 4
	.popsection
"""
folder = tempfile.mkdtemp(prefix="frec-foreign-")
subprocess.run(["as", "--32", "-o", folder + "/o", "-"], input=THIRTY_TWO, text=True, check=True)
subprocess.run(["ld", "-m", "elf_i386", "-o", folder + "/probed32", folder + "/o"], check=True)

# A selection that cannot be recorded is refused with one clear line.
for selection, words in {
    "usdt:no-such-program:*:*": "give its path",
    f"usdt:{PROBED}:probed:nothing": "has no such probe",
    f"usdt:{PROBED}:probed:text:arg7=str": "more than 2 arguments",
    f"usdt:{PROBED}:probed:text:arg0=str[arg4]": "more than 2 arguments",
    f"usdt:{PROBED}:probed:text:arg0=str[4]": "arg0=str[arg1]",
    "usdt:{folder}/probed32:*:*": "is a 32-bit program",
    "usdt:/dev/null:*:*": "not a file",
    "tp_btf:no_such_tracepoint": "no such tracepoint",
    "tp_btf:*": "narrow it",
}.items():
    result = tool("record", "-e", selection.replace("{folder}", folder), "-o", "/tmp")
    check(
        result.returncode and words in result.stderr and result.stderr.count("\n") == 1,
        f"{selection}: {result.stderr.strip()}",
    )
shutil.rmtree(folder)
listed = [
    json.loads(line) for line in tool("events", "--json", f"usdt:{PROBED}:*:*").stdout.splitlines()
]
check(
    {event["name"]: len(event["fields"]) for event in listed}.get("registers") == 8
    and {event["kind"] for event in listed} == {"usdt"},
    "events lists probes with their arguments",
)
done()
