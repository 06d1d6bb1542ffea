# The public headers in other people's programs: no compiler warns about them, C++ programs can pass
# their own types, and the first line that a compiler prints about a wrong FREC_EVENT says in words
# what is wrong.
#
# 	test_headers.py INCLUDE_FOLDER STATIC_LIBRARY
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

from kit import TOOL, check, done, events, folder, snapshots, tool

INCLUDE, LIBRARY = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
C_WARNINGS = ["-Wdeclaration-after-statement", "-Wc++-compat", "-Wstrict-prototypes"]
CXX_WARNINGS = ["-Wold-style-cast", "-Wzero-as-null-pointer-constant"]

C = [[cc, "-x", "c", f"-std={std}"] for cc in ("gcc", "clang") for std in ("c11", "gnu17")]
CXX = [
    [cc, "-x", "c++", f"-std={std}"]
    for cc in ("g++", "clang++")
    for std in ("c++11", "c++17", "c++20")
]
BOTH = [["gcc", "-x", "c", "-std=c11"], ["clang", "-x", "c", "-std=c11"]]
BOTH += [["g++", "-x", "c++", "-std=c++11"], ["clang++", "-x", "c++", "-std=c++17"]]

MANY = ", ".join(f"FREC_U8(field{i})" for i in range(41))
MORE = ", ".join(f"FREC_U8(field{i})" for i in range(120))
LONG = "n" * 600
KIND = r"FREC_EVENT: .*FREC_U46\(number\).* is no kind of field"
MACRO = "is also a macro, which the preprocessor replaces: choose another name"
IDENTIFIER = "no identifier"
WRONG = [
    ("FREC_EVENT(shop, done, FREC_U64(id), FREC_U46(number));", KIND),
    ("FREC_EVENT(shop, done, FREC_U46(number), FREC_STR(path));", KIND),
    ("FREC_EVENT(shop, done, FREC_STRING(path));", r"FREC_STRING\(path\).* no kind of field"),
    ("FREC_EVENT(shop, done, uint64_t id);", "uint64_t id.* is no kind of field"),
    ("FREC_EVENT(shop, done, FREC_U64(id), );", "is no kind of field"),
    (f"FREC_EVENT(shop, done, {MANY});", "shop:done has too many fields: at most 40"),
    (f"FREC_EVENT(shop, done, {MORE});", "shop:done has too many fields: at most 40"),
    ("FREC_EVENT(shop, done, FREC_I32(errno));", f"the field errno {MACRO}"),
    ("FREC_EVENT(shop, done, FREC_TEXT(errno), FREC_U8(a));", f"the field errno {MACRO}"),
    ("FREC_EVENT(shop, done, FREC_ENUM(errno, 1, 2));", f"the field errno {MACRO}"),
    ("#define width 80\nFREC_EVENT(shop, done, FREC_U8(width));", f"the field width {MACRO}"),
    ("#define shop store\nFREC_EVENT(shop, done);", f"the provider shop {MACRO}"),
    ("#define done finished\nFREC_EVENT(shop, done);", f"the event.*s name, .*{MACRO}"),
    ("FREC_EVENT(shop, errno, FREC_U8(a));", "event.*name.*macro"),
    ("FREC_EVENT(shop, done, FREC_U64(id), FREC_STR(id));", "id_named_twice"),
    ("FREC_EVENT(shop, done, FREC_U64(key_size), FREC_TEXT(key));", "key_size_named_twice"),
    ("FREC_EVENT(shop, done, FREC_U64(order-id));", f"order-id.*{IDENTIFIER}"),
    ("FREC_EVENT(shop, done, FREC_BYTES(2nd));", f"2nd.*{IDENTIFIER}"),
    ("FREC_EVENT(shop, done, FREC_U64(order id));", f"order id.*{IDENTIFIER}"),
    ('FREC_EVENT(shop, done, FREC_U64("id"));', "no_identifier|" + IDENTIFIER),
    ("FREC_EVENT(shop, done, FREC_U64());", IDENTIFIER),
    ("FREC_EVENT(shop, request-done, FREC_U64(id));", f"request-done.*{IDENTIFIER}"),
    ("FREC_EVENT(my.shop, done, FREC_U64(id));", f"my.shop.*{IDENTIFIER}"),
    ('FREC_EVENT("shop", "done", FREC_U64(id));', "identifier"),
    ("FREC_EVENT(shop, done, FREC_I32(short));", "the field short is a keyword"),
    (f"FREC_EVENT(shop, done, FREC_U64({LONG}));", "the names of shop:done .* are too long"),
    (f"FREC_EVENT(shop, {LONG}, FREC_U64(id));", "the names of shop:n* .* are too long"),
    ("FREC_EVENT(shop, done, FREC_CHARS(tag, 1025));", r"FREC_CHARS\(tag\) must be from 1 to 1024"),
]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def first_line(compiler, source):
    result = run(*compiler, f"-I{INCLUDE}", "-fsyntax-only", "-", input=source)
    # gcc prints first which file includes the header.
    lines = re.sub(r"^In file included from .*(,\n +from .*)*:\n", "", result.stderr, flags=re.M)
    return result.returncode, lines.split("\n")[0]


