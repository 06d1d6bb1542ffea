#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_html.py FLIGHTREC MAKE_SNAPSHOT [CHECK]...: clicks through the page of -f html in Chromium.

Exits with 77 if Chromium is not installed.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from chromium import Page

TOOL, MAKE = map(os.path.abspath, sys.argv[1:3])
ENVIRONMENT = {"TZ": "UTC", "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
LIMIT = 5 << 20
DATA = re.compile(r'<script type="application/json" id="(?:report|events)-data">([^<]*)</script>')


def run(*command, status=0):
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == status, (command, done.returncode, done.stderr[-2000:])
    return done


def export(*words, options=(), status=0):
    """Exports a snapshot of make_snapshot; returns the page and its two blocks of data."""
    name = "-".join(words) or "plain"
    run(MAKE, f"{name}.frec", *words)
    page = pathlib.Path(f"{name}.html").resolve()
    run(TOOL, "export", f"{name}.frec", "-o", page, *options, status=status)
    return page, *data_of(page)


def data_of(page):
    text = page.read_text(encoding="utf-8")
    blocks = DATA.findall(text)
    assert len(blocks) == 2, len(blocks)
    assert text.count("<script") == 3, "a script that is none of ours"
    return tuple(map(json.loads, blocks))


def older_ones(lines, dead, left_out):
    """Yields the lines without the oldest ones. `left_out` has two numbers: how many events of the
    process that died are left out, and how many of other processes."""
    for line in lines:
        if (line["pid"] == dead) and left_out[0]:
            left_out[0] -= 1
        elif (line["pid"] != dead) and left_out[1]:
            left_out[1] -= 1
        else:
            yield line


def same_events(recorded, *files, dead=123, about=None):
    """Compares every event of the page with the JSON lines.

    `about` is the host whose report the page shows.
    """
    lines = [
        json.loads(line)
        for line in run(TOOL, "export", *files, "-f", "json", "-o", "-")
        .stdout.decode()
        .split("\n")[:-1]
    ]
    assert len(recorded["events"]) == len(lines) - sum(recorded["left_out"]), (
        len(recorded["events"]),
        len(lines),
        recorded["left_out"],
    )
    for (time, cpu, thread, source, stack, values, *_), line in zip(
        recorded["events"], older_ones(lines, dead, list(recorded["left_out"]))
    ):
        pid, tid, process, name, host = recorded["threads"][thread]
        assert (recorded["hosts"][host] if host >= 0 else about) == line.get("host", about), line
        assert (time + recorded["reference"], cpu, tid) == (
            line["time"],
            line["cpu"],
            -1 if line["tid"] is None else line["tid"],
        ), line
        assert (process, name) == (line.get("process", ""), line.get("thread", "")), line
        kind = recorded["sources"][source]
        assert kind["name"] == line["event"], line
        assert [field for field, _ in kind["fields"]] == list(line["fields"]), line
        for (field, _), value in zip(kind["fields"], values):
            wanted = line["fields"][field]
            if isinstance(wanted, str) and len(wanted.encode()) > 1024:
                assert wanted.startswith(value), field
            elif isinstance(wanted, int) and not isinstance(wanted, bool) and abs(wanted) > 2**53:
                assert value == str(wanted), field
            else:
                assert value == wanted, (field, value, wanted)
        functions = [
            place
            for index in (recorded["stacks"][stack][1:] if stack >= 0 else [])
            for place in recorded["locations"][index]
        ]
        assert functions == line.get("stack", []), line


def check_data():
    """Checks the data in the page, without rendering it."""
    for words in ((), ("hostile",), ("wrapped", "zstd"), ("stacks",), ("no-crash",), ("markup",)):
        page, report, recorded = export(*words)
        same_events(recorded, f"{'-'.join(words) or 'plain'}.frec")
        assert ("crash" in report) == ("no-crash" not in words), words
        assert page.stat().st_size < 200_000, page
    page, _, recorded = export("large", "8")
    assert len(recorded["events"]) == 20000 and recorded["left_out"][1] > 0, recorded["left_out"]
    same_events(recorded, "large-8.frec", dead=None)
    assert page.stat().st_size < LIMIT, page.stat().st_size
    # Events of other processes do not push out those of the process that died.
    _, _, recorded = export("noise")
    assert len(recorded["events"]) == 20000 and recorded["left_out"][0] == 0, recorded["left_out"]
    same_events(recorded, "noise.frec")
    page, _, recorded = export(options=("--to", "-100"))
    assert recorded["events"] == [], recorded["events"]
    whole = pathlib.Path("plain.frec").read_bytes()
    pathlib.Path("torn.frec").write_bytes(whole[: len(whole) * 2 // 3])
    run(TOOL, "export", "torn.frec", "-o", "torn.html", status=1)
    report, _ = data_of(pathlib.Path("torn.html"))
    assert not report["whole"] and report["damage"], report


def check_several():
    """Checks pages of files from several recorders, whose sources have the same numbers, and from
    several hosts."""
    for words in (
        (),
        ("other-recorder",),
        ("other-host",),
        ("other-host", "stacks"),
        ("no-crash",),
    ):
        run(MAKE, f"{'-'.join(words) or 'plain'}.frec", *words)
    for files, about, others, shift in (
        (("plain.frec", "other-recorder.frec"), None, [], 0),
        (("plain.frec", "other-host-stacks.frec"), "web-7", ["web-8"], 0),
        (("other-host-stacks.frec", "plain.frec"), "web-8", ["web-7"], 10**9),
        (("no-crash.frec", "other-host.frec"), "web-8", ["web-7"], 10**9),
    ):
        run(TOOL, "export", *files, "-o", "several.html")
        report, recorded = data_of(pathlib.Path("several.html"))
        recorded[
            "reference"
        ] += shift  # from the clock of the report's host to that of the timeline
        same_events(recorded, *files, about=about)
        assert about is None or report["host"] == about, report["host"]
        with Page(pathlib.Path("several.html").resolve()) as page:
            dead = page.ask(
                "[...new Set(threads.filter(thread => thread.dead).map(thread => thread.host))]"
            )
            assert dead == [""], dead
            labels = page.ask("drawing.lanes.map(lane => lane.label)")
            assert sum("shopd" in label and " on " not in label for label in labels) >= 2, labels
            assert {label.rpartition(" on ")[2] for label in labels if " on " in label} == set(
                others
            ), labels
            assert page.ask("$('facts').textContent").count(
                "Other hosts" + ", ".join(others)
            ) == len(others)
            check_well(page)


def check_well(page):
    """Checks what must be true of every page, whatever it shows."""
    complaints = list(page.complaints())
    assert not complaints, complaints
    assert page.ask("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"
    nameless = page.ask(
        """[...document.querySelectorAll("button, input, a, summary, [tabindex='0']")].filter(
        element => !element.hidden
        && !(element.getAttribute("aria-label") || element.textContent.trim()
        || (element.labels && element.labels.length) || element.getAttribute("aria-labelledby")
        || element.id === "detail-body")).map(element => element.outerHTML)"""
    )
    assert nameless == [], nameless
    broken = page.ask(
        """[...document.querySelectorAll("[aria-labelledby], [aria-describedby]")].flatMap(
        element => ["aria-labelledby", "aria-describedby"].map(name => element.getAttribute(name)))
        .filter(id => id && !document.getElementById(id))"""
    )
    assert broken == [], broken
    levels = page.ask(
        """[...document.querySelectorAll("h1, h2, h3")].filter(heading => heading.checkVisibility())
        .map(heading => Number(heading.tagName[1]))"""
    )
    assert (
        levels[0] == 1
        and levels.count(1) == 1
        and all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    ), levels
    assert page.ask("""document.querySelectorAll("main, header, nav").length""") == 3
    ids = page.ask("""[...document.querySelectorAll("[id]")].map(element => element.id)""")
    assert len(ids) == len(set(ids)), ids


CONTRAST = """(() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const luminance = color => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if (!/rgba\\(.*, 0\\)/.test(color))
                return color;
        }
    };
    const low = [];
    for (const element of document.querySelectorAll("body *")) {
        const words = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!words || !element.checkVisibility() || element.disabled
            || element.closest(".sr, .skip, option"))
            continue;
        const both = [luminance(getComputedStyle(element).color), luminance(behind(element))];
        const [a, b] = both.sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5)
            low.push(element.outerHTML.slice(0, 120) + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
    }
    return low;
})()"""


def check_report(path):
    with Page(path) as page:
        assert (
            page.ask("$('headline').textContent")
            == "shopd[123] died of SIGSEGV (address not mapped) at 0x0, thread worker-1\\xff[125]"
        )
        facts = page.ask("$('facts').textContent")
        for word in (
            "SIGSEGV (11), SEGV_MAPERR: address not mapped",
            "0x0: a null pointer",
            "web-7, Linux 6.12.0",
            "/usr/bin/shopd --port 80 80",
        ):
            assert word in facts, (word, facts)
        assert page.ask("$('register-list').children.length") == 9
        assert "6 events happened and could not be recorded" in page.ask(
            "$('notices').textContent"
        ), page.ask("$('notices').textContent")
        assert page.ask("$('loss').tBodies[0].rows.length") == 6
        assert page.ask(
            "[...$('coverage').tBodies[0].rows].map(row => row.cells[1].textContent)"
        ) == ["−1.500000", "−1.500000"]
        assert page.ask(
            "[...$('event-table').tBodies[0].rows]"
            ".map(row => row.className || row.cells[0].textContent)"
        )[:3] == ["+0.000200000", "end", "+0.000000000"]
        assert page.ask("reportText()").startswith("shopd[123] died of SIGSEGV"), page.ask(
            "reportText()"
        )
        check_well(page)


def check_search(path):
    with Page(path) as page:
        assert (
            page.ask("$('only-dead').checked")
            and page.ask("$('count').textContent") == "6 of 9 events"
        ), page.ask("$('count').textContent")
        page.click("#only-dead")
        assert page.ask("$('count').textContent") == "9 events"
        page.click("#query")
        for words, count in (
            ("request_done", 4),
            ("request_done path=/cart", 2),
            ("-request_done", 5),
            ("REQUEST_DONE -/cart status=500", 2),
            ("nowhere", 0),
        ):
            page.ask("$('query').select()")
            page.type(words)
            page.until(f"search.query === {json.dumps(words)}")
            assert page.ask("$('count').textContent") == f"{count} of 9 events", (
                words,
                page.ask("$('count').textContent"),
            )
            assert page.ask("shownRows().length") == count, words
            assert page.ask("drawing.wanted.reduce((a, b) => a + b, 0)") == count, words
        assert page.ask("document.activeElement.id") == "query"
        check_well(page)


def check_timeline(path):
    with Page(path) as page:
        width = lambda: page.ask("view.to - view.from")
        full = width()
        page.click("#zoom-in")
        assert abs(width() / full - 0.5) < 0.05, (width(), full)
        page.click("#zoom-all")
        assert width() >= full
        # With Ctrl, the wheel zooms at the pointer; without, it scrolls the page.
        x, y = page.middle("#lanes")
        before = width()
        page.call(
            "Input.dispatchMouseEvent",
            type="mouseWheel",
            x=x,
            y=y,
            deltaX=0,
            deltaY=-120,
            modifiers=2,
        )
        page.until(f"view.to - view.from < {before}")
        before = width()
        page.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=30)
        page.frames()
        assert width() == before
        # Dragging moves the view.
        start = page.ask("view.from")
        x, y = page.middle("#lanes")
        page.call(
            "Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1
        )
        page.call(
            "Input.dispatchMouseEvent", type="mouseMoved", x=x + 100, y=y, button="left", buttons=1
        )
        page.call(
            "Input.dispatchMouseEvent",
            type="mouseReleased",
            x=x + 100,
            y=y,
            button="left",
            clickCount=1,
        )
        page.until(f"view.from < {start}")
        assert page.ask("selected") is None, "a drag is no click"
        # Hovering shows all fields; a click keeps them on display.
        page.click("#zoom-all")
        page.frames()
        x, y = page.ask(
            """(() => {
            const event = matches.findLast(event => event.source.name === "shop:request_done");
            const lane = drawing.lanes.findIndex(lane => lane.events.includes(event));
            const place = layout(), box = $("canvas").getBoundingClientRect();
            return [box.x + timeToX(event.time, place), box.y + AXIS + (lane + 0.5) * place.lane];
            })()"""
        )
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        page.until("!$('tip').hidden")
        assert page.ask("[...$('tip').querySelectorAll('dt')].map(name => name.textContent)")[
            :3
        ] == ["order_id", "path", "status"]
        page.click_at(x, y)
        assert page.ask("$('detail-title').textContent") == "shop:request_done" and not page.ask(
            "$('detail').hidden"
        )
        assert '"/pay?x="1""' in page.ask("$('detail-body').textContent"), page.ask(
            "$('detail-body').textContent"
        )
        check_well(page)


def check_keyboard(path):
    with Page(path) as page:
        order = []
        for _ in range(40):
            page.press("Tab")
            order.append(
                page.ask(
                    "document.activeElement.id || document.activeElement.getAttribute('href')"
                    " || document.activeElement.tagName"
                )
            )
            assert page.ask(
                "document.activeElement === document.body"
                " || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
            ), order[-1]
            if order[-1] == "lanes":
                break
        assert order[:3] == ["#main", "#what", "#timeline"] and order[-1] == "lanes", order
        assert [name for name in order if name in ("copy", "theme", "query", "zoom-in")] == [
            "copy",
            "theme",
            "query",
            "zoom-in",
        ], order
        page.press("End")
        last = page.ask("selected.index")
        assert page.ask("matches[matches.length - 1].index") == last and page.ask(
            "$('announce').textContent"
        ).startswith("sched:sched_switch"), last
        page.press("ArrowLeft")
        assert page.ask("selected.index") < last and page.ask("selected.thread.tid") == 125
        page.press("ArrowDown")
        assert page.ask("selected.thread.tid") == 123, page.ask("selected.thread.label")
        length = page.ask("view.to - view.from")
        page.press("+", "Equal", text="+")
        assert page.ask("view.to - view.from") < length
        page.press("0", "Digit0", text="0")
        assert page.ask("view.to - view.from") >= length
        page.press("Enter", text="\r")
        assert page.ask("document.activeElement.id") == "detail-title"
        page.press("Escape")
        assert page.ask("$('detail').hidden") and page.ask("document.activeElement.id") == "lanes"
        page.press("/", "Slash", text="/")
        assert (
            page.ask("document.activeElement.id") == "query" and page.ask("$('query').value") == ""
        )
        # Select events in the table with the keyboard alone.
        page.ask("$('event-table').querySelector('button').focus()")
        page.press("Enter", text="\r")
        assert page.ask("document.activeElement.id") == "detail-title" and not page.ask(
            "$('detail').hidden"
        )
        check_well(page)


def check_themes(path):
    for dark in (False, True):
        with Page(path, dark=dark) as page:
            color = lambda: page.ask("getComputedStyle(document.body).backgroundColor")
            system = color()
            assert page.ask(CONTRAST) == [], page.ask(CONTRAST)
            page.click("#theme")
            light = color()
            page.click("#theme")
            assert light != color() and system == (color() if dark else light), (
                system,
                light,
                color(),
            )
            assert page.ask("$('theme').getAttribute('aria-label')") == "Theme: dark"
            check_well(page)


def check_hostile(path, words, absent=()):
    with Page(path) as page:
        page.ask("globalThis.boom = () => { globalThis.exploded = true }")
        page.click("#only-dead")
        page.ask("events.forEach(event => { select(event); })")
        page.frames()
        assert (
            page.ask("typeof exploded") == "undefined" and page.ask("document.images.length") == 0
        )
        assert page.ask("document.scripts.length") == 3
        shown = page.ask("document.body.innerText") + page.ask("document.title")
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", shown
        )
        for word in words:
            assert word in page.ask("document.body.textContent"), word
        for word in absent:
            assert word not in page.ask("document.body.textContent"), word
        check_well(page)
        # The content security policy allows neither a script nor a connection, even to injected
        # markup.
        page.ask(
            "globalThis.refused = []; document.addEventListener('securitypolicyviolation',"
            " event => refused.push(event.effectiveDirective))"
        )
        page.ask(
            """(() => {
            const body = document.body, script = document.createElement("script");
            script.textContent = "boom()";
            body.append(script);
            const image = new Image();
            image.src = "https://127.0.0.1:1/x.png";
            body.append(image);
            body.insertAdjacentHTML("beforeend", "<p style='color: red' onclick='boom()'>x</p>");
            body.lastChild.click();
            return fetch("https://127.0.0.1:1/").catch(() => {}).then(() => true);
            })()"""
        )
        page.until("refused.length >= 5")
        assert sorted(page.ask("refused")) == [
            "connect-src",
            "img-src",
            "script-src-attr",
            "script-src-elem",
            "style-src-attr",
        ], page.ask("refused")
        assert page.ask("typeof exploded") == "undefined"


def check_phone(path):
    with Page(path, 390, 844, touch=True) as page:
        check_well(page)
        assert page.ask(
            "[...document.querySelectorAll('main button, main input')]"
            ".filter(button => button.checkVisibility()"
            " && !button.matches('.link, .time, .bar-f, [type=checkbox]'))"
            ".every(button => button.getBoundingClientRect().height >= 36)"
        )
        # Two fingers that move apart zoom in.
        x, y = page.middle("#lanes")
        length = page.ask("view.to - view.from")
        fingers = lambda away: [{"x": x - away, "y": y, "id": 1}, {"x": x + away, "y": y, "id": 2}]
        page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=fingers(30))
        for away in (45, 60, 80):
            page.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=fingers(away))
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        page.until(f"view.to - view.from < {length * 0.6}")


