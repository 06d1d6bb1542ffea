#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_otlp.py behaviour|schema|traces FLIGHTREC MAKE_SNAPSHOT PAIR: tests `export --endpoint`.

It sends to an OpenTelemetry collector, which the test plays.

behaviour   Every byte of the file that -f otlp writes arrives, in requests as OTLP over HTTP
            requires them. Requests to a busy collector are retried, others are not. Each failure is
            reported in one line.
schema      The requests, read with the schema that OpenTelemetry publishes, hold the events of the
            JSON lines.
traces      The same for the spans of two services that talk to each other.

Exits with 77 if the schema or node is not available.
"""
import gzip
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

MODE = sys.argv[1]
TOOL, MAKE, PAIR = map(os.path.abspath, sys.argv[2:5])
TESTS = pathlib.Path(__file__).resolve().parent.parent
# The last version of OpenTelemetry's JavaScript that contained code generated from the schema.
PUBLISHED = "@opentelemetry/otlp-transformer@0.208.0"


class Collector(http.server.ThreadingHTTPServer):
    """Keeps the requests and answers each with the next of `answers`.

    An answer is (status, headers, body). Further requests are answered with success.
    """

    def __init__(self, *answers):
        self.requests, self.answers = [], list(answers)
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.shutdown()
        self.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def bodies(self, wanted=None):
        return [body for path, _, body in self.requests if wanted in (None, path)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, self.headers, body))
        status, headers, answer = (
            self.server.answers.pop(0) if self.server.answers else (200, {}, b"")
        )
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *what):
        pass


def export(*words, status=0, snapshot="s.frec", **environment):
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*", **environment}
    done = subprocess.run(
        [TOOL, "export", snapshot, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        timeout=100,
        check=False,
    )
    assert done.returncode == status and not done.stdout, (words, done)
    # stderr has one line if the export failed, else none.
    assert done.stderr.count(b"\n") == bool(status) and done.stderr.endswith(
        b"\n" if status else b""
    ), done.stderr
    return done.stderr.decode()


def field(number, content):
    """Encodes a field of a protobuf message. `content` is text, an encoded message, or a number
    below 128."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def expect_all(collector, times=1):
    assert b"".join(collector.bodies()) == times * pathlib.Path("s.otlp").read_bytes()


