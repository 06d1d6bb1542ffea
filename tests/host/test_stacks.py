# Stacks as they are recorded: each kind, with events of every sort, from a program of which all stacks are known.
#
#	test_stacks.py TOOL STACKED RECORD_STACKS KIT TRANSPORT [KIND...]
import json
import os
import struct
import subprocess
import sys

TOOL, STACKED, READER, KIT, TRANSPORT = sys.argv[1:6]
KINDS = sys.argv[6:] or ["fp", "kernel", "fp+kernel", "dwarf", "dwarf+kernel", "dwarf,bytes=65528", "none"]
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
    def __init__(self):
        self.process = subprocess.Popen([STACKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.places = json.loads(self.process.stdout.readline())
        self.pid = self.places["pid"]

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def where(self, address):
        """The function that an address lies in."""
        return next((name for name in ("leaf", "middle", "outer", "main")
                     if self.places[name][0] <= address < self.places[name][1]), None)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def records(path, pid):
    result = subprocess.run([READER, path, str(pid)], capture_output=True, text=True)
    check(result.returncode == 0, f"the records can be read {result.stderr.strip()}")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return lines[0]["maps"], lines[1:]


def split(chain):
    """The kernel's part of a callchain and the process's."""
    user = chain.index(OF_USER) if OF_USER in chain else len(chain)
    kernel = chain[:user]
    if kernel and kernel[0] != OF_KERNEL:
        return None, None
    return kernel[1:], chain[user + 1:]


# Those that are made in the program itself; the others by a system call.
BY_SITE = {"stacked_probe:fired"} | ({"stacked:fired"} if TRANSPORT == "usdt" else set())
# Those that have leaf as a caller. A probe is in leaf itself; and the C library makes a system call without a frame of its own,
# so that what calls it is not in the callchain.
BELOW_LEAF = {"stacked:fired", "stacked_probe:fired"}
EVENTS = ["stacked:fired", "stacked_probe:fired", "signal:signal_generate", "tp_btf:signal_generate"]
SELECTIONS = ["stacked:*", f"usdt:{STACKED}:stacked_probe:*", "signal:signal_generate", "tp_btf:signal_generate"]


def look_at(record, kind, program, maps, mark):
    """What is not as it should be, in words; None when all is."""
    kinds = set(kind.split(",")[0].split("+"))
    site = record["event"] in BY_SITE
    promised = (CALLCHAIN if kinds & {"fp", "kernel"} else 0) | (REGISTERS | STACK if "dwarf" in kinds else 0)
    if record["sample_type"] & (CALLCHAIN | REGISTERS | STACK) != promised:
        return f"the source says {record['sample_type']:#x}"
    kernel, user = split(record["chain"])
    if kernel is None:
        return "the callchain does not say whose it is"
    if bool(kernel) != ("kernel" in kinds and not site):
        return f"{len(kernel)} frames of the kernel"
    if any(address < 1 << 63 for address in kernel) or any(address >= 1 << 63 for address in user):
        return "kernel and process are mixed up"
    if bool(user) != ("fp" in kinds):
        return f"{len(user)} frames of the process"
    if user:
        functions = [program.where(address) for address in user]
        if [name for name in functions if name] != (["leaf"] if record["event"] in BELOW_LEAF else []) + ["middle", "outer", "main"]:
            return f"frames of {functions}"
    if "dwarf" not in kinds:
        return None if not record["abi"] and not record["stack"] else "there are registers"
    stack = bytes.fromhex(record["stack"])
    file = next((name for start, end, name in maps if start <= record["ip"] < end), "no mapping")
    if (file == os.path.realpath(STACKED)) != site or (record["event"] == "stacked_probe:fired") != (program.where(record["ip"]) == "leaf"):
        return f"the program counter is in {program.where(record['ip'])} of {file}"
    at = mark - record["sp"]
    if not 0 <= at <= len(stack) - 8 or struct.unpack_from("<Q", stack, at)[0] != program.places["mark"]:
        return f"the mark is not {at} bytes above the stack pointer, in {len(stack)} bytes of stack"
    return None


for kind in KINDS:
    print(f"== {kind}", flush=True)
    try:
        recorder = Recorder("--transport", TRANSPORT, *(word for selection in SELECTIONS for word in ("-e", f"{selection}/stack={kind}/")))
    except RuntimeError as error:
        # A container or a kernel can forbid it; nothing else may.
        if any(words in str(error) for words in ("no right to record", "cannot be loaded (Operation not permitted)", "no breakpoints at the sites",
                                                 "has no user_events", "CONFIG_PERF_EVENTS")):
            skip(str(error))
        raise
    program = Stacked()
    check(wait_for(lambda: program.ask("on?")), "the event is on")
    mark = [program.ask("fire") for _ in range(ROUNDS)][0]
    result = tool("trigger", "stacks", "--socket", recorder.socket)
    check(result.returncode == 0, f"a snapshot {result.stderr.strip()}")
    (path,) = snapshots(recorder.folder)
    verify(path)
    maps, found = records(path, program.pid)
    check(any(name == os.path.realpath(STACKED) for _, _, name in maps), "the file tells what the process had mapped")
    for event in EVENTS:
        ours = [record for record in found if record["event"] == event]
        wrong = [why for why in (look_at(record, kind, program, maps, mark) for record in ours) if why]
        check(len(ours) == ROUNDS and not wrong, f"{event}: {len(ours)} records {wrong}")
    check(len([event for event in events(path) if event["pid"] == program.pid and event["event"] == "stacked:fired"]) == ROUNDS,
          "exported with their fields")
    program.end()
    check(recorder.stop() == 0, f"the recorder ends well {recorder.errors.strip()}")
done()
