#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_formats.py FORMAT FLIGHTREC MAKE_SNAPSHOT: compares a format with the JSON lines.

The format's own reader reads the output, and every event is compared by value with the JSON lines,
for snapshots with every kind of field, hostile text and torn payloads. Exits with 77 if the reader
is not installed.
"""
import collections
import csv
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

FORMAT = sys.argv[1]
TOOL, MAKE = map(os.path.abspath, sys.argv[2:4])
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
ENVIRONMENT = {"TZ": "UTC", "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


WAIT = 60  # seconds after which a reader counts as hung


# The text fields of data/make_snapshot.c.
TEXTS = ("path", "tag", "name", "comm", "prev_comm", "next_comm")

UNKNOWN = -1

def run(*command, status=0):
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == status, (
        command,
        done.returncode,
        done.stdout[-2000:],
        done.stderr[-2000:],
    )
    return done


def reader(name):
    if not shutil.which(name):
        print(f"{name} is not installed")
        sys.exit(77)
    return name


def same_float(ours, theirs):
    """Returns whether a value of the JSON lines is the float `theirs`.

    JSON lines have text for a value that is not finite, and nine digits for a float of 4 bytes.
    """
    ours = float(ours)
    return (
        ours == theirs
        or (math.isnan(ours) and math.isnan(theirs))
        or struct.pack("<f", ours) == struct.pack("<f", theirs)
    )


def plain(text):
    """Makes text safe for a terminal.

    Control characters and those that change the direction of text are replaced by their bytes in
    hexadecimal.
    """

    def escape(match):
        return "".join(f"\\x{byte:02x}" for byte in match.group().encode())

    return re.sub("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", escape, text)


# text


def check_text(path, lines):
    rows = path.read_text(encoding="utf-8").split("\n")
    assert rows.pop() == "" and len(rows) == len(lines), len(rows)
    trigger = 2_500_000_000
    for row, line in zip(rows, lines):
        assert row.startswith(f"{(line['time'] - trigger) / 1e9:+16.9f} {line['cpu']:3d}  "), row
        assert f"  {line['event']}" in row, row
        at = row.index(line["event"])
        for name, value in line["fields"].items():
            if value is None:
                shown = "<invalid>"
            elif isinstance(value, bool):
                shown = str(value).lower()
            elif isinstance(value, list):
                shown = json.dumps(value, separators=(",", ":"))
            elif name in TEXTS:
                shown = (
                    '"' + plain(value) + ("…" if name in line.get("truncated", []) else "") + '"'
                )
            elif isinstance(value, float):
                shown = None
            else:
                shown = str(value)
            found = row.find(f" {name}=" + (shown or ""), at)
            assert found >= at, (name, shown, row)
            at = found + 1
            if shown is None:
                assert float(row[at + len(name) + 1 :].split(" ")[0]) == value, (name, row)


# csv


def harmless(text):
    """Returns text as csv writes it without --raw: with no formula and no control characters."""
    return ("'" if re.match("[\x00-\x20]*[=+@＋－＝＠-]", text) else "") + plain(text)


def check_csv(path, lines):
    check_rows(path, lines, harmless)
    assert harmless("\t=1") == "'\\x09=1" and harmless("a=1") == "a=1"
    run(TOOL, "export", "s.frec", "--raw", "-o", "raw.csv")
    check_rows("raw.csv", lines, str)


def with_numbers(line):
    """Most formats say -1 where a line of JSON has null for a process or thread."""
    return {key: UNKNOWN if value is None else value for key, value in line.items()}


def check_rows(path, lines, spelled):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert len(rows) == len(lines), len(rows)
    for row, line in zip(rows, lines):
        assert None not in row and None not in row.values(), row
        for name in ("time", "cpu", "pid", "tid"):
            assert int(row.pop(name) or UNKNOWN) == line[name], line
        for name in ("process", "thread", "event"):
            assert row.pop(name) == spelled(line.get(name, "")), line
        assert row.pop("truncated") == " ".join(line.get("truncated", [])), line
        for name, value in line["fields"].items():
            text = row.pop("fields." + name)
            if value is None:
                assert text == "", (name, text)
            elif isinstance(value, (bool, list)):
                assert json.loads(text) == value, (name, text)
            elif isinstance(value, float):
                assert float(text) == value, (name, text)
            elif isinstance(value, str) and value != "-inf":  # "-inf" is a number
                assert text == spelled(value), (name, text)
            else:
                assert text == str(value), (name, text)
        assert not any(row.values()), row


# The formats in JSON: node compares them with the JSON lines.


def check_with_node(script):
    def check(path, lines):
        pathlib.Path("s.json").write_bytes(run(TOOL, "show", "--json", "s.frec").stdout)
        done = run(reader("node"), DATA / script, path, "s.jsonl", "s.json")
        assert done.stdout.startswith(b"%d events agree" % len(lines)), done

    return check


def check_firefox(path, lines):
    check_with_node("check_firefox.js")(path, lines)
    package = subprocess.run(
        [DATA.parent / "npm", "@firefox-devtools/profiler-cli@0.10.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    version = int(run("node", "--version").stdout[1:].split(b".")[0])
    if package.returncode or version < 20:
        print(
            f"{path}: read without the profiler's own code:",
            package.stderr if package.returncode else "node is too old for it",
        )
    elif sum("stack" in line for line in lines) > 1:
        cli = (
            pathlib.Path(package.stdout.strip())
            / "@firefox-devtools/profiler-cli/dist/profiler-cli.js"
        )
        ENVIRONMENT["PROFILER_CLI_SESSION_DIR"] = os.path.abspath("sessions")
        # Start the server of profiler-cli directly, because profiler-cli itself waits only half a
        # second for it to run, which is too little on a busy machine.
        server = subprocess.Popen(
            ["node", cli, "--daemon", path, "--session", "test"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        try:
            check_call_trees(cli, lines)
        finally:
            server.terminate()
            server.wait()


def check_call_trees(cli, lines):
    """Checks that the profiler's call trees of each thread's samples equal the stacks of that
    thread's events."""

    def ask(*words):
        command = ["node", cli, "thread", *words, "--json", "--session", "test"]
        for _ in range(WAIT):
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                check=False,
            )
            if not done.returncode:
                return json.loads(done.stdout)
            time.sleep(1)
        raise AssertionError(done)

    expected, found = {}, {}
    report = json.loads(run(TOOL, "show", "--json", "s.frec").stdout)
    stacks = [
        (line["tid"], line["stack"], line.get("stack_end")) for line in lines if "stack" in line
    ]
    stacks += [
        (thread["tid"], thread["frames"], thread["frames_end"])
        for thread in report.get("threads", [])
        if thread["tid"] != report.get("crash", {}).get("tid")
    ]
    for tid, stack, end in stacks:
        names = (f"({end})",) if end not in (None, "complete") else ()
        names += tuple(map(stack_key, reversed(stack)))
        expected.setdefault(str(tid), collections.Counter())[names] += 1

    def walk(tid, node, names):
        if node["selfSamples"]:
            found.setdefault(tid, collections.Counter())[names] += node["selfSamples"]
        for child in node["children"]:
            walk(tid, child, (*names, child["name"]))

    for thread in ask("list")["threads"]:
        walk(
            thread["tid"],
            ask("samples-top-down", "--include-idle", "--thread", thread["threadHandle"])[
                "regularCallTree"
            ],
            (),
        )
    assert found == expected, (found, expected)


