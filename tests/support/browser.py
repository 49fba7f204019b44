"""A real browser for tests: Debian's Chromium without a window, driven by WebDriver (W3C).

::

    with Browser() as browser:
        browser.open((folder / "index.html").as_uri())
        browser.click("#ru")
        browser.wait("return document.title === 'Привет'", "the Russian title")
"""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from tests.support.ports import free_port
from tests.support.waiting import wait_for

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 12
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,900",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
START_S = 60.0


class Browser:
    """Chromium with a profile of its own; a context manager.

    Raises:
        RuntimeError: chromium or chromium-driver is not installed.
    """

    def __init__(self, *arguments: str) -> None:
        self._arguments = [*ARGUMENTS, *arguments]
        self._session = requests.Session()
        self._session.trust_env = False  # loopback only
        self._url = ""

    def __enter__(self) -> Browser:
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        if driver is None or chromium is None:
            raise RuntimeError("the packages chromium and chromium-driver are needed")
        self._folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        port = free_port()
        self._driver = subprocess.Popen(
            [driver, f"--port={port}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
        )
        try:
            self._start(f"http://127.0.0.1:{port}", chromium)
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, root: str, chromium: str) -> None:
        def ready() -> bool:
            try:
                return bool(self._session.get(f"{root}/status", timeout=5).json()["value"]["ready"])
            except requests.ConnectionError:
                return False

        wait_for(ready, "chromedriver", START_S)
        options = {
            "binary": chromium,
            "args": [*self._arguments, f"--user-data-dir={self._folder.name}/profile"],
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        wanted |= {"goog:loggingPrefs": {"browser": "ALL"}}
        body = {"capabilities": {"alwaysMatch": wanted}}
        answer = self._session.post(f"{root}/session", json=body, timeout=START_S).json()["value"]
        assert "sessionId" in answer, answer
        self._url = f"{root}/session/{answer['sessionId']}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        """Close the browser, then the driver."""
        try:
            if self._url:
                self._session.delete(self._url, timeout=30)
        except requests.RequestException:
            pass  # it has died: the driver takes it along
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=30)
            self._session.close()
            self._folder.cleanup()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self._url}/{path}", json=body, timeout=90)
        value = answer.json()["value"]
        assert answer.ok, f"{path}: {value['error']}: {value['message'].splitlines()[0]}"
        return value

    # -- what a person does ----------------------------------------------------------------------
    def open(self, url: str) -> None:
        """Open ``url`` and wait until it is loaded."""
        self._call("POST", "url", {"url": url})

    def click(self, selector: str) -> None:
        """Click in the middle of the first element that the CSS ``selector`` finds."""
        body = {"using": "css selector", "value": selector}
        element = self._call("POST", "element", body)[_ELEMENT]
        self._call("POST", f"element/{element}/click", {})

    def text(self, selector: str = "body") -> str:
        """Return the visible text of an element."""
        body = {"using": "css selector", "value": selector}
        element = self._call("POST", "element", body)[_ELEMENT]
        return str(self._call("GET", f"element/{element}/text"))

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript (``return …``) in the page; return its value."""
        return self._call("POST", "execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, what: str, seconds: float = 30.0) -> Any:
        """Wait until ``script`` returns something true; return it."""
        return wait_for(lambda: self.run(script), what, seconds)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as a person at the keyboard (W3C WebDriver, 17.4.2)."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": steps}
        self._call("POST", "actions", {"actions": [keyboard]})

    def console_errors(self) -> list[str]:
        """Return what the page has written to the console as warnings and errors."""
        rows = self._call("POST", "se/log", {"type": "browser"})
        return [str(row["message"]) for row in rows if row["level"] in ("SEVERE", "WARNING")]

    def screenshot(self) -> str:
        """Return a picture of the window (PNG, base64)."""
        return str(self._call("GET", "screenshot"))


# -- files over HTTP -----------------------------------------------------------------------------
class _RangeRequestHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with single byte ranges (RFC 9110, 14.2), as players ask for them."""

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if asked is None or not path.is_file():
            return super().do_GET()
        data = path.read_bytes()
        first, last = int(asked[1]), int(asked[2] or len(data) - 1)
        piece = data[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Range", f"bytes {first}-{first + len(piece) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        self.wfile.write(piece)
        return None

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


_RangeRequestHandler.extensions_map = {
    **http.server.SimpleHTTPRequestHandler.extensions_map,
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/mp4",
}


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve ``folder`` on loopback with byte ranges; yield its URL (no slash at the end)."""
    handler = functools.partial(_RangeRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
