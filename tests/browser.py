"""A headless Chromium, spoken to in its DevTools protocol through two pipes: no port, no further package.

It is Debian's package chromium, or a Chrome under one of the usual names.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
)  # fmt: skip
# contrast of each text with what lies behind it, WCAG 2: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
_CONTRASTS = """(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const light = colour => {
    const [r, g, b] = colour.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll("h1,h2,h3,p,th,td,caption,pre,a")].map(node => {
    const [one, two] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  });
})()"""


def missing() -> str | None:
    """Why there is no browser here, or None."""
    return None if _program() else "no Chromium or Chrome: apt-get install chromium"


def _program():
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """An open page.

    Attributes:
        requests: addresses of everything that was loaded, the page itself included.
        errors: what the console says is wrong, and what scripts threw.
    """

    def __init__(self, browser: "_Pipes", width: int, height: int, dark: bool) -> None:
        self._browser, self.requests, self.errors = browser, [], []
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def call(self, method: str, **params: Any) -> Any:
        """What a command of the protocol gives."""
        return self._browser.call(method, self._session, self._noted, **params)

    def open(self, path: Path) -> None:
        """Load a file, and wait until it is shown."""
        self.call("Page.navigate", url=path.resolve().as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session, self._noted)

    def value(self, script: str) -> Any:
        """What an expression in JavaScript gives."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def contrasts(self) -> list[float]:
        """The contrast of every text of the page's own with its background, 1 to 21."""
        return self.value(_CONTRASTS)

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def roles(self) -> list[tuple[str, str]]:
        """(role, name) of everything that a screen reader is told."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
        ]

    def screenshot(self, path: Path) -> None:
        """Write a PNG of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def _noted(self, event: dict[str, Any]) -> None:
        params = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"]["text"])
        elif event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("warning", "error"):
            self.errors.append(params["entry"]["text"])
        elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("warning", "error"):
            self.errors.append(str(params["args"]))


class _Pipes:
    """The two ends of the protocol: JSON, each message ended by a zero byte."""

    def __init__(self, writer: Any, reader: Any) -> None:
        self._writer, self._reader, self._number = writer, reader, 0

    def call(self, method: str, session: str | None = None, noted: Any = lambda event: None, **params: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        self._writer.write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        self._writer.flush()
        while (found := self._read()).get("id") != self._number:
            if found.get("sessionId") == session and "method" in found:
                noted(found)
        assert "error" not in found, (method, found["error"])
        return found["result"]

    def wait_for(self, event: str, session: str, noted: Any) -> None:
        while (found := self._read()).get("method") != event or found.get("sessionId") != session:
            if "method" in found:
                noted(found)

    def _read(self):
        message = bytearray()
        while (byte := self._reader.read(1)) != b"\0":
            assert byte, "the browser has ended"
            message += byte
        return json.loads(message)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A context with a function `new_page(width, height=800, dark=False)` that gives a `Page`."""
    ours_in, theirs_out = os.pipe()
    theirs_in, ours_out = os.pipe()

    def as_three_and_four():  # where Chromium looks for them
        first, second = os.dup(theirs_in), os.dup(theirs_out)
        os.dup2(first, 3)
        os.dup2(second, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [_program(), *_OPTIONS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            command, preexec_fn=as_three_and_four, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            with open(ours_out, "wb") as writer, open(ours_in, "rb") as reader:
                pipes = _Pipes(writer, reader)
                yield lambda width, height=800, dark=False: Page(pipes, width, height, dark)
                pipes.call("Browser.close")
        finally:
            process.kill()
            process.wait()