# call stacks


def stack_key(frame):
    """Returns how the formats name a frame: by its function, else by the program and the address in
    it, else by its address."""
    if "function" in frame:
        return frame["function"]
    return (
        f"{os.path.basename(frame['module'])}+{frame['address']}"
        if "module" in frame
        else frame["address"]
    )


def expected_stacks(lines):
    """Returns {(process, event, functions): count}, with the outermost function first. The event is
    None for the stacks of the report's threads.
    """
    counts = collections.Counter()
    report = json.loads(run(TOOL, "show", "--json", "s.frec").stdout)
    for line in lines:
        if "stack" in line:
            counts[
                line.get("process", "unknown"),
                line["event"],
                tuple(map(stack_key, reversed(line["stack"]))),
            ] += 1
    for thread in report.get("threads", []):
        if thread["tid"] != report.get("crash", {}).get("tid"):
            counts["shopd", None, tuple(map(stack_key, reversed(thread["frames"])))] += 1
    return counts


def check_folded(path, lines):
    found, expected = collections.Counter(), collections.Counter()
    for row in path.read_text(encoding="utf-8").splitlines():
        stack, count = row.rsplit(" ", 1)
        names = [re.sub(r"_\[[ik]\]$", "", name) for name in stack.split(";")]
        found[tuple(name for name in names if not re.match(r"\(.*\)$", name))] += int(count)
    for (process, _, names), count in expected_stacks(lines).items():
        expected[(process, *(name.replace(";", ":") for name in names))] += count
    assert found == expected, (found, expected)


