#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that the stacks of programs that crash in many ways have the expected frames and names,
and that libdwfl finds the same frames. The programs are compiled here.

    test_unwind.py UNWIND_CRASH SOURCES"""
import ctypes
import http.server
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

TOOL, SOURCES = map(os.path.abspath, sys.argv[1:3])
END = ["middle", "outer", "main"]
checks = failures = 0


def check(condition, what, output=""):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAILED: {what}\n{output}")


def build(compiler, name, source, *options):
    subprocess.run(
        [compiler, *options, "-w", "-o", name, os.path.join(SOURCES, source)], check=True
    )
    return os.path.join(os.getcwd(), name)


def crash(*arguments, **environment):
    run = subprocess.run(
        [TOOL, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **environment},
    )
    if run.returncode:
        print(f"{arguments}: exit status {run.returncode}: {run.stderr}")
    return run.stdout


def functions(output):
    """Returns the names of the functions, innermost first, without addresses."""
    found = []
    for line in output.splitlines():
        match = re.match(
            r"#\d+ \S+(?: signal)? ((?:.(?! at \S+:\d+:\d+| in \S+| \[inlined\]))*.)", line
        )
        if match:
            found.append(re.sub(r"\+0x[0-9a-f]+$", "", match.group(1)))
    return found


def expect(title, output, *wanted, reason="complete", libdwfl=True):
    """Checks that the stack has the functions `wanted` in this order, the first one on top."""
    names = functions(output)
    rest = iter(names)
    check(
        all(name in rest for name in wanted) and names[:1] == [wanted[0]],
        f"{title}: not {wanted}",
        output,
    )
    lines = output.splitlines()
    end = [line for line in lines if not re.match(r"#|as libdwfl|libdwfl:|ours:", line)]
    check(
        len(end) == 1 and re.search(reason, end[0]), f"{title}: does not end with: {reason}", output
    )
    if libdwfl:
        check("as libdwfl: 1 of 1" in output, f"{title}: libdwfl has other frames", output)


def ways(program, title):
    run = lambda way, *options: crash(*options, "--", program, way)
    expect(f"{title}, crash", run("crash"), "leaf", "crash", *END, "_start")
    expect(
        f"{title}, alloca", run("alloca"), "leaf", "crash", "with_alloca", "through_alloca", *END
    )
    expect(f"{title}, aligned", run("aligned"), "leaf", "crash", "aligned", "through_aligned", *END)
    # libdwfl follows the frame pointer wherever that points, so its stacks are not compared here.
    expect(f"{title}, null", run("null"), "0x0", "jump_to_null", *END, libdwfl=False)
    expect(f"{title}, wild", run("wild"), "0x123456789000", "jump_wild", *END, libdwfl=False)
    expect(
        f"{title}, recursion", run("recursion"), *["leaf", "crash"], *["recurse_deep"] * 101, *END
    )
    expect(
        f"{title}, overflow",
        run("overflow"),
        "recurse",
        "recurse",
        "recurse",
        reason="the recorded stack ends below 0x7ff",
    )
    expect(
        f"{title}, handler",
        run("handler"),
        "leaf",
        "crash",
        "handler",
        "__restore_rt",
        "interrupted",
        "in_handler",
        *END,
    )
    # libdwfl does not support this case.
    expect(
        f"{title}, undescribed handler",
        run("undescribed"),
        "leaf",
        "crash",
        "handler",
        "undescribed_return",
        "interrupted",
        "undescribed_handler",
        *END,
        libdwfl=False,
    )
    expect(f"{title}, fault", run("fault"), "faults_at_once", "faulting", *END)
    expect(
        f"{title}, altstack",
        run("altstack"),
        "leaf",
        "crash",
        "handler",
        "__restore_rt",
        reason="is not in the recorded stack",
    )
    output = run("free")
    expect(
        f"{title}, free", output, (functions(output) or [""])[0], "abort", "free", "bad_free", *END
    )
    output = run("string")
    expect(f"{title}, string", output, (functions(output) or [""])[0], "bad_string", *END)
    output = run("copy")
    top = functions(output)[0]
    expect(f"{title}, copy", output, top, "bad_copy", *END)
    check(re.match("_*mem(cpy|move)", top), f"{title}, copy: in {top}", output)
    expect(
        f"{title}, coroutine",
        run("coroutine"),
        "leaf",
        "crash",
        "middle",
        "coroutine",
        "__start_context",
    )
    output = run("thread")
    expect(f"{title}, thread", output, "leaf", "crash", "middle", "thread")
    check("main" not in functions(output), f"{title}, thread: it is not main's stack", output)
    output = run("jit")
    expect(f"{title}, jit", output, "leaf", "crash", "made_at_run_time", *END)
    check(
        re.search(r"#3 frame-pointer made_at_run_time", output), f"{title}, jit: not marked", output
    )
    output = run("smash")
    expect(
        f"{title}, smash",
        output,
        "smashed",
        reason="no call frame information at 0x4141414141414141",
    )
    for way, top in ("crash", "leaf"), ("overflow", "recurse"):
        output = run(way, "--bytes", "0")
        expect(
            f"{title}, {way} without a stack",
            output,
            top,
            reason="the recorded stack ends below",
            libdwfl=False,
        )
        check(
            len(functions(output)) == 1,
            f"{title}, {way} without a stack: frames from nowhere",
            output,
        )
    expect(
        f"{title}, little stack",
        run("crash", "--bytes", "64"),
        "leaf",
        "crash",
        "middle",
        reason="the recorded stack ends below",
    )


def steps(program):
    """Checks that the stack leads to main at every instruction in libc, the loader and the vDSO.
    With libdwfl it sometimes does not."""
    output = crash("--steps", "6000", "--", program, "steps")
    lines = [
        line for line in output.splitlines() if not re.match(r"as libdwfl|libdwfl:|ours:", line)
    ]
    good = [
        line
        for line in lines
        if re.search(r"many_calls < stepping < middle < outer < main < .*: complete$", line)
    ]
    before = next(i for i, line in enumerate(lines) if "many_calls" in line)
    last = max(i for i, line in enumerate(lines) if "many_calls" in line)
    check(len(lines) == 6001, f"steps: {len(lines)} stacks instead of 6001")
    check(
        len(good) == last - before + 1,
        "steps: a stack that does not lead to main",
        "\n".join(line for line in lines[before:last] if line not in good)[:2000],
    )
    for what in "strtol", "_dl_fixup", "qsort", "compare", "__vdso_clock_gettime":
        check(any(what in line for line in good), f"steps: never in {what}")
    # memcpy is chosen from several functions when the program starts, so the slot of its stub names
    # no symbol. The stub is named all the same.
    for what in "strlen@plt < many_calls", "memcpy@plt < ":
        check(any(line.startswith(what) for line in good), f"steps: no stub {what}")
    same = int(re.search(r"as libdwfl: (\d+) of", output).group(1))
    check(same > 5850, f"steps: as libdwfl: {same}")
    theirs = dict(
        zip(
            re.findall(r"^libdwfl:(.*)$", output, re.M), re.findall(r"^ours:   (.*)$", output, re.M)
        )
    )
    check(
        not any(len(their.split()) > len(our.split()) for their, our in theirs.items()),
        "steps: libdwfl comes further",
        str(theirs)[:2000],
    )


INLINED = [
    r"#0 top shop::basket<int>::price\(int const\*\) const \[inlined\] at \S*inlined.cpp:12:\d+",
    r"#0 top shop::basket<int>::total\(int const\*\) const \[inlined\] at \S*inlined.cpp:16:\d+",
    r"#0 top shop::checkout\(.*std::.*string.*, int const\*\)\+0x[0-9a-f]+ "
    r"at \S*inlined.cpp:25:\d+ in \S+( \(unverified\))?$",
    r"#1 cfi main\+0x[0-9a-f]+ at \S*inlined.cpp:31:\d+ in \S+( \(unverified\))?$",
]


def inlined(title, output, count=4):
    lines = output.splitlines()
    check(
        len(lines) >= count
        and all(re.match(want, line) for want, line in zip(INLINED[:count], lines)),
        f"{title}: not the names that were inlined",
        output,
    )


def names(compiler):
    program = build(compiler, "inlined", "inlined.cpp", "-O2", "-g", "-Wl,--build-id")
    inlined(compiler, crash("--", program))
    build_id = re.search(
        r"Build ID: (\w+)",
        subprocess.run(["readelf", "-n", program], capture_output=True, text=True).stdout,
    ).group(1)
    folder = f"debug/.build-id/{build_id[:2]}"
    os.makedirs(folder)
    debug = f"{folder}/{build_id[2:]}.debug"
    subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
    stripped = shutil.copy(program, "stripped")
    subprocess.run(["strip", stripped], check=True)

    output = crash("--", "./stripped")
    check(
        "shop" not in output and "(unverified)" not in output,
        f"{compiler}: names of a stripped program",
        output,
    )
    inlined(f"{compiler}, separate file", crash("--folder", "debug", "--", "./stripped"))

    # After the crash, another program replaces the one that crashed.
    build(
        compiler,
        "other",
        "crashes.c" if compiler in ("gcc", "clang") else "inlined.cpp",
        "-O1",
        "-Wl,--build-id",
    )
    shutil.copy("stripped", "replaced")
    output = crash("--folder", "debug", "--then", "mv other replaced", "--", "./replaced")
    inlined(f"{compiler}, replaced", output, 3)
    check(
        "no call frame information" in output,
        f"{compiler}, replaced: unwound with the wrong file",
        output,
    )
    shutil.copy(
        "stripped", f"{folder}/{build_id[2:]}"
    )  # where debuginfod or a package of an old version puts it
    shutil.copy("stripped", "replaced")
    output = crash("--folder", "debug", "--then", "rm replaced", "--", "./replaced")
    inlined(f"{compiler}, kept elsewhere", output)
    os.unlink(f"{folder}/{build_id[2:]}")
    shutil.copy("stripped", "replaced")
    build(compiler, "other", "inlined.cpp", "-O0", "-g", "-Wl,--build-id")
    output = crash("--then", "mv other replaced", "--", "./replaced")
    check(
        "shop" not in output and "another build-id" in output,
        f"{compiler}: names of another program",
        output,
    )
    shutil.copy("stripped", "replaced")
    output = crash("--folder", "debug", "--then", "rm replaced", "--", "./replaced")
    inlined(f"{compiler}, deleted", output, 3)
    output = crash("--no-ids", "--", program)
    check(
        re.search(r"main\+0x[0-9a-f]+ at \S+ in \S+ \(unverified\)", output),
        f"{compiler}: not marked",
        output,
    )

    # A debug file that .gnu_debuglink names is used if it has the program's build-id or, in a
    # program without one, the right checksum.
    for link in "linked", "linked.without":
        build(
            compiler,
            link,
            "inlined.cpp",
            "-O2",
            "-g",
            "-Wl,--build-id" if link == "linked" else "-Wl,--build-id=none",
        )
        os.makedirs(".debug", exist_ok=True)
        subprocess.run(["objcopy", "--only-keep-debug", link, f".debug/{link}.debug"], check=True)
        subprocess.run(["strip", link], check=True)
        subprocess.run(["objcopy", f"--add-gnu-debuglink=.debug/{link}.debug", link], check=True)
        inlined(f"{compiler}, {link}", crash("--", f"./{link}"))
        if link == "linked":
            shutil.copy(debug, f".debug/{link}.debug")  # the same source, so the same build-id
            inlined(f"{compiler}, {link}, by build-id", crash("--", f"./{link}"))
        else:
            with open(f".debug/{link}.debug", "ab") as file:
                file.write(b"x")
            output = crash("--", f"./{link}")
            check("shop" not in output, f"{compiler}: a debug file with another checksum", output)
    os.rename("debug", f"debug-{compiler}")


def build_id_of(program):
    notes = subprocess.run(["readelf", "-n", program], capture_output=True, text=True).stdout
    return re.search(r"Build ID: (\w+)", notes).group(1)


def split(compiler):
    """.dwo files are used only if they belong to the program and no other user can change them."""
    program = build(
        compiler, "split", "inlined.cpp", "-O2", "-g", "-gsplit-dwarf", "-Wl,--build-id"
    )
    inlined(f"{compiler}, split", crash("--", program))
    files = [name for name in os.listdir(".") if name.endswith(".dwo")]
    check(len(files) == 1, f"{compiler}, split: {files}")
    os.chmod(files[0], 0o666)
    output = crash("--", program)
    check(
        "inlined.cpp:" in output and "[inlined]" not in output,
        f"{compiler}: a .dwo that others can write to",
        output,
    )
    os.unlink(files[0])
    build(compiler, "split-other", "inlined.cpp", "-O1", "-g", "-gsplit-dwarf", "-DOTHER")
    for name in os.listdir("."):
        if name.endswith(".dwo"):
            os.rename(name, files[0])
    output = crash("--", program)
    check(
        "inlined.cpp:" in output and "[inlined]" not in output,
        f"{compiler}: the .dwo of another program",
        output,
    )
    os.unlink(files[0])
    os.mkfifo(files[0])
    output = crash("--", program)
    check("inlined.cpp:" in output, f"{compiler}: a .dwo that is a pipe", output)
    os.unlink(files[0])


def separate(name, folder, level="-O2"):
    """Builds a program and puts a copy of its debugging information below `folder`, in a file named
    by its build-id. The caller strips the program."""
    program = build("g++", name, "inlined.cpp", level, "-g", "-Wl,--build-id")
    build_id = build_id_of(program)
    debug = f"{folder}/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    os.makedirs(os.path.dirname(debug))
    subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
    return program, debug, build_id


def shared_by_dwz():
    """dwz moves what several debug files share into a common file. That file is found by its
    build-id, or by the path to it in the debug files."""
    if not shutil.which("dwz"):
        print("not tested: there is no dwz")
        return
    program, debug, _ = separate("shared", "dwz")
    _, other, _ = separate("shared-other", "dwz", "-O1")
    os.makedirs("dwz/.dwz")
    subprocess.run(
        ["dwz", "-m", "dwz/.dwz/common", "-M", "../../.dwz/common", debug, other], check=True
    )
    subprocess.run(["strip", program], check=True)
    inlined("dwz, by path", crash("--folder", "dwz", "--", program))
    build_id = build_id_of("dwz/.dwz/common")
    os.makedirs(f"dwz/.build-id/{build_id[:2]}", exist_ok=True)
    os.rename("dwz/.dwz/common", f"dwz/.build-id/{build_id[:2]}/{build_id[2:]}.debug")
    inlined("dwz, by build-id", crash("--folder", "dwz", "--", program))
    os.unlink(f"dwz/.build-id/{build_id[:2]}/{build_id[2:]}.debug")
    output = crash("--folder", "dwz", "--", program)
    check(
        "inlined.cpp:" in output and "[inlined]" not in output,
        "dwz, without the common file",
        output,
    )


def from_server():
    """A debuginfod server has the program, which is removed after the crash, and its debug file."""
    try:
        ctypes.CDLL("libdebuginfod.so.1")
    except OSError:
        print("not tested: there is no libdebuginfod")
        return
    program, debug, build_id = separate("served", "server")
    subprocess.run(["strip", program], check=True)
    kept = shutil.copy(program, "kept")
    asked, files = [], {
        f"/buildid/{build_id}/debuginfo": debug,
        f"/buildid/{build_id}/executable": kept,
    }

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if self.path in files else 404)
            self.end_headers()
            if self.path in files:
                with open(files[self.path], "rb") as file:
                    self.wfile.write(file.read())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}",
        "DEBUGINFOD_CACHE_PATH": os.path.abspath("cache"),
    }
    crash("--then", f"rm {program}", "--", program, **environment)
    check(not asked, f"debuginfod: asked without being told to: {asked}")
    shutil.copy(kept, program)
    inlined(
        "debuginfod", crash("--debuginfod", "--then", f"rm {program}", "--", program, **environment)
    )
    # A file with another build-id from a server is not used.
    shutil.copy(kept, program)
    files = {path: build("g++", "liar", "inlined.cpp", "-O0", "-g") for path in files}
    shutil.rmtree("cache")
    output = crash("--debuginfod", "--then", f"rm {program}", "--", program, **environment)
    check("shop" not in output, "debuginfod: a file with another build-id", output)
    server.shutdown()


def rust():
    if not shutil.which("rustc"):
        print("not tested: there is no rustc")
        return
    subprocess.run(
        [
            "rustc",
            "-g",
            "-O",
            "-C",
            "symbol-mangling-version=v0",
            "-o",
            "rusty",
            os.path.join(SOURCES, "inlined.rs"),
        ],
        check=True,
    )
    output = crash("--", "./rusty")
    for line in (
        r"#0 top inlined::shop::price::<i32> \[inlined\] at \S*inlined.rs:7:",
        r"#0 top <inlined::shop::Basket<i32>>::total\+0x\w+ at \S*inlined.rs:17:",
        r"#1 cfi inlined::main\+0x\w+ at \S*inlined.rs:25:",
    ):
        check(re.search(f"^{line}", output, re.M), f"rust: not {line}", output)


def compressed_symbols():
    """Names functions that only the symbol table inside .gnu_debugdata has."""
    if not shutil.which("xz"):
        return
    program = build("gcc", "mini", "crashes.c", "-O2")
    shutil.copy(program, "mini_debug")
    subprocess.run(["objcopy", "--only-keep-debug", "mini_debug"], check=True)
    subprocess.run(["xz", "-f", "mini_debug"], check=True)
    subprocess.run(["strip", program], check=True)
    subprocess.run(
        ["objcopy", "--add-section", ".gnu_debugdata=mini_debug.xz", program], check=True
    )
    expect("mini-debuginfo", crash("--", program, "crash"), "leaf", "crash", *END)


def main():
    if os.uname().machine != "x86_64":
        print("skipped: the programs that crash here are for x86_64")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for title, options in {
            "gcc": ["gcc", "-O2"],
            "gcc without frame pointers, without .eh_frame": [
                "gcc",
                "-O2",
                "-g",
                "-fomit-frame-pointer",
                "-fno-asynchronous-unwind-tables",
                "-fno-unwind-tables",
            ],
            "gcc with frame pointers": ["gcc", "-O1", "-fno-omit-frame-pointer"],
            "gcc -O0": ["gcc", "-O0"],
            "gcc with stubs": [
                "gcc",
                "-O2",
                "-Wl,-z,lazy",
                "-fcf-protection=full",
                "-fno-pie",
                "-no-pie",
            ],
            "clang": ["clang", "-O2"],
        }.items():
            if shutil.which(options[0]):
                program = build(options[0], "crashes", "crashes.c", *options[1:])
                ways(program, title)
        steps(build("gcc", "crashes", "crashes.c", "-O2", "-Wl,-z,lazy"))
        for compiler in "g++", "clang++":
            if shutil.which(compiler):
                names(compiler)
                split(compiler)
        shared_by_dwz()
        from_server()
        rust()
        compressed_symbols()
    print(f"{checks - failures} of {checks} checks passed")
    return failures != 0


sys.exit(main())