def check_stacks(path):
    with Page(path) as page:
        assert (
            not page.ask("$('flamegraph').hidden")
            and not page.ask("$('threads').hidden")
            and not page.ask("$('crash-stack').hidden")
        )
        page.click("#only-dead")
        total = page.ask("flameRoot.count")
        assert total == page.ask("events.filter(event => event.stack >= 0).length") > 0
        bars = page.ask("$('flame').children.length")
        page.click("#flame .bar-f:nth-child(3)")
        assert (
            page.ask("flameTop !== flameRoot")
            and page.ask("!$('flame-reset').disabled")
            and page.ask("$('flame-path').textContent")
        )
        page.click("#flame-reset")
        assert page.ask("$('flame').children.length") == bars
        assert page.ask("$('flame-table').tBodies[0].rows.length") > 0
        page.ask("select(events.findLast(event => event.stack >= 0))")
        assert page.ask("$('detail-body').querySelectorAll('ol.stack li').length") > 0
        check_well(page)


BAR = """(name => {
    const span = spans.find(span => span.name === name && span.end), place = layout();
    const box = $("canvas").getBoundingClientRect();
    const bar = spanBox(span, drawing.lanes.findIndex(lane => lane.spans.includes(span)), place);
    return [box.x + bar.left + bar.width / 2, box.y + bar.top + bar.height / 2];
    })("shop:request_done")"""