def check_pprof(path, lines):
    package = subprocess.run(
        [DATA.parent / "npm", "pprof-format@2.3.2"], capture_output=True, text=True, check=False
    )
    if package.returncode:
        print(package.stderr)
        sys.exit(77)
    os.environ["NODE_PATH"] = ENVIRONMENT["NODE_PATH"] = package.stdout.strip()
    rows = json.loads(run(reader("node"), DATA / "read_pprof.js", path).stdout)
    found, expected = collections.Counter(), collections.Counter()
    for row in rows:
        found[row["process"], row["event"], tuple(reversed(row["functions"]))] += row["count"]
    for (process, event, names), count in expected_stacks(lines).items():
        process = re.sub(r"\[\d+\]$", "", process)
        expected[process, event or "thread at the death of the process", names] += count
    assert found == expected, (found, expected)


# otlp


def unquote(text):
    """Parses a string of protobuf's text format to bytes."""
    escapes = {"n": b"\n", "r": b"\r", "t": b"\t", '"': b'"', "'": b"'", "\\": b"\\"}

    def value(match):
        escape = match.group(1)
        return (escapes.get(escape) or bytes([int(escape, 8)])).decode("latin-1")

    return re.sub(r"\\([0-7]{3}|.)", value, text).encode("latin-1")


def text_format(lines):
    """Parses protobuf's text format up to the end of the message.

    Returns [(name, value)], in which a value is a list, bytes or a word.
    """
    message = []
    for line in lines:
        line = line.strip()
        if line == "}":
            break
        if line.endswith("{"):
            message.append((line[:-2], text_format(lines)))
            continue
        name, value = line.split(": ", 1)
        message.append((name, unquote(value[1:-1]) if value[0] == '"' else value))
    return message


def otlp_value(message):
    if not message:
        return None
    ((kind, value),) = message
    if kind == "array_value":
        return [otlp_value(element) for name, element in value]
    if kind == "string_value":
        return value.decode("utf-8")
    if kind == "bytes_value":
        return value.hex()
    return {"int_value": int, "double_value": float, "bool_value": lambda word: word == "true"}[
        kind
    ](value)


def otlp_attributes(message):
    pairs = [dict(pair) for name, pair in message if name == "attributes"]
    attributes = {pair["key"].decode("utf-8"): otlp_value(pair["value"]) for pair in pairs}
    assert len(attributes) == len(pairs), "a key stands twice"
    return attributes


