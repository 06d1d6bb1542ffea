# Records PostgreSQL as Debian packages it, with its own USDT probes, while pgbench sends queries.
# When a backend is killed, the snapshot has the text of its last queries exactly as the client sent
# them.
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

TOOL, KIT = sys.argv[1:3]
os.environ["FREC_TOOL"] = TOOL
sys.path.insert(0, KIT)
from kit import (
    Recorder,
    check,
    done,
    events,
    report,
    snapshots,
    tool,
    verify,
    wait_for,
)  # noqa: E402


def skip(why):
    print("skipped: " + why)
    sys.exit(1 if os.environ.get("FREC_REQUIRE_KERNEL") else 77)


found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
if not found:
    skip("no PostgreSQL on this machine (apt install postgresql)")
BIN = os.path.dirname(found[-1])
try:
    user = pwd.getpwnam("postgres")
except KeyError:
    user = pwd.getpwnam("nobody")
FOLDER = tempfile.mkdtemp(prefix="frec-postgres-", dir="/tmp")
os.chown(FOLDER, user.pw_uid, user.pw_gid)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def as_user(*command):
    return [
        "setpriv",
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        *command,
    ]


def client(name):
    return as_user(f"{BIN}/{name}", "-h", FOLDER, "-U", "postgres")


class Session:
    """A psql that sends queries and waits for the answers."""

    def __init__(self):
        self.process = subprocess.Popen(
            client("psql") + ["-X", "-q", "-t", "-A", "postgres"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.sent = []

    def send(self, query):
        self.sent.append(query)
        self.process.stdin.write(query + "\n")
        self.process.stdin.flush()

    def ask(self, query):
        self.send(query)
        return self.process.stdout.readline().strip()


def count_of(condition):
    """Returns the number of sessions for which the condition holds."""
    result = subprocess.run(
        client("psql")
        + [
            "-X",
            "-t",
            "-A",
            "-c",
            "SELECT count(*) FROM pg_stat_activity WHERE " + condition,
            "postgres",
        ],
        capture_output=True,
        text=True,
    )
    return int(result.stdout.strip() or 0)


def kill_backend(session, which):
    """Kills the backend of a session during a query and compares the snapshot with the queries that
    were sent."""
    pid = int(session.ask("SELECT pg_backend_pid();"))
    for number in range(20):
        session.ask(f"SELECT 'query {number} of the {which} one: ünicode' || repeat('', {number});")
    session.send("SELECT 'the last query', pg_sleep(600);")
    check(
        wait_for(lambda: count_of(f"pid = {pid} AND wait_event = 'PgSleep'") == 1),
        f"the {which} backend is in its last query",
    )
    before = snapshots(recorder.folder)
    os.kill(pid, signal.SIGKILL)
    new = wait_for(lambda: [path for path in snapshots(recorder.folder) if path not in before])
    check(len(new) == 1, f"the death of the {which} backend leaves a snapshot")
    verify(new[0])
    check(report(new[0])["crash"]["pid"] == pid, "the crash is the backend's")
    everything = events(new[0])
    of_it = [event for event in everything if event["pid"] == pid]
    started = [
        event["fields"]["arg0"] for event in of_it if event["event"] == "postgresql:query__start"
    ]
    check(
        started == session.sent, f"it has all {len(started)} queries word for word: {started[-1:]}"
    )
    check(
        len([event for event in of_it if event["event"] == "postgresql:query__done"])
        == len(started) - 1,
        "all but the last query were done",
    )
    shown = tool("show", new[0]).stdout
    check(
        "postgresql:query__start" in shown and "the last query" in shown,
        "show prints the last query",
    )
    return everything


def answers():
    return subprocess.run(client("psql") + ["-c", "SELECT 1", "postgres"], **QUIET).returncode == 0


subprocess.run(
    as_user(f"{BIN}/initdb", "-D", f"{FOLDER}/data", "-A", "trust", "-U", "postgres", "--no-sync"),
    check=True,
    cwd="/",
    **QUIET,
)
server = subprocess.Popen(
    as_user(
        f"{BIN}/postgres",
        "-D",
        f"{FOLDER}/data",
        "-c",
        "listen_addresses=",
        "-c",
        "fsync=off",
        "-c",
        f"unix_socket_directories={FOLDER}",
    ),
    cwd="/",
    **QUIET,
)
bench = None
try:
    check(wait_for(answers), "PostgreSQL runs")
    subprocess.run(client("pgbench") + ["-i", "-s", "1", "-q", "postgres"], check=True, **QUIET)
    early = Session()  # its backend starts before the recorder
    early.ask("SELECT 1;")
    try:
        # The program's folder is not in PATH, but the recorder finds the program by name, because
        # it is running.
        recorder = Recorder(
            "-e",
            "usdt:postgres:postgresql:query__*:arg0=str",
            "-e",
            "usdt:postgres:postgresql:transaction__*",
        )
    except RuntimeError as error:
        if any(
            words in str(error)
            for words in (
                "no right to record",
                "cannot be loaded (Operation not permitted)",
                "CONFIG_PERF_EVENTS",
            )
        ):
            skip(str(error))
        raise
    early.sent.clear()
    bench = subprocess.Popen(
        client("pgbench") + ["-c", "4", "-j", "2", "-T", "60", "postgres"], **QUIET
    )
    check(
        wait_for(lambda: count_of("application_name = 'pgbench' AND query LIKE 'UPDATE%'") > 0),
        "pgbench works",
    )
    updates = [
        event
        for event in kill_backend(early, "early")
        if event["event"] == "postgresql:query__start"
        and event["fields"]["arg0"].startswith("UPDATE pgbench_accounts SET abalance = abalance + ")
    ]
    check(updates, f"the file has the events of pgbench, too: {len(updates)} updates")
    # After a backend is killed, the server ends all sessions and restarts.
    bench.wait()
    check(wait_for(answers), "PostgreSQL is back")
    kill_backend(Session(), "late")
    recorder.stop()
finally:
    server.send_signal(signal.SIGQUIT)
    server.wait()
    if bench:
        bench.kill()
        bench.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
done()
