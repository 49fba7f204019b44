"""Tells a start that failed from a recording that a crash interrupted.

Media wait in memory until the journals of their part are written. So a failed start has no media,
and no entry that follows a completed start; a folder or a ``part_opened`` entry shows nothing.
"""

from __future__ import annotations

from pathlib import Path

from kiosk.evidence.chain import Chain, Entry, read_chain
from kiosk.storage.hearing_folder import JOURNAL_FILE

START_KINDS = {"opened", "court_closed", "part_opened", "part", "recovered", "part_closed", "head"}
"""Kinds of entries that a start writes before it is completed, or that undo it."""
CAPTURE_KINDS = ("media", "file", "mark", "mark_withdrawn")
"""Kinds of a part's entries that are written only after its start was completed."""


def was_started(folder: Path) -> bool:
    """Return whether anything of a hearing's start was completed.

    A failed start has no media, because they wait for the journals, and no entry after them.
    """
    if any(path.is_file() for path in folder.glob("part-*/*/run-*/*")):
        return True
    journals = [folder / JOURNAL_FILE, *folder.glob(f"part-*/{JOURNAL_FILE}")]
    kinds = {entry["kind"] for path in journals if path.exists() for entry in _entries(path)}
    return not kinds <= START_KINDS


def _entries(journal: Path) -> list[Entry]:
    return read_chain(journal).entries


def was_ready(chain: Chain) -> bool:
    """Return whether the start of the first part was completed: that entry follows it."""
    return any(entry["kind"] == "readiness" for entry in chain.entries)


def was_captured(part: Path, chain: Chain) -> bool:
    """Return whether the folder or the journal of a part shows that it was being recorded."""
    has_media = any(path.is_file() for path in part.glob("*/run-*/*"))
    return has_media or any(entry["kind"] in CAPTURE_KINDS for entry in chain.entries)
