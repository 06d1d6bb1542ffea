"""In a kernel of its own, which dumps set-uid programs, too: user nobody runs one below a client of
root's recorder, and does not get the stacks and registers of its threads from `flightrec core`.

    test_whose_core.py CRASHER

Who: a user whose set-uid program crashes below a client of root's recorder
Tried: expects the stacks and registers of its threads
Happened: they are in root's file alone
"""
import os
import resource
import shutil
import subprocess
import sys

from kit import Recorder, check, done, folder, report, snapshots, tool, wait_for

NOBODY = 65534
CRASHER = os.path.realpath(sys.argv[1])
CLIENT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "client.py")

if "FREC_OWN_KERNEL" not in os.environ:
    print("skipped: this test changes settings of the kernel")
    sys.exit(77)


def crash_below_client(program):
    """Returns the snapshots that come of a crash of `program` with three threads, below a client
    of user nobody."""
    before = snapshots(recorder.folder)
    client = subprocess.Popen(
        ["/usr/bin/python3", CLIENT, public, "--run"],
        env={**os.environ, "PROGRAM": f"{program} 3 write"},
        user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)),
    )  # fmt: skip
    check(client.wait() == 0, "the program has crashed")
    wait_for(lambda: len(snapshots(recorder.folder)) > len(before), 20)
    recorder.trigger("after")
    return [path for path in snapshots(recorder.folder) if path not in before and "SIG" in path]


with open("/proc/sys/fs/suid_dumpable", "w", encoding="ascii") as file:
    file.write("2")
result = tool("core", "--install", "--until-reboot")
check(result.returncode == 0, f"flightrec core is installed {result.stderr.strip()}")
shared = folder()
os.chmod(shared, 0o755)
public = os.path.join(shared, "public")
recorder = Recorder("-e", "none:*", "--listen", public, "--cooldown", "0")
os.makedirs("/run/flightrec", exist_ok=True)
os.symlink(recorder.socket, "/run/flightrec/attacked.sock")
print("== a program of nobody", flush=True)
files = crash_below_client(CRASHER)
check(
    len(files) == 1
    and os.stat(files[0]).st_uid == NOBODY
    and len(report(files[0])["threads"]) == 3,
    f"nobody gets the stacks of all its threads {files}",
)
print("== a set-uid program", flush=True)
program = os.path.join(shared, "set-uid-crash")
shutil.copy(CRASHER, program)
os.chmod(program, 0o4755)
files = crash_below_client(program)
check(
    not [path for path in files if os.stat(path).st_uid == NOBODY],
    f"nobody gets no snapshot of it {files}",
)
check(recorder.stop() == 0, f"the recorder exits with 0 {recorder.errors}")
done()
