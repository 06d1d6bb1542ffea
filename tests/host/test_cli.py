#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_cli.py FLIGHTREC EMITTER LINKED: tests the commands events, status and trigger. The kernel
need not support recording.

Proves that `events` reads declarations from programs, and that `status` and `trigger` ask every
recorder that listens (the test simulates them), ignore dead sockets, and print the answers.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data"))
import control  # noqa: E402

# LINKED uses libflightrec as a shared library. That library also declares an event.
TOOL, EMITTER, LINKED = map(os.path.abspath, sys.argv[1:4])
NOBODY = 65534
STATUS = {
    "pid": 4711,
    "version": "0.1.0",
    "folder": "/var/lib/\x1b[31mtraces",
    "rings": 2,
    "ring_size": 262144,
    "recording_for": 90.5,
    "history": 7500.0,
    "busiest_ring_written": 1,
    "snapshots": 3,
    "failures": 1,
    "transport": "usdt",
    "transport_why": "it was\ttold to",
    "kernel": True,
    "fault_addresses": True,
    "last": '/var/lib/a "quoted\\ name.frec',
    "selection": ["shop:*", "sched:sched_switch"],
    "source_count": 2,
    "sources": ["shop:paid", "sched:sched_switch"],
    "sources_by": {"kernel": 1, "user_events": 0, "usdt": 1, "shm": 0},
}
RECORDING = b"".join(
    (
        control.field(1, STATUS["folder"]),
        control.field(2, 2),
        control.field(3, 262144),
        control.double(4, 90.5),
        control.double(5, 7500.0),
        control.field(6, 1),
        control.field(10, 3),
        control.field(11, 1),
        control.field(12, STATUS["last"]),
        control.field(13, 2),
        control.field(14, 1),
        control.field(16, 1),
        *(control.field(17, text) for text in STATUS["selection"]),
        control.field(18, 2),
        *(control.field(19, text) for text in STATUS["sources"]),
        control.field(20, bytes([1, 0, 1, 0])),
        control.field(25, STATUS["transport_why"]),
        control.field(99, "of a later version"),
    )
)
REPLY = control.done(
    status=control.field(1, 4711) + control.field(2, "0.1.0") + control.field(3, RECORDING)
)
OTHER = control.done(status=control.field(1, 3) + control.field(2, "9"))


