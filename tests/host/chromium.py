# SPDX-License-Identifier: MIT
"""Drives a page in headless Chromium with the DevTools protocol over a pipe: evaluates expressions,
clicks, types, and collects what the page logs."""
import json
import os
import select
import subprocess
import tempfile
import time

TIMEOUT = 60


class Page:
    """`with Page(path, width, height) as page` opens a file in a window of that size."""

    def __init__(self, path, width=1280, height=800, dark=False, touch=False):
        self.path, self.size, self.dark, self.touch = path, (width, height), dark, touch
        self.last, self.buffer, self.answers, self.happened = 0, b"", {}, []

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (theirs_in, self.out), (self.back, theirs_out) = os.pipe(), os.pipe()

        def descriptors():
            # Chromium expects its pipes at descriptors 3 and 4. The pipes may have these numbers
            # already, so dup2() could close one of them: copy both first.
            copies = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(copies[0], 3)
            os.dup2(copies[1], 4)

        command = [
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--remote-debugging-pipe",
            f"--user-data-dir={self.home.name}",
            "about:blank",
        ]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=descriptors,
            close_fds=False,
            env=os.environ | {"HOME": self.home.name},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=self.size[0],
            height=self.size[1],
            deviceScaleFactor=1,
            mobile=self.touch,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=self.touch)
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}],
        )
        self.call("Page.navigate", url=f"file://{self.path}")
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")
        return self

    def __exit__(self, *_):
        # Browser.close ends Chromium's child processes, too.
        self.session = None
        try:
            self.call("Browser.close")
            self.process.wait(TIMEOUT)
        except (OSError, EOFError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.back)
        self.home.cleanup()

    def receive(self):
        if not select.select([self.back], [], [], TIMEOUT)[0]:
            raise TimeoutError("Chromium does not answer")
        got = os.read(self.back, 1 << 20)
        if not got:
            raise EOFError("Chromium is gone")
        *whole, self.buffer = (self.buffer + got).split(b"\0")
        for message in map(json.loads, whole):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self.happened.append((message["method"], message["params"]))

    def call(self, method, **params):
        self.last += 1
        request = {"id": self.last, "method": method, "params": params} | (
            {"sessionId": self.session} if self.session else {}
        )
        os.write(self.out, json.dumps(request).encode() + b"\0")
        while self.last not in self.answers:
            self.receive()
        answer = self.answers.pop(self.last)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def ask(self, expression):
        """Returns the value of a JavaScript expression."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, (expression, result["exceptionDetails"])
        return result["result"].get("value")

    def until(self, expression):
        end = time.monotonic() + TIMEOUT
        while not self.ask(expression):
            assert time.monotonic() < end, f"never so: {expression}"
            time.sleep(0.02)

    def frames(self):
        """Waits until the page has been drawn."""
        self.ask(
            "new Promise(done => "
            "requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        )

    def press(self, key, code=None, shift=False, text=None):
        event = {
            "key": key,
            "code": code or key,
            "modifiers": 8 if shift else 0,
            "windowsVirtualKeyCode": {"Tab": 9, "Enter": 13, "Escape": 27}.get(key, 0),
        }
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {})
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def middle(self, selector):
        """Scrolls to an element. Returns the position of its middle."""
        box = self.ask(
            "(element => { element.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const box = element.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2] })"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        return box

    def click(self, selector):
        self.click_at(*self.middle(selector))

    def click_at(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path):
        with open(path, "wb") as file:
            import base64

            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def complaints(self):
        """Yields what the page wrote to the console, threw, or requested from a network."""
        for method, params in self.happened:
            if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
                yield params
            elif method == "Network.requestWillBeSent" and params["request"]["url"] not in (
                f"file://{self.path}",
                "about:blank",
            ):
                yield params["request"]["url"]
