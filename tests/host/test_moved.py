#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that a crash has all frames, with names and offsets, when the program's files are not
where they were: deleted, replaced, in memory only, in another root folder or mount namespace, or
when the code was moved to anonymous memory. Also that who has better files than the recorder sees a
better stack.

    test_moved.py TOOL EMITTER SOURCES KIT TRANSPORT [core]

With `core`, the kernel hands core dumps to `flightrec core`. That is for the test kernel, because
it changes a setting of the machine. Needs root."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

TOOL, EMITTER, SOURCES, KIT = map(os.path.abspath, sys.argv[1:5])
TRANSPORT, CORE = sys.argv[5], "core" in sys.argv[6:]
os.environ["FREC_TOOL"] = TOOL
os.environ["MOVED_SLEEP"] = "50"
sys.path.insert(0, KIT)
from kit import (  # noqa: E402
    Recorder,
    check,
    done,
    events,
    folder,
    report,
    snapshots,
    tool,
    verify,
    wait_for,
)

OWN = ["leaf", "middle", "outer", "main"]
LIBRARY = ["library_leaf", "library_middle", "library_crash", "main"]


def skip(why):
    print("skipped: " + why)
    sys.exit(1 if os.environ.get("FREC_REQUIRE_KERNEL") else 77)


if os.geteuid():
    skip("only root may enter other root folders and mount namespaces")


def build(name, *options):
    subprocess.run(
        ["cc", "-O1", "-g", "-w", "-fno-optimize-sibling-calls", *options, "-o", name]
        + [os.path.join(SOURCES, "moved.c")],
        check=True,
    )
    return os.path.abspath(name)


if CORE:
    installed = tool("core", "--install", "--until-reboot")
    check(not installed.returncode, f"flightrec core is installed {installed.stderr}")
os.chdir(folder())
BUILT = build("built")
BUILT_STATIC = build("static", "-static")
BUILT_PLAIN = build("plain", "-Wl,--build-id=none")
BUILT_BIG = build("big", "-DMOVED_BIG")
BUILT_LIBRARY = build("library.so", "-shared", "-fPIC", "-DMOVED_LIBRARY")
# What an upgrade installs: other addresses, and the same path.
NEWER = build("newer", "-DMOVED_NEWER", "-Wl,--build-id=none")


