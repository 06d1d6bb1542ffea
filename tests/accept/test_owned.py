# SPDX-License-Identifier: MIT
"""The stack of a program is unwound whoever owns its file, and whoever may write to it: the child
of a root recorder that reads the file is another user than the recorder.

    test_owned.py PUPPET
"""
import os
import shutil
import subprocess
import sys

from kit import TOOL, check, done, folder, report, snapshots

SOMEBODY, NOBODY = 1234, 65534


def crash(owner, mode):
    out, program = folder(), os.path.join(folder(), "owned")
    shutil.copy(sys.argv[1], program)
    os.chown(program, owner, owner)
    os.chmod(program, mode)
    ran = subprocess.run(
        [TOOL, "run", "-e", "accept:*", "--transport", "usdt", "-o", out, "--", program],
        input="crash\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    what = f"a program of user {owner} with mode {mode:o}"
    check("unwinding" not in ran.stderr, f"{what}: its stack is unwound {ran.stderr.strip()}")
    files = snapshots(out)
    frames = report(files[0])["crash"].get("frames", []) if files else []
    check("main" in [frame.get("function") for frame in frames], f"{what}: the report has main()")


for user in (0, SOMEBODY, NOBODY):
    crash(user, 0o755)
crash(0, 0o777)
done()
