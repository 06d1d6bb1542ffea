# shopd with its embedded recorder: whatever kills it, its last event is in the snapshot; a good end leaves nothing.
import os
import socket
import struct
import subprocess
import sys
import time

from kit import TOOL, check, done, events, folder, keepers, report, snapshots, tool, verify, wait_for

SHOPD = sys.argv[1]
THREADS = 2
CGROUP = "/sys/fs/cgroup/shopd"


def request(port, path):
    """One request; None when the connection broke, as it does when the service dies."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while chunk := s.recv(65536):
                data += chunk
            return data or None
    except OSError:
        return None


class Shop:
    def __init__(self, port, *options, cgroup=False, record=True):
        self.port, self.out, self.ledger = port, folder(), os.path.join(folder(), "ledger")
        self.log = open(os.path.join(folder(), "log"), "w+")
        enter = (lambda: open(CGROUP + "/cgroup.procs", "w").write(str(os.getpid()))) if cgroup else None
        recorder = ["--record", self.out, "--keeper", TOOL, "--ring-size", "256K"] if record else []
        self.process = subprocess.Popen([SHOPD, "--listen", f"127.0.0.1:{port}", "--threads", str(THREADS), "--allow-crash",
                                         "--ledger", self.ledger, *recorder, *options],
                                        stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=enter)
        check(wait_for(lambda: request(port, "/healthz") is not None), "shopd serves")

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
    check(wait_for(lambda: not keepers()), f"{name}: the keeper is gone {keepers()}")
    verify(files[0])
    steps = [e for e in events(files[0]) if e["event"] == "shop:step"]
    for thread, (begun, finished) in enumerate(shop.counters()):
        last = [e["fields"]["sequence"] for e in steps if e["fields"]["thread"] == thread][-1:] or [0]
        check(finished <= last[0] <= begun, f"{name}: thread {thread}: the last event is there: {finished} <= {last[0]} <= {begun}")
    check(sum(begun for begun, _ in shop.counters()) > 0, f"{name}: there were events")
    return report(files[0])["crash"]


port = 8100
for how, signal in (("null", "SIGSEGV"), ("overflow", "SIGSEGV"), ("heap", None), ("kill", "SIGKILL")):
    print(f"== {how}", flush=True)
    port += 1
    shop = Shop(port)
    for i in range(5):
        request(port, f"/cart/add?sku={i}&quantity=1")
        request(port, "/products")
    if how == "kill":
        shop.process.kill()
    else:
        request(port, f"/crash?how={how}")
        wait_for(lambda: shop.process.poll() is not None)
    crash = check_death(shop, how)
    if not crash:
        continue
    check(crash["process"] == "shopd" and SHOPD in crash["cmdline"][0], f"{how}: which process it was")
    check(crash["signal"] == signal if signal else crash["signal"] in ("SIGSEGV", "SIGABRT", "SIGBUS"),
          f"{how}: died of {crash['signal']}")
    if how == "null":
        check(crash["thread"].startswith("worker-") and crash.get("address") == "0x0", f"which thread, which address {crash.get('address')}")
    if how == "overflow":
        check(crash.get("stack", {}).get("size", 0) > 4096, f"stack bytes of an overflow {crash.get('stack')}")

print("== oom", flush=True)
with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as file:
    file.write("+memory")
os.makedirs(CGROUP, exist_ok=True)
for name, value in (("memory.max", "64M"), ("memory.swap.max", "0")):
    if os.path.exists(f"{CGROUP}/{name}"):
        with open(f"{CGROUP}/{name}", "w") as file:
            file.write(value)
shop = Shop(port + 1, cgroup=True)
for i in range(5):
    request(port + 1, "/products")
request(port + 1, "/crash?how=oom")
crash = check_death(shop, "oom")
if crash:
    check(crash["signal"] == "SIGKILL", "oom: by SIGKILL")
    trigger = report(snapshots(shop.out)[0])["trigger"]
    check("memory" in trigger["kind"].lower(), f"oom: and by the OOM killer {trigger}")

print("== a good end", flush=True)
shop = Shop(port + 2)
request(port + 2, "/products")
check(keepers(), "there is a keeper")
check(len(subprocess.run(["ps", "-o", "pid=", "--ppid", str(shop.process.pid)], capture_output=True, text=True).stdout.split()) == 0,
      "it is not the service's child")
request(port + 2, "/trigger?name=look")
check(wait_for(lambda: len(snapshots(shop.out)) == 1), "frec_trigger() leaves a snapshot")
shop.process.terminate()
check(shop.process.wait() == 0, "shopd ends well")
check(wait_for(lambda: not keepers()), "no keeper is left")
check(len(snapshots(shop.out)) == 1 and len(os.listdir(shop.out)) == 1, "and no other file")
verify(snapshots(shop.out)[0])

print("== exit without frec_recorder_stop", flush=True)
shop = Shop(port + 3)
request(port + 3, "/crash?how=exit")
shop.process.wait()
check(wait_for(lambda: not keepers()), "no keeper is left")
check(not os.listdir(shop.out), f"exit status 3 is not a death for a keeper {os.listdir(shop.out)}")

print("== no rights", flush=True)
os.chmod(folder(), 0o755)
process = subprocess.Popen(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", SHOPD, "--listen",
                            f"127.0.0.1:{port + 4}", "--record", "/tmp", "--keeper", TOOL],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
check(wait_for(lambda: request(port + 4, "/healthz") is not None), "without rights shopd serves all the same")
process.terminate()
text = process.communicate()[0]
check("root" in text or "CAP_PERFMON" in text, f"and the call said why: {text.strip()}")
done()
