# Tests shopd with its embedded recorder. However shopd crashes, its last event is in the snapshot.
# A normal end leaves no snapshot.
#
# 	test_shopd.py SHOPD TRANSPORT	in an environment of accept/in
#
# The crashes are the same in each environment, but a recorder without rights knows neither
# registers nor the faulting address, and its report must not claim to know them.
import os
import struct
import subprocess
import sys

from kit import (
    TOOL,
    check,
    done,
    events,
    folder,
    free_port,
    keepers,
    report,
    request,
    snapshots,
    verify,
    wait_for,
)

SHOPD, TRANSPORT = sys.argv[1:3]
# Whatever the transport, the kernel reports the signal and the place of a crash to a recorder that
# may watch the kernel.
KERNEL_TELLS = os.environ.get("FREC_PLACE") == "root"
THREADS = 2
CGROUP = int(os.environ.get("FREC_CGROUP_FD", -1))
# With CAP_SYS_RESOURCE the keeper survives in the service's cgroup when the cgroup runs out of
# memory. Without it, the kernel may kill the keeper as well, so only the service is put into the
# cgroup.
KEEPER_IS_SPARED = (
    subprocess.run(
        ["sh", "-c", "echo -1000 >/proc/self/oom_score_adj"], stderr=subprocess.DEVNULL
    ).returncode
    == 0
)