def check_behaviour():
    subprocess.run([MAKE, "s.frec"], check=True)
    # The endpoint selects the format. The same command also writes the bytes to a file.
    with Collector() as collector:
        export("--endpoint", collector.url, "-o", "s.otlp")
        expect_all(collector)
        ((path, headers, _),) = collector.requests
        assert path == "/v1/logs" and headers["Content-Type"] == "application/x-protobuf", (
            path,
            headers,
        )
        assert headers["User-Agent"].startswith("flightrec/"), headers
    for given, want in (
        ("/", "/v1/logs"),
        ("/otlp/v1/logs", "/otlp/v1/logs"),
        ("/x?a=b", "/x?a=b"),
    ):
        with Collector() as collector:
            export("-f", "otlp", "--endpoint", collector.url + given)
            assert [path for path, _, _ in collector.requests] == [want]

    with Collector() as collector:
        export("--compress", "gzip", "--endpoint", collector.url)
        ((_, headers, body),) = collector.requests
        assert (
            headers["Content-Encoding"] == "gzip"
            and gzip.decompress(body) == pathlib.Path("s.otlp").read_bytes()
        )

    # The environment's headers are sent, and text that cannot be a header is refused.
    with Collector() as collector:
        export(
            "--endpoint",
            collector.url,
            OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20abc==, x-tenant=7",
        )
        assert (
            collector.requests[0][1]["Authorization"] == "Bearer abc=="
            and collector.requests[0][1]["X-Tenant"] == "7"
        )
        for bad in ("nothing", "a=b%0d%0aInjected: 1", "a b=c"):
            error = export("--endpoint", collector.url, status=1, OTEL_EXPORTER_OTLP_HEADERS=bad)
            assert "OTEL_EXPORTER_OTLP_HEADERS" in error, error
        assert len(collector.requests) == 1

    # A large export is sent in many requests, each of which is a complete message.
    subprocess.run([MAKE, "large.frec", "large", "4"], check=True)
    with Collector() as collector:
        export("--endpoint", collector.url, "-o", "large.otlp", snapshot="large.frec")
        bodies = collector.bodies()
        assert b"".join(bodies) == pathlib.Path("large.otlp").read_bytes() and len(bodies) > 2, len(
            bodies
        )
        assert all(body[0] == 0x0A and len(body) < 2 << 20 for body in bodies)

    # A busy collector gets the same request again, at once or after the time it asks for.
    with Collector((503, {}, b""), (429, {}, b""), (502, {}, b""), (504, {}, b"")) as collector:
        export("--endpoint", collector.url)
        expect_all(collector, 5)
    with Collector((503, {"Retry-After": "2"}, b"")) as collector:
        start = time.monotonic()
        export("--endpoint", collector.url)
        expect_all(collector, 2)
        assert time.monotonic() - start >= 2
    with Collector((429, {"Retry-After": "61"}, b"")) as collector:
        error = export("--endpoint", collector.url, status=1)
        assert "429" in error and "in 61 s" in error and len(collector.requests) == 1, error
    with Collector(*[(503, {}, b"")] * 50) as collector:
        error = export("--endpoint", collector.url, "--retry", 1, status=1)
        assert "still answers 503" in error and 1 < len(collector.requests) < 5, (
            error,
            len(collector.requests),
        )
        assert "503" in export("--endpoint", collector.url, "--retry", 0, status=1)
    # A connection that breaks is retried if the collector has answered before.
    with Collector((503, {}, b""), (None, {}, b"")) as collector:
        export("--endpoint", collector.url)
        expect_all(collector, 3)

    # A refusal is final, and is reported with the collector's explanation.
    words = field(2, b"too old\nby far")
    for status, body, want in (
        (400, words, "answered 400: too old\\x0aby far"),
        (404, b"<html>", "answered 404: is this where"),
        (500, b"", "answered 500"),
        (301, b"", "answered 301"),
        (401, b"\xff" * 99, "answered 401"),
    ):
        with Collector((status, {}, body)) as collector:
            error = export("--endpoint", collector.url, "-o", f"no{status}.otlp", status=1)
            assert want in error and collector.url in error and len(collector.requests) == 1, error
            # The file that the same command writes is complete.
            assert (
                pathlib.Path(f"no{status}.otlp").read_bytes() == pathlib.Path("s.otlp").read_bytes()
            )
    # Partial success is reported at the end.
    with Collector((200, {}, field(1, field(1, 3) + field(2, b"no such tenant")))) as collector:
        error = export("--endpoint", collector.url, status=1)
        assert "rejected 3 events: no such tenant" in error, error
    for body in (field(1, field(2, b"a warning")), b"", b"\xff\xff", b"OK"):
        with Collector((200, {}, body)) as collector:
            export("--endpoint", collector.url)

    # Nobody listens: no retry.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = export("--endpoint", f"http://127.0.0.1:{unused.getsockname()[1]}", status=1)
        assert "/v1/logs: " in error and "onnect" in error, error
    for url, want in (
        ("ftp://x/", "http://"),
        ("x", "http://"),
        ("http://", "host"),
        ("http://a:b@c/", "password"),
    ):
        error = export("--endpoint", url, status=1)
        assert want in error and "a:b" not in error, error
    done = subprocess.run(
        [TOOL, "export", "s.frec", "-f", "json", "--endpoint", "http://x"],
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 2 and b"otlp" in done.stderr, done
    print("a collector gets what the file holds")


def published():
    """Returns the folder of the code that OpenTelemetry publishes."""
    if not shutil.which("node"):
        print("node is not installed")
        sys.exit(77)
    found = subprocess.run(
        [TESTS / "npm", PUBLISHED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if found.returncode:
        print(found.stderr)
        sys.exit(77)
    return found.stdout.strip()


def keep(collector, path, prefix):
    """Writes the bodies of the requests to files. Returns their paths."""
    paths = []
    for number, body in enumerate(collector.bodies(path)):
        paths.append(f"{prefix}{number}")
        pathlib.Path(paths[-1]).write_bytes(body)
    return paths


def check_schema():
    modules = published()
    for words in ([], ["hostile"], ["wrapped", "zstd"], ["no-crash"], ["large", "4"]):
        subprocess.run([MAKE, "s.frec", *words], check=True)
        with Collector() as collector:
            export("--endpoint", collector.url, "-o", "s.jsonl")
            paths = keep(collector, "/v1/logs", "body")
            assert len(paths) == len(collector.requests)
        subprocess.run(
            ["node", TESTS / "data" / "check_otlp.js", modules, "s.jsonl", *paths], check=True
        )


def record(folder, events, *words, **options):
    command = [TOOL, "run", "-e", events, "--transport", "shm", "-o", folder, "--", PAIR, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **options)


def record_pair():
    with record("a", "server:*", "server", "socket", stdout=subprocess.PIPE) as server:
        assert server.stdout.readline() == b"ready\n"
        with record("b", "client:*", "client", "socket", "5") as client:
            client.communicate(timeout=100)
        server.communicate(timeout=100)
    (a,), (b,) = ([*pathlib.Path(folder).glob("*.frec")] for folder in "ab")
    # Select the events of the pair, because the file can also have other crashes on this machine.
    return a, [
        b,
        "-e",
        "server:*",
        "-e",
        "client:*",
        "--span",
        "server:job_start,server:job_done,key=request",
        "--flow",
        "request",
    ]


def check_spans(modules, snapshot, words, dead=True):
    """Checks what the collector receives for logs and traces. Returns the JSON lines."""
    with Collector() as collector:
        export(
            *words,
            "--endpoint",
            collector.url,
            "-o",
            "p.jsonl",
            "-o",
            "p.otlp",
            "-o",
            "p.traces.otlp",
            snapshot=snapshot,
        )
        logs, traces = keep(collector, "/v1/logs", "logs"), keep(collector, "/v1/traces", "traces")
        assert len(logs) + len(traces) == len(collector.requests) and traces
        assert (
            b"".join(collector.bodies("/v1/traces")) == pathlib.Path("p.traces.otlp").read_bytes()
        )
        assert b"".join(collector.bodies("/v1/logs")) == pathlib.Path("p.otlp").read_bytes()
    events = [
        json.loads(line)
        for line in pathlib.Path("p.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    pid = (
        next(event["pid"] for event in events if event["event"].startswith("client:"))
        if dead
        else 0
    )
    subprocess.run(
        [
            "node",
            TESTS / "data" / "check_otlp_traces.js",
            modules,
            "p.jsonl",
            str(pid),
            *logs,
            "--",
            *traces,
        ],
        check=True,
    )
    return events


TOGETHER = """
const [otlp, modules, ...paths] = process.argv.slice(1);
const [together, one, other] = paths.map((path) => require(otlp).decode(modules, "traces", [path])
    .map((span) => JSON.stringify({ ...span, resource: [...span.resource] })));
require("assert").deepStrictEqual(together.sort(), [...one, ...other].sort());
require("assert").ok(one.length && other.length);
"""


def check_hosts(modules):
    """In an export of two hosts, the spans' ids, times and ends are those of an export of each host
    alone."""
    subprocess.run([MAKE, "one.frec"], check=True)
    subprocess.run([MAKE, "two.frec", "other-host"], check=True)
    for span in "shop:request_done,sched:sched_switch", "sched:sched_switch,shop:request_done":
        for name, others in (("together", ["two.frec"]), ("one", []), ("two", [])):
            export(
                *others,
                "--span",
                span,
                "-o",
                name + ".traces.otlp",
                snapshot="one.frec" if others else name + ".frec",
            )
        files = [name + ".traces.otlp" for name in ("together", "one", "two")]
        subprocess.run(
            ["node", "-e", TOGETHER, TESTS / "data" / "otlp.js", modules, *files], check=True
        )


def check_traces():
    snapshot, words = record_pair()
    # All ids are the same in a second export.
    export(*words, "-o", "again.traces.otlp", snapshot=snapshot)
    modules = published()
    events = check_spans(modules, snapshot, words)
    assert (
        pathlib.Path("again.traces.otlp").read_bytes() == pathlib.Path("p.traces.otlp").read_bytes()
    )

    check_hosts(modules)

    # An endpoint gets both logs and traces, unless its path or -f selects one kind.
    for options, given, want in (
        ((), "/", ["/v1/logs", "/v1/traces"]),
        ((), "/otlp/?x=y", ["/otlp/v1/logs?x=y", "/otlp/v1/traces?x=y"]),
        ((), "/a/v1/traces", ["/a/v1/traces"]),
        ((), "/v1/logs?x", ["/v1/logs?x"]),
        (("-f", "otlp"), "", ["/v1/logs"]),
        (("-f", "otlp-traces"), "", ["/v1/traces"]),
        (("-f", "otlp-traces"), "/otlp", ["/otlp"]),
    ):
        with Collector() as collector:
            export(*words, *options, "--endpoint", collector.url + given, snapshot=snapshot)
            assert [path for path, _, _ in collector.requests] == want, (given, collector.requests)
    with Collector((200, {}, b""), (404, {}, b"")) as collector:
        error = export(*words, "--endpoint", collector.url, snapshot=snapshot, status=1)
        assert (
            "/v1/traces: answered 404: is this where a collector takes traces?" in error
            and "-f otlp " in error
        ), error
    with Collector((200, {}, b""), (200, {}, field(1, field(1, 2)))) as collector:
        assert "rejected 2 spans" in export(
            *words, "--endpoint", collector.url, snapshot=snapshot, status=1
        )

    # Export a time range that begins after the start of the first call and ends before any process
    # dies.
    start = next(event["time"] for event in events if event["event"] == "client:call_start")
    stop = [event["time"] for event in events if event["event"] == "client:check_start"][-1]
    report = subprocess.run(
        [TOOL, "show", "--json", snapshot], stdout=subprocess.PIPE, check=True
    ).stdout
    offset = json.loads(report)["crash"]["time"]
    bounds = ["--from", f"{(start + 1 - offset) / 1e9:.9f}", "--to", f"{(stop - offset) / 1e9:.9f}"]
    fewer = check_spans(modules, snapshot, [*words, *bounds], dead=False)
    assert len(fewer) < len(events) - 1 and fewer[-1]["event"] == "client:check_start", fewer


with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    {"behaviour": check_behaviour, "schema": check_schema, "traces": check_traces}[MODE]()
    os.chdir("/")
