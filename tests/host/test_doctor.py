#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_doctor.py FLIGHTREC: doctor reports correctly what the machine can do, even if rights and
system calls are missing.

Its table has the same contents as its JSON, whatever the terminal; each fix is a command; and it
exits with 1 only if nothing can be recorded.
"""
import ctypes
import errno
import fcntl
import json
import os
import pty
import re
import resource
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

TOOL = os.path.abspath(sys.argv[1])
NOBODY = 65534
TRANSPORTS = {
    "user_events": [
        "user-events",
        "register",
        "tracepoints",
        "rings",
        "one-ring",
        "tracefs-rights",
        "deaths",
    ],
    "usdt": [
        "uprobes",
        "semaphores",
        "cookies",
        "bpf-output",
        "usdt-program",
        "rings",
        "one-ring",
        "tracefs-rights",
        "deaths",
    ],
    "shm": ["shared-memory", "robust-futex"],
}
SYSCALLS = {
    "x86_64": {
        "memfd_create": 319,
        "set_robust_list": 273,
        "pkey_alloc": 330,
        "ioctl": 16,
        "membarrier": 324,
    },
    "aarch64": {
        "memfd_create": 279,
        "set_robust_list": 99,
        "pkey_alloc": 289,
        "ioctl": 29,
        "membarrier": 283,
    },
}[os.uname().machine]


class Doctor:
    def __init__(self, *wrapper, tool=TOOL, **options):
        command = [*wrapper, tool, "doctor"]
        done = subprocess.run(
            [*command, "--json"], capture_output=True, text=True, check=False, **options
        )
        assert not done.stderr and done.returncode in (0, 1), done
        *self.rows, self.sum = [json.loads(line) for line in done.stdout.splitlines()]
        self.status = done.returncode
        self.row = {row["capability"]: row for row in self.rows}
        self.check_sum()
        for row in self.rows:
            self.check_row(row)
        text = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        assert (
            text.returncode == self.status and not text.stderr and "\033" not in text.stdout
        ), text
        self.check_text(text.stdout)

    def check_sum(self):
        for name, needs in TRANSPORTS.items():
            lacking = [need for need in needs if self.row[need]["state"] == "missing"]
            transport = self.sum["transports"][name]
            assert transport["works"] == (not lacking) and transport.get("lacks") in (
                lacking or [None]
            ), (name, self.sum, lacking)
        working = [name for name in TRANSPORTS if self.sum["transports"][name]["works"]]
        order = [name for name in ("user_events", "shm", "usdt") if name in working]
        assert self.sum["auto"] == (order or [None])[0], self.sum
        machine = [name for name in order if name != "shm"]
        assert self.sum["auto_machine"] == (machine or [None])[0], self.sum
        assert self.status == (0 if working or self.sum["tracepoints"] else 1), self.sum
        assert "wild write" in self.sum["transports"]["shm"]["note"], self.sum

    @staticmethod
    def check_row(row):
        assert (
            row["state"] in ("ok", "limited", "missing")
            and row["found"]
            and len(row["enables"]) < 26
        ), row
        assert row["state"] != "ok" or not {"fix", "advice"} & set(row), row
        if "fix" in row:
            # Prose can be valid shell syntax, so the command must also exist.
            check = subprocess.run(
                ["bash", "-n", "-c", row["fix"]], capture_output=True, text=True, check=False
            )
            first = shlex.split(row["fix"].removeprefix("sudo "))[0]
            assert not check.returncode and shutil.which(
                first, path=os.environ["PATH"] + ":/sbin:/usr/sbin"
            ), (row, check)

    def check_text(self, text):
        # Numbers are not compared, because the number of processes changes between two runs.
        plain = re.sub(r"\d+", "0", text)
        for row in self.rows:
            line = f"{row['state']:<9}{row['capability']:<17}{row['enables']:<26}{row['found']}\n"
            assert re.sub(r"\d+", "0", line) in plain, (line, text)
            assert "fix" not in row or f"\n  {row['fix']}\n" in text, (row, text)
            assert row.get("advice", "") in text, (row, text)
        for name, transport in self.sum["transports"].items():
            assert re.search(rf"^{name} +{'yes' if transport['works'] else 'no'} ", text, re.M), (
                name,
                text,
            )
        taken = {self.sum["auto"], self.sum["auto_machine"]} - {None}
        assert text.count("taken by auto") == len(taken), text
        # The section can be pasted into a shell, because its prose is in comments.
        section = re.search(r"^what would help.*?\n(.*?)\n\n", text, re.M | re.S).group(1)
        assert subprocess.run(["bash", "-n", "-c", section], check=False).returncode == 0, section

    def states(self, *names):
        return {self.row[name]["state"] for name in names}


def on_terminal(columns, **environment):
    """Returns the output on a terminal of this width, and its lines without colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [TOOL, "doctor"], stdout=follower, stderr=follower, env={**os.environ, **environment}
    )
    os.close(follower)
    output = b""
    try:
        while data := os.read(leader, 4096):
            output += data
    except OSError:
        pass  # the other end is closed
    os.close(leader)
    process.wait()
    text = output.decode().replace("\r\n", "\n")
    return text, re.sub(r"\033\[\d*m", "", text).splitlines()


