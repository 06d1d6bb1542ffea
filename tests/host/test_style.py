# SPDX-License-Identifier: MIT
"""The tree is formatted as .clang-format says, no line is too long, and no word is misspelled.

    test_style.py TREE [FILE...]

Without a FILE it checks all files that git tracks. If a tool is missing, its check is skipped, and
the test exits with 77.
"""
import os
import re
import shutil
import subprocess
import sys

COLUMNS = 100
C = (".c", ".h", ".cc", ".cpp")
CODE = C + (".py", ".js", ".css", ".cmake", ".sh", ".proto", ".lua", ".fish", ".bash", ".rs", ".S")
DOCUMENTS = (".md", ".1", ".3", ".5", ".7")
# Files whose bytes other programs determine, and files that only machines read.
LEFT_OUT = ("tests/data/golden/", "tests/fuzz/corpus/", "tests/unwind/aarch64/", "tests/npm/")
# A correct word that codespell rejects.
WORDS = "crasher"


def tracked(tree):
    names = subprocess.run(
        ["git", "-C", tree, "ls-files", "-z"], check=True, capture_output=True
    ).stdout
    for name in names.decode().split("\0"):
        if name and not name.startswith(LEFT_OUT) and os.path.isfile(os.path.join(tree, name)):
            yield name


def is_script(path):
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def too_long(path, document):
    """Yields the numbers of the lines that are too long. In a document, tables, lines with a URL,
    and a program's output between fences may be longer."""
    fenced = False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n").expandtabs(8)
            fenced ^= document and line.startswith("```")
            exempt = document and (fenced or line.startswith("|") or "://" in line)
            if len(line) > COLUMNS and not exempt:
                yield number


def main():
    tree, names = os.path.realpath(sys.argv[1]), sys.argv[2:]
    names = names or list(tracked(tree))
    os.chdir(tree)
    bad, skipped = [], []

    formatted = [name for name in names if name.endswith(C)]
    if shutil.which("clang-format"):
        run = subprocess.run(
            ["clang-format", "--style=file", "--dry-run", "-Werror", *formatted],
            capture_output=True,
            text=True,
        )
        lines = re.findall(
            r"^(.*?:\d+):\d+: error: code should be clang-formatted", run.stderr, re.M
        )
        bad += [
            f"{line}: not formatted; run: clang-format -i {line.split(':')[0]}"
            for line in lines
        ]
        if run.returncode and not lines:
            bad.append(f"clang-format: {run.stderr.strip()}")
    else:
        skipped.append("clang-format is not installed")

    for name in names:
        document = name.endswith(DOCUMENTS)
        if (
            document
            or name.endswith(CODE)
            or os.path.basename(name) == "CMakeLists.txt"
            or is_script(name)
        ):
            bad += [
                f"{name}:{number}: longer than {COLUMNS} columns"
                for number in too_long(name, document)
            ]

    if shutil.which("codespell"):
        run = subprocess.run(["codespell", "-L", WORDS, *names], capture_output=True, text=True)
        bad += [f"{line}: a misspelling?" for line in run.stdout.splitlines()]
    else:
        skipped.append("codespell is not installed")

    for line in bad:
        print(line)
    if bad:
        print(f"{len(bad)} places")
        return 1
    if skipped:
        print("skipped:", "; ".join(skipped))
        return 77
    return 0


sys.exit(main())
