# Shared by the kernel tests: running the tool, reading its files, reporting failures.
import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOOL = os.environ.get("FREC_TOOL", "flightrec")
failures = 0


def check(condition, what):
    """Prints one line. If `condition` is false, the test fails, but only at its end. Returns
    `condition`."""
    global failures
    print(("ok      " if condition else "FAILED  ") + what, flush=True)
    if not condition:
        failures += 1
    return condition


def done():
    print(f"{failures} checks failed" if failures else "all checks passed", flush=True)
    sys.exit(1 if failures else 0)


def tool(*arguments, **options):
    """Runs flightrec and returns the finished process with its output as text."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.run(
        [TOOL, *map(str, arguments)], text=True, errors="surrogateescape", **options
    )


def snapshots(folder):
    return sorted(
        os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".frec")
    )


def events(path):
    """Returns all events of a snapshot, as `flightrec export -f json` prints them."""
    result = tool("export", "-f", "json", "-o", "-", path)
    check(
        result.returncode == 0, f"{os.path.basename(path)} exports as JSON {result.stderr.strip()}"
    )
    return [json.loads(line) for line in result.stdout.splitlines()]


def report(path):
    result = tool("show", "--json", path)
    check(result.returncode == 0, f"{os.path.basename(path)} is shown {result.stderr.strip()}")
    return json.loads(result.stdout)


def verify(path):
    result = tool("verify", path)
    return check(
        result.returncode == 0,
        f"{os.path.basename(path)} verifies "
        f"{result.stdout.strip() if result.returncode else ''}{result.stderr.strip()}",
    )


def folder():
    """Creates a temporary folder, which is kept if the test fails."""
    path = tempfile.mkdtemp(prefix="frec-", dir="/tmp")
    atexit.register(lambda: failures or shutil.rmtree(path, ignore_errors=True))
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(port, path):
    """Sends a request. Returns the reply, or None if the connection broke, as when the service
    crashes."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while chunk := s.recv(65536):
                data += chunk
            return data or None
    except OSError:
        return None


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return condition()


def keepers(of):
    """Returns the pids of the keepers that still run. `of` is the pid of their service, or the
    folder to which they write."""
    wanted = b"\0--pid\0%d\0" % of if isinstance(of, int) else b"\0-o\0%s\0" % of.encode()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
            # The children that read program files for a keeper have its command line, but not its
            # name.
            with open(f"/proc/{pid}/comm", "rb") as file:
                if b"\0keep\0" in line and wanted in line and file.read() == b"flightrec\n":
                    found.append(int(pid))
        except OSError:
            pass
    return found


def kill_keepers(of):
    """Kills the keepers. Returns how many there were, after they have closed their descriptors. A
    process that is killed loses its command line before that, so keepers() does not tell."""
    pidfds = [os.pidfd_open(pid) for pid in keepers(of)]
    for pidfd in pidfds:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for pidfd in pidfds:
        select.select([pidfd], [], [])
        os.close(pidfd)
    return len(pidfds)


class Recorder:
    """A `flightrec record` in the background."""

    def __init__(self, *arguments):
        self.folder = folder()
        self.socket = os.path.join(folder(), "control")
        self.process = subprocess.Popen(
            [TOOL, "record", "--socket", self.socket, "-o", self.folder, *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        if (
            not wait_for(lambda: os.path.exists(self.socket) or self.process.poll() is not None)
            or self.process.poll() is not None
        ):
            raise RuntimeError("the recorder did not start: " + self.process.stderr.read())
        atexit.register(self.process.kill)

    def trigger(self, name):
        """Requests a snapshot and returns its path."""
        return tool("trigger", name, "--socket", self.socket).stdout.strip()

    def stop(self):
        self.process.terminate()
        self.errors = self.process.stderr.read()
        return self.process.wait()
