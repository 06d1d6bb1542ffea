# A recorder does not wake while nothing happens, and reacts at once if something does.
#
# 	test_idle.py PUPPET PLUGIN TRANSPORT...
#
# Processes that start wake a recorder, too, so moments in which the machine forked do not count.
import ctypes
import fcntl
import glob
import os
import select
import struct
import subprocess
import sys
import time

from kit import TOOL, Recorder, check, done, folder, keepers, kill_keepers, wait_for
from puppet import Puppet

PUPPET, PLUGIN, TRANSPORTS = os.path.realpath(sys.argv[1]), sys.argv[2], sys.argv[3:]
SELECTION = ("-e", "accept:*", "-e", "plugin:*", "--ring-size", "256K")
# A recorder that looked around every 20 ms would wake 12 times in a moment.
MOMENT, MOMENTS, QUIET, WAKES_MAX = 0.25, 240, 5, 3
IN_VM = bool(os.environ.get("FREC_IN_TEST_KERNEL"))
CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
COARSE = 2  # FREC_SHM_COARSE of recorder/service/shm.h


def switches(pid):
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path) as file:
            total += int(file.read().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return total


def forks():
    with open("/proc/stat") as file:
        return int(file.read().split("\nprocesses ")[1].split()[0])


def check_asleep(pid, what):
    """Fails if the recorder wakes in each of several quiet moments."""
    quiet = []
    for _ in range(MOMENTS):
        before, forked = switches(pid), forks()
        time.sleep(MOMENT)
        wakes = switches(pid) - before
        if wakes > WAKES_MAX and forks() != forked:
            continue
        quiet.append(wakes)
        if wakes <= WAKES_MAX or len(quiet) == QUIET:
            break
    if not quiet:
        print("skipped: processes start all the time")
        sys.exit(77)
    check(
        min(quiet) <= WAKES_MAX,
        f"{what} sleeps: wakes in quiet moments: {quiet}, at most {WAKES_MAX} are allowed",
    )


def memory_options(pid):
    """Returns the options in the memory that recorder `pid` shares with services."""
    for path in glob.glob(f"/proc/{pid}/fd/*"):
        if "memfd:flightrec" in os.readlink(path):
            with open(path, "rb") as file:
                return int.from_bytes(file.read(12)[8:], "little")
    return None


def reports(recorder, words):
    """Returns whether the recorder reports something within some seconds, without being asked."""
    text = b""
    end = time.monotonic() + 30
    while words.encode() not in text and time.monotonic() < end:
        if select.select([recorder.process.stderr], [], [], 1)[0]:
            text += os.read(recorder.process.stderr.fileno(), 4096)
    return words.encode() in text


def check_registration():
    """Registers a user event with a single system call."""
    name = ctypes.create_string_buffer(b"accept__idle u32 value")
    word = ctypes.c_uint32(0)
    data = os.open("/sys/kernel/tracing/user_events_data", os.O_RDWR)
    request = bytearray(
        struct.pack("=IBBHQQI", 28, 0, 4, 0, ctypes.addressof(word), ctypes.addressof(name), 0)
    )
    time.sleep(1)
    fcntl.ioctl(data, 3 << 30 | 8 << 16 | ord("*") << 8, request)
    check(wait_for(lambda: word.value, 10), "an event that is registered is on soon")
    os.close(data)


def check_cpu(recorder):
    def switch(state):
        time.sleep(2.5)
        with open("/sys/devices/system/cpu/cpu1/online", "w") as file:
            file.write(state)

    switch("0")
    check(reports(recorder, "CPU 1 went offline"), "a CPU that goes is noticed")
    switch("1")
    check(reports(recorder, "CPU 1 is back"), "a CPU that comes is noticed")


def check_clock(pid):
    with open(CLOCK) as file:
        before = file.read().strip()
    check(not memory_options(pid) & COARSE, f"services read the exact clock, {before}")
    with open(CLOCK, "w") as file:
        file.write("hpet")
    check(
        wait_for(lambda: memory_options(pid) & COARSE, 10),
        "services are told that the clock has become one that takes a system call",
    )
    with open(CLOCK, "w") as file:
        file.write(before)


def check_record(transport):
    recorder = Recorder(*SELECTION, "--transport", transport)
    check_asleep(recorder.process.pid, f"record, {transport},")
    # The plugin is loaded by a process that runs already, so no exec wakes the recorder.
    library = ctypes.CDLL(PLUGIN)
    library.plugin_enable_word.restype = ctypes.POINTER(ctypes.c_uint32)
    word = library.plugin_enable_word()
    check(wait_for(lambda: word[0], 10), "the events of a library that is loaded are on soon")
    if transport == "user_events":
        check_registration()
    if IN_VM:
        check_cpu(recorder)
        check_asleep(recorder.process.pid, "the same recorder")
    status = recorder.stop()
    check(status == 0, f"the recorder ends {status} {recorder.errors if status else ''}")
    check(wait_for(lambda: not word[0], 10), "and the events are off")


def check_run(transport):
    puppet = Puppet(
        PUPPET,
        [TOOL, "run", *SELECTION, "--transport", transport, "-o", folder()]
        + ["--socket", os.path.join(folder(), "control"), "--"],
        stderr=subprocess.DEVNULL,
    )
    # Popen started the recorder, and the puppet is its child.
    recorder = puppet.process.pid
    puppet.emit(10)
    check(puppet.word(), "the puppet is recorded")
    check_asleep(recorder, f"run, {transport},")
    if IN_VM and transport == "shm":
        check_clock(recorder)
    puppet.quit()


def check_keeper(transport):
    puppet, out = Puppet(PUPPET), folder()
    answer = puppet.start(transport, out, TOOL)
    check(answer == "ok", f"the puppet starts a recorder: {answer}")
    puppet.emit(10)
    # The children that read files for it may not have their names yet.
    check(wait_for(lambda: len(keepers(out)) == 1), "it has a keeper")
    check_asleep(keepers(out)[0], f"a keeper, {transport},")
    puppet.quit()
    check(wait_for(lambda: not keepers(out)), "the keeper ends with its service")
    kill_keepers(out)


for transport in TRANSPORTS:
    print(f"== {transport}", flush=True)
    if transport != "shm":
        check_record(transport)
    check_run(transport)
    check_keeper(transport)
done()
