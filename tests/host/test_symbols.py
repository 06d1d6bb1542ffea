# SPDX-License-Identifier: MIT
"""No public symbol of libflightrec changes unnoticed, and each one is documented.

    test_symbols.py LIBRARY TREE

LIBRARY, the built libflightrec.so, exports exactly the symbols that flightrec.map names, each with
the version node that it has there, and a public header declares each of them FREC_PUBLIC. Each
public function and FREC_EVENT have a man page of section 3 with the usual sections.

tests/data/symbols/NODE.list has the declarations of a node's symbols. The list of the first node
also has the structures that programs share with the library. Once a list begins with the line
"# released", any difference fails, except members added at the end of a structure: new symbols need
a new node. Until then UPDATE=1 writes the list anew.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

LIBRARY, TREE = sys.argv[1], pathlib.Path(sys.argv[2])
HEADERS = TREE / "recorder/service/include/flightrec"
MAP = TREE / "recorder/service/flightrec.map"
LISTS = TREE / "tests/data/symbols"
MAN = TREE / "tools/man"
SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ATTRIBUTES", "EXAMPLES",
            "SEE ALSO")
# The macros that are part of the public interface.
MACROS = ("FREC_EVENT", "FREC_EMIT", "frec_trigger_fields")
failed = False


def fail(text):
    global failed
    failed = True
    print("FAILED:", text)


def same(ours, theirs, what, other):
    for name in sorted(ours - theirs):
        fail(f"{name} is in {what}, but not in {other}")
    for name in sorted(theirs - ours):
        fail(f"{name} is in {other}, but not in {what}")


def exported():
    """Returns {symbol: node} of the library's dynamic symbols."""
    text = subprocess.run(["readelf", "--dyn-syms", "-W", LIBRARY], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    found = re.findall(r"(?:GLOBAL|WEAK) +DEFAULT +\d+ (\S+?)@@?(\S+)", text)
    return {name: node for name, node in found if name != node}


def nodes():
    """Returns {symbol: node} of flightrec.map."""
    text = re.sub(r"#.*", "", MAP.read_text(encoding="utf-8"))
    found = {}
    for node, body in re.findall(r"(\S+) \{(.*?)\}", text, re.S):
        for name in re.findall(r"(\w+);", body.split("local:")[0].replace("global:", "")):
            found[name] = node
    return found


def declared():
    """Returns {name: text} of the public functions, and the same of the structures, without
    comments."""
    functions, structures = {}, {}
    for path in sorted(HEADERS.glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"#(?:.*\\\n)*.*", "", text)  # directives, and the code that macros expand to
        for words in re.findall(r"FREC_PUBLIC\s+([^;{]*);", text):
            words = " ".join(words.split())
            functions[re.search(r"(\w+)\(", words)[1]] = words
        for name, body in re.findall(r"struct (\w+) (\{.*?\n\});", text, re.S):
            structures[name] = f"struct {name} " + " ".join(body.split())
    return functions, structures


def grown(kept, lines):
    """Returns `kept`, but with the present declaration of each structure that has only gained
    members at its end."""
    return [next((line for line in lines if old.startswith("struct ") and old.endswith(" }")
                  and line.startswith(old.removesuffix("}"))), old) for old in kept]


def check_list(node, lines, newest):
    path = LISTS / f"{node}.list"
    kept = path.read_text(encoding="utf-8").splitlines() if path.exists() else ["# not released"]
    if os.environ.get("UPDATE") == "1" and newest and kept[0] == "# not released":
        path.write_text("\n".join([kept[0], *lines]) + "\n", encoding="utf-8")
        return
    kept[1:] = grown(kept[1:], lines)
    for line in sorted(set(kept[1:]) - set(lines)):
        fail(f"{node}: no longer in the headers and flightrec.map: {line}")
    for line in sorted(set(lines) - set(kept[1:])):
        fail(f"{node}: not in {path.relative_to(TREE)}: {line}")
    if set(lines) != set(kept[1:]):
        print(f"{node} is released: add a new node" if kept[0] == "# released"
              else "if this change is wanted, run the test with UPDATE=1")


def check_page(name):
    path = MAN / f"{name}.3"
    if not path.exists():
        return fail(f"{name} has no man page {path.relative_to(TREE)}")
    text = path.read_text(encoding="utf-8")
    link = re.fullmatch(r"\.so man3/(\S+)\n", text)
    if link:
        path = MAN / link[1]
        if not path.exists():
            return fail(f"{name}.3 refers to {link[1]}, which does not exist")
        text = path.read_text(encoding="utf-8")
    if name not in text.split(".SH SYNOPSIS")[0]:
        fail(f"{path.name} does not name {name} in its section NAME")
    for section in SECTIONS:
        if not re.search(rf"^\.SH {section}$", text, re.M):
            fail(f"{path.name} has no section {section}")
    return None


def check_formatting():
    for tool in (["groff", "-man", "-ww", "-z"], ["mandoc", "-T", "lint", "-W", "warning"]):
        if not shutil.which(tool[0]):
            print("not installed:", tool[0])
            continue
        for path in sorted(MAN.glob("*.3")):
            # A link has the path of its page after installation, man3/..., which does not exist
            # here.
            if path.read_text(encoding="utf-8").startswith(".so "):
                continue
            run = subprocess.run([*tool, path.name], cwd=MAN, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, check=False)
            # The pages have no dates, because git has them.
            problems = [line for line in run.stdout.splitlines() if "missing date" not in line]
            if problems:
                fail("\n".join(problems))


library, linked, (functions, structures) = exported(), nodes(), declared()
if len(functions) < 10 or len(structures) < 4:
    fail(f"the headers could not be read: {functions} {structures}")
same(set(library), set(linked), LIBRARY, "flightrec.map")
same(set(linked), set(functions), "flightrec.map", "the public headers")
for symbol in sorted(set(library) & set(linked)):
    if library[symbol] != linked[symbol]:
        fail(f"{symbol} is of node {linked[symbol]} in flightrec.map, but of {library[symbol]} in "
             "the library")

order = list(dict.fromkeys(linked.values()))
for node in order:
    lines = [functions[name] for name in functions if linked.get(name) == node]
    lines += structures.values() if node == order[0] else []
    check_list(node, sorted(lines), node == order[-1])
same({path.stem for path in LISTS.iterdir()}, set(order), "tests/data/symbols", "flightrec.map")

public = {name for name in functions if not name.startswith("frec__")} | set(MACROS)
for name in sorted(public):
    check_page(name)
same({path.stem for path in MAN.glob("*.3")}, public, "tools/man/*.3", "the public headers")
check_formatting()
sys.exit(failed)
