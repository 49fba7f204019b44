"""Splits what a serial badge reader sends into badges: readers end a badge in different ways.

With a carriage return, a line feed or a tab; between STX and ETX (RFID modules); with nothing at
all (QR readers as delivered), where a silence ends it. A byte order mark and an AIM identifier
(``]Q1``, ISO/IEC 15424) before the text are no part of the badge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_LENGTH = 512
"""Maximum length of a badge in bytes; a longer one is noise."""
_ENDS = re.compile(rb"[\r\n\t\x03]")
_AIM_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_UNREADABLE = ""
_MAX_NOISE = 3
"""So few bytes that are no text are noise of the line, as when a reader is plugged in."""


class BadgeFrames:
    """Collects bytes until a badge is whole."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._is_too_long = False

    def receive(self, data: bytes) -> Iterator[str]:
        """Yield the badges that ``data`` completes; an empty text for one that cannot be read.

        Args:
            data: what the reader has sent; nothing: it was silent, which ends a badge.
        """
        self._pending += data
        while end := _ENDS.search(self._pending):
            frame = bytes(self._pending[: end.start()])
            del self._pending[: end.end()]
            yield from self._finish(frame)
        if not data:
            frame = bytes(self._pending)
            self._pending.clear()
            yield from self._finish(frame)
        if len(self._pending) > MAX_LENGTH:
            self._is_too_long = True
            self._pending.clear()

    def _finish(self, frame: bytes) -> Iterator[str]:
        """Yield the badge of a frame; nothing for an empty frame, such as between CR and LF."""
        is_too_long = self._is_too_long or len(frame) > MAX_LENGTH
        self._is_too_long = False
        if is_too_long:
            yield _UNREADABLE
        elif frame.strip(b" \x02"):
            text = _badge(frame)
            if text or len(frame) > _MAX_NOISE:
                yield text


def _badge(frame: bytes) -> str:
    try:
        text = frame.decode("utf-8-sig").strip(" \x02").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return _UNREADABLE
    if identifier := _AIM_IDENTIFIER.match(text):
        text = text[identifier.end() :]
    return text if text.isprintable() else _UNREADABLE
