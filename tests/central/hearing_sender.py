"""Delivers a hearing as a kiosk does, through whatever fails meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import requests

from tests.support.central_rig import TUS, hearing_body, new_id

BLOCK = 2 << 20


class HearingSender(threading.Thread):
    """Delivers one hearing in a thread; goes on after any failure.

    Args:
        files: contents by path.
        ask: makes one call (method, path, options of ``requests``).

    Attributes:
        receipt: empty until there is one.
        patches: pieces that were taken.
    """

    def __init__(self, files: dict[str, bytes], ask: Callable[..., requests.Response]) -> None:
        super().__init__(daemon=True)
        self.hearing = new_id()
        self.files = files
        self.receipt: dict[str, Any] = {}
        self.patches = 0
        self._ask = ask

    def run(self) -> None:
        """Go on until there is a receipt."""
        body = hearing_body(self.hearing, self.files)
        while not self.receipt:
            with contextlib.suppress(AssertionError, requests.RequestException):
                answer = self._call("PUT", f"/v1/hearings/{self.hearing}", json=body).json()
                for file in answer["missing"]:
                    self._send(file, self.files[file["path"]])
                answer = self._call("GET", f"/v1/hearings/{self.hearing}").json()
                self.receipt = answer["receipt"] or {}

    def _send(self, file: dict[str, Any], content: bytes) -> None:
        head = self._call("HEAD", file["address"], headers=TUS)
        offset = int(head.headers["Upload-Offset"])
        while offset < len(content):
            headers = TUS | {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
            }
            block = content[offset : offset + BLOCK]
            answer = self._call("PATCH", file["address"], headers=headers, data=block)
            offset = int(answer.headers["Upload-Offset"])
            self.patches += 1
        self._call("GET", f"/v1/uploads/{file['upload']}?wait=10")

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make one call on a connection of its own, as each of many kiosks would."""
        options["headers"] = options.get("headers", {}) | {"Connection": "close"}
        answer = self._ask(method, path, **options)
        assert answer.ok, answer.text
        return answer
