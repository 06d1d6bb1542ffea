# Proves that stacks which the recorder unwinds when it writes a file are right, that they stay
# right when the program is rebuilt in place, and that with --drop-stack-bytes the file has none of
# the bytes of the stack.
#
# 	test_unwound.py TOOL STACKED SOURCES KIT
import ctypes
import json
import os
import shutil
import subprocess
import sys

TOOL, STACKED, SOURCES, KIT = sys.argv[1:5]
os.environ["FREC_TOOL"] = TOOL
sys.path.insert(0, KIT)
from kit import (
    Recorder,
    check,
    done,
    folder,
    report,
    snapshots,
    tool,
    verify,
    wait_for,
)  # noqa: E402

ZSTD = ctypes.CDLL("libzstd.so.1")
PROCESS, RECORDS, THREAD_STACK, KERNEL_SYMBOLS = 3, 6, 11, 12


def skip(why):
    print("skipped: " + why)
    sys.exit(1 if os.environ.get("FREC_REQUIRE_KERNEL") else 77)


def fields(data):
    """Yields the fields of a protobuf message: the field's number, and an integer or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        size = {1: 8, 2: 0, 5: 4}[tag & 7] or varint()
        yield tag >> 3, data[at : at + size]
        at += size


def first(message, number, default=None):
    return next((value for found, value in fields(message) if found == number), default)


def parts(path):
    """Yields (number, bytes) of each part of a file. Compressed records have their plain bytes
    appended."""
    with open(path, "rb") as file:
        data = file.read()
    for number, part in fields(data):
        if number == RECORDS and first(part, 7) is not None:
            packed, plain = first(part, 7), ctypes.create_string_buffer(first(part, 5))
            assert ZSTD.ZSTD_decompress(plain, len(plain), packed, len(packed)) == len(plain)
            part += plain.raw
        yield number, part


def holds(path, secret):
    """Returns how many parts contain any 8 bytes of the secret."""
    pieces = [secret[i : i + 8] for i in range(0, len(secret), 8)]
    return sum(any(piece in part for piece in pieces) for _, part in parts(path))


def varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def functions(path, program):
    """Returns the functions on the file's only ThreadStack, with their names according to nm from
    the program as it is now. Frames in other files are left out."""
    (stack,) = [part for number, part in parts(path) if number == THREAD_STACK]
    pid, pcs = first(stack, 1), list(varints(first(first(stack, 5), 1, b"")))
    (process,) = [
        part for number, part in parts(path) if number == PROCESS and first(part, 1) == pid
    ]
    maps = [
        part
        for number, part in fields(process)
        if number == 10 and first(part, 4) == program.encode()
    ]
    symbols = []
    for line in subprocess.run(
        ["nm", "-S", program], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tT":
            symbols.append((int(words[0], 16), int(words[1], 16), words[3]))
    found = []
    for place, pc in enumerate(pcs):
        at = pc - (place != 0)
        for part in maps:
            if first(part, 1) <= at < first(part, 2):
                # The linker makes the address of the text segment equal to its offset in the file.
                address = at - first(part, 1) + first(part, 3, 0)
                found += [name for start, size, name in symbols if start <= address < start + size]
    return found


def crash(program, *arguments, options=()):
    out = folder()
    result = tool(
        "run",
        "-e",
        "nobody:*",
        "--transport",
        "usdt",
        "-o",
        out,
        *options,
        "--",
        program,
        *arguments,
    )
    files = snapshots(out)
    if not files and any(
        words in result.stderr
        for words in ("no right to record", "Operation not permitted", "CONFIG_PERF_EVENTS")
    ):
        skip(result.stderr.strip())
    check(len(files) == 1, f"one snapshot {result.stderr.strip()}")
    verify(files[0])
    return files[0]


def shown(path):
    return [
        int(line.split()[1], 16)
        for line in tool("show", path).stdout.splitlines()
        if line.startswith("  #")
    ]


if not shutil.which("cc") or not shutil.which("nm"):
    skip("no compiler")
work = folder()


def build(name, source, *flags):
    path = os.path.join(work, name)
    subprocess.run(
        ["cc", "-O1", "-fomit-frame-pointer", *flags, "-o", path, source, "-lpthread"], check=True
    )
    return path


CRASHES = os.path.join(SOURCES, "unwind", "crashes.c")
KNOWN = {
    "crash": ["leaf", "crash", "middle", "outer", "main"],
    "null": ["jump_to_null", "middle", "outer", "main"],
    "handler": ["leaf", "crash", "handler", "interrupted", "in_handler", "middle", "outer", "main"],
    "alloca": ["leaf", "crash", "with_alloca", "through_alloca", "middle", "outer", "main"],
    "thread": ["leaf", "crash", "middle", "thread"],
}
for way, names in KNOWN.items():
    print(f"== {way}", flush=True)
    program = build("crashes", CRASHES)
    path = crash(program, way)
    found = [name for name in functions(path, program) if name != "_start"]
    check(found == names, f"the file has the frames {found}")
    before = shown(path)
    # The program is rebuilt in place, with other addresses and sizes of all functions, so the stack
    # that was recorded can no longer be unwound.
    build("crashes", CRASHES, "-O0", "-fno-asynchronous-unwind-tables")
    check(
        len(before) >= len(names) and shown(path) == before,
        f"after the program was rebuilt in place {len(shown(path))} of {len(before)} frames",
    )

print("== overflow", flush=True)
program = build("crashes", CRASHES)
found = functions(crash(program, "overflow"), program)
check(
    len(found) > 3 and set(found) == {"recurse"}, f"frames of a stack that overflowed: {len(found)}"
)

secretive = build("secretive", os.path.join(SOURCES, "host", "secretive.c"), "-fno-stack-protector")
for way in "crash", "overflow", "smash":
    print(f"== secrets: {way}", flush=True)
    secret, place = os.urandom(64), os.path.join(work, "secret")
    with open(place, "wb") as file:
        file.write(secret)
    check(
        holds(crash(secretive, place, way), secret) > 0, "a file with stack bytes holds the secret"
    )
    path = crash(secretive, place, way, options=["--drop-stack-bytes"])
    check(holds(path, secret) == 0, "a file without them does not")
    found = functions(path, secretive)
    expected = {
        "crash": ["crash", "keep", "main"],
        "overflow": ["overflow", "overflow", "overflow"],
        "smash": ["smash"],
    }[way]
    check(found[: len(expected)] == expected, f"and has the frames {found[:4]}")
    check(report(path)["crash"]["registers"], "registers")

print("== events", flush=True)
if STACKED != "-":
    for options in [], ["--drop-stack-bytes"]:
        recorder = Recorder(
            "--transport",
            "usdt",
            "-e",
            "stacked:*/stack=dwarf/",
            "-e",
            "signal:signal_generate/stack=dwarf/",
            *options,
        )
        program = subprocess.Popen(
            [STACKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        mark = json.loads(program.stdout.readline())["mark"].to_bytes(8, "little")

        def ask(line):
            program.stdin.write(line + "\n")
            program.stdin.flush()
            return int(program.stdout.readline())

        check(wait_for(lambda: ask("on?")), "the event is on")
        for _ in range(20):
            ask("fire")
        result = tool("trigger", "stacks", "--socket", recorder.socket)
        check(result.returncode == 0, f"a snapshot {result.stderr.strip()}")
        (path,) = snapshots(recorder.folder)
        verify(path)
        check(
            bool(holds(path, mark)) == (not options),
            f"the mark on the stack is {'not ' if options else ''}in the file {options}",
        )
        text = tool("export", "-f", "json", "-o", "-", path).stdout
        events = [json.loads(line) for line in text.splitlines()]
        ours = [event for event in events if event["pid"] == program.pid]
        for name in "stacked:fired", "signal:signal_generate":
            stacks = [
                " ".join(frame.get("function", "?") for frame in event.get("stack", []))
                for event in ours
                if event["event"] == name
            ]
            good = [
                stack
                for stack in stacks
                if 0
                < stack.find("leaf")
                < stack.find("middle")
                < stack.find("outer")
                < stack.find("main")
            ]
            check(
                len(good) == len(stacks) == 20,
                f"{name}: {len(good)} of {len(stacks)} stacks "
                f"{stacks[:1] if len(good) < 20 else ''}",
            )
        program.stdin.close()
        program.wait()
        check(recorder.stop() == 0, f"the recorder ends well {recorder.errors.strip()}")

    print("== an embedded recorder", flush=True)
    for drop in "", ",drop":
        out = folder()
        program = subprocess.Popen(
            [STACKED, TOOL, out, "8192" + drop],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        program.stdout.readline()
        ask("fire")
        check(ask("trigger") == 0, "it is asked for a snapshot")
        path = wait_for(lambda: snapshots(out))[0]
        program.stdin.close()
        program.wait()
        verify(path)
        check(
            bool(holds(path, mark)) == (not drop),
            f"the mark is {'not ' if drop else ''}in the file",
        )

    print("== kernel", flush=True)
    recorder = Recorder("--transport", "usdt", "-e", "signal:signal_generate/stack=kernel/")
    program = subprocess.Popen([STACKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    program.stdout.readline()
    ask("fire")
    check(tool("trigger", "kernel", "--socket", recorder.socket).returncode == 0, "a snapshot")
    (path,) = snapshots(recorder.folder)
    verify(path)
    (part,) = [part for number, part in parts(path) if number == KERNEL_SYMBOLS]
    told = {
        first(symbol, 2, b"").decode(): first(symbol, 1)
        for number, symbol in fields(part)
        if number == 1
    }
    with open("/proc/kallsyms") as file:
        known = {(int(line.split()[0], 16), line.split()[2]) for line in file}
    wrong = [name for name, address in told.items() if name and (address, name) not in known]
    check(told and not wrong, f"{len(told)} functions of the kernel, as it calls them {wrong}")
    lines = tool("export", "-f", "json", "-o", "-", path).stdout.splitlines()
    ours = [event for event in map(json.loads, lines) if event["pid"] == program.pid]
    check(
        len(ours) == 1 and "sys_kill" in str(ours[0].get("stack")),
        f"the kernel's part of a stack has names {str(ours)[:300]}",
    )
    program.stdin.close()
    program.wait()
    recorder.stop()
done()
