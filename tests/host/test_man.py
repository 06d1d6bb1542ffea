#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_man.py FLIGHTREC: each command has a man page, with exactly the options that the command's
--help prints. groff, if it is installed, prints no warning.
"""
import pathlib
import re
import shutil
import subprocess
import sys

TOOL = sys.argv[1]
MAN = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "man"
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?![\w-])")
# Options that all commands understand.
OF_OTHERS = {"-h", "--help"}


def usage(*command):
    return subprocess.run(
        [TOOL, *command, "--help"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def page_text(name):
    path = MAN / f"{name}.1"
    assert path.exists(), f"{path} is missing"
    text = path.read_text(encoding="utf-8")
    titles = re.findall(r"^\.SH (.*)$", text, re.M)
    for title in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXIT STATUS",
        "EXAMPLES",
        "SEE ALSO",
    ):
        assert title in titles, f"{path}: no section {title}"
    if shutil.which("groff"):
        groff = subprocess.run(
            ["groff", "-man", "-ww", "-z", path], stderr=subprocess.PIPE, text=True, check=False
        )
        assert not groff.returncode and not groff.stderr, groff.stderr
    return text


def section(text, title):
    return re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH |\Z)", text, re.M | re.S).group(1)


def plain(text):
    return re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-")


def options(text):
    return set(OPTION.findall(text)) - OF_OTHERS


commands = re.findall(r"^  ([a-z]+)  ", usage(), re.M)
assert len(commands) > 8, commands
general = page_text("flightrec")
for command in commands:
    assert (
        f"\n\\fB{command}\\fP\n" in general and f"flightrec\\-{command}" in general
    ), f"flightrec.1 does not name {command}"
    text = page_text(f"flightrec-{command}")
    described = options(
        "\n".join(
            line for line in plain(section(text, "OPTIONS")).splitlines() if line.startswith("-")
        )
    )
    printed = options(usage(command))
    assert (
        printed - described == set()
    ), f"flightrec-{command}.1 does not describe {sorted(printed - described)}"
    assert (
        described - printed == set()
    ), f"flightrec {command} --help does not know {sorted(described - printed)}"
formats = set(re.findall(r"^  ([a-z]+) +\S.*\(\.", usage("export"), re.M))
assert formats == set(
    re.findall(r"^\\fB([a-z]+)\\fP \(", section(page_text("flightrec-export"), "FORMATS"), re.M)
), formats
assert len(formats) > 5
assert {path.stem for path in MAN.glob("*.1")} == {
    "flightrec",
    *(f"flightrec-{command}" for command in commands),
}, "pages without a command"
# Every command that reads a file in a sandbox says how to do without it.
for command in commands:
    source = MAN.parent / f"cmd_{command}.c"
    if source.exists() and "frec__tool_sandbox_enter" in source.read_text(encoding="utf-8"):
        text = page_text(f"flightrec-{command}")
        assert "FLIGHTREC_SANDBOX" in text, f"flightrec-{command}.1 does not name FLIGHTREC_SANDBOX"
