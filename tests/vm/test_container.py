# Tests a container that has user_events_data but nothing else of tracefs. Its services register
# their events there. A privileged recorder outside the container records these events, and also how
# the services crash.
import os
import subprocess
import sys

from kit import Recorder, check, done, events, folder, report, snapshots, verify, wait_for

EMITTER = sys.argv[1]
TRACING = "/sys/kernel/tracing"
FILE = "user_events_data"


def inside(place, *command):
    """Runs a command in a mount namespace that has user_events_data in the folder `place`, but
    nothing else of tracefs."""
    script = (
        "mkdir -p /tmp/only && touch /tmp/only/file && "
        f"mount --bind {TRACING}/{FILE} /tmp/only/file && "
        f"umount -l {TRACING} && (umount -l /sys/kernel/debug 2>/dev/null; true) && "
        f"mount -t tmpfs tmpfs {place} && touch {place}/{FILE} && "
        f"mount --bind /tmp/only/file {place}/{FILE} && umount -l /tmp/only/file && "
        f"! ls {TRACING}/events 2>/dev/null && exec \"$@\""
    )
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *map(str, command)],
        capture_output=True,
        text=True,
        timeout=120,
    )


for number, place in enumerate((TRACING, "/mnt")):
    print(f"== at {place}", flush=True)
    recorder = Recorder("-e", "test:*", "--ring-size", "256K", "--transport", "user_events")
    # The first service registers the events. The recorder keeps them registered, so that they are
    # on for the second service at once.
    first = inside(place, EMITTER, "-n", 100, "-w", 2000, "ok")
    check(
        first.returncode == 0, f"a service runs in there {first.returncode} {first.stderr[-300:]}"
    )
    result = inside(place, EMITTER, "-n", 40, "abort")
    check(
        wait_for(lambda: snapshots(recorder.folder)),
        f"its crash is seen {result.returncode} {result.stderr[-300:]}",
    )
    for path in snapshots(recorder.folder)[:1]:
        verify(path)
        crash = report(path)["crash"]
        numbers = [
            e["fields"]["sequence"]
            for e in events(path)
            if e["event"] == "test:tick" and e["pid"] == crash["pid"]
        ]
        check(
            numbers == list(range(1, 41)) and crash["signal"] == "SIGABRT",
            f"with all that it did {numbers[:1]} {numbers[-1:]} {crash['signal']}",
        )
    recorder.stop()
done()