def compile_clean(compiler, source, warnings):
    extra = ["-Wuseless-cast"] if compiler[0] == "g++" else []
    result = run(
        *compiler,
        *WARNINGS,
        *warnings,
        *extra,
        f"-I{INCLUDE}",
        "-O2",
        "-c",
        source,
        "-o",
        "/dev/null",
    )
    return " ".join(compiler), os.path.basename(source), result


missing = {c[0] for c in C + CXX if not shutil.which(c[0])}
for name in sorted(missing):
    print("not installed: " + name)
C, CXX, BOTH = ([c for c in each if c[0] not in missing] for each in (C, CXX, BOTH))
plain, cxx = (os.path.join(HERE, name) for name in ("headers.c", "headers_cxx.cc"))
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    print("== warnings", flush=True)
    jobs = [pool.submit(compile_clean, c, plain, C_WARNINGS) for c in C]
    jobs += [pool.submit(compile_clean, c, s, CXX_WARNINGS) for c in CXX for s in (plain, cxx)]
    for job in jobs:
        compiler, source, result = job.result()
        check(
            result.returncode == 0,
            f"{compiler} does not warn of {source} {result.stderr.strip()[:600]}",
        )

    print("== the first line", flush=True)
    text = "#include <errno.h>\n#include <flightrec/event.h>\n"
    jobs = [(c, w, pool.submit(first_line, c, text + w[0] + "\n")) for w in WRONG for c in BOTH]
    for compiler, (source, wanted), job in jobs:
        status, line = job.result()
        if not (status and re.search(wanted, line)):
            check(False, f"{compiler[0]}: {source[:200]}\n\twanted: {wanted}\n\tsays: {line[:600]}")
    check(len(jobs) == len(WRONG) * len(BOTH), f"{len(jobs)} first lines were compared")

print("== C++ passes its own types", flush=True)
WITHIN = ["string\0!", "literal", "pointer", "point", "bytes", "byte", "pi", "", "string\0!", "poi"]
WITHIN += ["tri", ""]
MODES = [
    {"state": "busy", "old": "old", "first": "string\0!", "second": "second"},
    {"state": "busy", "old": 3, "first": "po", "second": "poi"},
    {"state": "idle", "old": 1, "first": "poi", "second": "string\0!"},
]
for compiler in [c for c in CXX if c[-1] != "-std=c++20"]:
    out = folder()
    program = os.path.join(out, "program")
    built = run(*compiler, f"-I{INCLUDE}", cxx, "-x", "none", LIBRARY, "-o", program)
    if not check(built.returncode == 0, f"{' '.join(compiler)} builds it {built.stderr[:600]}"):
        continue
    tool("run", "-e", "cxx:*", "--transport", "shm", "-o", out, "--", program)
    found = [e for path in snapshots(out) for e in events(path) if e["event"].startswith("cxx:")]
    within = [e["fields"] for e in found if e["event"] == "cxx:within"]
    check(
        within == [{"key": key, "number": n} for n, key in enumerate(WITHIN, 1)],
        f"texts {json.dumps(within)}",
    )
    modes = [e["fields"] for e in found if e["event"] == "cxx:mode"]
    check(modes == MODES, f"enumerators {json.dumps(modes)}")
    check(sum(e["event"] == "cxx:none" for e in found) == 2, "an event without fields")
done()
