"""Encrypts scans of receipts that were kept plain before the court closed the hearing back then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyrage

from kiosk.evidence.chain import Entry
from kiosk.hearing.session.receipts import Receipts
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.repair.reencrypt import RetroactiveClosure
from kiosk.storage.court_keys import CourtKeys
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import AGE_SUFFIX


def encrypt_receipts(
    journal: HearingJournal, keys: CourtKeys, closure: RetroactiveClosure, entries: Sequence[Entry]
) -> None:
    """Replace the plain scans that were made since ``closure``; it may be repeated after a crash.

    Args:
        entries: of the hearing's own journal.

    Raises:
        StorageError, OSError: a file cannot be read or written; it may be called again.
    """
    receipts, late = Receipts(), list[int]()
    for entry in entries:
        if entry["kind"] == "receipt_scanned":
            receipts.apply_scanned(entry)
            late += [int(entry["scan"])] if _is_since(closure, entry) else []
        elif entry["kind"] == "receipt_encrypted":
            receipts.apply_encrypted(entry)
    for scan in late:
        if not receipts.files[scan].endswith(AGE_SUFFIX):
            _encrypt(journal, keys, scan, receipts.files[scan])


def _is_since(closure: RetroactiveClosure, entry: Entry) -> bool:
    """Return whether a scan was made since then, by either clock: the wall clock may be set."""
    ns = closure.since_ns
    if ns is not None and entry.get("t") is not None and int(entry["t"]) >= ns:
        return True
    return datetime.fromisoformat(str(entry["at"])) >= closure.since


def _encrypt(journal: HearingJournal, keys: CourtKeys, scan: int, name: str) -> None:
    """Replace one file, then journal that; a crash in between leaves no plain file."""
    store, plain = journal.store, journal.folder / name
    encrypted = journal.folder / f"{name}{AGE_SUFFIX}"
    store.flush(journal.folder)
    if store.locate(plain).exists():
        data = pyrage.encrypt(store.locate(plain).read_bytes(), keys.recipients())
        store.write_file(encrypted, data)
        store.replace_files([plain], [encrypted])
    digest = sha256_of(store.locate(encrypted))
    fields = {"scan": scan, "file": f"{name}{AGE_SUFFIX}", "sha256": digest}
    journal.append("receipt_encrypted", fields)
