#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_shopd.py SHOPD serve|crash|oom: shopd serves, refuses malformed requests, stops on request,
and crashes on request."""

import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

SHOPD = sys.argv[1]
WAIT = 60  # seconds after which the test gives up; no time is asserted


class Shop:
    """A running shopd on a port of its own."""

    def __init__(self, *options):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [SHOPD, "--listen", f"127.0.0.1:{self.port}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert "serving" in line, (line, self.process.communicate(timeout=WAIT))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self, number):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=WAIT)
        return self.process.returncode, errors

    def get(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def raw(self, data, pieces=False):
        """Sends bytes and returns everything that the server sends until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT) as client:
            if pieces:
                for byte in data:
                    client.sendall(bytes([byte]))
            else:
                client.sendall(data)
            if not data.startswith(b"GET / HTTP/1.1 never"):
                client.shutdown(socket.SHUT_WR)
            reply = b""
            while True:
                more = client.recv(65536)
                if not more:
                    return reply
                reply += more


def request(path, *headers, method="GET", version="HTTP/1.1"):
    return "\r\n".join([f"{method} {path} {version}", "Host: shop", *headers, "", ""]).encode()


def statuses(reply):
    return [int(number) for number in re.findall(rb"HTTP/1\.1 (\d{3}) ", reply)]


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def test_shop(shop):
    status, body = shop.get("/products")
    expect("products", (status, len(json.loads(body))), (200, 24))
    status, body = shop.get("/cart/add?sku=oak-lamp&quantity=2")
    order = json.loads(body)
    expect("cart", (status, order["cents"]), (200, 1980))
    number = order["order"]
    status, body = shop.get(f"/cart/add?sku=oak%2Dbowl&quantity=1&order={number}")
    expect("second item", (status, json.loads(body)["cents"]), (200, 1980 + 1240))
    # The payment of some orders is always declined.
    while shop.get(f"/checkout?order={number}", "POST")[0] == 402:
        number = json.loads(shop.get("/cart/add?sku=oak-lamp&quantity=2")[1])["order"]
    expect("paid twice", shop.get(f"/checkout?order={number}")[0], 409)
    expect("unknown order", shop.get("/checkout?order=99999")[0], 404)
    expect("no order", shop.get("/checkout?order=-1")[0], 400)
    expect("unknown product", shop.get("/cart/add?sku=gold-lamp&quantity=1")[0], 404)
    for bad in (
        "sku=oak-lamp",
        "sku=oak-lamp&quantity=0",
        "sku=oak-lamp&quantity=101",
        "sku=%00&quantity=1",
        "sku=%zz&quantity=1",
        "sku=" + "x" * 99 + "&quantity=1",
        "sku=oak-lamp&quantity=1x",
    ):
        expect(bad, shop.get("/cart/add?" + bad)[0], 400)
    for _ in range(12):  # more than there is in stock
        expect("restock", shop.get("/cart/add?sku=slate-clock&quantity=100")[0], 200)
    expect("healthz", shop.get("/healthz")[0], 200)
    expect("no page", shop.get("/nothing")[0], 404)
    expect("no crash unless allowed", shop.get("/crash?how=null")[0], 404)
    expect("stats", json.loads(shop.get("/stats")[1])["failures"] > 8, True)


