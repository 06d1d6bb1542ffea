# What goes wrong around a service: its recorder is killed, it forks, it becomes another program, its processes live for a moment.
# The service never notices, every event is in the file or accounted for, and nothing is left behind.
#
#	test_faults.py PUPPET KINDS SHOPD TRANSPORT MANY	MANY short-lived processes
import collections
import os
import re
import subprocess
import sys
import threading

from kit import TOOL, check, done, events, folder, free_port, keepers, report, request, snapshots, tool, verify, wait_for
from puppet import Puppet, beats, need_silence, whole

PUPPET, KINDS, SHOPD = map(os.path.realpath, sys.argv[1:4])
TRANSPORT, MANY = sys.argv[4], int(sys.argv[5])


def opened(pid):
    """What a process has open, as far as a recorder could have left something there."""
    return collections.Counter(os.readlink(f"/proc/{pid}/fd/{number}").split(":")[0] for number in os.listdir(f"/proc/{pid}/fd"))


def mapped(pid):
    """Mappings of memory files, and the KiB of them that are really there."""
    with open(f"/proc/{pid}/smaps") as file:
        sizes = re.findall(r"^\S+-\S+ .*memfd:.*\n(?:\w+:.*\n)*?Rss: +(\d+) kB", file.read(), re.M)
    return len(sizes), sum(map(int, sizes))


def check_nothing_left(pid, before, maps):
    """Addresses may stay reserved, for a thread that is just writing there, but no memory, and no more of them each time."""
    check(wait_for(lambda: not keepers(pid)) and opened(pid) == before, f"no process and no descriptor is left {opened(pid)} {before}")
    count, size = mapped(pid)
    check(size <= 64 and count <= max(maps, default=count), f"nor memory: {size} KiB in {count} mappings {maps}")
    maps.append(count)


def kill_keeper(pid):
    found = keepers(pid)
    check(len(found) == 1, f"there is one keeper {found}")
    for keeper in found:
        os.kill(keeper, 9)
    check(wait_for(lambda: not keepers(pid)), "it is killed")


def is_off(puppet):
    """Who listens without the kernel's help is noticed to be gone by the next event."""
    return wait_for(lambda: puppet.emit(1) and puppet.word() == 0)


def run(*arguments):
    """A puppet under `flightrec run`: it, the folder of the snapshots, and how to ask for one."""
    out, control = folder(), os.path.join(folder(), "control")
    puppet = Puppet(PUPPET, [TOOL, "run", "-e", "accept:*", "-e", "same:*", "--transport", TRANSPORT, "-o", out, "--socket", control,
                             *arguments, "--"], stderr=subprocess.DEVNULL)
    check(wait_for(puppet.word), "a service that runs is on")
    return puppet, out, lambda: tool("trigger", "look", "--socket", control).stdout.strip()


need_silence(PUPPET)
print("== the recorder is killed", flush=True)
puppet = Puppet(PUPPET)
before, maps = opened(puppet.pid), []
for turn in range(4):
    out = folder()
    check(puppet.start(TRANSPORT, out, TOOL) == "ok", "the service's recorder starts")
    check(puppet.word() != 0, "and its events are on")
    if turn == 3:
        puppet.emit(100)
        break
    puppet.emit(10000)  # enough to have touched a ring's worth of memory
    kill_keeper(puppet.pid)
    check(is_off(puppet), f"the events are off again {puppet.word():x}")
    check(wait_for(lambda: puppet.ask("trigger", "now").startswith("failed")), "a trigger says that nobody is there")
    puppet.ask("stop")
    check_nothing_left(puppet.pid, before, maps)
check(puppet.ask("trigger", "now") == "ok" and wait_for(lambda: snapshots(out)), "the last one, that nobody killed, records")
numbers = [fields["sequence"] for fields in beats(snapshots(out)[0])[puppet.pid]]
check(numbers == list(range(numbers[0], numbers[0] + 100)), f"all that was emitted since {numbers[:1]} {len(numbers)}")
verify(snapshots(out)[0])
check(puppet.ask("stop") == "ok" and is_off(puppet), "and ends well")
check_nothing_left(puppet.pid, before, maps)
check(puppet.quit() == 0, "the service ends well")

