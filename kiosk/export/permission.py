"""Decides which hearings and parts may be copied (S19, УПК 347-1(3))."""

from __future__ import annotations

from pathlib import Path

from kiosk.errors import RecordingError
from kiosk.evidence.chain import Entry, is_event, read_chain
from kiosk.export.errors import ClosedHearingError, EncryptedHearingError
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.closed_part import is_closed_part
from kiosk.storage.hearing_folder import (
    COURIER_ONLY_MARKER,
    JOURNAL_FILE,
    PART_FILE,
    part_folders,
)


def require_exportable(folder: Path) -> None:
    """Refuse a hearing of which no part may be copied on this kiosk.

    Raises:
        ClosedHearingError: it was closed; EncryptedHearingError: only the court can open it.
        RecordingError: a journal was changed.
    """
    if not is_wholly_closed(folder):
        return
    if _is_declared_closed(folder) or _was_ever_closed(folder):
        raise ClosedHearingError(f"{folder.name}: a closed hearing is not copied")
    raise EncryptedHearingError(f"{folder.name}: only the court can open it")


def closed_parts(folder: Path) -> set[int]:
    """Return the numbers of the hearing's parts of which no copy may be made (S19).

    See :func:`.is_closed_part`.
    """
    return {number for number, path in part_folders(folder) if is_closed_part(path)}


def read_entries(folder: Path) -> list[Entry]:
    """Return the events in the journal in ``folder`` (a hearing's or a part's).

    Raises:
        RecordingError: the journal was changed.
    """
    chain = read_chain(folder / JOURNAL_FILE, keep=is_event)
    if chain.problem:
        raise RecordingError(f"{folder}: the journal {chain.problem}", code="journal_broken")
    return chain.entries


def is_wholly_closed(folder: Path) -> bool:
    """Return whether nothing of the hearing may be copied: it is closed, or all its parts are.

    A closed case is never copied, not even the part that was opened for the announcement. Of a
    hearing that was closed for a while the open parts are copied, however it ended (S19).
    """
    numbers = {number for number, _ in part_folders(folder)}
    all_closed = bool(numbers) and numbers == closed_parts(folder)
    return all_closed or _is_declared_closed(folder)


def _is_declared_closed(folder: Path) -> bool:
    """Return whether the hearing as a whole is closed or touches a state secret."""
    hearing = load_hearing(folder)
    publicity = str(hearing.get("publicity") or "")
    for entry in read_entries(folder):
        if entry["kind"] == "statement" and entry.get("subject") == "publicity":
            publicity = str(entry.get("value") or "")
    secret = bool(hearing.get("state_secret")) or (folder / COURIER_ONLY_MARKER).exists()
    return secret or publicity == "closed"


def _was_ever_closed(folder: Path) -> bool:
    """Return whether any part was ever closed; if not, it was only encrypted, by setting."""
    for _, path in part_folders(folder):
        part = read_json_or_none(path / PART_FILE)
        if part is None or part.get("closed"):
            return True
    kinds = {str(entry["kind"]) for entry in read_entries(folder)}
    return not kinds.isdisjoint({"court_closed", "closing_since"})