def test_protocol(shop):
    ok, last = request("/healthz"), request("/healthz", "Connection: close")
    expect("keep-alive, one write", statuses(shop.raw(ok * 3 + last)), [200] * 4)
    expect("close means close", statuses(shop.raw(last + ok)), [200])
    expect("byte by byte", statuses(shop.raw(last, pieces=True)), [200])
    many = 500  # their replies are many times as large as the server's buffer
    expect("pipelined", statuses(shop.raw(request("/products") * many)), [200] * many)
    expect("HTTP/1.0", statuses(shop.raw(request("/healthz", version="HTTP/1.0") + ok)), [200])
    reply = shop.raw(request("/healthz", "Connection: close", method="HEAD"))
    expect("HEAD", reply.endswith(b"\r\n\r\n"), True)
    body = request("/healthz", "Content-Length: 5", method="POST") + b"12345"
    expect("a body is skipped", statuses(shop.raw(body + last)), [200, 200])
    for name, data, status in (
        ("not HTTP", b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        ("NUL", b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("empty lines", b"\r\n\r\n", 400),
        ("two words", b"GET /healthz\r\nHost: x\r\n\r\n", 400),
        ("no slash", request("healthz"), 400),
        ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("space before the colon", request("/healthz", "A : b"), 400),
        ("header without a colon", request("/healthz", "nonsense"), 400),
        ("two lengths", request("/healthz", "Content-Length: 1", "Content-Length: 2"), 400),
        ("negative length", request("/healthz", "Content-Length: -1"), 400),
        ("huge length", request("/healthz", "Content-Length: 99999999999999999999999"), 413),
        ("long body", request("/healthz", "Content-Length: 8192"), 413),
        ("chunked", request("/healthz", "Transfer-Encoding: chunked"), 501),
        ("method", request("/healthz", method="BREW"), 405),
        ("version", request("/healthz", version="HTTP/3.0"), 505),
        ("endless head", b"GET / HTTP/1.1 never" + b"x" * 8192, 431),
    ):
        expect(name, statuses(shop.raw(data)), [status])
    expect("half a request", shop.raw(ok[:-3]), b"")
    garbage = os.urandom(1 << 20)
    try:
        shop.raw(garbage)
    except OSError:
        pass  # the server may close before it has read everything
    expect("still there", shop.get("/healthz")[0], 200)


def test_load(shop):
    """Runs several clients at once, one of which never reads. The counts must add up."""
    before = json.loads(shop.get("/stats")[1])["requests"]
    deaf = socket.create_connection(("127.0.0.1", shop.port), timeout=WAIT)
    deaf.setblocking(False)
    try:
        while True:
            deaf.send(request("/nothing") * 100)
    except BlockingIOError:
        pass
    failures = []

    def client():
        with socket.create_connection(("127.0.0.1", shop.port), timeout=WAIT) as connection:
            stream = connection.makefile("rwb")
            for _ in range(100):
                stream.write(request("/cart/add?sku=wool-chair&quantity=3"))
                stream.flush()
                if b"200" not in stream.readline():
                    failures.append("status")
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        size = int(line.split(b":")[1])
                if "order" not in json.loads(stream.read(size)):
                    failures.append("body")

    clients = [threading.Thread(target=client) for _ in range(8)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    deaf.close()
    expect("clients", failures, [])
    expect("requests", json.loads(shop.get("/stats")[1])["requests"] >= before + 801, True)


def test_ledger(folder):
    path = os.path.join(folder, "ledger")
    with Shop("--threads", "3", "--ledger", path) as shop:
        for _ in range(10):
            shop.get("/healthz")
        shop.process.kill()
        shop.process.wait(timeout=WAIT)
    with open(path, "rb") as file:
        data = file.read()
    expect("ledger's size", len(data), 3 * 64)
    lines = [struct.unpack_from("=QQ", data, offset) for offset in range(0, len(data), 64)]
    # The client may read the last reply before the server has finished the last step of that
    # request.
    expect("ledger's sum", sum(done for _, done in lines) in (19, 20), True)
    for begun, done in lines:
        expect("begun, done", begun - done in (0, 1), True)


def test_names():
    with Shop("--threads", "2") as shop:
        shop.get("/healthz")
        folder = f"/proc/{shop.process.pid}/task"
        wanted, names = {"shopd", "worker-0", "worker-1"}, None
        for _ in range(
            WAIT * 10
        ):  # a thread names itself when it first runs, which may be later than a reply
            names = {open(f"{folder}/{task}/comm").read().strip() for task in os.listdir(folder)}
            if names == wanted:
                break
            time.sleep(0.1)
        expect("names of threads", names, wanted)


def test_options(folder):
    for bad in (
        ["--threads", "0"],
        ["--threads", "257"],
        ["--ring-size", "1G"],
        ["--nonsense"],
        ["word"],
    ):
        expect(bad, subprocess.run([SHOPD, *bad], capture_output=True, timeout=WAIT).returncode, 2)
    for bad in (
        ["--listen", "127.0.0.1"],
        ["--listen", "192.0.2.1:1"],
        ["--ledger", folder + "/none/ledger"],
    ):
        done = subprocess.run(
            [SHOPD, "--listen", "127.0.0.1:0", *bad], capture_output=True, timeout=WAIT
        )
        expect(bad, (done.returncode, done.stderr.count(b"\n")), (1, 1))


def serve():
    with tempfile.TemporaryDirectory() as folder:
        for number in signal.SIGTERM, signal.SIGINT:
            with Shop() as shop:
                test_shop(shop)
                test_protocol(shop)
                test_load(shop)
                idle = socket.create_connection(("127.0.0.1", shop.port))
                expect("stopped", shop.stop(number), (0, ""))
                idle.close()
        test_ledger(folder)
        test_names()
        test_options(folder)


def crash():
    deaths = {
        "null": [signal.SIGSEGV],
        "abort": [signal.SIGABRT],
        "fpe": [signal.SIGFPE],
        "ill": [signal.SIGILL],
        "bus": [signal.SIGBUS],
        "trap": [signal.SIGTRAP],
        "overflow": [signal.SIGSEGV],
        "heap": [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS],
    }
    expected = {how: [-number for number in numbers] for how, numbers in deaths.items()}
    expected["exit"] = [3]
    for how, wanted in expected.items():
        with Shop("--allow-crash") as shop:
            expect("unknown crash", shop.get("/crash?how=laughing")[0], 400)
            for _ in range(3):
                shop.get("/cart/add?sku=oak-lamp&quantity=1")
            try:
                reply = shop.get(f"/crash?how={how}")
                sys.exit(f"{how}: answered {reply}")
            except OSError:
                pass
            status = shop.process.wait(timeout=WAIT)
            if status not in wanted:
                sys.exit(f"{how}: ended with {status}, wanted one of {wanted}")


def write_existing(path, text):
    """Writes to a file but never creates it. Without a cgroup file system, a plain file would hide
    that there is no limit."""
    with os.fdopen(os.open(path, os.O_WRONLY), "w") as file:
        file.write(text)


def out_of_memory():
    """Lets shopd run out of memory in a memory cgroup of its own. If the cgroup has no effect,
    RLIMIT_AS stops shopd before the machine runs out of memory."""
    root, limit = "/sys/fs/cgroup", 64 << 20
    group = root + "/shopd-test"
    if not os.path.exists(root + "/cgroup.controllers"):
        print("skipped: no cgroup version 2 is mounted on " + root)
        sys.exit(77)
    try:
        write_existing(root + "/cgroup.subtree_control", "+memory")
        os.mkdir(group)
    except OSError as error:
        print(f"skipped: a memory cgroup cannot be created: {error}")
        sys.exit(77)
    try:
        write_existing(group + "/memory.max", str(limit))
        with open(group + "/memory.max") as file:
            expect("memory.max", int(file.read()), limit)
        with Shop("--allow-crash") as shop:
            resource.prlimit(shop.process.pid, resource.RLIMIT_AS, (1 << 30, 1 << 30))
            write_existing(group + "/cgroup.procs", str(shop.process.pid))
            try:
                reply = shop.get("/crash?how=oom")
                sys.exit(f"oom: answered {reply}")
            except OSError:
                pass
            expect("oom", shop.process.wait(timeout=WAIT), -signal.SIGKILL)
    finally:
        os.rmdir(group)


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
{"serve": serve, "crash": crash, "oom": out_of_memory}[sys.argv[2]]()
