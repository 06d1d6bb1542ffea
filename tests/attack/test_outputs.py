#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_outputs.py FLIGHTREC MAKE_SNAPSHOT MAKE_HOSTILE: what another user can do to root's exports.

User nobody puts links, files and pipes where root writes, and names pipes, devices and files of
/proc in a snapshot that root shows. Nothing of these is written to, followed or opened.
"""
import ctypes
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

NOBODY = 65534
TOOL, MAKE, HOSTILE = map(os.path.abspath, sys.argv[1:4])
IN_OPEN, IN_NONBLOCK = 0x20, 0o4000


def as_nobody(function):
    """Calls a function in a child that is user nobody."""
    pid = os.fork()
    if not pid:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        function()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def run(*arguments, status=0):
    done = subprocess.run(
        [TOOL, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == status, (arguments, done)
    return done


def refused(output, word, *options):
    done = run("export", "s.frec", *options, "-o", output, status=1)
    assert done.stderr.count("\n") == 1 and word in done.stderr, done
    assert str(NOBODY) in done.stderr, done


def check_outputs():
    shared = pathlib.Path("shared")
    shared.mkdir()
    shared.chmod(0o1777)
    victim = pathlib.Path("victim")
    victim.write_text("root's", encoding="utf-8")
    os.mkdir("private")

    def lay():
        os.symlink(victim.resolve(), shared / "link.jsonl")
        os.symlink(pathlib.Path("private").resolve(), shared / "folder")
        (shared / "file.jsonl").write_text("nobody's", encoding="utf-8")
        os.mkfifo(shared / "pipe.jsonl")

    as_nobody(lay)
    subprocess.run([MAKE, "s.frec"], check=True)
    refused("shared/link.jsonl", "link")
    refused("shared/folder/new.jsonl", "link")
    refused("shared/folder/trace", "link", "-f", "ctf")
    refused("shared/file.jsonl", "belongs to user")
    refused("shared/pipe.jsonl", "pipe")
    assert victim.read_text(encoding="utf-8") == "root's"
    assert (shared / "file.jsonl").read_text(encoding="utf-8") == "nobody's"
    assert not os.listdir("private")
    # Root's own links and files, and descriptors that root passes on, still work as outputs.
    os.symlink(victim.resolve(), shared / "own.jsonl")
    run("export", "s.frec", "-o", "shared/own.jsonl")
    assert victim.stat().st_size > 1000 and (shared / "own.jsonl").is_symlink()
    run("export", "s.frec", "-o", "shared/new.jsonl")
    run("export", "s.frec", "-o", "shared/new.jsonl")
    assert run("export", "s.frec", "-f", "json", "-o", "/dev/stdout").stdout.count("\n") > 7


class Watch:
    """Notices whether any of these files is opened."""

    def __init__(self, *paths):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(IN_NONBLOCK)
        assert self.fd >= 0
        for path in paths:
            assert self.libc.inotify_add_watch(self.fd, os.fsencode(path), IN_OPEN) >= 0, path

    def opened(self):
        try:
            return bool(os.read(self.fd, 4096))
        except BlockingIOError:
            return False


def check_named_files():
    fifo, device = os.path.abspath("fifo"), os.path.abspath("device")
    os.mkfifo(fifo)
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # the numbers of /dev/zero
    watch = Watch(fifo, device)
    for path in (fifo, device, "/proc/self/environ", "/sys/kernel/profiling"):
        subprocess.run([HOSTILE, "p.frec", "path", path], check=True)
        shown = run("show", "p.frec").stdout
        assert f"{path}: not a regular file" in shown, shown
        for form in ("json", "perfetto", "html"):
            run("export", "p.frec", "-f", form, "-o", "out")
    assert not watch.opened(), "a pipe or a device was opened"
    with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb"):
        assert watch.opened(), "the watch works"


def main():
    if os.geteuid():
        print("not tested: this needs root, to be two users")
        sys.exit(77)
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.chdir(folder)
        check_outputs()
        check_named_files()
        os.chdir("/")
    print("nothing of a stranger was written to, followed or opened")


main()
