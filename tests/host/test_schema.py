#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_schema.py FLIGHTREC MAKE_SNAPSHOT SERVICE: all JSON that flightrec prints matches the
published schema, and has no members that the schema does not name.

Exits with 77 if Python's jsonschema is not installed.
"""
import copy
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

TOOL, MAKE, SERVICE = map(os.path.abspath, sys.argv[1:4])
SCHEMA = (
    pathlib.Path(__file__).resolve().parent.parent.parent
    / "tools"
    / "schema"
    / "flightrec.schema.json"
)
published = json.loads(SCHEMA.read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(published)


def close(schema):
    """Changes a schema so that it rejects members that it does not name, and returns it. Readers
    ignore such members, but flightrec must not write them."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema["additionalProperties"] = False
            assert set(schema["required"]) <= set(schema["properties"]), schema
        for member in schema.values():
            close(member)
    elif isinstance(schema, list):
        for member in schema:
            close(member)
    return schema


CLOSED = close(copy.deepcopy(published))
KINDS = [kind["$ref"].rsplit("/", 1)[1] for kind in published["anyOf"]]
VALIDATORS = {
    kind: jsonschema.Draft202012Validator({**CLOSED, "anyOf": [{"$ref": f"#/$defs/{kind}"}]})
    for kind in KINDS
}


checked = dict.fromkeys(KINDS, 0)


def check(name, text):
    """Checks that `text`, or each of its lines, is a value of the kind `name`."""
    for value in (
        [json.loads(text)]
        if name in ("report", "verify")
        else map(json.loads, text.rstrip("\n").split("\n") if text else [])
    ):
        VALIDATORS[name].validate(value)
        checked[name] += 1


def output(*words, status=0):
    done = subprocess.run(
        [TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == status, done
    return done.stdout


def check_snapshots():
    for words in (
        [],
        ["hostile"],
        ["wrapped", "zstd"],
        ["no-crash"],
        ["stacks"],
        ["unknown-source"],
    ):
        subprocess.run([MAKE, "s.frec", *words], check=True)
        check(
            "event",
            output("export", "s.frec", "-f", "json", "-o", "-", status=words == ["unknown-source"]),
        )
        for more in ([], ["--all"], ["-n", "1"]):
            check(
                "report",
                output("show", "s.frec", "--json", *more, status=words == ["unknown-source"]),
            )
    for words in ([], ["wrong-loss"], ["wrong-count"]):
        subprocess.run([MAKE, "s.frec", *words], check=True)
        check("verify", output("verify", "s.frec", "--json", status=bool(words)))
    pathlib.Path("torn.frec").write_bytes(pathlib.Path("s.frec").read_bytes()[:-30])
    check("report", output("show", "torn.frec", "--json", status=1))
    check("verify", output("verify", "torn.frec", "--json", status=1))


def check_machine():
    doctor = output("doctor", "--json").rstrip("\n").split("\n")
    check("capability", "\n".join(doctor[:-1]))
    check("doctor_sum", doctor[-1])
    check("listed_event", output("events", "--json", "--file", SERVICE))
    for glob in ("sched:sched_s*", "tp_btf:sched_switch"):
        done = subprocess.run(
            [TOOL, "events", "--json", glob],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        check("listed_event", done.stdout)  # empty if this user may not list events


def check_status():
    recorder = subprocess.Popen(
        [
            TOOL,
            "record",
            "--transport",
            "shm",
            "-e",
            "shop:*",
            "--tag",
            "service.version=1.4.2",
            "-o",
            ".",
            "--listen",
            "listen",
            "--socket",
            "control",
        ]
    )
    try:
        for socket in ("control", "listen"):
            while not os.path.exists(socket):
                assert recorder.poll() is None
                time.sleep(0.01)
        check("status", output("status", "--json", "--socket", "control"))
        output("trigger", "now", "order=17", "--socket", "control")
        check("status", output("status", "--json", "--socket", "control"))
        (snapshot,) = pathlib.Path(".").glob("*now*.frec")
        report = output("show", snapshot, "--json")
        check("report", report)
        report = json.loads(report)
        assert report["tags"] and report["trigger"]["fields"], report
    finally:
        recorder.send_signal(signal.SIGTERM)
        recorder.wait(60)


with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    check_snapshots()
    check_machine()
    check_status()
    os.chdir("/")
    assert all(checked.values()), checked
    print(", ".join(f"{checked[kind]} {kind}" for kind in KINDS))
