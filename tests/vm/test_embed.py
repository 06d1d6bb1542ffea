# Tests the embedded recorder in services that fork, close descriptors, execute themselves and are
# interrupted. Nothing is left behind.
import subprocess
import sys

from kit import TOOL, check, done, folder, keepers, snapshots, verify, wait_for

EMBEDDER = sys.argv[1]

for what in ("fork", "close", "flood", "exec", "exit", "stop"):
    print(f"== {what}", flush=True)
    out = folder()
    result = subprocess.run(
        [EMBEDDER, TOOL, out, what], capture_output=True, text=True, timeout=120
    )
    lines = result.stdout.splitlines()
    check(
        result.returncode == 0 and len(lines) >= 3,
        f"it ran {result.returncode} {result.stderr[-300:]}",
    )
    for line in lines:
        check(line.startswith("ok"), line)
    check(wait_for(lambda: not keepers(out)), f"no keeper is left {keepers(out)}")
    files = snapshots(out)
    if what in ("exec", "exit", "stop", "close"):
        check(not files, f"a normal end leaves no file {files}")
    for path in files[:1] + files[-1:]:
        verify(path)
done()
