#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_failures.py FLIGHTREC MAKE_SNAPSHOT MAKE_PERF_DATA FAIL_NTH.so [POINTS [WORD]]: memory that
runs out, a full disk, or a lack of descriptors, at any call of a reader of files.

Each command is run again and again, and each time another call fails: see fail_nth.c. Whenever
that is, the command either does what it does without a failure, byte for byte, or it reports the
failure with an exit status other than 0 and a line, and leaves no file behind. A lack of memory is
called that, and not damage to the file.

POINTS is the number of calls of each kind that fail in turn, spread over all calls (16); 0: every
call. WORD: only commands with this word in their name. Prints each failure of the test.

Who: a machine under pressure, or a user who brings that about
Tried: lets memory, the disk or descriptors run out at any call of `show`, `export`, `verify` or
    `import`
Happened: the output is what it is without the failure, byte for byte, or the command fails with
    that reason and leaves no file
"""
import concurrent.futures
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TOOL, MAKE, MAKE_PERF, FAIL = map(os.path.abspath, sys.argv[1:5])
POINTS = int(sys.argv[5]) if len(sys.argv) > 5 else 16
WORD = sys.argv[6] if len(sys.argv) > 6 else ""
CALLS = ("malloc", "write", "open", "fsync", "rename")
FORMATS = (
    "perfetto json csv text chrome html firefox ctf perf otlp otlp-traces folded pprof".split()
)
DAMAGED = ("damaged", "byte ", "not a .frec", "checksum")


class Command:
    def __init__(self, name, *arguments, output=None):
        self.name, self.arguments, self.output = name, arguments, output

    def run(self, folder, **environment):
        """Runs in a folder of its own. Returns (exit status, standard output, standard error, what
        is in the folder afterwards)."""
        os.mkdir(folder)
        arguments = [os.path.join(folder, a) if a == self.output else a for a in self.arguments]
        done = subprocess.run(
            [TOOL, *arguments],
            capture_output=True,
            check=False,
            timeout=60,
            env=dict(os.environ, TMPDIR=folder, **environment),
        )
        files = {}
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file():
                files[str(path.relative_to(folder))] = path.read_bytes()
        shutil.rmtree(folder)
        mask = str(folder).encode()
        return (
            done.returncode,
            done.stdout.replace(mask, b""),
            done.stderr.decode(errors="replace").replace(folder, ""),
            files,
        )


def commands():
    yield Command("show", "show", "stacks.frec")
    yield Command("show all", "show", "--all", "small.frec")
    yield Command("show json", "show", "--json", "stacks.frec")
    yield Command("show crash", "show", "crash.frec")
    yield Command("verify", "verify", "small.frec")
    yield Command("verify json", "verify", "--json", "zstd.frec")
    for name in FORMATS:
        yield Command(name, "export", "stacks.frec", "-f", name, "-o", "out", output="out")
    yield Command("crash json", "export", "crash.frec", "-o", "out.jsonl", output="out.jsonl")
    yield Command("compressed", "export", "zstd.frec", "-o", "out.csv.gz", output="out.csv.gz")
    yield Command("compressed zst", "export", "zstd.frec", "-o", "o.json.zst", output="o.json.zst")
    yield Command("described", "export", "described.frec", "-o", "out.jsonl", output="out.jsonl")
    yield Command("stdout", "export", "small.frec", "-f", "json", "-o", "-")
    yield Command(
        "merge", "export", "small.frec", "other.frec", "-f", "json", "-o", "out", output="out"
    )
    yield Command(
        "merge perfetto", "export", "small.frec", "other.frec", "-o", "out.pftrace",
        output="out.pftrace",
    )  # fmt: skip
    yield Command("import", "import", "perf.data", "-o", "out.frec", output="out.frec")
    yield Command("import zstd", "import", "zstd.data", "-o", "out.frec", output="out.frec")


def judge(call, undisturbed, found):
    """Returns what is wrong with a run in which a call failed, or None."""
    status, out, err, files = found
    if status < 0:
        return f"died of signal {-status}"
    if status == 0:
        if (out, files) != (undisturbed[1], undisturbed[3]):
            return "exit status 0 with another output"
        return None
    partial = sorted(name for name in files if files[name] != undisturbed[3].get(name))
    if partial:
        return f"exit status {status} and left {partial}"
    if not err.strip():
        return f"exit status {status} without a word"
    if call == "malloc":
        if "out of memory" not in err.lower():
            return "memory that ran out is called something else"
        if any(word in err for word in DAMAGED):
            return "memory that ran out is called damage"
    return None


def count(command, folder, call):
    """Returns the number of calls that the command makes, and what it does undisturbed."""
    path = folder + ".count"
    pathlib.Path(path).write_bytes(bytes(8))
    result = command.run(folder, LD_PRELOAD=FAIL, FAIL_CALL=call, FAIL_AT="0", FAIL_COUNT=path)
    return struct.unpack("Q", pathlib.Path(path).read_bytes())[0], result


def points(number):
    if not POINTS or number <= POINTS:
        return range(1, number + 1)
    return sorted({1 + i * (number - 1) // (POINTS - 1) for i in range(POINTS)})


def attack(command, place):
    bad, tried = [], 0
    for call in CALLS:
        base = os.path.join(place, f"{command.name}-{call}".replace(" ", "-"))
        number, undisturbed = count(command, base, call)
        if undisturbed[0]:
            return [f"{command.name}: fails undisturbed: {undisturbed}"], 0
        for at in points(number):
            found = command.run(base, LD_PRELOAD=FAIL, FAIL_CALL=call, FAIL_AT=str(at))
            why = judge(call, undisturbed, found)
            tried += 1
            if why:
                bad.append(f"{command.name}: {call} {at} of {number}: {why}: {found[2].strip()}")
    return bad, tried


def make_files():
    subprocess.run([MAKE, "small.frec"], check=True)
    subprocess.run([MAKE, "other.frec", "other-host"], check=True)
    subprocess.run([MAKE, "zstd.frec", "zstd"], check=True)
    subprocess.run([MAKE, "stacks.frec", "stacks"], check=True)
    subprocess.run([MAKE, "described.frec", "fields"], check=True)
    subprocess.run([MAKE_PERF, "perf.data"], check=True)
    subprocess.run([MAKE_PERF, "zstd.data", "compressed"], check=True)


def main():
    with tempfile.TemporaryDirectory(prefix="frec-failures-") as place:
        os.chdir(place)
        make_files()
        wanted = [c for c in commands() if WORD in c.name]
        if not os.path.exists("crash.frec"):
            wanted = [c for c in wanted if "crash.frec" not in c.arguments]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda command: attack(command, place), wanted))
        os.chdir("/")
    bad = [line for found, _ in results for line in found]
    print(f"{sum(tried for _, tried in results)} calls failed, in {len(results)} commands")
    for line in bad:
        print(line)
    if bad:
        print(f"{len(bad)} times not as it should be")
    sys.exit(bool(bad))


main()