class Shop:
    def __init__(self, *options, cgroup=False, transport=TRANSPORT):
        self.port, self.out, self.ledger = free_port(), folder(), os.path.join(folder(), "ledger")
        self.log = open(os.path.join(folder(), "log"), "w+")
        # Kernel events are recorded only with user_events, in most cases in the test kernel,
        # because on a busy machine they soon overwrite the service's.
        selection = ["shop:*"] + (["sched:sched_switch"] if TRANSPORT == "user_events" else [])
        self.process = subprocess.Popen(
            [
                SHOPD,
                "--listen",
                f"127.0.0.1:{self.port}",
                "--threads",
                str(THREADS),
                "--allow-crash",
                "--ledger",
                self.ledger,
                "--record",
                self.out,
                "--keeper",
                TOOL,
                "--ring-size",
                "256K",
                "--transport",
                transport,
                *[f"--event={name}" for name in selection],
                *options,
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            preexec_fn=(lambda: os.write(CGROUP, b"0")) if cgroup and KEEPER_IS_SPARED else None,
        )
        check(wait_for(lambda: request(self.port, "/healthz") is not None), "shopd serves")
        if cgroup and not KEEPER_IS_SPARED:
            os.write(CGROUP, b"%d" % self.process.pid)
        check("not recording" not in self.output(), f"shopd records {self.output()}")

    def keepers(self):
        return keepers(self.process.pid)

    def counters(self):
        with open(self.ledger, "rb") as file:
            data = file.read()
        return [struct.unpack_from("2Q", data, 64 * t) for t in range(THREADS)]

    def output(self):
        self.log.seek(0)
        return self.log.read()


def check_death(shop, name):
    shop.process.wait()
    files = wait_for(lambda: snapshots(shop.out))
    if not check(len(files) == 1, f"{name}: one snapshot {files} {shop.output()}"):
        return None
    check(wait_for(lambda: not shop.keepers()), f"{name}: the keeper is gone {shop.keepers()}")
    verify(files[0])
    found = [e for e in events(files[0]) if e["event"] == "shop:step"]
    # A recorder with rights also records other processes.
    steps = [e for e in found if e["pid"] == shop.process.pid]
    check(
        steps and (KERNEL_TELLS or steps == found) and {e["process"] for e in steps} == {"shopd"},
        f"{name}: the events are those of the process that died",
    )
    lost = sum(
        s["overwritten"] + s["lost"]
        for s in report(files[0])["loss"]["sources"]
        if s["name"] == "step"
    )
    for thread, (begun, finished) in enumerate(shop.counters()):
        numbers = [e["fields"]["sequence"] for e in steps if e["fields"]["thread"] == thread]
        last = (numbers or [0])[-1]
        check(
            finished <= last <= begun,
            f"{name}: thread {thread}: the last event is there: "
            f"{finished} <= {last} <= {begun}, {lost} lost",
        )
        check(
            numbers == list(range(last - len(numbers) + 1, last + 1)),
            f"{name}: thread {thread}: none is missing before it {numbers[-20:]}",
        )
    check(sum(begun for begun, _ in shop.counters()) > 0, f"{name}: there were events")
    told = report(files[0])
    check(
        told["transports"] == [TRANSPORT] and told["kernel_watched"] == KERNEL_TELLS,
        f"{name}: the report names the transport {told['transports']}",
    )
    return told["crash"]


def check_knowledge(crash, name):
    """Checks that the report has what only the kernel knows or, without rights, has none of it."""
    thing = {
        "registers": crash.get("registers"),
        "stack": crash.get("stack"),
        "code": crash.get("code"),
        "thread": crash.get("tid"),
    }
    if not KERNEL_TELLS:
        check(
            not any(thing.values()) and "address" not in crash,
            f"{name}: the report has nothing that is unknown {thing}",
        )
    elif crash["signal"] != "SIGKILL":
        check(
            all(thing.values()) and len(thing["registers"]) >= 18,
            f"{name}: the report has thread, registers and stack {thing}",
        )


for how, signals in (
    ("null", ["SIGSEGV"]),
    ("overflow", ["SIGSEGV"]),
    ("heap", ["SIGSEGV", "SIGABRT", "SIGBUS"]),
    ("kill", ["SIGKILL"]),
):
    print(f"== {how}", flush=True)
    shop = Shop()
    for i in range(5):
        request(shop.port, f"/cart/add?sku={i}&quantity=1")
        request(shop.port, "/products")
    if how == "kill":
        shop.process.kill()
    else:
        request(shop.port, f"/crash?how={how}")
        wait_for(lambda: shop.process.poll() is not None)
    crash = check_death(shop, how)
    if not crash:
        continue
    check(
        crash["process"] == "shopd" and SHOPD in crash["cmdline"][0],
        f"{how}: the report names the process",
    )
    check(crash.get("signal") in signals, f"{how}: died of {crash.get('signal')}")
    check_knowledge(crash, how)
    if how == "null" and KERNEL_TELLS:
        check(
            crash["thread"].startswith("worker-") and crash.get("address") == "0x0",
            f"the report has thread and address {crash.get('address')}",
        )
    if how == "overflow" and KERNEL_TELLS:
        check(
            crash.get("stack", {}).get("size", 0) > 4096,
            f"the report has the stack of an overflow {crash.get('stack')}",
        )

print("== oom", flush=True)
if CGROUP < 0:
    print("        not tried: a memory cgroup cannot be created here")
else:
    shop = Shop(cgroup=True)
    for i in range(5):
        request(shop.port, "/products")
    request(shop.port, "/crash?how=oom")
    crash = check_death(shop, "oom")
    if crash:
        check(crash.get("signal") == "SIGKILL", f"oom: died of {crash.get('signal')}")
        check_knowledge(crash, "oom")
        trigger = report(snapshots(shop.out)[0])["trigger"]
        check(
            ("memory" in trigger["kind"].lower()) == KERNEL_TELLS,
            f"oom: the trigger is the OOM killer, if the kernel may be watched {trigger}",
        )

print("== a normal end", flush=True)
shop = Shop()
request(shop.port, "/products")
check(shop.keepers(), "there is a keeper")
check(
    len(
        subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(shop.process.pid)], capture_output=True, text=True
        ).stdout.split()
    )
    == 0,
    "it is not the service's child",
)
request(shop.port, "/trigger?name=look")
check(wait_for(lambda: len(snapshots(shop.out)) == 1), "frec_trigger() leaves a snapshot")
shop.process.terminate()
check(shop.process.wait() == 0, "shopd exits with 0")
check(wait_for(lambda: not shop.keepers()), "no keeper is left")
check(len(snapshots(shop.out)) == 1 and len(os.listdir(shop.out)) == 1, "there is no other file")
verify(snapshots(shop.out)[0])

print("== exit without frec_recorder_stop", flush=True)
shop = Shop()
request(shop.port, "/crash?how=exit")
shop.process.wait()
check(wait_for(lambda: not shop.keepers()), "no keeper is left")
check(not os.listdir(shop.out), f"exit status 3 leaves no snapshot {os.listdir(shop.out)}")

if KERNEL_TELLS and TRANSPORT != "shm":
    print("== no rights", flush=True)
    port = free_port()
    process = subprocess.Popen(
        [
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            SHOPD,
            "--listen",
            f"127.0.0.1:{port}",
            "--record",
            "/tmp",
            "--keeper",
            TOOL,
            "--transport",
            TRANSPORT,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    check(wait_for(lambda: request(port, "/healthz") is not None), "shopd serves without rights")
    process.terminate()
    text = process.communicate()[0]
    check(
        "root" in text or "CAP_PERFMON" in text,
        f"shopd prints why it is not recorded: {text.strip()}",
    )
done()
