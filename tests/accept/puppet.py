# Controls a process of accept/puppet.c, where the commands are listed, and reads from a snapshot
# what that process emitted.
import collections
import subprocess

import sys

from kit import events, wait_for


def beats(path):
    """Returns {pid: the fields of each of its accept:beat events} for a snapshot."""
    found = collections.defaultdict(list)
    for event in events(path):
        if event["event"] == "accept:beat":
            found[event["pid"]].append(event["fields"])
    return found


def whole(fields, numbers):
    """Returns whether the fields are those of the beats with these numbers, in order and intact."""
    return fields == [
        {"sequence": n, "text": "a beat of the puppet's", "negative": -n} for n in numbers
    ]


def need_silence(path):
    """Skips the test if another recorder on this machine listens to every event, because then no
    event is ever off."""
    puppet = Puppet(path)
    if not wait_for(lambda: puppet.word() == 0, 10):
        print("skipped: another recorder on this machine has the test's events on")
        sys.exit(77)
    puppet.quit()


class Puppet:
    def __init__(self, path, before=(), **options):
        """`before` is a command that runs the puppet, such as `flightrec run`."""
        self.process = subprocess.Popen(
            [*before, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        self.pid = int(self.answer().split()[1])

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the puppet is gone: {self.process.wait()}")
        return line.rstrip("\n")

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def word(self):
        return int(self.ask("word"), 16)

    def emit(self, count):
        """Emits `count` events. Returns the sequence number of the last one."""
        return int(self.ask("emit", count).split()[1])

    def start(self, transport, out, keeper):
        return self.ask("start", transport, out, keeper)

    def fork(self, children, count):
        return [int(word) for word in self.ask("fork", children, count).split()[1:]]

    def exec(self):
        self.pid = int(self.ask("exec").split()[1])

    def tell(self, *words):
        """Sends the last command, which has no answer. Returns the exit status."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.wait()

    def become(self, program):
        """Executes another program in the same process, which then accepts no more commands.
        Returns the exit status."""
        return self.tell("exec", program)

    def quit(self):
        self.process.stdin.close()
        return self.process.wait()

    def kill(self):
        self.process.kill()
        return self.process.wait()