def check_otlp(path, lines):
    schema = DATA.parent.parent / "proto" / "otlp.proto"
    command = [reader("protoc"), f"--proto_path={schema.parent}", "--decode=otlp.LogsData", schema]
    decoded = subprocess.run(
        command, input=path.read_bytes(), stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    records = []
    for _, logs in text_format(iter(decoded.splitlines())):
        logs = dict(logs)
        resource = otlp_attributes(logs["resource"])
        assert resource == {
            "os.type": "linux",
            "host.arch": "x86_64",
            "host.name": "web-7",
            "os.version": "6.12.0",
        }
        scope = dict(logs["scope_logs"])["scope"]
        assert scope == [("name", b"flightrec"), ("version", b"0.1.0")]
        records += [record for name, record in logs["scope_logs"] if name == "log_records"]
    crashes = [record for record in records if ("event_name", b"flightrec.crash") in record]
    records = [record for record in records if record not in crashes]
    for crash in crashes:
        assert ("severity_number", "SEVERITY_NUMBER_FATAL") in crash and b"SIGSEGV" in dict(
            dict(crash)["body"]
        )["string_value"]
    assert len(records) == len(lines), len(records)
    for record, line in zip(records, lines):
        attributes = otlp_attributes(record)
        record = dict(record)
        system, name = line["event"].split(":")
        assert record["event_name"].decode() == f"{system}.{name}", record
        assert int(record["time_unix_nano"]) == line["time"] + 1_700_000_000_000_000_000, record
        assert (
            attributes.pop("flightrec.time") == line["time"]
            and attributes.pop("cpu.logical_number") == line["cpu"]
        )
        for key, ours in (("process.pid", "pid"), ("thread.id", "tid")):
            assert attributes.pop(key, UNKNOWN) == line[ours], line
        for key, ours in (("process.executable.name", "process"), ("thread.name", "thread")):
            assert attributes.pop(key, None) == line.get(ours), line
        assert attributes.pop("flightrec.truncated", []) == line.get("truncated", [])
        for key, value in line["fields"].items():
            found = attributes.pop(f"{system}.{key}")
            if isinstance(found, float):
                assert same_float(value, found), (key, value, found)
            else:
                assert found == value or (value > 1 << 63 and found == str(value)), (
                    key,
                    value,
                    found,
                )
        assert not attributes, attributes


# ctf

PRETTY = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[^\s{}\[\](),:="]+)|(?P<sign>[{}\[\](),:=]))""",
    re.S,
)
LETTERS = {"a": 7, "b": 8, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


class Pretty:
    """Parses what babeltrace2 prints of an event's fields.

    For example { name = value, ... }, [ [0] = value, ... ] or ( "NAME" : container = 2 ).
    """

    def __init__(self, text):
        self.tokens = [match.group(match.lastgroup) for match in PRETTY.finditer(text)]
        self.at = 0

    def take(self, *expected):
        token = self.tokens[self.at]
        assert not expected or token in expected, (token, expected, self.tokens)
        self.at += 1
        return token

    def text(self, token):
        def value(match):
            escape = match.group(1)
            return (
                chr(int(escape[1:], 16))
                if escape[0] == "x" and len(escape) > 1
                else chr(LETTERS.get(escape, ord(escape[0])))
            )

        return re.sub(r"\\(x[0-9a-f]{2}|.)", value, token[1:-1], flags=re.S)

    def value(self):
        token = self.take()
        if token == "{":
            return dict(self.members("}"))
        if token == "[":
            return [value for _, value in self.members("]")]
        if token == "(":
            name = self.take()
            for word in (":", "container", "="):
                self.take(word)
            number = int(self.take())
            self.take(")")
            return number if name == "<unknown>" else self.text(name)
        if token[0] == '"':
            return self.text(token)
        if token.startswith("0x"):
            return int(token, 16)
        return int(token) if re.fullmatch(r"-?\d+", token) else float(token)

    def members(self, end):
        while self.tokens[self.at] != end:
            if self.tokens[self.at] == "[":
                self.take("[")
                name = self.take()
                self.take("]")
            else:
                name = self.take()
            self.take("=")
            yield name, self.value()
            if self.tokens[self.at] == ",":
                self.take(",")
        self.take(end)


def same_ctf(ours, theirs):
    if isinstance(ours, str) and isinstance(theirs, list):
        return ours == "".join(f"{byte:02x}" for byte in theirs)
    if isinstance(ours, str) and ours.startswith("0x"):
        return int(ours, 16) == theirs
    if isinstance(theirs, float) or isinstance(ours, float):  # babeltrace2 prints six digits
        ours = float(ours)
        return (
            ours == theirs
            or (math.isnan(ours) and math.isnan(theirs))
            or abs(ours - theirs) <= 1e-5 * abs(ours)
        )
    return ours == theirs


def check_ctf(path, lines):
    done = run(reader("babeltrace2"), "--clock-cycles", "--no-delta", path)
    assert not done.stderr, done.stderr
    # Each event is one line, even if its text has line breaks.
    rows = done.stdout.decode("utf-8").rstrip("\n").split("\n")
    assert len(rows) == len(lines), len(rows)
    for row, line in zip(rows, sorted(lines, key=lambda line: line["time"])):
        time, event, fields = re.fullmatch(r"\[(\d+)\] web-7 (\S+): (.*)", row).groups()
        assert int(time) == line["time"] and event == line["event"], (row, line)
        pretty = Pretty(fields)
        packet = pretty.value()
        pretty.take(",")
        context = pretty.value()
        pretty.take(",")
        payload = pretty.value()
        assert packet == {"cpu_id": line["cpu"]}, row
        assert context == {
            "vpid": line["pid"],
            "vtid": line["tid"],
            "process": line.get("process", ""),
            "procname": line.get("thread", ""),
            "truncated": " ".join(line.get("truncated", [])),
            "invalid": " ".join(name for name, value in line["fields"].items() if value is None),
        }, row
        payload = {
            name: value
            for name, value in payload.items()
            if not name.endswith("_length") and not re.fullmatch("_.*_text", name)
        }
        assert sorted(payload) == sorted(line["fields"]), row
        for name, value in line["fields"].items():
            if value is None:
                assert not payload[name], (name, row)
            else:
                assert same_ctf(value, payload[name]), (name, value, row)


# perf


def perf_value(name, value, text, cut):
    """Returns whether `text` is what perf prints for this value.

    perf does not know floats (it shows their bits), null (0 or nothing), or a sign in arrays.
    """
    if value is None:
        return not text.strip("0x ")
    if name in TEXTS:
        return text == plain(value) + ("…" if cut else "")
    if name in ("blob", "raw"):
        return text.replace(" ", "") == value
    if name in ("ratio", "load"):
        return same_float(value, struct.unpack("<d", int(text, 16).to_bytes(8, "little"))[0])
    if isinstance(value, list):
        return [int(element) for element in text.split()] == [
            element % (1 << 64) for element in value
        ]
    if name == "state" and isinstance(value, int):
        return int(text, 16) == value % (1 << 64)
    return text == str(int(value) if isinstance(value, bool) else value)


def check_perf(path, lines):
    done = run(
        reader("perf"), "script", "-i", path, "--ns", "-F", "comm,pid,tid,cpu,time,event,trace"
    )
    rows = done.stdout.decode("utf-8").rstrip("\n").split("\n")
    assert len(rows) == len(lines), len(rows)
    for row, line in zip(rows, sorted(lines, key=lambda line: line["time"])):
        comm, pid, tid, cpu, seconds, nanoseconds, event, trace = re.fullmatch(
            r" *(.*?) +(-?\d+)/(-?\d+) +\[(\d+)\] +(\d+)\.(\d{9}): +(\S+): ?(.*)", row
        ).groups()
        assert (int(pid), int(tid), int(cpu)) == (line["pid"], line["tid"], line["cpu"]), row
        assert int(seconds + nanoseconds) == line["time"] and event == line["event"], row
        assert comm == line.get("thread", "swapper" if tid == "0" else f":{tid}"), row
        at = 0
        names = list(line["fields"])
        for name, following in zip(names, names[1:] + [None]):
            assert trace.startswith(f"{name}=", at), (name, row)
            end = trace.index(f" {following}=", at) if following else len(trace)
            text = trace[at + len(name) + 1 : end]
            assert perf_value(
                name, line["fields"][name], text, name in line.get("truncated", [])
            ), (name, text, line)
            at = end + 1
    # The recording begins with its first event, not with the start of the oldest process.
    tasks = run(
        "perf", "script", "-i", path, "--ns", "--show-mmap-events", "--show-task-events"
    ).stdout.decode("utf-8")
    times = [
        int(second + nanosecond)
        for second, nanosecond in re.findall(r" (\d+)\.(\d{9}): PERF_RECORD_", tasks)
    ]
    assert times and all(
        time == 0 or time >= min(line["time"] for line in lines) for time in times
    ), times
    listed = run("perf", "buildid-list", "-i", path).stdout
    assert listed == b"0123456789abcdefghij".hex().encode() + b" /usr/bin/shopd\n", listed
    # perf shows the same stacks as the JSON lines, with addresses in the program files.
    if any("stack" in line for line in lines):
        blocks = (
            run("perf", "script", "-i", path, "--ns", "-F", "tid,time,event,ip,sym,dso")
            .stdout.decode()
            .split("\n\n")
        )
        found = {}
        for block in blocks:
            head, *rows = block.strip("\n").split("\n")
            if rows:
                tid, seconds, nanoseconds = re.match(r" *(-?\d+) +(\d+)\.(\d{9}):", head).groups()
                found[int(seconds + nanoseconds), int(tid)] = [
                    int(row.split()[0], 16) for row in rows
                ]
        place = lambda pc: pc - 0x1000 if 0x1000 <= pc < 0x3000 else pc  # where shopd is mapped
        expected = {
            (line["time"], line["tid"]): [
                place(int(frame["address"], 16)) for frame in line["stack"]
            ]
            for line in lines
            if "stack" in line
        }
        assert found == expected, (found, expected)
    run("perf", "report", "-i", path, "--stdio")


CHECKS = {
    "text": (".txt", check_text),
    "csv": (".csv", check_csv),
    "perf": (".perf.data", check_perf),
    "ctf": (".ctf", check_ctf),
    "otlp": (".otlp", check_otlp),
    "firefox": (".firefox.json", check_firefox),
    "chrome": (".chrome.json", check_with_node("check_chrome.js")),
    "folded": (".folded", check_folded),
    "pprof": (".pprof", check_pprof),
}


def check_torn(suffix):
    """The intact part of a torn file is exported, and one line on stderr reports the damage. For a
    file that is not a snapshot, there is one line on stderr and no output."""
    pathlib.Path("torn.frec").write_bytes(pathlib.Path("s.frec").read_bytes()[:-30])
    done = run(TOOL, "export", "torn.frec", "-f", FORMAT, "-o", "torn" + suffix, status=1)
    assert done.stderr.count(b"\n") == 1 and b"cut off" in done.stderr, done
    pathlib.Path("no.frec").write_bytes(b"hello, world\n")
    before = set(os.listdir("."))
    done = run(TOOL, "export", "no.frec", "-f", FORMAT, "-o", "no" + suffix, status=1)
    assert done.stderr.count(b"\n") == 1 and not done.stdout, done
    assert set(os.listdir(".")) == before


def check_folder(name):
    """A folder with files stays; an empty one is replaced; stdout cannot take the place of a
    folder."""
    before = {path.name: path.read_bytes() for path in name.iterdir()}
    done = run(TOOL, "export", "s.frec", "-f", FORMAT, "-o", name, status=1)
    assert b"remove it" in done.stderr, done
    assert {path.name: path.read_bytes() for path in name.iterdir()} == before
    os.mkdir("empty")
    run(TOOL, "export", "s.frec", "-f", FORMAT, "-o", "empty/")
    assert os.listdir("empty")
    run(TOOL, "export", "s.frec", "-f", FORMAT, "-o", "-", status=2)


def main():
    suffix, check = CHECKS[FORMAT]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        of_stacks = FORMAT in ("folded", "pprof")
        if of_stacks:
            run(MAKE, "s.frec", "no-crash")
            done = run(TOOL, "export", "s.frec", "-f", FORMAT, "-o", "none" + suffix, status=1)
            assert done.stderr.count(b"\n") == 1 and b"--stack" in done.stderr, done
        for number, words in enumerate(
            (
                [],
                ["hostile"],
                ["wrapped", "zstd"],
                ["stacks"],
                ["no-crash", "stacks" if of_stacks else "zstd"],
            )
        ):
            run(MAKE, "s.frec", *words)
            name = pathlib.Path(f"out{number}{suffix}")
            # The suffix selects the format. The lines to compare with come from the same export.
            done = run(TOOL, "export", "s.frec", "-o", name, "-o", "s.jsonl")
            assert not done.stderr, done
            lines = [with_numbers(json.loads(line)) for line in open("s.jsonl", encoding="utf-8")]
            assert len(lines) >= 8
            check(name, lines)
        check_torn(suffix)
        if name.is_dir():
            check_folder(name)
        os.chdir("/")
    print(f"{FORMAT}: the reader read the same events")


if __name__ == "__main__":
    main()
