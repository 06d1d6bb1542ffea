# Texts of known length, and byte arrays whose bytes are printable, are text in every format: they
# are found by a search, and what is not printable in them is escaped.
#
# 	test_text.py PROGRAM
import json
import os
import shutil
import subprocess
import sys

from kit import check, done, events, folder, report, snapshots, tool, verify

PROGRAM = os.path.realpath(sys.argv[1])
FORMATS = "json csv text chrome perfetto otlp firefox html perf ctf".split()

out = folder()
tool("run", "-e", "text:*", "--transport", "shm", "-o", out, "--", PROGRAM)
path = snapshots(out)[0]
verify(path)
found = [e for e in events(path) if e["event"] == "text:request"]
check(
    [e["fields"] for e in found]
    == [
        {
            "key": "/needle-in-text",
            "head": "printable-needle",
            "body": "01026e6565646c65",
            "message": "hello",
        },
        {"key": "odd\0needle\\xff\x1b[1m", "head": "café-needle\n", "body": "", "message": ""},
    ],
    f"JSON has the texts {[e['fields'] for e in found]}",
)
check([e.get("readable") for e in found] == [["head"], ["head"]], "and says which were bytes")
check(all("truncated" not in e for e in found), "none is cut")
shown = tool("show", path).stdout
check("/needle-in-text" in shown or "events" in shown, "the file is shown")

for name in FORMATS:
    made = os.path.join(out, "made." + name)
    result = tool("export", "-f", name, "-o", made, path)
    if not check(result.returncode == 0, f"{name} is written {result.stderr}"):
        continue
    files = [made]
    if os.path.isdir(made):
        files = [os.path.join(made, file) for file in os.listdir(made)]
    data = b"\n".join(open(file, "rb").read() for file in files)
    check(b"/needle-in-text" in data, f"{name}: a text is found")
    check(b"printable-needle" in data, f"{name}: so are printable bytes")
    check("café-needle".encode() in data or b"caf\\u00e9-needle" in data, f"{name}: in UTF-8")
    hexadecimal = b"printable-needle".hex().encode()
    check(hexadecimal not in data, f"{name}: and not as hexadecimal digits")
    check(b"needle\xff" not in data or name == "ctf", f"{name}: a byte that is no UTF-8 is escaped")

with open(os.path.join(out, "made.html"), encoding="utf-8") as page:
    check('"text_1":true' in page.read(), "the page puts quotes around bytes that are text")
lines = tool("export", "-f", "text", "-o", "-", path).stdout
check('key="odd\\x00needle\\xff\\x1b[1m"' in lines, f"a line is safe on a terminal {lines}")
check('head="printable-needle" body=01026e6565646c65' in lines, "quotes tell text from digits")
result = tool("export", "-f", "text", "--log", "text:request.head", "-o", "-", path)
check(result.returncode == 0, f"printable bytes can be the lines of a log {result.stderr}")
if shutil.which("babeltrace2"):
    made = os.path.join(out, "made.ctf")
    lines = subprocess.run(["babeltrace2", made], capture_output=True, text=True).stdout
    check('key = "/needle-in-text"' in lines, f"babeltrace2 shows the text {lines}")
    check('_head_text = "printable-needle"' in lines, "and printable bytes")
    check('_body_text = ""' in lines, "but not others")
    check("odd\\x00needle" in lines or "odd\\\\x00needle" in lines, "with the NUL in it")
if shutil.which("perf"):
    made = os.path.join(out, "made.perf")
    lines = subprocess.run(["perf", "script", "-i", made], capture_output=True, text=True).stdout
    check(not lines or "/needle-in-text" in lines, f"perf script shows the text {lines}")
done()
