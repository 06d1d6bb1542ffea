#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_cli.py FLIGHTREC EMITTER LINKED: events, status and trigger, as far as they go on any kernel.

Proves that events reads declarations out of programs, and that status and
trigger ask every recorder that listens, here a made-up one, pass over dead sockets, and print what was answered.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

# LINKED takes libflightrec, with the event that it has itself, as a shared library.
TOOL, EMITTER, LINKED = map(os.path.abspath, sys.argv[1:4])
NOBODY = 65534
STATUS = {
    "pid": 4711, "version": "0.1.0", "folder": "/var/lib/\x1b[31mtraces", "rings": 2, "ring_size": 262144, "recording_for": 90.5,
    "history": 7500.0, "busiest_ring_written": 1, "snapshots": 3, "failures": 1, "fault_addresses": True,
    "last": "/var/lib/a \"quoted\\ name.frec", "selection": ["shop:*", "sched:sched_switch"], "source_count": 2,
    "sources": ["shop:paid", "sched:sched_switch"],
}


def run(*arguments, status=0, tool=TOOL, **options):
    done = subprocess.run([tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    assert done.returncode == status, (arguments, done)
    if status == 1 and done.stderr:
        assert done.stderr.startswith("flightrec: ") and done.stderr.count("\n") == 1, done
    return done


def check_events():
    tick = [json.loads(line) for line in run("events", EMITTER, "--json").stdout.splitlines() if '"tick"' in line]
    assert tick[0]["system"] == "test" and tick[0]["kind"] == "declared" and len(tick) == 1, tick
    assert [(field["name"], field["type"]) for field in tick[0]["fields"]] == [
        ("thread", "u32"), ("sequence", "u64"), ("text", "string"), ("negative", "i32"), ("ratio", "f64"), ("phase", "enum"),
        ("odd", "bool"), ("where", "pointer")], tick
    assert tick[0]["fields"][5]["enumerators"] == {"PHASE_WARM": 0, "PHASE_HOT": 1}, tick
    text = run("events", "--file", EMITTER).stdout
    assert "test:tick" in text and "enum phase (PHASE_WARM=0 PHASE_HOT=1), bool odd, pointer where\n" in text, text
    text = run("events", LINKED).stdout
    assert "vm:both " in text and "flightrec:lost " in text, text
    # Root lists them also where tracefs is mounted nowhere.
    listed = subprocess.run([TOOL, "events", "sched:sched_switch"], capture_output=True, check=False)
    for arguments, word in ((["/nonexistent"], "No such file"), (["--file", "/"], "/: "),
                            ([sys.executable], "declares no events"),
                            (["nocolon"], "tracefs" if listed.returncode else "nocolon: "),
                            (["none:*"], "")):
        done = run("events", *arguments, status=1)
        assert word in done.stderr and not done.stdout, done
    run("events", "--nonsense", status=2)


class Recorder:
    """Answers what a recorder answers, and remembers what it was asked."""

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
            request = connection.recv(4096).decode()
            self.asked.append(request)
            answer = self.answers.get(request.split(" ")[0])
            if answer:
                connection.send(answer.encode())
            connection.close()


def check_asking(folder):
    path = os.path.join(folder, "one")
    recorder = Recorder(path, {"status": "ok " + json.dumps(STATUS), "trigger": "ok /tmp/x y.frec"})
    assert json.loads(run("status", "--socket", path, "--json").stdout) == STATUS
    text = run("status", "--socket", path).stdout
    for word in ("recorder 4711, version 0.1.0, recording for 90.5 s\n", "2 of 256 KiB, the busiest holds the last 2.1 h\n",
                 " shop:* sched:sched_switch\n", "2: shop:paid sched:sched_switch\n", "3, 1 failed\n",
                 ' /var/lib/a "quoted\\ name.frec\n', "/var/lib/\\x1b[31mtraces\n", "with the faulting address\n"):
        assert word in text, (word, text)
    assert run("trigger", "slow request", "--socket", path).stdout == "/tmp/x y.frec\n"
    assert recorder.asked == ["status", "status", "trigger slow request"], recorder.asked

    path = os.path.join(folder, "two")
    Recorder(path, {"trigger": "error no space", "status": 'ok {"pid":3,"version":"9","attached":false,"last":""}'})
    assert "no space" in run("trigger", "x", "--socket", path, status=1).stderr
    assert run("status", "--socket", path).stdout == "recorder 3, version 9, of another user\n  last       none\n"
    path = os.path.join(folder, "three")
    Recorder(path, {})
    assert "went away" in run("status", "--socket", path, status=1).stderr
    path = os.path.join(folder, "four")
    Recorder(path, {"status": 'ok {"pid":5,"version":"torn'})
    assert "recorder 5" in run("status", "--socket", path).stdout

    assert "/nowhere/at/all" in run("status", "--socket", "/nowhere/at/all", status=1).stderr
    for arguments in (["trigger"], ["trigger", ""], ["trigger", "a\nb"], ["trigger", "x" * 101], ["trigger", "x", "--pid", "0"],
                      ["status", "x"], ["status", "--socket"], ["status", "--pid", "1", "--socket", "x"]):
        run(*arguments, status=2)


def check_folder(folder):
    """Everybody but root has a folder of his own, below XDG_RUNTIME_DIR."""
    tool = shutil.copy(TOOL, os.path.join(folder, "flightrec"))
    sockets = os.path.join(folder, "flightrec.d", "flightrec")
    os.makedirs(sockets)
    for path in (folder, os.path.dirname(sockets), sockets):
        os.chmod(path, 0o755)
    options = {"tool": tool, "env": {**os.environ, "XDG_RUNTIME_DIR": os.path.dirname(sockets)}, "cwd": "/"}
    if os.geteuid() == 0:
        options["user"] = NOBODY
    for command in (["status"], ["trigger", "x"]):
        assert "no recorder runs" in run(*command, status=1, **options).stderr
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    dead.bind(os.path.join(sockets, "1.sock"))
    dead.close()
    os.chmod(os.path.join(sockets, "1.sock"), 0o666)
    assert "no recorder runs" in run("status", status=1, **options).stderr
    both = [Recorder(os.path.join(sockets, f"{pid}.sock"), {"trigger": f"ok /{pid}.frec"}) for pid in (20, 21)]
    assert sorted(run("trigger", "x", **options).stdout.split()) == ["/20.frec", "/21.frec"]
    assert run("trigger", "y", "--pid", "21", **options).stdout == "/21.frec\n"
    assert "/1.sock" in run("trigger", "y", "--pid", "1", status=1, **options).stderr
    assert both[0].asked == ["trigger x"] and both[1].asked == ["trigger x", "trigger y"]


check_events()
with tempfile.TemporaryDirectory() as scratch:
    check_asking(scratch)
    check_folder(scratch)