def addresses(program):
    """Returns [start, end) of each function in the file."""
    lines = subprocess.run(
        ["nm", "-S", "--defined-only", program], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    words = [line.split() for line in lines]
    return {
        w[3]: (int(w[0], 16), int(w[0], 16) + int(w[1], 16))
        for w in words
        if len(w) == 4 and w[2] in "tT"
    }


def run(*command):
    output = folder()
    ran = tool("run", "--transport", TRANSPORT, "-o", output, "--", *command, timeout=200)
    if any(
        words in ran.stderr
        for words in (
            "no right to record",
            "cannot be loaded (Operation not permitted)",
            "no breakpoints at the sites",
            "has no user_events",
            "CONFIG_PERF_EVENTS",
        )
    ):
        skip(ran.stderr.strip())
    files = snapshots(output)
    if len(files) != 1:
        print(ran.stderr)
    return files[0] if len(files) == 1 else None


def crash(way, wanted, program, *command):
    """Runs a command that crashes, and checks the snapshot. `program` is a copy of the file that
    the innermost function is in."""
    check_crash(way, wanted, program, run(*command))


def check_crash(way, wanted, program, path):
    check(path, f"{way}: one snapshot")
    if not path:
        return
    frames = report(path)["crash"].get("frames", [])
    names = [frame.get("function", frame["address"]) for frame in frames]
    check(names[: len(wanted)] == wanted, f"{way}: {' < '.join(names)}")
    known = addresses(program)
    for frame, name in zip(frames, wanted):
        if name in known:
            start, end = known[name]
            check(start <= int(frame["address"], 16) <= end, f"{way}: {name} at {frame['address']}")
    text = tool("show", path).stdout
    check(all(re.search(rf"#\d+ .*\b{name}\+0x", text) for name in wanted), f"{way}: in the text")
    verify(path)
    check_pprof(way, path, frames)


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


def check_pprof(way, path, frames):
    """Each address is in its mapping, and the mapping says where it is in the file."""
    made = os.path.join(folder(), "made.pprof")
    tool("export", "-f", "pprof", "--compress", "gzip", "-o", made + ".gz", path)
    with gzip.open(made + ".gz") as file:
        data = file.read()
    parts = [(number, dict(fields(part))) for number, part in fields(data) if number in (3, 4)]
    mappings = {part[1]: part for number, part in parts if number == 3}
    found = set()
    for number, part in parts:
        if number == 4 and part.get(2):
            mapping, address = mappings[part[2]], part.get(3, 0)
            start, limit = mapping.get(2, 0), mapping.get(3, 0)
            if limit and not start <= address < limit:
                check(False, f"{way}: pprof: {address:#x} is in {start:#x}-{limit:#x}")
            found.add(address - start + mapping.get(4, 0))
    # The linker makes the addresses of the text segment equal to their offsets in the file, except
    # in a program for fixed addresses.
    offsets = {int(frame["address"], 16) & 0x3FFFFF for frame in frames[2:4]}
    check(offsets <= found, f"{way}: pprof: {[hex(offset) for offset in offsets]}")


def fresh(source, name):
    """Returns a copy of a file, which the program may delete or replace."""
    path = os.path.join(folder(), name)
    shutil.copy(source, path)
    return path


def shell(script, *arguments):
    return ["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh", *arguments]


def check_emitter(way, files):
    check_crash(way, OWN, EMITTER, files[0] if len(files) == 1 else None)
    for event in events(files[0]) if files else []:
        if event["event"] != "moved:fired" or "stack" not in event:
            continue
        names = [frame.get("function") for frame in event["stack"]]
        check(
            "middle" in names and names[names.index("middle") + 2 :][:1] == ["main"],
            f"{way}: the event's stack: {names}",
        )


crash("in its place", OWN, BUILT, fresh(BUILT, "m"), "none")
crash("deleted", OWN, BUILT, fresh(BUILT, "m"), "deleted")
crash("deleted, without a build-id", OWN, BUILT_PLAIN, fresh(BUILT_PLAIN, "m"), "deleted")
crash("deleted, a large program", OWN, BUILT_BIG, fresh(BUILT_BIG, "m"), "deleted")
crash("replaced", OWN, BUILT, fresh(BUILT, "m"), "replaced", fresh(NEWER, "n"))
crash(
    "replaced, without a build-id",
    OWN,
    BUILT_PLAIN,
    fresh(BUILT_PLAIN, "m"),
    "replaced",
    fresh(NEWER, "n"),
)
crash("a deleted library", LIBRARY, BUILT_LIBRARY, BUILT, "library", fresh(BUILT_LIBRARY, "l.so"))
crash("a library in memory", LIBRARY, BUILT_LIBRARY, BUILT, "memory", BUILT_LIBRARY)
crash(
    "a program in memory",
    OWN,
    BUILT,
    sys.executable,
    "-c",
    "import os, sys; to = os.memfd_create('program');"
    "os.write(to, open(sys.argv[1], 'rb').read()); os.execve(to, ['program', 'none'], os.environ)",
    BUILT,
)
root = folder()
shutil.copy(BUILT_STATIC, os.path.join(root, "moved"))
crash("another root folder", OWN, BUILT_STATIC, "chroot", root, "/moved", "none")
crash("a root folder entered later", OWN, BUILT, BUILT, "root", root)
crash(
    "another mount namespace",
    OWN,
    BUILT,
    *shell('mount -t tmpfs none "$1"; cp "$2" "$1/moved"; exec "$1/moved" none', folder(), BUILT),
)
# Another program is at the same path outside.
covered = folder()
shutil.copy(NEWER, os.path.join(covered, "moved"))
crash(
    "another file at the same path",
    OWN,
    BUILT_PLAIN,
    *shell(
        'mount -t tmpfs none "$1"; cp "$2" "$1/moved"; exec "$1/moved" none', covered, BUILT_PLAIN
    ),
)
if "overlay" in open("/proc/filesystems", encoding="utf-8").read():
    crash(
        "an overlay",
        OWN,
        BUILT,
        *shell(
            'mount -t tmpfs none "$1"; mkdir "$1/l" "$1/u" "$1/w" "$1/m"; cp "$2" "$1/l/moved";'
            'mount -t overlay -o "lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" overlay "$1/m";'
            'exec "$1/m/moved" deleted',
            folder(),
            BUILT,
        ),
    )
if os.uname().machine == "x86_64":
    crash("code in anonymous memory", OWN, BUILT, BUILT, "anonymous")
    crash("code that was moved", OWN, BUILT, BUILT, "moved")

# Services that emit events, under a recorder of the whole machine, and with one of their own.
service, output = fresh(EMITTER, "m"), folder()
EVENTS = "moved:*" if TRANSPORT == "shm" else "moved:*/stack=dwarf/"
if TRANSPORT == "usdt":
    recorder = Recorder("--transport", TRANSPORT, "-e", EVENTS)
    subprocess.run([service, "deleted"], check=False, env={**os.environ, "MOVED_SLEEP": "1000"})
    wait_for(lambda: snapshots(recorder.folder))
    recorder.stop()
    check_emitter("under flightrec record", snapshots(recorder.folder))
service = fresh(EMITTER, "m")
subprocess.run(
    [service, "deleted"],
    check=False,
    env={**os.environ, "KEEPER": TOOL, "FOLDER": output, "TRANSPORT": TRANSPORT, "EVENTS": EVENTS},
)
wait_for(lambda: snapshots(output))
check_emitter("with a recorder of its own", snapshots(output))

# Without tables the recorder finds one frame. Whoever has the symbols finds all of them.
stripped = build("stripped", "-fno-asynchronous-unwind-tables", "-fomit-frame-pointer")
symbols = folder()
note = subprocess.run(["readelf", "-n", stripped], capture_output=True, text=True, check=True)
build_id = re.search("Build ID: ([0-9a-f]+)", note.stdout)[1]
os.makedirs(os.path.join(symbols, ".build-id", build_id[:2]))
debug = os.path.join(symbols, ".build-id", build_id[:2], build_id[2:] + ".debug")
subprocess.run(["objcopy", "--only-keep-debug", stripped, debug], check=True)
subprocess.run(["strip", "-R", ".eh_frame", "-R", ".eh_frame_hdr", stripped], check=True)
path = run(stripped, "none")
check(path, "no tables: one snapshot")
if path:
    bad = report(path)["crash"]
    check("main" not in str(bad["frames"]), f"no tables: {len(bad['frames'])} frames")
    good = json.loads(tool("show", "--json", "--symbols", symbols, path).stdout)["crash"]
    names = [frame.get("function", frame["address"]) for frame in good["frames"]]
    check(names[:4] == OWN, f"no tables, but symbols later: {' < '.join(names)}")
    check(good["frames_end"] == "complete", f"no tables, but symbols later: {good['frames_end']}")
    folded = tool("export", "-f", "folded", "--symbols", symbols, "-o", "-", path).stdout
    check("main;outer;middle;leaf" in folded, "no tables, but symbols later: folded")

done()
