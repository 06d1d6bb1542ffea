#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sandbox.py FLIGHTREC MAKE_SNAPSHOT HIJACK.so: a command that an attacker has taken over
can read no secret, write nowhere but to its output, and reach no other process."""
import os
import pathlib
import subprocess
import sys
import tempfile

TOOL, MAKE, HIJACK = map(os.path.abspath, sys.argv[1:4])
LANDLOCK_VERSION = 444
TRIES = 9  # how many attempts hijack.c makes


def has_landlock():
    try:
        with open("/sys/kernel/security/lsm", encoding="ascii") as file:
            return "landlock" in file.read().split(",")
    except OSError:
        import ctypes

        return ctypes.CDLL(None).syscall(LANDLOCK_VERSION, None, 0, 1) > 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("secret")
        os.mkdir("outputs")
        pathlib.Path("secret/key").write_text("secret", encoding="ascii")
        subprocess.run([MAKE, "s.frec", "zstd"], check=True)
        environment = dict(
            os.environ, LD_PRELOAD=HIJACK, HIJACK_SECRET="secret/key", HIJACK_FOLDER="secret"
        )
        allowed = set() if has_landlock() else {"read a secret", "write a secret", "make a file"}
        for command in (
            ["show", "s.frec"],
            ["verify", "s.frec"],
            ["export", "s.frec", "-o", "outputs/s.jsonl"],
            ["export", "s.frec", "-f", "perfetto", "-o", "-"],
        ):
            done = subprocess.run(
                [TOOL, *command], env=environment, capture_output=True, text=True, check=False
            )
            tries = [line.split(": ")[1:] for line in done.stderr.splitlines()]
            assert len(tries) == TRIES, done
            succeeded = {what for what, how in tries if how == "done"} - allowed
            assert not succeeded, (command, succeeded)
        assert allowed or os.listdir("secret") == ["key"]
        os.chdir("/")
    print("a parser that was taken over can do nothing")
    if allowed:
        print("not tested: this kernel has no Landlock")


main()
