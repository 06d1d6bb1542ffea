# Faults around a service: its recorder is killed; the service forks, executes another program, and
# has short-lived processes. The service is never disturbed, every event is in the file or counted
# as lost, and nothing is left behind.
#
# 	test_faults.py PUPPET KINDS SHOPD TRANSPORT MANY
#
# MANY is the number of short-lived processes.
import collections
import os
import re
import subprocess
import sys
import threading

from kit import (
    TOOL,
    check,
    done,
    events,
    folder,
    free_port,
    keepers,
    kill_keepers,
    report,
    request,
    snapshots,
    tool,
    verify,
    wait_for,
)
from puppet import Puppet, beats, need_silence, whole

PUPPET, KINDS, SHOPD = map(os.path.realpath, sys.argv[1:4])
TRANSPORT, MANY = sys.argv[4], int(sys.argv[5])


def opened(pid):
    """Counts the open descriptors of a process by kind, to see whether a recorder left any."""
    return collections.Counter(
        os.readlink(f"/proc/{pid}/fd/{number}").split(":")[0]
        for number in os.listdir(f"/proc/{pid}/fd")
    )


def mapped(pid):
    """Returns the number of mappings of memfds, and how many KiB of them are resident."""
    with open(f"/proc/{pid}/smaps") as file:
        sizes = re.findall(r"^\S+-\S+ .*memfd:.*\n(?:\w+:.*\n)*?Rss: +(\d+) kB", file.read(), re.M)
    return len(sizes), sum(map(int, sizes))


def check_nothing_left(pid, before, maps):
    """Checks that a recorder leaves nothing in a process. Address space may stay reserved, because
    a thread may still be writing there. Memory must not stay allocated, and the address space must
    not grow with each recorder."""
    check(
        wait_for(lambda: not keepers(pid)) and opened(pid) == before,
        f"no keeper and no descriptor is left {opened(pid)} {before}",
    )
    count, size = mapped(pid)
    check(
        size <= 64 and count <= max(maps, default=count),
        f"no memory is left: {size} KiB in {count} mappings {maps}",
    )
    maps.append(count)


def is_off(puppet):
    """Waits until the event is off. Returns whether it is. Emits meanwhile: if the kernel does not
    clear the enable word, only the next emit notices that a listener is gone."""
    return wait_for(lambda: puppet.emit(1) and puppet.word() == 0)


def run(*arguments):
    """Starts a puppet under `flightrec run`. Returns the puppet, the folder of the snapshots, and a
    function that takes a snapshot."""
    out, control = folder(), os.path.join(folder(), "control")
    puppet = Puppet(
        PUPPET,
        [
            TOOL,
            "run",
            "-e",
            "accept:*",
            "-e",
            "same:*",
            "--transport",
            TRANSPORT,
            "-o",
            out,
            "--socket",
            control,
            *arguments,
            "--",
        ],
        stderr=subprocess.DEVNULL,
    )
    check(wait_for(puppet.word), "the events of a service under flightrec run are on")
    return puppet, out, lambda: tool("trigger", "look", "--socket", control).stdout.strip()


need_silence(PUPPET)
print("== the recorder is killed", flush=True)
puppet = Puppet(PUPPET)
before, maps = opened(puppet.pid), []
for turn in range(4):
    out = folder()
    check(puppet.start(TRANSPORT, out, TOOL) == "ok", "the service's recorder starts")
    check(puppet.word() != 0, "the service's events are on")
    if turn == 3:
        puppet.emit(100)
        break
    puppet.emit(10000)  # enough to have touched a ring's worth of memory
    check(kill_keepers(puppet.pid) == 1, "the one keeper is killed")
    check(is_off(puppet), f"the events are off again {puppet.word():x}")
    check(
        wait_for(lambda: puppet.ask("trigger", "now").startswith("failed")),
        "a trigger reports that there is no recorder",
    )
    puppet.ask("stop")
    check_nothing_left(puppet.pid, before, maps)
check(
    puppet.ask("trigger", "now") == "ok" and wait_for(lambda: snapshots(out)),
    "the last recorder, which was not killed, records",
)
numbers = [fields["sequence"] for fields in beats(snapshots(out)[0])[puppet.pid]]
check(
    numbers == list(range(numbers[0], numbers[0] + 100)),
    f"its file has all events since it started {numbers[:1]} {len(numbers)}",
)
verify(snapshots(out)[0])
check(puppet.ask("stop") == "ok" and is_off(puppet), "it stops without an error")
check_nothing_left(puppet.pid, before, maps)
check(puppet.quit() == 0, "the service exits with 0")