def run(*arguments, status=0, tool=TOOL, **options):
    done = subprocess.run(
        [tool, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == status, (arguments, done)
    if status == 1 and done.stderr:
        assert done.stderr.startswith("flightrec: ") and done.stderr.count("\n") == 1, done
    return done


def check_events():
    tick = [
        json.loads(line)
        for line in run("events", EMITTER, "--json").stdout.splitlines()
        if '"tick"' in line
    ]
    assert tick[0]["system"] == "test" and tick[0]["kind"] == "declared" and len(tick) == 1, tick
    assert [(field["name"], field["type"]) for field in tick[0]["fields"]] == [
        ("thread", "u32"),
        ("sequence", "u64"),
        ("text", "string"),
        ("negative", "i32"),
        ("ratio", "f64"),
        ("phase", "enum"),
        ("odd", "bool"),
        ("where", "pointer"),
    ], tick
    assert tick[0]["fields"][5]["enumerators"] == {"PHASE_WARM": 0, "PHASE_HOT": 1}, tick
    text = run("events", "--file", EMITTER).stdout
    assert (
        "test:tick" in text
        and "enum phase (PHASE_WARM=0 PHASE_HOT=1), bool odd, pointer where\n" in text
    ), text
    text = run("events", LINKED).stdout
    assert "vm:both " in text and "flightrec:lost " in text, text
    # Root can list tracepoints even if tracefs is not mounted.
    listed = subprocess.run(
        [TOOL, "events", "sched:sched_switch"], capture_output=True, check=False
    )
    for arguments, word in (
        (["/nonexistent"], "No such file"),
        (["--file", "/"], "/: "),
        ([sys.executable], "declares no events"),
        (["nocolon"], "tracefs" if listed.returncode else "nocolon: "),
        (["none:*"], ""),
    ):
        done = run("events", *arguments, status=1)
        assert word in done.stderr and not done.stdout, done
    run("events", "--nonsense", status=2)


class Recorder:
    """Answers like a recorder and remembers the requests."""

    def __init__(self, path, answers):
        self.asked = []
        self.answers = answers
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            request = control.heard(connection.recv(4096))
            self.asked.append(request)
            answer = self.answers.get(request.split(" ")[0])
            if answer:
                connection.send(answer)
            connection.close()


def check_asking(folder):
    path = os.path.join(folder, "one")
    recorder = Recorder(path, {"status": REPLY, "trigger": control.done(path="/tmp/x y.frec")})
    printed = json.loads(run("status", "--socket", path, "--json").stdout)
    assert printed == STATUS and list(printed) == list(STATUS), printed
    text = run("status", "--socket", path).stdout
    for word in (
        "recorder 4711, version 0.1.0, recording for 90.5 s\n",
        "2 of 256 KiB, the busiest holds the last 2.1 h\n",
        " shop:* sched:sched_switch\n",
        "2: shop:paid sched:sched_switch\n",
        "3, 1 failed\n",
        ' /var/lib/a "quoted\\ name.frec\n',
        "/var/lib/\\x1b[31mtraces\n",
        "with the faulting address\n",
    ):
        assert word in text, (word, text)
    assert run("trigger", "slow request", "--socket", path).stdout == "/tmp/x y.frec\n"
    assert recorder.asked == ["status", "status", "trigger slow request"], recorder.asked

    path = os.path.join(folder, "two")
    Recorder(path, {"trigger": control.refused("no space"), "status": OTHER})
    assert "no space" in run("trigger", "x", "--socket", path, status=1).stderr
    assert (
        run("status", "--socket", path).stdout
        == "recorder 3, version 9, of another user\n  last       none\n"
    )
    assert json.loads(run("status", "--socket", path, "--json").stdout) == {
        "pid": 3,
        "version": "9",
        "attached": False,
        "last": "",
    }
    path = os.path.join(folder, "three")
    Recorder(path, {})
    assert "went away" in run("status", "--socket", path, status=1).stderr
    for name, answer in (("torn", REPLY[:-1]), ("wrong", control.field(6, 1)), ("words", b"ok {}")):
        path = os.path.join(folder, name)
        Recorder(path, {"status": answer, "trigger": answer})
        for words in (["status"], ["trigger", "x"]):
            assert (
                "not a recorder of this version" in run(*words, "--socket", path, status=1).stderr
            )
    path = os.path.join(folder, "nothing")
    Recorder(path, {"status": control.done()})
    assert "without its status" in run("status", "--socket", path, status=1).stderr

    assert "/nowhere/at/all" in run("status", "--socket", "/nowhere/at/all", status=1).stderr
    for arguments in (
        ["trigger"],
        ["trigger", ""],
        ["trigger", "a\nb"],
        ["trigger", "x" * 101],
        ["trigger", "x", "--pid", "0"],
        ["status", "x"],
        ["status", "--socket"],
        ["status", "--pid", "1", "--socket", "x"],
        ["core"],
        ["core", "--install", "--remove"],
        ["core", "--install", "--kernel"],
        *(
            [command, "--pid", pid]
            for command in ("keep", "record", "status")
            for pid in ("12x", "-1", "", "4294967297")
        ),
    ):
        run(*arguments, status=2)


def check_folder(folder):
    """Each user but root has a folder of sockets below XDG_RUNTIME_DIR."""
    tool = shutil.copy(TOOL, os.path.join(folder, "flightrec"))
    sockets = os.path.join(folder, "flightrec.d", "flightrec")
    os.makedirs(sockets)
    for path in (folder, os.path.dirname(sockets), sockets):
        os.chmod(path, 0o755)
    options = {
        "tool": tool,
        "env": {**os.environ, "XDG_RUNTIME_DIR": os.path.dirname(sockets)},
        "cwd": "/",
    }
    if os.geteuid() == 0:
        options["user"] = NOBODY
    for command in (["status"], ["trigger", "x"]):
        assert "no recorder runs" in run(*command, status=1, **options).stderr
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    dead.bind(os.path.join(sockets, "1.sock"))
    dead.close()
    os.chmod(os.path.join(sockets, "1.sock"), 0o666)
    assert "no recorder runs" in run("status", status=1, **options).stderr
    both = [
        Recorder(
            os.path.join(sockets, f"{pid}.sock"), {"trigger": control.done(path=f"/{pid}.frec")}
        )
        for pid in (20, 21)
    ]
    assert sorted(run("trigger", "x", **options).stdout.split()) == ["/20.frec", "/21.frec"]
    assert run("trigger", "y", "--pid", "21", **options).stdout == "/21.frec\n"
    assert "/1.sock" in run("trigger", "y", "--pid", "1", status=1, **options).stderr
    assert both[0].asked == ["trigger x"] and both[1].asked == ["trigger x", "trigger y"]


check_events()
with tempfile.TemporaryDirectory() as scratch:
    check_asking(scratch)
    check_folder(scratch)
