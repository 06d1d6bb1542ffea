#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_otlp.py (behaviour|schema) FLIGHTREC MAKE_SNAPSHOT: sending to an OpenTelemetry collector, which is played by this test.

behaviour: every byte of the file that -f otlp writes arrives, in requests as OTLP over HTTP wants them; busy collectors are asked
again, others not; what fails is told in one line. schema: the requests, read with the schema that OpenTelemetry publishes, hold the
events of the JSON lines; exits with 77 where that or node cannot be had.
"""
import gzip
import http.server
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
TOOL, MAKE = map(os.path.abspath, sys.argv[2:4])
TESTS = pathlib.Path(__file__).resolve().parent.parent
# As of OpenTelemetry's JavaScript, the last one that came with code made from the schema.
PUBLISHED = "@opentelemetry/otlp-transformer@0.208.0"


class Collector(http.server.ThreadingHTTPServer):
    """Keeps the requests, and answers each with the next of `answers`: (status, headers, body), or with success."""

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

    def bodies(self):
        return [body for _, _, body in self.requests]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, self.headers, body))
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (200, {}, b"")
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
        [TOOL, "export", snapshot, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=100, check=False
    )
    assert done.returncode == status and not done.stdout, (words, done)
    # One line, or none.
    assert done.stderr.count(b"\n") == bool(status) and done.stderr.endswith(b"\n" if status else b""), done.stderr
    return done.stderr.decode()


def field(number, content):
    """Of a protobuf message: text or a message, or a number below 128."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def expect_all(collector, times=1):
    assert b"".join(collector.bodies()) == times * pathlib.Path("s.otlp").read_bytes()


def check_behaviour():
    subprocess.run([MAKE, "s.frec"], check=True)
    # The format by the endpoint; the same bytes as in a file, from the same pass.
    with Collector() as collector:
        export("--endpoint", collector.url, "-o", "s.otlp")
        expect_all(collector)
        ((path, headers, _),) = collector.requests
        assert path == "/v1/logs" and headers["Content-Type"] == "application/x-protobuf", (path, headers)
        assert headers["User-Agent"].startswith("flightrec/"), headers
    for given, want in (("/", "/v1/logs"), ("/otlp/v1/logs", "/otlp/v1/logs"), ("/x?a=b", "/x?a=b")):
        with Collector() as collector:
            export("-f", "otlp", "--endpoint", collector.url + given)
            assert [path for path, _, _ in collector.requests] == [want]

    with Collector() as collector:
        export("--compress", "gzip", "--endpoint", collector.url)
        ((_, headers, body),) = collector.requests
        assert headers["Content-Encoding"] == "gzip" and gzip.decompress(body) == pathlib.Path("s.otlp").read_bytes()

    # Headers, and what cannot be one.
    with Collector() as collector:
        export("--endpoint", collector.url, OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20abc==, x-tenant=7")
        assert collector.requests[0][1]["Authorization"] == "Bearer abc==" and collector.requests[0][1]["X-Tenant"] == "7"
        for bad in ("nothing", "a=b%0d%0aInjected: 1", "a b=c"):
            error = export("--endpoint", collector.url, status=1, OTEL_EXPORTER_OTLP_HEADERS=bad)
            assert "OTEL_EXPORTER_OTLP_HEADERS" in error, error
        assert len(collector.requests) == 1

    # Many requests, each of which is a message of its own.
    subprocess.run([MAKE, "large.frec", "large", "4"], check=True)
    with Collector() as collector:
        export("--endpoint", collector.url, "-o", "large.otlp", snapshot="large.frec")
        bodies = collector.bodies()
        assert b"".join(bodies) == pathlib.Path("large.otlp").read_bytes() and len(bodies) > 2, len(bodies)
        assert all(body[0] == 0x0A and len(body) < 2 << 20 for body in bodies)

    # Later means later: the same request again, at once or after what the server says.
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
        assert "still answers 503" in error and 1 < len(collector.requests) < 5, (error, len(collector.requests))
        assert "503" in export("--endpoint", collector.url, "--retry", 0, status=1)
    # A connection that breaks once somebody has answered.
    with Collector((503, {}, b""), (None, {}, b"")) as collector:
        export("--endpoint", collector.url)
        expect_all(collector, 3)

    # No is no, with what the server says of it.
    words = field(2, b"too old\nby far")
    for status, body, want in ((400, words, "answered 400: too old\\x0aby far"), (404, b"<html>", "answered 404: is this where"),
                               (500, b"", "answered 500"), (301, b"", "answered 301"), (401, b"\xff" * 99, "answered 401")):  # fmt: skip
        with Collector((status, {}, body)) as collector:
            error = export("--endpoint", collector.url, "-o", f"no{status}.otlp", status=1)
            assert want in error and collector.url in error and len(collector.requests) == 1, error
            # The file beside it is whole.
            assert pathlib.Path(f"no{status}.otlp").read_bytes() == pathlib.Path("s.otlp").read_bytes()
    # A part of it, told at the end.
    with Collector((200, {}, field(1, field(1, 3) + field(2, b"no such tenant")))) as collector:
        error = export("--endpoint", collector.url, status=1)
        assert "rejected 3 events: no such tenant" in error, error
    for body in (field(1, field(2, b"a warning")), b"", b"\xff\xff", b"OK"):
        with Collector((200, {}, body)) as collector:
            export("--endpoint", collector.url)

    # Nobody is there: not waited for.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = export("--endpoint", f"http://127.0.0.1:{unused.getsockname()[1]}", status=1)
        assert "/v1/logs: " in error and "onnect" in error, error
    for url, want in (("ftp://x/", "http://"), ("x", "http://"), ("http://", "host"), ("http://a:b@c/", "password")):
        error = export("--endpoint", url, status=1)
        assert want in error and "a:b" not in error, error
    done = subprocess.run([TOOL, "export", "s.frec", "-f", "json", "--endpoint", "http://x"], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2 and b"otlp" in done.stderr, done
    print("a collector gets what the file holds")


def check_schema():
    if not shutil.which("node"):
        print("node is not installed")
        sys.exit(77)
    found = subprocess.run([TESTS / "npm", PUBLISHED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        print(found.stderr)
        sys.exit(77)
    for words in ([], ["hostile"], ["wrapped", "zstd"], ["no-crash"], ["large", "4"]):
        subprocess.run([MAKE, "s.frec", *words], check=True)
        with Collector() as collector:
            export("--endpoint", collector.url, "-o", "s.jsonl")
            paths = [f"body{number}" for number in range(len(collector.requests))]
            for path, body in zip(paths, collector.bodies()):
                pathlib.Path(path).write_bytes(body)
        subprocess.run(["node", TESTS / "data" / "check_otlp.js", found.stdout.strip(), "s.jsonl", *paths], check=True)


with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    {"behaviour": check_behaviour, "schema": check_schema}[MODE]()
    os.chdir("/")