print("== the recorder is killed, and the service is busy", flush=True)
port, answers, stop = free_port(), [], threading.Event()
shop = subprocess.Popen(
    [
        SHOPD,
        "--listen",
        f"127.0.0.1:{port}",
        "--threads",
        "2",
        "--record",
        folder(),
        "--keeper",
        TOOL,
        "--ring-size",
        "256K",
        "--event",
        "shop:*",
        "--transport",
        TRANSPORT,
    ],
    stdout=subprocess.DEVNULL,
)
check(wait_for(lambda: request(port, "/healthz")), "shopd serves")


def customer():
    while not stop.is_set():
        answers.append((request(port, "/products") or b"").startswith(b"HTTP/1.1 200 "))


thread = threading.Thread(target=customer)
thread.start()
wait_for(lambda: len(answers) > 50)
check(kill_keepers(shop.pid) == 1, "the one keeper is killed")
after = len(answers)
wait_for(lambda: len(answers) > after + 50)
stop.set()
thread.join()
check(all(answers) and len(answers) > after + 50, f"each of {len(answers)} requests is answered")
shop.terminate()
check(shop.wait() == 0, "shopd exits with 0")

print("== the machine's recorder is killed", flush=True)
if TRANSPORT == "shm":
    puppet, out, trigger = run()
    killed = puppet.process
else:
    puppet = Puppet(PUPPET)
    killed = subprocess.Popen(
        [
            TOOL,
            "record",
            "-e",
            "accept:*",
            "--transport",
            TRANSPORT,
            "-o",
            folder(),
            "--socket",
            folder() + "/control",
        ]
    )
    check(wait_for(puppet.word), "a recorder that starts after the service switches events on")
puppet.emit(100)
killed.kill()
killed.wait()
check(is_off(puppet), f"the events are off again {puppet.word():x}")
check(puppet.emit(10) > 100, "the service runs on")
puppet.process.stdin.close()

print("== 100 children emit", flush=True)
puppet, out, trigger = run()
puppet.emit(5)
children = puppet.fork(100, 20)
puppet.emit(5)
path = trigger()
verify(path)
found = beats(path)
check(
    len(set(children)) == 100 and set(found) == {puppet.pid, *children},
    f"each child's events have its own pid {len(found)}",
)
check(all(whole(found[pid], range(1, 21)) for pid in children), "all events of each are there")
check(
    whole(found[puppet.pid], range(1, 11)),
    f"all events of the parent are there {len(found[puppet.pid])}",
)
puppet.quit()

print(f"== {MANY} short-lived processes", flush=True)
puppet, out, trigger = run("--ring-size", "4M")
check(puppet.ask("spawn", MANY) == "ok 0", "each exits with 0")
path = trigger()
verify(path)
found = beats(path)
check(
    all(len(fields) == 1 for fields in found.values()) and puppet.pid not in found,
    "the file has one event of each",
)
numbers = sorted(fields[0]["sequence"] for fields in found.values())
sources = [s for s in report(path)["loss"]["sources"] if s["name"] == "beat"]
emitted, in_file, gone = (
    sum(s[k] for s in sources for k in keys)
    for keys in (["emitted"], ["in_file"], ["overwritten", "lost"])
)
check(
    emitted == MANY and in_file == len(numbers) and in_file + gone == MANY,
    f"{emitted} emitted, {len(numbers)} in the file, {gone} accounted for",
)
check(
    gone or numbers == list(range(1, MANY + 1)),
    f"the file has all events that are not lost ({len(numbers)})",
)
puppet.quit()
check(not snapshots(out)[1:], "only the requested snapshot is taken")

print("== a process executes another program", flush=True)
puppet, out, trigger = run()
puppet.emit(30)
pid = puppet.pid
puppet.exec()
check(puppet.pid == pid and wait_for(puppet.word), "it executes itself, and its events are on")
puppet.emit(40)
check(puppet.become(KINDS) == 3, "it executes another program")
path = wait_for(lambda: snapshots(out))[0]
verify(path)
# The file of a recorder that runs as root can have events of another test run as well.
found = [e for e in events(path) if e["pid"] == pid and e["event"].startswith(("accept:", "same:"))]
check(found, "the events of both programs have one pid")
check(
    whole(
        [e["fields"] for e in found if e["event"] == "accept:beat"], [*range(1, 31), *range(1, 41)]
    ),
    "the file has the events from before and after the first exec",
)
same = [e for e in found if e["event"].startswith("same:")]
check(
    len(same) == 36 and same[0]["fields"]["u8"] == 0,
    f"the file has the events of the other program {len(same)}",
)
done()
