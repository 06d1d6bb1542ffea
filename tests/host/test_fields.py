# SPDX-License-Identifier: MIT
"""Tests fields of triggers, tags of recorders and clients, and notices of snapshots.

    test_fields.py FIELDS

Without rights it tests a keeper, a recorder that listens, the command line, and what every reader
makes of hostile values; as root, what a client of another user learns.
"""
import itertools
import os
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "vm"), os.path.join(HERE, "..", "data")]
import control  # noqa: E402
from kit import TOOL, check, done, folder, report, snapshots, tool, verify, wait_for  # noqa: E402

FIELDS = sys.argv[1]
ROOT, NOBODY = os.geteuid() == 0, 65534
NOTE = "line\\x0afake: value\\x1b[31m\\x01\\xff<b>\""
USUAL = ["-e", "fields:*", "--ring-size", "64K", "--transport", "shm"]


def service(*words, **options):
    """Runs the service to its end. Returns {trigger: path} of its notices."""
    result = subprocess.run([FIELDS, *words], capture_output=True, text=True, timeout=120,
                            **options)
    notices = {}
    for line in result.stdout.splitlines():
        if line.startswith("notice "):
            notices[line.split()[1]] = line.split()[2]
        else:
            check(not line.startswith("FAILED"), line)
    check(result.returncode == 0, f"the service is content {result.stdout[-300:]}{result.stderr}")
    return notices


class Recorder:
    def __init__(self, *options):
        self.out = folder()
        os.chmod(self.out, 0o711)
        where = folder()
        os.chmod(where, 0o755)
        self.listen, self.control = os.path.join(where, "listen"), os.path.join(where, "control")
        self.process = subprocess.Popen(
            [TOOL, "record", *USUAL, *options, "-o", self.out, "--listen", self.listen,
             "--socket", self.control],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        check(wait_for(lambda: os.path.exists(self.listen)), "the recorder listens")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(60) == 0, "the recorder ends")


