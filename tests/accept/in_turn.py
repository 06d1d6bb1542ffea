# Runs several test scripts one after the other, because a test kernel takes long to start.
#
# 	in_turn.py SCRIPT ARGUMENT... [-- SCRIPT ARGUMENT...]...
import itertools
import subprocess
import sys

status = 0
for is_end, words in itertools.groupby(sys.argv[1:], lambda word: word == "--"):
    if not is_end:
        status |= subprocess.run([sys.executable, *words], check=False).returncode
sys.exit(1 if status else 0)
