# Root can record on a machine on which tracefs is not mounted. flightrec uses a detached mount, so
# the table of mounts does not change.
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

TOOL = sys.argv[1]


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def mounts(pid="self"):
    with open(f"/proc/{pid}/mounts") as file:
        return file.read()


if os.geteuid() != 0:
    skip("only root can mount")
if "--inside" not in sys.argv:
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
    if probe.returncode:
        skip("a mount namespace cannot be created: " + probe.stderr.strip())
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv, "--inside"])
for line in reversed(mounts().splitlines()):
    if line.split()[2] in ("tracefs", "debugfs"):
        subprocess.run(["umount", "--recursive", line.split()[1]], check=True)
before = mounts()
assert "tracefs" not in before, before

events = subprocess.run([TOOL, "events", "sched:sched_switch"], capture_output=True, text=True)
doctor = subprocess.run([TOOL, "doctor", "--json"], capture_output=True, text=True)
capability = {row["capability"]: row for row in map(json.loads, doctor.stdout.splitlines()[:-1])}
if (
    capability["tracepoints"]["state"] == "missing"
    and "no right" in capability["tracepoints"]["found"]
):
    skip("tracepoints: " + capability["tracepoints"]["found"])
assert events.returncode == 0 and "sched:sched_switch" in events.stdout, events
assert (
    capability["tracefs"]["state"] == "limited" and "not mounted" in capability["tracefs"]["found"]
), capability["tracefs"]
assert "mount -t tracefs" in capability["tracefs"]["fix"], capability["tracefs"]
assert (
    capability["tracefs-rights"]["state"] == "ok" and capability["tracepoints"]["state"] == "ok"
), doctor.stdout

with tempfile.TemporaryDirectory(prefix="frec-detached-") as folder:
    socket = os.path.join(folder, "socket")
    recorder = subprocess.Popen(
        [
            TOOL,
            "record",
            "-e",
            "sched:sched_switch",
            "--ring-size",
            "64K",
            "--socket",
            socket,
            "-o",
            os.path.join(folder, "out"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not os.path.exists(socket) and recorder.poll() is None:
        time.sleep(0.02)
    assert recorder.poll() is None, recorder.stderr.read()
    assert mounts(recorder.pid) == before, mounts(recorder.pid)
    subprocess.run(
        [TOOL, "trigger", "here", "--socket", socket], check=True, stdout=subprocess.DEVNULL
    )
    recorder.terminate()
    assert recorder.wait() == 0, recorder.stderr.read()
    [path] = glob.glob(os.path.join(folder, "out", "*.frec"))
    subprocess.run([TOOL, "verify", path], check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run(
        [TOOL, "export", "-f", "json", "-o", "-", path], check=True, capture_output=True, text=True
    ).stdout
    assert '"sched:sched_switch"' in shown, shown[:400]
assert mounts() == before, mounts()
print("recorded without a mounted tracefs")