class Waiting:
    """A service that obeys commands."""

    def __init__(self, listen, **options):
        self.process = subprocess.Popen([FIELDS, "socket", listen, "wait"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, **options)
        self.pid = int(self.until("ready").split()[1])

    def until(self, word):
        for line in self.process.stdout:
            check(not line.startswith("FAILED"), line.strip())
            if line.startswith(word):
                return line
        return word + " 0 0"

    def send(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def ask(self, *words):
        """Sends a command that requests a snapshot. Returns the path of the snapshot."""
        self.send(*words)
        return self.until("notice").split()[2]


def exported(path, form):
    out = os.path.join(folder(), "out")
    result = tool("export", "-f", form, "-o", out, path)
    check(result.returncode == 0, f"{form} {result.stderr.strip()}")
    with open(out, "rb") as file:
        return file.read()


def text(number, value):
    return control.field(number, value)


def otlp(key, value):
    """Returns an attribute as the schema of OpenTelemetry encodes it."""
    return text(1, key) + text(2, text(1, value))


def check_fields(path):
    fields = report(path)["trigger"]["fields"]
    check(list(fields) == ["request_id", "shard", "empty", "note", "longer", "cut"],
          f"the fields come in their order {list(fields)}")
    check(fields["request_id"] == "8f3a-77" and fields["shard"] == "(null)" and
          fields["empty"] == "" and fields["note"] == "line\nfake: value\x1b[31m\x01\\xff<b>\"",
          f"their values are whole and escaped {fields}")
    check(fields["longer"] == "ä" * 126 + "..." and fields["cut"] == "€" * 84 + "...",
          f"a long value is cut at the end of a character {fields['longer']} {fields['cut']}")
    shown = tool("show", path).stdout
    check(f"with        request_id: 8f3a-77\n            shard: (null)\n            empty: \n"
          f"            note: {NOTE}\n            longer: ä" in shown,
          f"show has a line for each {shown[:900]}")
    check("\nfake" not in shown and "\x1b" not in shown, "no value makes a line or a colour")
    page = exported(path, "html").decode()
    check('"request_id":"8f3a-77"' in page and "<b>\\\"" not in page and "value\\u001b" in page,
          "the page has them, escaped")
    trace = exported(path, "perfetto")
    check(trace.count(text(6, "8f3a-77") + text(10, "request_id")) == 1 and
          b"trigger: slow_checkout" in trace,
          "perfetto has them as arguments of an instant")
    check(text(1, "flightrec.trigger.request_id") + text(3, "8f3a-77") in trace,
          "and as attributes")


def check_tags(path, of_process=None):
    told = report(path)
    if of_process:
        tags = {p["pid"]: p["tags"] for p in told["tagged_processes"]}
        check(list(tags) == of_process, f"the tags belong to the client {tags} {of_process}")
        tags = tags[of_process[0]]
    else:
        tags = told["tags"]
    check(tags["service.version"] == "1.4.2" and tags["equals"] == "a=b" and
          tags["empty"] == "" and tags["deployment.environment.name"] == "test\x01\\xff\n",
          f"the tags are in the file {tags}")
    shown = tool("show", path).stdout
    lines = [line.strip() for line in shown.splitlines()]
    check(any(line.endswith("service.version: 1.4.2") for line in lines) and
          "deployment.environment.name: test\\x01\\xff\\x0a" in lines, f"show has them {shown}")
    trace = exported(path, "perfetto")
    prefix = f"flightrec.process.{of_process[0]}.tag" if of_process else "flightrec.tag"
    check(text(1, prefix + ".service.version") + text(3, "1.4.2") in trace,
          "perfetto has them as attributes")
    logs = exported(path, "otlp")
    host = told["host"]
    check(otlp("service.version", "1.4.2") in logs and otlp("service.name", "checkout") in logs,
          "OTLP has them as attributes")
    check(otlp("host.name", host) in logs and
          (b"liar" not in logs if not of_process else True),
          "and no tag replaces what was measured")
    check(otlp("deployment.environment.name", "test\x01\\xff\n") in logs, "in valid UTF-8")
    page = exported(path, "html").decode()
    check('"service.version":"1.4.2"' in page, "the page has them")


def compiled(language, *arguments):
    """Returns what the compiler says to a call with these arguments, from its first line on."""
    code = ("#include <flightrec/recorder.h>\nint f(const char *id);\nint f(const char *id) "
            f"{{ (void)id; return frec_trigger_fields({', '.join(arguments)}); }}\n")
    command = {"c": ["cc", "-std=c11", "-x", "c", "-Wdeclaration-after-statement"],
               "c++": ["c++", "-std=c++11", "-x", "c++", "-Wold-style-cast", "-Wuseless-cast",
                       "-Wzero-as-null-pointer-constant"]}[language]
    return subprocess.run(
        [*command, "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only",
         "-I", os.path.join(HERE, "../../recorder/service/include"), "-"],
        input=code, capture_output=True, text=True, check=False).stderr


def compilers():
    print("== compilers", flush=True)
    for language in ("c", "c++"):
        for good in (['"t"', '"id"', "id"], ['"t"', '"id"', "id", '"shard"', '"7"'],
                     ["id", "id", "id"]):
            said = compiled(language, *good)
            check(not said, f"{language}: {good} {said[:300]}")
        lines = compiled(language, '"t"', '"id"').splitlines()
        first = next((line for line in lines if "error" in line), "")
        check("a key has no value: name, key, value" in first, f"{language}: {first}")
        check("error" in compiled(language, '"t"', '"id"', "17"), f"{language}: no numbers")
    check(not compiled("c++", '"t"'), "c++: no pairs at all")


def keeper():
    print("== a keeper", flush=True)
    out = folder()
    notices = service("keeper", out, TOOL)
    check("slow_checkout" in notices and "from_handler" in notices, f"notices {notices}")
    path = notices["slow_checkout"]
    check(os.path.dirname(path) == out, f"a notice has the whole path {path}")
    verify(path)
    check_fields(path)
    check_tags(path)
    check(report(notices["from_handler"])["trigger"]["fields"] ==
          {"signal": "SIGUSR1", "where": "handler"}, "the fields of a signal handler")
    same = sorted((p for p in snapshots(out) if "/same-" in p),
                  key=lambda p: int(p.split("-")[-1].removesuffix(".frec")))
    numbers = [report(p)["trigger"]["fields"]["n"] for p in same]
    check(numbers[0] == "1" and numbers[-1] == "3" and len(numbers) in (2, 3),
          f"a snapshot of several triggers has the fields of the last {numbers}")
    check("fields" not in report([p for p in snapshots(out) if "last" in p][0])["trigger"],
          "a trigger without fields has none of an earlier one")
    check(all(report(p)["tags"]["service.version"] == "1.4.2" for p in snapshots(out)[:3]),
          "every file has the tags")


def listening():
    print("== a recorder that listens, and the command line", flush=True)
    recorder = Recorder("--tag", "region=eu 1", "--tag", "service.version=of the recorder")
    waiting = Waiting(recorder.listen)
    path = waiting.ask("trigger", "by_client")
    verify(path)
    check_tags(path, [waiting.pid])
    told = report(path)
    check(told["tags"] == {"region": "eu 1", "service.version": "of the recorder"} and
          told["trigger"]["fields"] == {"asked": "yes"},
          f"the recorder's own tags are beside the client's {told['tags']}")
    spans = exported(path, "otlp-traces")
    check(spans.count(control.field(1, "service.version")) == 1 and
          otlp("service.version", "1.4.2") in spans and otlp("region", "eu 1") in spans,
          "the resource of a span has the process's tags, and those of the recorder below them")
    check(spans.count(control.field(1, "service.name")) == 1 and
          otlp("service.name", "checkout") in spans and b"liar" not in spans,
          "a tag names the service, and none replaces what was measured")
    waiting.send("fork")
    child = int(waiting.until("forked").split()[1])
    # Without rights, the recorder sees the child only when it next looks at /proc.
    numbers = itertools.count()
    tags = wait_for(lambda: tagged(waiting, child, next(numbers)), 30)
    check(tags and tags[0] == tags[1], f"a child of fork has the tags of its parent {tags}")
    waiting.send("reap")
    waiting.send("exec")
    waiting.until("executed")
    result = tool("trigger", "from the shell", "order=17", "empty=", "url=/a?b=c d\n",
                  "--socket", recorder.control)
    check(result.returncode == 0, f"trigger with pairs {result.stderr}")
    told = report(result.stdout.strip())
    check(told["trigger"]["fields"] == {"order": "17", "empty": "", "url": "/a?b=c d\n"},
          f"the fields of the command line {told['trigger']}")
    waiting.process.communicate("\n", timeout=60)
    for words in (["novalue"], ["=x"], ["a=1", "a=2"], ["a b=1"], [f"k{i}=" for i in range(17)]):
        result = tool("trigger", "x", *words, "--socket", recorder.control)
        check(result.returncode == 2 and "KEY=VALUE" in result.stderr,
              f"trigger {words[:2]}: {result.stderr.splitlines()[:1]}")
    for words in (["--tag", "novalue"], ["--tag", "a=1", "--tag", "a=2"]):
        result = tool("record", *words)
        check(result.returncode == 2 and "KEY=VALUE" in result.stderr,
              f"record {words}: {result.stderr.splitlines()[:1]}")
    raw(recorder)
    recorder.end()
    out = folder()
    result = tool("run", *USUAL, "--tag", "build=17", "-o", out, "--", "false")
    check(result.returncode == 1 and report(snapshots(out)[0])["tags"] == {"build": "17"},
          "run has --tag")


def tagged(waiting, child, number):
    """Takes a snapshot. Returns the tags of the service and of its child if the snapshot has
    both."""
    processes = report(waiting.ask("trigger", f"of_both_{number}"))["tagged_processes"]
    tags = {process["pid"]: process["tags"] for process in processes}
    return [tags[waiting.pid], tags[child]] if child in tags else None


def pair(key, value):
    return control.field(5, control.field(1, key) + control.field(2, value))


def raw(recorder):
    """Speaks to the socket as a hostile client, without the library."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(recorder.listen)
        client.settimeout(60)

        def trigger(*pairs):
            client.send(control.request("trigger", "raw") + b"".join(pairs))
            return control.answer(client.recv(65536))

        for pairs in ([pair("", "v")], [pair("a\nb", "v")], [pair("a" * 65, "v")],
                      [pair("a", b"x\0y")], [pair("a", ""), pair("a", "")],
                      [pair(f"k{i}", "") for i in range(17)],
                      [pair(f"k{i}", "") for i in range(400)]):
            what, why = trigger(*pairs)
            check(what == "error", f"refused: {why}")
        what, path = trigger(pair("a", b"\x80" * 7000), pair("b", b"\xff\xfe\x1b]0;x\x07"))
        fields = report(path)["trigger"]["fields"]
        check(what == "ok" and len(fields["a"]) == 4 * 250 + 3 and fields["a"][-3:] == "..." and
              fields["b"] == "\\xff\\xfe\x1b]0;x\x07", f"cut by the recorder {len(fields['a'])}")
        what, why = "error", ""
        client.send(control.request("attach") + pair("a=b", "v"))
        what, why = control.answer(client.recv(65536))
        check(what == "error", f"tags are checked as well: {why}")


def other_user():
    print("== clients of another user", flush=True)
    recorder = Recorder()
    own = Waiting(recorder.listen)
    other = Waiting(recorder.listen, user=NOBODY, group=NOBODY, extra_groups=[])
    path = own.ask("trigger", "of_root")
    check(report(path)["tagged_processes"][0]["pid"] == own.pid, "the client's tags")
    # `other` gets the notice of its own snapshot, and not that of root's snapshot before it.
    path = other.ask("trigger", "of_nobody")
    told = report(path)
    check([p["pid"] for p in told["tagged_processes"]] == [other.pid],
          "a user's file has no tags of other users' processes")
    check(os.stat(path).st_uid == NOBODY, "and belongs to that user")
    for waiting in (own, other):
        waiting.process.communicate("", timeout=60)
    recorder.end()


if ROOT:
    other_user()
else:
    compilers()
    keeper()
    listening()
done()