def forbid(call, number, argument=None):
    """Makes a system call fail with errno `number` from now on, in this process and its children.
    If `argument` is given, only calls with this second argument fail."""
    allow, fail = 0x7FFF0000, 0x00050000 | number
    load, equal, result = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 0), (equal, 0, 3 if argument else 1, SYSCALLS[call])]
    if argument:
        code += [(load, 0, 0, 24), (equal, 0, 1, argument)]
    code += [(result, 0, 0, fail), (result, 0, 0, allow)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(code), ctypes.addressof(filters))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    assert not libc.prctl(38, 1, 0, 0, 0) and not libc.prctl(
        22, 2, ctypes.byref(program), 0, 0
    ), os.strerror(ctypes.get_errno())


def check_terminal():
    doctor = Doctor()
    narrow, lines = on_terminal(80, NO_COLOR="")
    assert "\033[32m" in narrow and doctor.row["shared-memory"]["state"] == "ok", narrow
    fixes = {row.get("fix") for row in doctor.rows}
    assert all(len(line) <= 80 or line.strip() in fixes for line in lines), [
        line for line in lines if len(line) > 80
    ]
    wide, lines = on_terminal(400, NO_COLOR="1")
    assert "\033" not in wide, wide
    for row in doctor.rows:
        assert (
            sum(
                f" {row['capability']:<17}{row['enables']:<26}{row['found'][:9]}" in line
                for line in lines
            )
            == 1
        ), (row, wide)
    # The narrow table has the same words as the wide one.
    assert sorted(" ".join(on_terminal(80)[1]).replace("#", "").split()) == sorted(
        " ".join(lines).replace("#", "").split()
    )


def check_here():
    doctor = Doctor()
    here = any(
        os.access(f"/sys/kernel/{place}/user_events_data", os.W_OK)
        for place in ("tracing", "debug/tracing")
    )
    assert (doctor.row["user-events"]["state"] == "ok") == here, doctor.row["user-events"]
    for name, mark in (("pid", 0xEFFFFFFC), ("user", 0xEFFFFFFD)):
        first = os.stat(f"/proc/self/ns/{name}").st_ino == mark
        assert (doctor.row[f"{name}-namespace"]["state"] == "ok") == first, doctor.row
    # Every kernel has both uprobes and their semaphores, or neither.
    assert doctor.row["semaphores"]["state"] == doctor.row["uprobes"]["state"], doctor.row
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        assert file.read().strip() in doctor.row["core-dumps"]["found"], doctor.row["core-dumps"]
    done = subprocess.run([TOOL, "doctor", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("flightrec: x: "), done


def check_sandbox(identity):
    """Runs doctor as a user without rights, each time with a different system call that fails."""
    doctor = Doctor(preexec_fn=lambda: forbid("memfd_create", errno.EPERM), **identity)
    assert (
        doctor.states("shared-memory") == {"missing"}
        and "seccomp" in doctor.row["shared-memory"]["advice"]
    ), doctor.row
    if identity:
        assert doctor.status == 1 and doctor.sum["auto"] is None, doctor.sum
    doctor = Doctor(preexec_fn=lambda: forbid("set_robust_list", errno.EPERM), **identity)
    assert (
        doctor.states("robust-futex") == {"missing"}
        and doctor.sum["transports"]["shm"]["lacks"] == "robust-futex"
    ), doctor.row
    doctor = Doctor(preexec_fn=lambda: forbid("pkey_alloc", errno.ENOSPC), **identity)
    assert (
        doctor.states("memory-keys") == {"limited"} and doctor.sum["transports"]["shm"]["works"]
    ), doctor.row
    doctor = Doctor(preexec_fn=lambda: forbid("ioctl", errno.ENOTTY, 0xC040FF0B), **identity)
    assert doctor.states("exit-info") == {"limited"}, doctor.row
    doctor = Doctor(preexec_fn=lambda: forbid("membarrier", errno.ENOSYS), **identity)
    assert doctor.states("grace-periods") == {"limited"}, doctor.row


def check_nobody(tool, identity):
    doctor = Doctor(tool=tool, **identity)
    privileged = (
        "uprobes",
        "semaphores",
        "cookies",
        "bpf-output",
        "raw-tracepoints",
        "fault-address",
        "cap-perfmon",
        "cap-bpf",
    )
    assert doctor.states(*privileged) == {"missing"} and doctor.states("processes") == {
        "limited"
    }, doctor.row
    assert (
        doctor.sum["auto"] == "shm"
        and not doctor.sum["transports"]["usdt"]["works"]
        and doctor.status == 0
    ), doctor.sum
    fix = doctor.row["cap-bpf"]["fix"]
    assert (
        shlex.split(fix) == ["sudo", "setcap", "cap_bpf,cap_perfmon+ep", tool]
        and fix == doctor.row["uprobes"]["fix"]
    ), doctor.row
    # The command that doctor prints has the promised effect.
    if (
        shutil.which("setcap")
        and not subprocess.run(fix.removeprefix("sudo "), shell=True, check=False).returncode
    ):
        doctor = Doctor(tool=tool, **identity)
        assert doctor.states(
            "cap-perfmon", "cap-bpf", "bpf-output", "raw-tracepoints", "rings", "perf-paranoid"
        ) == {"ok"}, doctor.row
        row = doctor.row["uprobes"]  # recent kernels require more if uprobes are set one by one
        assert row["state"] == "ok" or " record --listen " in row["fix"], row
        subprocess.run(["setcap", "-r", tool], check=True)
    doctor = Doctor(
        tool=tool, preexec_fn=lambda: ctypes.CDLL(None).prctl(38, 1, 0, 0, 0), **identity
    )
    assert (
        "fix" not in doctor.row["cap-bpf"] and "NoNewPrivileges" in doctor.row["cap-bpf"]["advice"]
    ), doctor.row


def check_memory(tool):
    """Runs doctor as a user who has some rights, but no right to lock memory."""
    with open("/proc/sys/kernel/perf_event_paranoid", encoding="utf-8") as paranoid:
        limited = int(paranoid.read()) >= 0
    with open("/proc/sys/kernel/perf_event_mlock_kb", encoding="utf-8") as file:
        limited = limited and int(file.read()) < 4096
    if not limited:
        print("ring-memory: nothing limits it here")
        return
    some = [
        "setpriv",
        "--reuid",
        str(NOBODY),
        "--regid",
        str(NOBODY),
        "--clear-groups",
        "--inh-caps",
        "+bpf,+perfmon",
        "--ambient-caps",
        "+bpf,+perfmon",
    ]
    doctor = Doctor(
        *some,
        tool=tool,
        cwd="/",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0)),
    )
    row = doctor.row["ring-memory"]
    assert (
        row["state"] == "limited"
        and row["fix"].startswith("sudo sysctl kernel.perf_event_mlock_kb=")
        and "RLIMIT_MEMLOCK 0 KiB" in row["found"]
    ), row
    assert doctor.states("rings", "bpf-output") == {"ok"}, doctor.row