def check_spans(path, frec, rule):
    """Checks that bars have the names and lengths that spans have in other formats, and that both
    pointer and keyboard can be used on them."""
    trace = json.loads(run(TOOL, "export", frec, *rule, "-f", "chrome", "-o", "-").stdout)[
        "traceEvents"
    ]
    begun, expected = {}, []
    for event in trace:
        if event["ph"] == "B":
            begun[event["tid"]] = event
        elif event["ph"] == "E":
            begin = begun.pop(event["tid"])
            expected.append(
                [
                    begin["cat"] + ":" + begin["name"],
                    event["tid"],
                    round((event["ts"] - begin["ts"]) * 1000),
                ]
            )
    for size, touch in (((1280, 800), False), ((390, 844), True)):
        with Page(path, *size, touch=touch) as page:
            found = page.ask(
                "spans.filter(span => span.end)"
                ".map(span => [span.name, span.end.thread.tid, span.to - span.from])"
            )
            assert found == expected and found, (found, expected)
            still_open = page.ask(
                "spans.filter(span => !span.end).map(span => [span.begin.thread.tid, span.missing])"
            )
            assert (
                sorted(still_open) == sorted([tid, "it had not ended"] for tid in begun) and begun
            ), (still_open, begun)
            page.click("#only-dead")
            page.frames()
            page.middle("#lanes")
            page.frames()
            x, y = page.ask(BAR)
            if not touch:
                page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
                page.until("!$('tip').hidden")
                tip = page.ask("$('tip').textContent")
                assert tip.startswith("shop:request_done100 ms") and "target_cpu" in tip, tip
            page.click_at(x, y)
            page.until("!$('detail').hidden")
            assert page.ask("$('detail-title').textContent") == "sched:sched_waking"
            assert (
                page.ask("document.querySelector('.span-line').textContent")
                == "ends shop:request_done, 100 ms; its begin"
            )
            check_well(page)
            # With the keyboard alone, go from one end of a span to the other, and along the lane.
            page.ask("document.querySelector('.span-line button').focus()")
            page.press("Enter", text="\r")
            assert (
                page.ask("$('detail-title').textContent") == "shop:request_done"
                and page.ask("document.activeElement.id") == "detail-title"
            )
            assert page.ask("$('announce').textContent").endswith(
                ", begins shop:request_done, 100 ms"
            ), page.ask("$('announce').textContent")
            page.ask("$('lanes').focus()")
            page.press("ArrowRight")
            assert page.ask("$('announce').textContent").endswith(
                ", ends shop:request_done, 100 ms"
            ), page.ask("$('announce').textContent")
            rows = page.ask("[...shownRows()].map(row => row.textContent)")
            assert sum("took 100 ms" in row for row in rows) == 1 and sum(
                "it had not ended" in row for row in rows
            ) == len(begun), rows
            # Lanes without spans keep their height, and the canvas is high enough for all lanes.
            assert page.ask("drawing.lanes.some(lane => lane.rows === 0)") and page.ask(
                "drawing.lanes.some(lane => lane.rows === 1)"
            )
            assert page.ask("$('canvas').clientHeight") == page.ask(
                "laneTop(drawing.lanes.length - 1, layout())"
                " + laneHeight(drawing.lanes.length - 1, layout())"
            )
            check_well(page)


