"""Tells a start that failed from a recording that a crash interrupted.

Media wait in memory until the journals of their part are written. So a failed start has no media,
and no entry that follows a completed start; a folder or a ``part_opened`` entry shows nothing.

A damaged journal counts as far as it can be read, and so does any file that is not understood:
that something was recorded is the safe answer.
"""

from __future__ import annotations

import re
from pathlib import Path

from kiosk.storage.hearing_folder import JOURNAL_FILE, PART_FILE, SIGNATURE, SUMS

_CAPTURE_ENTRY = re.compile(rb'"kind":"(media|file|mark|mark_withdrawn|interruption\w*)"')
"""Entries of a part that are written only after its start was completed. Quotes within a text are
escaped: no note can match."""
_READY_ENTRY = re.compile(rb'"kind":"readiness"')
_BOOKS = (JOURNAL_FILE, f"{JOURNAL_FILE}.damaged")


def was_captured(part: Path) -> bool:
    """Return whether the folder of a part shows that it was being recorded."""
    return _has_media(part) or _has_entry(part, _CAPTURE_ENTRY)


def was_ready(hearing: Path) -> bool:
    """Return whether the start of the first part was completed: that entry follows it."""
    return _has_entry(hearing, _READY_ENTRY)


def _has_media(part: Path) -> bool:
    """Return whether there is any file beside the books of the part and its seal."""
    books = (*_BOOKS, PART_FILE, SUMS, SIGNATURE)
    names = (path.name for path in part.rglob("*") if path.is_symlink() or not path.is_dir())
    return any(name not in books for name in names)


def _has_entry(folder: Path, kind: re.Pattern[bytes]) -> bool:
    books = (folder / name for name in _BOOKS)
    return any(kind.search(book.read_bytes()) for book in books if book.exists())
