# If a user without rights selects a transport that needs rights, one line on stderr says why that
# fails and what to do about it.
#
# 	test_refused.py PUPPET	in an environment without rights
import os
import sys

from kit import TOOL, check, done, folder, tool
from puppet import Puppet, need_silence

PUPPET = os.path.realpath(sys.argv[1])

need_silence(PUPPET)
for transport in ("user_events", "usdt"):
    print(f"== {transport}", flush=True)
    for command in (["record"], ["run"]):
        result = tool(
            *command,
            "-e",
            "accept:*",
            "--transport",
            transport,
            "-o",
            folder(),
            *(["--", "true"] if command == ["run"] else []),
        )
        check(
            result.returncode == 1
            and result.stderr.startswith("flightrec: ")
            and result.stderr.count("\n") == 1,
            f"flightrec {command[0]} says why in a line:"
            f" {result.returncode} {result.stderr.strip()}",
        )
        check(
            any(word in result.stderr for word in ("root", "CAP_", "shm", "CONFIG_", "mount")),
            "and what to do about it",
        )
    puppet = Puppet(PUPPET)
    answer = puppet.start(transport, folder(), TOOL)
    check(
        answer.startswith("failed ") and len(answer) > 20,
        f"frec_recorder_start() says why, too: {answer}",
    )
    check(puppet.emit(10) == 10 and puppet.word() == 0, "the service runs on with its events off")
    check(puppet.quit() == 0, "the service exits with 0")
done()