def check_others():
    """Checks pages of other files: no crash; no events; torn; too large for a page."""
    with Page(pathlib.Path("no-crash.html").resolve()) as page:
        assert (
            page.ask("$('headline').textContent")
            == "A snapshot on request “slow checkout”; nothing had died"
        )
        assert page.ask("$('crash-stack').hidden") and page.ask("shownRows().length") == 8
        check_well(page)
    with Page(pathlib.Path("plain.html").resolve()) as page:
        assert page.ask("events.length") == 0 and "no events" in page.ask(
            "$('event-table').textContent"
        )
        page.click("#zoom-in")
        page.frames()
        check_well(page)
    with Page(pathlib.Path("torn.html").resolve()) as page:
        assert "This file is damaged" in page.ask("$('notices').textContent")
        check_well(page)
    with Page(pathlib.Path("noise.html").resolve()) as page:
        assert "none of them of the process that died" in page.ask(
            "$('loss-words').textContent"
        ), page.ask("$('loss-words').textContent")
        assert (
            page.ask("keptFrom(true)") is None and page.ask("keptFrom(false)") < 0
        )  # None: JSON has no -Infinity
        assert page.ask("shownRows().length") == 6
        check_well(page)
    with Page(pathlib.Path("large-8.html").resolve()) as page:
        assert "This page has the last 20,000 events" in page.ask("$('notices').textContent")
        assert page.ask("shownRows().length") == 200
        page.click("#older")
        assert page.ask("shownRows().length") == 400 and page.ask(
            "document.activeElement.matches('.time')"
        )
        check_well(page)


