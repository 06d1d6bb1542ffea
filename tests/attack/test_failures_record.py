"""Memory that runs out, a full disk, or a lack of descriptors, at any call of a recorder. Whenever
that is, the recorder ends when its command does, with the status of the command or with an error,
and a snapshot that has a name is whole: all events, and the stack of the crash or none. If there
is no snapshot, the recorder says why.

    test_failures_record.py PUPPET FAIL_NTH.so [POINTS]

Who: a machine under pressure, or a user who brings that about
Tried: lets memory, the disk or descriptors run out at any call of a recorder
Happened: the recorder ends with its command, and a snapshot under a final name is whole, or there
    is none and a line says why
"""
import os
import re
import shutil
import signal
import struct
import subprocess
import sys

from kit import TOOL, check, done, folder, tool
from puppet import beats, whole

PUPPET, FAIL = map(os.path.realpath, sys.argv[1:3])
POINTS = int(sys.argv[3]) if len(sys.argv) > 3 else 4
CALLS = ("malloc", "write", "open", "fsync", "rename", "pidfd")
EVENTS = 50
CRASHED = 128 + signal.SIGSEGV


def run(transport, place, **environment):
    """Lets the puppet crash under a recorder. Returns (status, standard error, snapshots)."""
    process = subprocess.Popen(
        [TOOL, "run", "-e", "accept:*", "--transport", transport, "-o", place, "--", PUPPET],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=dict(os.environ, LD_PRELOAD=FAIL, FAIL_PROGRAM="flightrec", **environment),
    )  # fmt: skip
    try:
        _, errors = process.communicate(f"emit {EVENTS}\ncrash\n", timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        return None, process.communicate()[1], []
    # One that does not fit into its folder goes to another.
    elsewhere = re.findall(r"snapshot (/\S+\.frec)", errors)
    there = {os.path.join(place, name) for name in os.listdir(place)} | set(elsewhere)
    return process.returncode, errors, sorted(filter(os.path.exists, there))


def stack(path):
    """Returns the frames of the crash, without their addresses, which differ from run to run."""
    text = tool("show", path).stdout
    return [re.sub(r"0x[0-9a-f]{6,}", "", frame) for frame in re.findall(r"^  #\d+ .*", text, re.M)]


def judge(found, expected):
    """Returns what is wrong with a run in which a call failed, or None."""
    status, errors, files = found
    if status is None:
        return "it does not end"
    if status not in (CRASHED, 1):
        return f"status {status}"
    for path in files:
        if not path.endswith(".frec") or os.path.basename(path).startswith("."):
            return f"it left {path}"
        verified = tool("verify", path)
        if verified.returncode:
            return f"a snapshot is not whole: {verified.stdout} {verified.stderr}"
        for fields in beats(path).values():
            if not whole(fields, range(EVENTS - len(fields) + 1, EVENTS + 1)):
                return "a snapshot has other events"
        # It may end early, and miss names: what a process had mapped can be unknown.
        found_stack = stack(path)
        named = [i for i, frame in enumerate(found_stack) if re.search(r"\w+  at |\+0x", frame)]
        if len(found_stack) > len(expected) or any(found_stack[i] != expected[i] for i in named):
            return f"a snapshot has another stack: {found_stack}"
    if not files and not errors.strip():
        return "no snapshot, and not a word"
    return None


def attack(transport):
    place = folder()
    status, errors, files = run(transport, place)
    check(status == CRASHED and len(files) == 1, f"{transport}: undisturbed {status} {errors}")
    expected = stack(files[0])
    check(any("main" in frame for frame in expected), f"with the stack of the crash {expected}")
    bad = 0
    for call in CALLS:
        count = os.path.join(place, "..", f"frec-count-{os.getpid()}")
        with open(count, "wb") as file:
            file.write(bytes(8))
        run(transport, folder(), FAIL_CALL=call, FAIL_AT="0", FAIL_COUNT=count)
        with open(count, "rb") as file:
            number = struct.unpack("Q", file.read())[0]
        os.unlink(count)
        for at in sorted({1 + i * (number - 1) // max(POINTS - 1, 1) for i in range(POINTS)}):
            there = folder()
            found = run(transport, there, FAIL_CALL=call, FAIL_AT=str(at))
            why = judge(found, expected)
            for path in found[2]:
                os.unlink(path)
            shutil.rmtree(there)
            if why:
                bad += 1
                print(f"{transport}: {call} {at} of {number}: {why}: {found[1].strip()}")
    check(not bad, f"{transport}: whatever fails, a snapshot is whole or there is none")


attack("shm")
attack("usdt")
done()
