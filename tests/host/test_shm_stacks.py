# Tests the stacks that a program takes itself for its events in shared memory, with a recorder that
# needs no rights, and a program with known stacks.
#
# 	test_shm_stacks.py TOOL STACKED RECORD_STACKS KIT
import ctypes
import json
import os
import subprocess
import sys

TOOL, STACKED, READER, KIT = map(os.path.abspath, sys.argv[1:5])
os.environ["FREC_TOOL"] = TOOL
sys.path.insert(0, KIT)
from kit import Recorder, check, done, events, folder, tool, verify, wait_for  # noqa: E402

OF_USER = 2**64 - 512  # PERF_CONTEXT_USER
FUNCTIONS = ["leaf", "middle", "outer", "main"]
ROUNDS = 3

try:
    ctypes.CDLL("libunwind.so.8")
    has_libunwind = True
except OSError:
    has_libunwind = False


class Stacked:
    def __init__(self, socket):
        self.process = subprocess.Popen(
            [STACKED, "", "", "0", socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.places = json.loads(self.process.stdout.readline())
        self.pid = self.places["pid"]

    def ask(self, line):
        """Returns the program's answer, or None if it has died."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return int(answer) if answer else None

    def where(self, address):
        return next(
            (name for name in FUNCTIONS if self.places[name][0] <= address < self.places[name][1]),
            None,
        )

    def functions(self, chain):
        """Returns those of the program's functions that a callchain goes through."""
        return [name for name in map(self.where, chain) if name]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def chains(path, pid):
    result = subprocess.run([READER, path, str(pid)], capture_output=True, text=True)
    check(result.returncode == 0, f"the records can be read {result.stderr.strip()}")
    lines = [json.loads(line) for line in result.stdout.splitlines()[1:]]
    return [line["chain"] for line in lines if line["event"] == "stacked:fired"]


def names(event):
    """Returns the names of the program's functions on an event's stack in the JSON export."""
    found = [frame.get("function") for frame in event.get("stack", [])]
    return [name for name in found if name in FUNCTIONS]


def look_at(options, stacks, stacks_when_off):
    """Records with these options. `stacks` says whether the events are to have stacks, and
    `stacks_when_off` whether they are to have them after frec_stacks_off()."""
    print(f"== {options or 'no options'}", flush=True)
    socket = os.path.join(folder(), "all")
    recorder = Recorder("--transport", "shm", "--listen", socket, "-e", f"stacked:*{options}")
    program = Stacked(socket)
    check(wait_for(lambda: program.ask("on?")), "the event is on")
    for _ in range(ROUNDS):
        program.ask("fire")
    locked = program.ask("locked")
    check(locked, "a locked-in thread emits and is not killed")
    path = recorder.trigger("stacks")
    verify(path)

    expected = [FUNCTIONS if stacks else []] * ROUNDS + [FUNCTIONS[:3] if stacks_when_off else []]
    # The records come CPU by CPU, so they are not in the order of time.
    found = chains(path, program.pid)
    ways = sorted(program.functions(chain) for chain in found)
    check(ways == sorted(expected), f"the callchains go through {ways}")
    check(
        all(chain[0] == OF_USER if program.functions(chain) else not chain for chain in found),
        "those that there are begin with the context of the process",
    )
    exported = [event for event in events(path) if event["event"] == "stacked:fired"]
    check(
        [names(event) for event in exported] == expected,
        f"the JSON export has the names {[names(event) for event in exported]}",
    )
    check(
        [event["tid"] for event in exported] == [program.pid] * ROUNDS + [locked],
        "the events have the ids of their threads",
    )
    check(
        all("stack" not in event for event, wanted in zip(exported, expected) if not wanted),
        "events without a callchain have no stack",
    )
    folded = tool("export", "-f", "folded", "-o", "-", path).stdout
    lines = [line for line in folded.splitlines() if "leaf" in line]
    check(
        sum(int(line.rsplit(" ", 1)[1]) for line in lines if "main;outer;middle;leaf" in line)
        == (ROUNDS if stacks else 0),
        f"folded stacks: {lines}",
    )
    program.end()
    check(recorder.stop() == 0, "the recorder exits with 0")


look_at("/stack=fp/", True, True)
look_at("/stack=self/", has_libunwind, False)
look_at("/stack=none/", False, False)
look_at("", False, False)

print("== what is refused", flush=True)
result = tool("run", "--transport", "usdt", "-e", "stacked:*/stack=self/", "true")
check(
    result.returncode == 1
    and result.stderr.count("\n") == 1
    and "stacked:*/stack=self/: stack=self comes with events in shared memory only"
    in result.stderr,
    f"stack=self with usdt: {result.returncode}: {result.stderr.strip()}",
)
done()
