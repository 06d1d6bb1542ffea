#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py TREE: the table of attacks in SECURITY.md says what the tests in tests/attack declare.

Each test_*.py there ends its docstring with one or more rows. A row is three entries, each of which
may go on in indented lines:

    Who: user nobody beside a recorder of root
    Tried: maps a file with 12 million sections
    Happened: the file is named in the log and passed over

UPDATE=1 writes the table anew; without it the test fails if the table is out of date.
"""
import ast
import os
import pathlib
import re
import sys

HEAD = "| who | what he tried | what happened | test |\n|---|---|---|---|\n"
ENTRIES = ("Who", "Tried", "Happened")
ENTRY = re.compile(rf"^({'|'.join(ENTRIES)}): (.*(?:\n[ \t]+\S.*)*)", re.M)


def rows(path):
    """Returns the lines of the table for one test."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    entries = ENTRY.findall(text)
    names = tuple(name for name, _ in entries)
    if not names or names != ENTRIES * (len(names) // len(ENTRIES)):
        sys.exit(
            f"{path}: the docstring must have rows of {', '.join(ENTRIES)}, in this order;"
            f" it has: {', '.join(names) or 'none'}"
        )
    cells = [" ".join(entry.split()).replace("|", "\\|") for _, entry in entries]
    test = f"[{path.stem.removeprefix('test_')}](tests/attack/{path.name})"
    return [
        f"| {' | '.join(cells[n : n + len(ENTRIES)])} | {test} |\n"
        for n in range(0, len(cells), len(ENTRIES))
    ]


def main():
    tree = pathlib.Path(sys.argv[1])
    document = tree / "SECURITY.md"
    table = HEAD + "".join(
        row for path in sorted((tree / "tests/attack").glob("test_*.py")) for row in rows(path)
    )
    text = document.read_text(encoding="utf-8")
    start = text.find(HEAD)
    if start < 0:
        sys.exit(f"{document}: there is no table with this head:\n{HEAD}")
    end = text.find("\n\n", start) + 1 or len(text)
    if text[start:end] == table:
        return
    if not os.environ.get("UPDATE"):
        sys.exit(
            f"{document}: the table of attacks is not what the tests declare; write it anew with\n"
            "    UPDATE=1 ctest --test-dir build -R '^host/attack_table$'"
        )
    document.write_text(text[:start] + table + text[end:], encoding="utf-8")
    print(f"{document}: the table of attacks is written anew")


main()
