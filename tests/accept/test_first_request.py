# SPDX-License-Identifier: MIT
"""The first request of a worker of shopd crashes it, so its buffers were never touched, and the
stack has holes wherever a page lies within a buffer. Each frame is in the report, ten times of ten.

    test_first_request.py SHOPD

glibc puts variables of threads above their stacks; room for more of them moves the frames against
the pages, so that they lie differently each time."""
import os
import subprocess
import sys

from kit import TOOL, check, done, folder, free_port, report, request, snapshots, wait_for

WANTED = ["die_null", "shop_crash", "shop_handle", "answer", "http_serve", "work", "start_thread"]
WANTED.append("clone3")


def crash(shift):
    port, out = free_port(), folder()
    tunable = f"glibc.rtld.optional_static_tls={512 + shift}"
    with open(os.path.join(folder(), "log"), "w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [
                *[sys.argv[1], "--listen", f"127.0.0.1:{port}", "--record", out],
                *["--keeper", TOOL, "--ring-size", "256K", "--allow-crash"],
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "GLIBC_TUNABLES": tunable},
        )

        def serves():
            log.seek(0)
            return "serving" in log.read()

        check(wait_for(serves), f"{shift}: shopd serves")
        request(port, "/crash?how=null")
        process.wait()
    files = wait_for(lambda: snapshots(out))
    if not check(len(files) == 1, f"{shift}: one snapshot"):
        return
    dead = report(files[0])["crash"]
    names = [frame.get("function") for frame in dead.get("frames", [])]
    rest = iter(names)
    check(
        all(name in rest for name in WANTED) and dead.get("frames_end") == "complete",
        f"{shift}: {' < '.join(map(str, names))}, ends: {dead.get('frames_end_words')}",
    )


for step in range(10):
    crash(step * 410)
done()