def check_without_bpf(tool):
    less = ["setpriv", "--bounding-set", "-bpf,-sys_admin", "--inh-caps", "-bpf,-sys_admin"]
    doctor = Doctor(*less, tool=tool)
    assert doctor.states("cap-bpf", "uprobes", "bpf-output", "fault-address") == {
        "missing"
    }, doctor.row
    assert (
        "fix" not in doctor.row["cap-bpf"] and "--cap-add BPF" in doctor.row["cap-bpf"]["advice"]
    ), doctor.row
    assert doctor.states("cap-perfmon", "rings") == {"ok"}, doctor.row


def check_namespaces(tool):
    inside = ["unshare", "-Urpfm", "--mount-proc"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        print("namespaces: cannot be created here")
        return
    doctor = Doctor(*inside, tool=tool)
    assert doctor.states("pid-namespace", "user-namespace") == {"limited"}, doctor.row
    assert (
        doctor.states("cap-bpf", "cap-perfmon", "uprobes") == {"missing"}
        and doctor.sum["auto"] == "shm"
    ), doctor.row
    assert not [row for row in doctor.rows if "fix" in row], "no command helps in a namespace"
    assert "outside of it" in doctor.row["cap-bpf"]["advice"], doctor.row


def check_hidden(tool):
    script = (
        "mount -t proc -o hidepid=2 proc /proc && "
        f"exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups \"$@\""
    )
    row = Doctor("unshare", "-m", "sh", "-c", script, "sh", tool=tool, cwd="/").row["processes"]
    assert row["state"] == "limited" and "hidepid=0" in row["fix"], row


check_here()
check_terminal()
if os.geteuid():
    check_sandbox({})
    print("not root, so nothing was tried with fewer rights")
    sys.exit(0)
PERSON = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
with tempfile.TemporaryDirectory(prefix="frec doctor's ") as scratch:
    os.chmod(scratch, 0o755)
    # The path of a copy needs quotes in a shell.
    copy = os.path.join(scratch, "flightrec")
    shutil.copy(TOOL, copy)
    check_sandbox(dict(PERSON))
    check_nobody(copy, PERSON)
    check_memory(copy)
    check_without_bpf(copy)
    check_namespaces(copy)
    check_hidden(copy)
print("doctor reports correctly")