print("== the recorder is killed, and the service is busy", flush=True)
port, answers, stop = free_port(), [], threading.Event()
shop = subprocess.Popen([SHOPD, "--listen", f"127.0.0.1:{port}", "--threads", "2", "--record", folder(), "--keeper", TOOL, "--ring-size", "256K",
                         "--event", "shop:*", "--transport", TRANSPORT], stdout=subprocess.DEVNULL)
check(wait_for(lambda: request(port, "/healthz")), "shopd serves")


def customer():
    while not stop.is_set():
        answers.append((request(port, "/products") or b"").startswith(b"HTTP/1.1 200 "))


thread = threading.Thread(target=customer)
thread.start()
wait_for(lambda: len(answers) > 50)
kill_keeper(shop.pid)
after = len(answers)
wait_for(lambda: len(answers) > after + 50)
stop.set()
thread.join()
check(all(answers) and len(answers) > after + 50, f"each of {len(answers)} requests is answered")
shop.terminate()
check(shop.wait() == 0, "shopd ends well")

print("== the machine's recorder is killed", flush=True)
if TRANSPORT == "shm":
    puppet, out, trigger = run()
    killed = puppet.process
else:
    puppet = Puppet(PUPPET)
    killed = subprocess.Popen([TOOL, "record", "-e", "accept:*", "--transport", TRANSPORT, "-o", folder(), "--socket", folder() + "/control"])
    check(wait_for(puppet.word), "a recorder that comes later is heard")
puppet.emit(100)
killed.kill()
killed.wait()
check(is_off(puppet), f"the events are off again {puppet.word():x}")
check(puppet.emit(10) > 100, "and the service runs on")
puppet.process.stdin.close()

print("== 100 children emit", flush=True)
puppet, out, trigger = run()
puppet.emit(5)
children = puppet.fork(100, 20)
puppet.emit(5)
path = trigger()
verify(path)
found = beats(path)
check(len(set(children)) == 100 and set(found) == {puppet.pid, *children}, f"each under its own number {len(found)}")
check(all(whole(found[pid], range(1, 21)) for pid in children), "with all of its events")
check(whole(found[puppet.pid], range(1, 11)), f"and the parent with its own {len(found[puppet.pid])}")
puppet.quit()

print(f"== {MANY} processes that live for a moment", flush=True)
puppet, out, trigger = run("--ring-size", "4M")
check(puppet.ask("spawn", MANY) == "ok 0", "each ended well")
path = trigger()
verify(path)
found = beats(path)
check(all(len(fields) == 1 for fields in found.values()) and puppet.pid not in found, "one event each")
numbers = sorted(fields[0]["sequence"] for fields in found.values())
sources = [s for s in report(path)["loss"]["sources"] if s["name"] == "beat"]
emitted, in_file, gone = (sum(s[k] for s in sources for k in keys) for keys in (["emitted"], ["in_file"], ["overwritten", "lost"]))
check(emitted == MANY and in_file == len(numbers) and in_file + gone == MANY,
      f"{emitted} emitted, {len(numbers)} in the file, {gone} accounted for")
check(gone or numbers == list(range(1, MANY + 1)), f"and the file has all of them ({len(numbers)})")
puppet.quit()
check(not snapshots(out)[1:], "nothing but what was asked for")

print("== a process becomes another program", flush=True)
puppet, out, trigger = run()
puppet.emit(30)
pid = puppet.pid
puppet.exec()
check(puppet.pid == pid and wait_for(puppet.word), "it begins anew, and is on at once")
puppet.emit(40)
check(puppet.become(KINDS) == 3, "and a third time, as another program")
path = wait_for(lambda: snapshots(out))[0]
verify(path)
found = [e for e in events(path) if e["event"].startswith(("accept:", "same:"))]
check({e["pid"] for e in found} == {pid}, "all under one number")
check(whole([e["fields"] for e in found if e["event"] == "accept:beat"], [*range(1, 31), *range(1, 41)]), "the events before and after")
same = [e for e in found if e["event"].startswith("same:")]
check(len(same) == 29 and same[0]["fields"]["u8"] == 0, f"and of the other program {len(same)}")
done()
