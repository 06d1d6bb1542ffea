#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_export.py FLIGHTREC MAKE_SNAPSHOT: tests export, show and verify, as a user runs them.

Proves that the Perfetto trace and the JSON lines hold the same events, that the report equals the
golden text in tests/data, that the exit status and the one line on stderr are right, that nothing
half-written appears, and that memory stays bounded. With UPDATE=1 in the environment, the test
rewrites the golden text.
"""
import json
import os
import pathlib
import resource
import signal
import stat
import subprocess
import sys
import tempfile

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
GOLDEN = DATA / "golden"
ENVIRONMENT = {"TZ": "UTC", "PATH": os.environ["PATH"]}
MEMORY_MAX_KIB = 64 << 10
LARGE_MB = 200


def run(*arguments, status=0, **options):
    done = subprocess.run(
        [TOOL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        check=False,
        **options,
    )
    assert done.returncode == status, (arguments, done)
    if status == 0:
        assert not done.stderr, done
    if status == 1 and done.stderr:
        assert done.stderr.startswith(b"flightrec: ") and done.stderr.count(b"\n") == 1, done
    return done


def make(*words):
    subprocess.run([MAKE, "s.frec", *words], check=True)


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("UPDATE"):
        path.write_bytes(text)
    assert path.read_bytes() == text, f"{path} differs from:\n{text.decode()}"


def check_formats():
    for words in ([], ["hostile"], ["wrapped", "zstd"], ["no-crash"], ["stacks"]):
        make(*words)
        run("export", "s.frec", "-f", "json")
        run("export", "s.frec")
        subprocess.run(
            [sys.executable, DATA / "check_perfetto.py", "s.pftrace", "s.jsonl"], check=True
        )
        assert (
            run("export", "s.frec", "-o", "-", "-f", "json").stdout
            == pathlib.Path("s.jsonl").read_bytes()
        )
        run("export", "s.frec", "-o", "x.json")
        assert pathlib.Path("x.json").read_bytes() == pathlib.Path("s.jsonl").read_bytes()
        run("export", "s.frec", "-o", "x.perfetto-trace")
        assert (
            pathlib.Path("x.perfetto-trace").read_bytes() == pathlib.Path("s.pftrace").read_bytes()
        )


def exported(*arguments):
    return [
        json.loads(line)
        for line in run("export", "s.frec", "-f", "json", "-o", "-", *arguments).stdout.splitlines()
    ]


def check_several_outputs():
    make("hostile")
    run("export", "s.frec", "-f", "json")
    run("export", "s.frec")
    run("export", "s.frec", "-f", "perfetto", "-o", "a", "-f", "json", "-o", "b", "-o", "c.jsonl")
    assert pathlib.Path("a").read_bytes() == pathlib.Path("s.pftrace").read_bytes()
    assert (
        pathlib.Path("b").read_bytes()
        == pathlib.Path("c.jsonl").read_bytes()
        == pathlib.Path("s.jsonl").read_bytes()
    )
    os.remove("s.jsonl")
    run("export", "s.frec", "-f", "json", "-f", "perfetto", "-o", "d")
    assert (
        pathlib.Path("s.jsonl").exists()
        and pathlib.Path("d").read_bytes() == pathlib.Path("a").read_bytes()
    )
    for arguments in (["-o", "x.json", "-f", "json", "-o", "x.json"], ["-o", "-", "-o", "-"]):
        run("export", "s.frec", *arguments, status=2)
    # One of two outputs cannot be opened: neither appears.
    run("export", "s.frec", "-o", "y.jsonl", "-o", "no/such/folder/x.json", status=1)
    assert not pathlib.Path("y.jsonl").exists()


def check_compressed():
    """Compressed output unpacks to the plain output; the suffix or --compress selects the
    compression."""
    subprocess.run([MAKE, "s.frec", "large", "4"], check=True)
    run("export", "s.frec", "-o", "plain.jsonl")
    plain = pathlib.Path("plain.jsonl").read_bytes()
    assert len(plain) > 1 << 20
    for kind, suffix in (("gzip", ".gz"), ("zstd", ".zst")):
        run(
            "export",
            "s.frec",
            "-o",
            "x.jsonl" + suffix,
            "-f",
            "json",
            "--compress",
            kind,
            "-o",
            "y",
            "-o",
            "z.jsonl",
        )
        run("export", "s.frec", "-f", "json", "--compress", kind)
        stream = run("export", "s.frec", "-f", "json", "-o", "-", "--compress", kind).stdout
        for packed in (
            pathlib.Path("x.jsonl" + suffix),
            pathlib.Path("y"),
            pathlib.Path("s.jsonl" + suffix),
            stream,
        ):
            packed = packed if isinstance(packed, bytes) else packed.read_bytes()
            assert len(packed) < len(plain) / 3
            subprocess.run([kind, "-t"], input=packed, stderr=subprocess.PIPE, check=True)
            assert (
                subprocess.run(
                    [kind, "-dc"], input=packed, stdout=subprocess.PIPE, check=True
                ).stdout
                == plain
            )
        assert pathlib.Path("z.jsonl").read_bytes() == plain
    make()
    # An empty output is a valid file as well.
    run("export", "s.frec", "--to", "-1000", "-o", "none.jsonl.gz", "-o", "none.jsonl.zst")
    assert not subprocess.run(
        "gzip -dc none.jsonl.gz && zstd -dc none.jsonl.zst",
        shell=True,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    for arguments in (
        ["-o", "x.ctf.gz"],
        ["-o", "x.perf.data.zst"],
        ["--compress", "gzip", "-o", "x.ctf"],
        ["--compress", "lzma"],
        ["--compress", "zstd", "--endpoint", "http://127.0.0.1"],
    ):
        run("export", "s.frec", *arguments, status=2)


def check_filters():
    make("hostile")
    everything = exported()
    switches = exported("-e", "sched:*")
    assert (
        switches == [e for e in everything if e["event"].startswith("sched:")]
        and len(switches) == 4
    )
    assert exported("-e", "sched:*", "-e", "*:irq_*") == [
        e for e in everything if e["event"].split(":")[0] in ("sched", "irq")
    ]
    assert exported("--pid", "777") == [e for e in everything if e["pid"] == 777] != []
    assert exported("--pid", "777", "--pid", "0") == [e for e in everything if e["pid"] in (0, 777)]
    # The crash was at 2.5 s of CLOCK_MONOTONIC, whose zero was at 1 700 000 000 s of
    # CLOCK_REALTIME.
    for arguments, least, most in (
        (["--from", "-0.9"], 1_600_000_000, 1 << 63),
        (["--to", "-0.9"], 0, 1_600_000_000),
        (["--from", "-.9", "--to", "-0.800000001"], 1_600_000_000, 1_699_999_999),
        (["--from", "+0"], 2_500_000_000, 1 << 63),
        (["--from", "2023-11-14T22:13:21.7Z"], 1_700_000_000, 1 << 63),
        (["--to", "2023-11-14 23:13:21.7+01:00"], 0, 1_700_000_000),
        (["--to", "2023-11-14T22:13:21"], 0, 1_000_000_000),
        (["--from", "100"], 1 << 63, 1 << 63),
    ):
        found = exported(*arguments)
        assert found == [e for e in everything if least <= e["time"] <= most], (arguments, found)
    for arguments in (
        ["-e", "nothing:*"],
        ["--from", "yesterday"],
        ["--to", "-1.5x"],
        ["--from", "2023-13-01T00:00:00Z"],
        ["--from", "2023-11-14T22:13:21*"],
    ):
        assert b"" == run("export", "s.frec", "-o", "z.json", *arguments, status=1).stdout
    for pid in ("x", "-1", "4294967296", ""):
        run("export", "s.frec", "--pid", pid, status=2)
    assert not pathlib.Path("z.json").exists()


def check_devices():
    """An output path that is a FIFO or a symbolic link is not replaced by a regular file."""
    make()
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)
    run("export", "s.frec", "-f", "json", "-o", "pipe")
    assert reader.communicate()[0].count(b"\n") == 9
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)
    done = run("export", "s.frec", "-f", "perf", "-o", "pipe", status=1)
    assert done.stderr.count(b"\n") == 1 and b"left as it is" in done.stderr, done
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)
    # A symbolic link stays and leads to the new file.
    os.symlink("behind", "link")
    pathlib.Path("behind").write_text("old")
    run("export", "s.frec", "-f", "json", "-o", "link")
    assert os.path.islink("link") and pathlib.Path("behind").read_bytes().count(b"\n") == 9


def check_golden():
    make("hostile")
    golden("hostile.jsonl", run("export", "s.frec", "-f", "json", "-o", "-").stdout)
    golden("hostile.show", run("show", "s.frec", "--all").stdout)
    golden("hostile.verify", run("verify", "s.frec", status=1).stdout)
    make("wrapped")
    golden("wrapped.show", run("show", "s.frec", "-n", "2").stdout)
    report = run("show", "s.frec", "-n", "2", "--json").stdout
    golden("wrapped.show.json", report)
    # The report has all events of the dead process and the event that ended it. For other processes
    # it has only events from before the one that ended it.
    assert [e["time"] for e in json.loads(report)["events"]] == [1_700_000_000, 2_500_000_000]
    assert [e["time"] for e in json.loads(report)["others"]] == [1_800_000_000]
    # Every thread is shown, even if another thread's events fill the list.
    one = json.loads(run("show", "s.frec", "-n", "1", "--json").stdout)
    assert [(e["tid"], e["time"]) for e in one["last_of_threads"]] == [(123, 1_700_000_000)], one
    assert b"last event of each other thread" in run("show", "s.frec", "-n", "1").stdout
    assert "last_of_threads" not in json.loads(report)
    golden("wrapped.verify", run("verify", "s.frec").stdout)
    make("no-crash")
    make("stacks")
    golden("stacks.show", run("show", "s.frec").stdout)
    golden("stacks.show.json", run("show", "s.frec", "--json").stdout)
    make("no-crash")
    golden("no-crash.show", run("show", "s.frec", "-n", "0").stdout)
    for line in run("show", "s.frec", "--all").stdout.split(b"\n"):
        assert all(byte >= 32 and byte != 127 for byte in line), line
    make("wrong-loss")
    assert len(json.loads(run("verify", "s.frec", "--json", status=1).stdout)["problems"]) == 2


def check_bad_input():
    make()
    whole = pathlib.Path("s.frec").read_bytes()
    pathlib.Path("torn.frec").write_bytes(whole[:-30])
    for command in (
        ["export", "torn.frec", "-f", "json"],
        ["export", "torn.frec"],
        ["show", "torn.frec"],
    ):
        done = run(*command, status=1)
        assert b"byte " in done.stderr and b"cut off" in done.stderr, done
    assert pathlib.Path("torn.jsonl").read_bytes().count(b"\n") == 9
    assert b"SIGSEGV" in done.stdout
    assert b"cut off" in run("verify", "torn.frec", status=1).stdout
    flipped = bytearray(whole)
    flipped[1200] ^= 4
    pathlib.Path("flipped.frec").write_bytes(flipped)
    assert b"checksum" in run("show", "flipped.frec", status=1).stderr
    for name, content, word in (
        ("empty", b"", b"empty"),
        ("text", b"hello, world\n", b"not a .frec file"),
        ("short", whole[:20], b"cut off"),
    ):
        pathlib.Path(name).write_bytes(content)
        for command in ("export", "show", "verify"):
            assert word in run(command, name, status=1).stderr
    assert not list(pathlib.Path(".").glob("*text*.pftrace"))
    run("show", "missing.frec", status=1)
    run("show", ".", status=1)


def check_usage():
    make()
    for arguments in (
        [],
        ["nonsense"],
        ["export"],
        ["export", "s.frec", "-f", "xml"],
        ["show", "s.frec", "-n", "x"],
        ["show", "--no"],
        ["verify", "a", "b"],
        ["export", "-o"],
    ):
        assert b"usage:" in run(*arguments, status=2).stderr
    before = set(os.listdir("."))
    assert (
        b"-f text: no -o follows it"
        in run(
            "export", "s.frec", "-o", "a.csv", "-f", "csv", "-o", "b.txt", "-f", "text", status=2
        ).stderr
    )
    assert set(os.listdir(".")) == before
    for command in ("export", "show", "verify"):
        assert run(command, "--help").stdout.startswith(b"usage: flightrec " + command.encode())
    run("export", "s.frec", "-o", "no/such/folder/x.json", status=1)
    before = set(os.listdir("."))

    # Simulates a disk that is full after 1000 bytes: nothing appears, not even a part of the file.
    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    command = [TOOL, "export", "s.frec", "-o", "full.jsonl"]
    done = subprocess.run(command, preexec_fn=small_disk, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and done.stderr.startswith(b"flightrec: "), done
    assert set(os.listdir(".")) == before, "something was left behind"


def check_memory():
    subprocess.run([MAKE, "large.frec", "large", str(LARGE_MB)], check=True)
    size = os.path.getsize("large.frec") >> 20
    assert size >= LARGE_MB * 9 // 10, size
    for command in (
        ["export", "large.frec", "-o", "-"],
        ["export", "large.frec", "-f", "json", "-o", "-"],
        ["show", "large.frec"],
        ["verify", "large.frec"],
    ):
        with open("/dev/null", "wb") as sink:
            process = subprocess.Popen([TOOL, *command], stdout=sink, env=ENVIRONMENT)
            _, _, usage = os.wait4(process.pid, 0)
        print(f"{command[0]} of {size} MB: peak {usage.ru_maxrss >> 10} MB")
        assert usage.ru_maxrss < MEMORY_MAX_KIB, f"{command}: {usage.ru_maxrss} KiB"


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if "memory" in sys.argv[3:]:
            check_memory()
        else:
            check_formats()
            check_several_outputs()
            check_compressed()
            check_filters()
            check_devices()
            check_golden()
            check_bad_input()
            check_usage()
        os.chdir("/")


if __name__ == "__main__":
    main()
