# SPDX-License-Identifier: MIT
"""The examples build from an installed copy, run, and leave the snapshots that they promise.

    test_examples.py BUILD_FOLDER EXAMPLES WITHOUT_RIGHTS

They run as a user without the right to watch the kernel, so that their recorder uses shared memory
on every machine. read_frec.py reads the snapshots with the installed schema.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

BUILD, EXAMPLES, WITHOUT_RIGHTS = map(os.path.abspath, sys.argv[1:])
failed = False


def check(condition, what):
    global failed
    print("ok     " if condition else "FAILED", what, flush=True)
    failed = failed or not condition
    return condition


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def build(*command):
    result = run(*command)
    if result.returncode:
        sys.exit(f"{' '.join(command)}:\n{result.stdout}")


def plain(*command):
    """Runs a command without rights. Exits with 77 if that cannot be done here."""
    result = run(WITHOUT_RIGHTS, *command, env={**os.environ, "FREC_TOOL": TOOL})
    if result.returncode == 77:
        print(result.stdout)
        sys.exit(77)
    return result


def snapshot(folder, what):
    """Returns the lines that read_frec.py prints for the only snapshot in `folder`."""
    for _ in range(100):
        if any(name.endswith(".frec") for name in os.listdir(folder)):
            break
        time.sleep(0.1)
    names = [name for name in os.listdir(folder) if name.endswith(".frec")]
    if not check(len(names) == 1, f"{what} leaves one snapshot: {names}"):
        return [""]
    path = os.path.join(folder, names[0])
    check(run(TOOL, "verify", path).returncode == 0, f"the snapshot of {what} verifies")
    result = run(sys.executable, os.path.join(EXAMPLES, "read_frec.py"), SCHEMA, path)
    if not check(result.returncode == 0, "read_frec.py reads it"):
        print(result.stdout)
    return result.stdout.splitlines()


def fields(lines, event):
    """Returns {field: value} of each event of this name."""
    return [dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", line))
            for line in lines if f" {event} " in line]


with tempfile.TemporaryDirectory() as work:
    os.chmod(work, 0o755)
    prefix, made = os.path.join(work, "usr"), os.path.join(work, "examples")
    build("cmake", "--install", BUILD, "--prefix", prefix)
    build("cmake", "-S", EXAMPLES, "-B", made, f"-DCMAKE_PREFIX_PATH={prefix}",
          "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
    build("cmake", "--build", made)
    TOOL = os.path.join(prefix, "bin/flightrec")
    SCHEMA = os.path.join(prefix, "share/flightrec/flightrec.proto")

    def folder(name):
        path = os.path.join(work, name)
        os.mkdir(path)
        os.chmod(path, 0o777)
        return path

    def example(name, *arguments):
        """Runs an example, which finds its keeper in PATH."""
        return plain("env", f"PATH={os.path.dirname(TOOL)}:/usr/bin:/bin",
                     os.path.join(made, name), *arguments)

    result = example("emit")
    check(result.returncode == 0 and "listening: no" in result.stdout,
          f"emit without a recorder: {result.stdout.strip()}")
    out = folder("emit-out")
    result = plain(TOOL, "run", "-e", "shop:*", "-o", out, "--", "sh", "-c", f"{made}/emit; exit 1")
    check("listening: yes" in result.stdout, f"emit under flightrec run: {result.stdout.strip()}")
    lines = snapshot(out, "emit")
    check(lines[0] == "EXIT_STATUS exit", f"it says why it was taken: {lines[0]}")
    expected = [{"order_id": str(n), "path": f"/orders/{n}", "status": "200" if n % 10 else "404",
                 "milliseconds": str(n / 8), "payment": "CARD" if n % 3 else "INVOICE"}
                for n in range(1, 1001)]
    found = sorted(fields(lines, "shop:request_done"), key=lambda event: int(event["order_id"]))
    check(found == expected, f"all fields of all events are in it: {len(found)} {found[:1]}")

    out = folder("embed-out")
    result = example("embed", out)
    check(result.returncode == 0 and not result.stdout and not os.listdir(out),
          f"embed ends well and leaves nothing {result.stdout}")
    result = example("embed", out, "crash")
    check(result.returncode == -signal.SIGSEGV and "not recorded" not in result.stdout,
          f"embed crashes: {result.returncode} {result.stdout.strip()}")
    lines = snapshot(out, "embed")
    check(lines[0] == "CRASH crash", f"it says why it was taken: {lines[0]}")
    orders = {int(event["order_id"]) for event in fields(lines, "shop:order_placed")}
    check(orders == set(range(1, 101)), f"and has all that embed did: {len(orders)} orders")

    out = folder("trigger-out")
    result = example("trigger", out)
    check(result.returncode == 0 and "not recorded" not in result.stdout,
          f"trigger ends well: {result.stdout.strip()}")
    lines = snapshot(out, "trigger")
    check(lines[0] == "REQUEST slow-request", f"it says why it was taken: {lines[0]}")
    ends = {int(event["id"]): int(event["milliseconds"])
            for event in fields(lines, "shop:request_end")}
    check(ends.get(40, 0) > 100 and set(ends) >= set(range(1, 41)),
          f"and has the slow request: {ends.get(40)} ms")
sys.exit(failed)
