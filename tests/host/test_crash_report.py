#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that `flightrec show` names the functions in which programs died, for many ways to die
under a recorder.

    test_crash_report.py TOOL SOURCES KIT TRANSPORT [WAY...]

The programs are compiled here and do not contain flightrec, so none of its code can run in them
when they die."""
import json
import os
import re
import shutil
import subprocess
import sys

TOOL, SOURCES, KIT = map(os.path.abspath, sys.argv[1:4])
TRANSPORT = sys.argv[4]
os.environ["FREC_TOOL"] = TOOL
sys.path.insert(0, KIT)
from kit import check, done, folder, report, snapshots, tool  # noqa: E402

END = ["middle", "outer", "main"]
# How each program dies: the signal; functions that are on the stack in this order; and why the
# stack ends. The first function is the innermost one of the stack, unless an ellipsis precedes it.
WAYS = {
    "crash": ("SIGSEGV", ["leaf", "crash", *END, "_start"], "complete"),
    "alloca": ("SIGSEGV", ["leaf", "crash", "with_alloca", "through_alloca", *END], "complete"),
    "aligned": ("SIGSEGV", ["leaf", "crash", "aligned", "through_aligned", *END], "complete"),
    "null": ("SIGSEGV", ["0x0", "jump_to_null", *END], "complete"),
    "wild": ("SIGSEGV", ["0x123456789000", "jump_wild", *END], "complete"),
    "overflow": ("SIGSEGV", ["recurse", "recurse", "recurse"], "the recorded stack ends below"),
    "handler": (
        "SIGSEGV",
        ["leaf", "crash", "handler", "__restore_rt", "raise", "interrupted", "in_handler", *END],
        "complete",
    ),
    "altstack": (
        "SIGSEGV",
        ["leaf", "crash", "handler", "__restore_rt", "interrupted", "on_alternate_stack", *END],
        "complete",
    ),
    # What faulted, on the stack that the handler of the fault has left.
    "reported": (
        "SIGSEGV",
        [..., "raise", "report", "__restore_rt", "leaf", "crash", "crash_reported", *END],
        "complete",
    ),
    "twice": (
        "SIGABRT",
        [..., "report", "__restore_rt", "abort", "report_twice", "__restore_rt", "leaf", "crash"]
        + ["crash_reported_twice", *END],
        "complete",
    ),
    # Pages of large local variables that were never touched.
    "hole": ("SIGSEGV", ["leaf", "crash", "buffered", "hole", *END, "_start"], "complete"),
    "holes": (
        "SIGSEGV",
        ["leaf", "crash", "buffered", "hole", "buffered", "holes", *END, "_start"],
        "complete",
    ),
    "hole-thread": (
        "SIGSEGV",
        ["leaf", "crash", "buffered", "hole", "middle", "thread", "start_thread", "clone3"],
        "complete",
    ),
    # One frame that is larger than the stack.
    "huge": ("SIGSEGV", ["huge_frame", "huge", *END, "_start"], "complete"),
    "giant": ("SIGSEGV", ["huge_frame", "giant", *END, "_start"], "complete"),
    "huge-thread": (
        "SIGSEGV",
        ["huge_frame", "huge", "middle", "thread", "start_thread", "clone3"],
        "complete",
    ),
    # A frame whose caller is on another stack.
    "segment": ("SIGSEGV", ["leaf", "crash", "call_on", "segment", *END, "_start"], "complete"),
    "fault": ("SIGILL", ["faults_at_once", "faulting", *END], "complete"),
    "free": ("SIGABRT", [..., "abort", "free", "bad_free", *END], "complete"),
    "copy": ("SIGSEGV", [..., "bad_copy", *END], "complete"),
    "string": ("SIGSEGV", [..., "bad_string", *END], "complete"),
    "thread": ("SIGSEGV", ["leaf", "crash", "middle", "thread", "start_thread"], "complete"),
    "coroutine": (
        "SIGSEGV",
        ["leaf", "crash", "middle", "coroutine", "__start_context"],
        "complete",
    ),
    "jit": ("SIGSEGV", ["leaf", "crash", "made_at_run_time", *END], "complete"),
    "smash": ("SIGSEGV", ["smashed"], "no call frame information at 0x4141414141414141"),
}
CHOSEN = sys.argv[5:]
INLINED = [
    ("shop::basket<int>::price(int const*) const", 12),
    ("shop::basket<int>::total(int const*) const", 16),
    ("shop::checkout(std::", 25),
    ("main", 31),
]


def skip(why):
    print("skipped: " + why)
    sys.exit(1 if os.environ.get("FREC_REQUIRE_KERNEL") else 77)


def die(*command):
    """Runs the program under a recorder until it is dead. Returns its snapshot, or None."""
    output = folder()
    run = tool("run", "--transport", TRANSPORT, "-o", output, "--", *command, timeout=120)
    if any(
        words in run.stderr
        for words in (
            "no right to record",
            "cannot be loaded (Operation not permitted)",
            "no breakpoints at the sites",
            "has no user_events",
            "CONFIG_PERF_EVENTS",
        )
    ):
        skip(run.stderr.strip())
    files = snapshots(output)
    check(
        len(files) == 1,
        f"one snapshot of {' '.join(command)} {run.stderr.strip() if not files else ''}",
    )
    return files[0] if files else None


def names(frames):
    return [frame.get("function", frame["address"]) for frame in frames]


def in_order(wanted, found):
    rest = iter(found)
    return all(name is ... or name in rest for name in wanted) and (
        wanted[0] is ... or found[:1] == wanted[:1]
    )


def way(name, program):
    signal, wanted, end = WAYS[name]
    path = die(program, name)
    if not path:
        return
    crash = report(path)["crash"]
    frames = crash.get("frames", [])
    check(crash["signal"] == signal, f"{name}: {crash['signal']}")
    check(in_order(wanted, names(frames)), f"{name}: {' < '.join(names(frames))[:300]}")
    check(
        end in crash.get("frames_end_words", ""), f"{name}: ends: {crash.get('frames_end_words')}"
    )
    if name == "overflow":
        check(
            f"ends below {crash['missing_address']}" in crash["frames_end_words"],
            f"{name}: the address that is missing: {crash.get('missing_address')}",
        )
    # The output of `show` without --json names the same functions.
    text = tool("show", path).stdout
    check(
        all(
            re.search(rf"^ +#\d+ .*\b{re.escape(word)}\b", text, re.M)
            for word in wanted
            if word is not ... and not word.startswith("0x")
        ),
        f"{name}: the text has them as well",
    )
    if name == "jit":
        how = {frame.get("function"): frame.get("found_by") for frame in frames}
        check(
            how["made_at_run_time"] == "frame pointer" and how["crash"] is None,
            "jit: its caller was found by the frame pointer, and is marked so",
        )


def build(compiler, name, source, *options):
    subprocess.run(
        [compiler, *options, "-w", "-o", name, os.path.join(SOURCES, source)], check=True
    )
    return os.path.abspath(name)


def inlined(title, path, *options):
    """Checks functions, lines and inlined calls, in JSON and in the text."""
    shown = tool("show", "--json", *options, path)
    frames = json.loads(shown.stdout)["crash"]["frames"]
    good = len(frames) >= 4 and all(
        frame.get("function", "").startswith(function)
        and frame.get("line") == line
        and frame["file"].endswith("inlined.cpp")
        and frame.get("inlined", False) == (i < 2)
        for i, (frame, (function, line)) in enumerate(zip(frames, INLINED))
    )
    check(good, f"{title}: {[(frame.get('function'), frame.get('line')) for frame in frames[:4]]}")
    text = tool("show", *options, path).stdout
    check(
        all(
            re.search(rf"{re.escape(function)}.* at \S*inlined.cpp:{line}\b", text)
            for function, line in INLINED
        ),
        f"{title}, in the text",
    )


def rebuilt_in_place():
    """Shows a snapshot of a stripped program, whose debug file is elsewhere, after another program
    has replaced it."""
    program = build("g++", "shop", "inlined.cpp", "-O2", "-g", "-Wl,--build-id")
    notes = subprocess.run(["readelf", "-n", program], capture_output=True, text=True).stdout
    build_id = re.search(r"Build ID: (\w+)", notes).group(1)
    kept = f"debug/.build-id/{build_id[:2]}/{build_id[2:]}"
    os.makedirs(os.path.dirname(kept))
    subprocess.run(["objcopy", "--only-keep-debug", program, f"{kept}.debug"], check=True)
    subprocess.run(["strip", program], check=True)
    path = die("./shop")
    if not path:
        return
    inlined("separate debug file", path, "--symbols", "debug")
    shutil.copy(program, kept)
    build("g++", "shop", "inlined.cpp", "-O0", "-g", "-Wl,--build-id")
    inlined("rebuilt in place", path, "--symbols", "debug")
    text = tool("show", path).stdout
    check(
        "shop::" not in text and "inlined.cpp" not in text,
        "without the files: no name rather than that of the program that is there now",
    )
    os.unlink(kept)
    # No copy of the program that ran is left, but the recorder has already found the frames in it.
    inlined("rebuilt in place, with the debug file alone", path, "--symbols", "debug")


def compressed_with_zstd():
    """Debugging information that elfutils may be too old to read is read, or one line says why
    not."""
    program = build("gcc", "zstd", "crashes.c", "-O2", "-g")
    packed = subprocess.run(
        ["objcopy", "--compress-debug-sections=zstd", program], capture_output=True, check=False
    )
    if packed.returncode:
        print("not tested: objcopy cannot compress with zstd")
        return
    path = die("./zstd", "crash")
    shown = tool("show", path)
    lines = [line for line in shown.stderr.splitlines() if "compressed with zstd" in line]
    check(
        "crashes.c:" in shown.stdout or (len(lines) == 1 and "/zstd: " in lines[0]),
        f"zstd: {shown.stderr}",
    )
    check("leaf" in shown.stdout, "zstd: the symbol table names the functions all the same")


if os.uname().machine != "x86_64" or not shutil.which("g++"):
    skip("the programs that die here are for x86_64, and made by gcc")
os.chdir(folder())
crashes = build("gcc", "crashes", "crashes.c", "-O2", "-fomit-frame-pointer")
for one in CHOSEN or WAYS:
    if one != "rebuilt":
        way(one, crashes)
if not CHOSEN or "rebuilt" in CHOSEN:
    rebuilt_in_place()
    compressed_with_zstd()
done()