def main():
    if not shutil.which("chromium"):
        print("chromium is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        check_data()
        plain = pathlib.Path("shown.html").resolve()
        run(TOOL, "export", "plain.frec", "-o", plain)
        stacks, markup, hostile = (
            pathlib.Path(f"{name}.html").resolve() for name in ("stacks", "markup", "hostile")
        )
        spans, rule = pathlib.Path("spans.html").resolve(), (
            "--span",
            "shop:request_done,sched:sched_waking",
        )
        run(TOOL, "export", "plain.frec", *rule, "-o", spans)
        checks = {
            "data": lambda: None,  # checked above
            "report": lambda: check_report(plain),
            "search": lambda: check_search(plain),
            "timeline": lambda: check_timeline(plain),
            "keyboard": lambda: check_keyboard(plain),
            "themes": lambda: check_themes(stacks),
            "markup": lambda: check_hostile(
                markup,
                [
                    "</script><img src=x onerror=boom()><script>boom()</script>"
                    "\\xe2\\x80\\xaeabc\\x1b[31m\\xff",
                    "bytes more",
                    # Pairs: a key that comes twice is shown once, and at most 16 pairs are shown.
                    "key0: </script>",
                    "\\xe2\\x80\\xaeabc\\x1b[31m\\xff7: </script>",
                ],
                ["the second one", "\\xff8: "],
            ),
            "hostile": lambda: check_hostile(
                hostile,
                ["<script>alert('&amp;')</script>\\xe2\\x80\\xae\\xe2\\x80\\xa8,;\\x0d\\x0a=1"],
            ),
            "phone": lambda: check_phone(plain),
            "stacks": lambda: check_stacks(stacks),
            "spans": lambda: check_spans(spans, "plain.frec", rule),
            "several": check_several,
            "others": check_others,
        }
        for name in sys.argv[3:] or checks:
            checks[name]()


main()
