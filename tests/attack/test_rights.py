"""What processes of root lend to user nobody: nothing. A set-uid service starts the keeper that was
installed, and no program of its caller; a set-uid tool reads and writes only what its caller may;
and no process of flightrec holds a capability that SECURITY.md does not give it.

    test_rights.py PUPPET MAKE_SNAPSHOT WAIT_IN_ELF.so

Who: the caller of a set-uid service, or of the tool with file capabilities
Tried: puts a keeper of his own into PATH, sets the environment, names files and sockets of others
Happened: the installed keeper runs with an empty environment; the tool reads and writes only what
    its caller may; no process holds a capability that is not in the table above
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys

from kit import TOOL, check, done, folder, keepers, report, snapshots, wait_for
from puppet import Puppet

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data"))
import control  # noqa: E402

NOBODY, OTHER = 65534, 1
PUPPET, MAKE, WAIT = map(os.path.realpath, sys.argv[1:4])
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
NUMBERS = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "KILL": 5, "SETGID": 6,
    "SETUID": 7, "IPC_LOCK": 14, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_RESOURCE": 24,
    "SYSLOG": 34, "PERFMON": 38, "BPF": 39, "CHECKPOINT_RESTORE": 40,
}  # fmt: skip


def documented(holder):
    """Returns the capabilities that SECURITY.md gives to a process, as the kernel prints them."""
    with open(os.path.join(TREE, "SECURITY.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| CAP_(\w+) \| ([^|]+) \|", file.read(), re.M)
    return sum(1 << NUMBERS[name] for name, holders in rows if holder in holders.split(", "))


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)


def is_child(pid, parent):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1]) == parent
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    return [int(other) for other in os.listdir("/proc") if other.isdigit() and is_child(other, pid)]


def is_place(pid, fd):
    """Whether a descriptor only says where a file is (O_PATH), and cannot read it."""
    with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
        flags = next(line.split()[1] for line in file if line.startswith("flags:"))
    return bool(int(flags, 8) & os.O_PATH)


def holds(pid, holder, what, parent=None):
    """`parent` is what the process was forked from, if that had already given up the right to
    make the bounding set smaller."""
    found, ours = status(pid), documented(holder)
    bound, names = documented(parent or holder), ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    sets = [int(found[name], 16) for name in names]
    own = int(status(os.getpid())["CapBnd"], 16)
    check(
        sets == [0, ours & own, ours & own, bound & own, 0],
        f"{what} holds the capabilities of SECURITY.md, and no more "
        f"{sets[1] ^ (ours & own):x} {sets[3] ^ (bound & own):x}",
    )


def is_powerless(pid, what):
    found = status(pid)
    check(
        found["Uid"].split() == found["Gid"].split() == [str(NOBODY)] * 4
        and not found["Groups"].split()
        and not int(found["CapPrm"], 16)
        and found["Seccomp"] == "2"
        and found["NoNewPrivs"] == "1",
        f"{what} has no rights {found['Uid']} {found['CapPrm']} {found['Seccomp']}",
    )


def set_uid(program, place):
    """Copies a program so that whoever runs it becomes root."""
    path = os.path.join(place, os.path.basename(program))
    shutil.copy(program, path)
    os.chmod(path, 0o4755)
    return path


def evil_folder():
    """A folder of nobody with a program for everything that is looked up."""
    place = folder()
    marker = os.path.join(place, "marker")
    for name in ("flightrec", "sh", "less"):
        path = os.path.join(place, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n/usr/bin/id -u >>{marker}\n")
        os.chmod(path, 0o755)
    os.chmod(place, 0o755)
    os.chown(place, NOBODY, NOBODY)
    return place, marker


def check_keeper():
    place = folder()
    os.chmod(place, 0o755)
    service = set_uid(PUPPET, place)
    evil, marker = evil_folder()
    environment = {
        "PATH": f"{evil}:/usr/bin:/bin", "XDG_RUNTIME_DIR": evil, "TMPDIR": evil,
        "JOURNAL_STREAM": "1:1",
    }  # fmt: skip
    puppet = Puppet(service, env=environment, **AS_NOBODY)
    puppet.start("shm", place, "-")
    check(not os.path.exists(marker), "a set-uid service does not start its caller's flightrec")
    puppet.quit()
    puppet = Puppet(service, env=environment, **AS_NOBODY)
    answer = puppet.start("shm", place, TOOL)
    check(answer == "ok", f"it starts the one that it names {answer}")
    for pid in keepers(puppet.pid):
        with open(f"/proc/{pid}/environ", "rb") as file:
            found = file.read()
        check(not found, f"whose environment is empty {found}")
    puppet.quit()


def check_tool():
    place = folder()
    os.chmod(place, 0o755)
    borrowed = set_uid(TOOL, place)
    evil, marker = evil_folder()
    secret, private = os.path.join(place, "secret.frec"), os.path.join(place, "private")
    subprocess.run([MAKE, secret], check=True)
    os.chmod(secret, 0o600)
    os.mkdir(private, 0o700)
    public = os.path.join(evil, "public.frec")
    subprocess.run([MAKE, public], check=True)
    os.chmod(public, 0o644)
    environment = {"PATH": evil, "PAGER": os.path.join(evil, "less"), "TMPDIR": evil}

    def refused(what, *arguments):
        result = subprocess.run(
            [borrowed, *arguments], env=environment, capture_output=True, text=True, check=False,
            **AS_NOBODY,
        )  # fmt: skip
        check(
            result.returncode == 1 and "Permission denied" in result.stderr,
            f"a set-uid tool does not {what} {result.returncode} {result.stderr.strip()}",
        )

    refused("show root's file", "show", secret)
    refused("verify it", "verify", secret)
    refused("export it", "export", secret, "-o", "-")
    refused("import it", "import", secret, "-o", os.path.join(evil, "out"))
    refused("write for root", "export", public, "-o", os.path.join(private, "out.json"))
    check(not os.listdir(private), "and nothing was written")
    check(not os.path.exists(marker), "and none of the caller's programs was run")


def check_environment():
    """`run` records with the rights of the tool, so it believes nothing of the environment, but
    the command that it starts gets all of it."""
    place, runtime = folder(), folder()
    os.chmod(place, 0o755)
    os.chmod(runtime, 0o777)
    borrowed = os.path.join(place, "flightrec")
    shutil.copy(TOOL, borrowed)
    os.chown(borrowed, OTHER, OTHER)
    os.chmod(borrowed, 0o4755)
    result = subprocess.run(
        [borrowed, "run", "--transport", "shm", "-o", runtime, "--", "/usr/bin/printenv",
         "XDG_RUNTIME_DIR"],
        env={"XDG_RUNTIME_DIR": runtime}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=60, **AS_NOBODY,
    )  # fmt: skip
    check(result.stdout == runtime + "\n", f"a command gets its environment {result}")
    check(os.listdir(runtime) == [], f"which a tool with rights ignores {os.listdir(runtime)}")


@contextlib.contextmanager
def held(place):
    """Stops whoever opens an ELF file meanwhile. Yields a function that returns whether somebody
    did."""
    path = os.path.join(place, "state")
    with open(path, "r+b", buffering=0) as file:
        file.write(b"\1\0")

        def is_waiting():
            file.seek(1)
            return file.read(1) == b"\1"

        try:
            yield is_waiting
        finally:
            file.seek(0)
            file.write(b"\0")


def check_recorder():
    place, out = folder(), folder()
    state = os.path.join(place, "state")
    with open(state, "wb") as file:
        file.write(b"\0\0")
    # `run` records its command alone, so that nothing else on this machine comes in between.
    puppet = Puppet(
        PUPPET,
        (TOOL, "run", "-e", "accept:*", "--transport", "usdt", "-o", out, "--", "/usr/bin/setpriv",
         "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "env", "-u",
         "LD_PRELOAD"),
        env=dict(os.environ, LD_PRELOAD=WAIT, WAIT_IN_ELF=state),
    )  # fmt: skip
    pid = puppet.process.pid
    holds(pid, "recorder", "the recorder")
    puppet.emit(5)
    with held(place) as is_waiting:
        puppet.process.stdin.write("crash\n")
        puppet.process.stdin.flush()
        check(wait_for(is_waiting), "a child reads the programs of a process that crashed")
        wait_for(lambda: any(map(children, children(pid))))
        openers = 0
        for child in children(pid):
            if child == puppet.pid:
                continue
            is_powerless(child, f"process {child}, which reads what a stranger wrote,")
            for opener in children(child):
                openers += 1
                what = f"process {opener}, which opens files for it,"
                holds(opener, "opener", what, "recorder")
                check(status(opener)["NoNewPrivs"] == "1", "and cannot get more")
                with os.scandir(f"/proc/{opener}/fd") as entries:
                    descriptors = {int(entry.name) for entry in entries} - {0, 2}
                check(
                    all(is_place(opener, fd) for fd in descriptors),
                    f"it has its socket and places of held files alone {descriptors}",
                )
        check(openers == 1, f"one process opens files {openers}")
    puppet.process.wait()
    files = snapshots(out)
    frames = report(files[0])["crash"].get("frames", []) if files else []
    names = [name.get("function") for frame in frames for name in frame.get("names", [frame])]
    check("main" in names, f"the snapshot has the stack {names}")


def check_doctor():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    # It waits until somebody reads its result.
    doctor = subprocess.Popen([TOOL, "doctor", "--json"], stdout=writer)
    os.close(writer)

    def is_writing():
        with open(f"/proc/{doctor.pid}/wchan", encoding="ascii") as file:
            return "pipe" in file.read()

    check(wait_for(is_writing), "the doctor has tried everything")
    holds(doctor.pid, "doctor", "the doctor")
    while os.read(reader, 65536):
        pass
    doctor.wait()


def start_dumping():
    """Starts a process of nobody whose core is dumped into a program that does not read it."""
    with open("/proc/sys/kernel/core_pattern", "w", encoding="ascii") as file:
        file.write("|/bin/sleep 1000")
    victim = subprocess.Popen(["/bin/sleep", "1000"], **AS_NOBODY)
    victim.send_signal(signal.SIGSEGV)
    wait_for(lambda: status(victim.pid)["CoreDumping"] == "1")
    return victim


def check_core():
    victim = start_dumping()
    os.makedirs("/run/flightrec", exist_ok=True)
    path = f"/run/flightrec/test-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(4)
        listener.settimeout(60)
        core, feed = os.pipe()
        handler = subprocess.Popen(
            [TOOL, "core", "--time=60", "--kernel", f"P{victim.pid}", "d1", "s11", "c0"], stdin=core
        )
        os.close(core)
        connection = None
        while connection is None:
            connection, _ = listener.accept()
            if control.heard(connection.recv(4096)).split()[0] != "core":
                connection = None
        os.unlink(path)
        connection.send(control.done(awaited=1))
        collector = children(handler.pid)[0]
        wait_for(lambda: children(collector))
        unwinder = children(collector)[0]
        wait_for(lambda: status(unwinder)["Seccomp"] == "2")
        holds(collector, "core", "the process that asks the recorders")
        is_powerless(unwinder, "the process that unwinds the threads of a core dump")
        check(
            not any(
                stat.S_ISSOCK(os.stat(f"/proc/{unwinder}/fd/{fd}").st_mode)
                and os.readlink(f"/proc/{unwinder}/fd/{fd}")
                in [
                    os.readlink(f"/proc/{collector}/fd/{other}")
                    for other in os.listdir(f"/proc/{collector}/fd")
                ]
                for fd in os.listdir(f"/proc/{unwinder}/fd")
            ),
            "and it cannot reach the recorders",
        )
        os.close(feed)
        handler.wait()
        connection.close()
    victim.kill()
    victim.wait()


# Only in a kernel of its own, because it changes which program gets core dumps.
if "FREC_OWN_KERNEL" in os.environ:
    check_core()
    done()
check_keeper()
check_tool()
check_environment()
check_recorder()
check_doctor()
done()
