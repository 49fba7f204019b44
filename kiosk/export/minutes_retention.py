"""Deletes minutes that the central system has: nothing else keeps the names of persons here.

Draft and sealed folders go together: once the recording has left the kiosk, both have confirmed the
newest version, a receipt covers every sealed folder hash by hash, and that has been so for
``recording.keep_delivered_days`` (until then the secretary can sign, and begin a new version).
Whatever does not agree stays. No wall clock deletes anything: see :class:`kiosk.storage.ages.Ages`.
"""

from __future__ import annotations

import logging
import shutil
from collections import defaultdict
from pathlib import Path

from kiosk.errors import KioskError, StorageError
from kiosk.evidence.seal import is_sealed, parse_sums
from kiosk.exchange.receipt_signature import check_receipt
from kiosk.export.minutes_record import read_record
from kiosk.export.minutes_signature import SIGNATURE_JSON
from kiosk.recording.verify.minutes import MINUTES_FILE
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import make_folder, read_json_or_none, sync_folder
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import SIGNATURE, SUMS
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
TRASH = ".deleted"


def delete_delivered_minutes(paths: Paths, ages: Ages, keep_seconds: float) -> None:
    """Delete the minutes that may leave the kiosk; a fault with one does not stop the others.

    Args:
        ages: since when the minutes of each hearing may be deleted.
        keep_seconds: how long they stay then.
    """
    trash = paths.minutes / TRASH
    shutil.rmtree(trash, ignore_errors=True)  # of a crash
    sealed = _sealed_folders(paths)
    delivered = [hearing for hearing in sealed if _is_delivered(paths, hearing, sealed[hearing])]
    old = ages.of("minutes", delivered)
    for hearing in delivered:
        if old[hearing] < keep_seconds:
            continue
        draft = paths.minutes_drafts / hearing
        try:
            # the draft first: without its sealed folder it would be sealed once more
            for folder in (*([draft] if draft.is_dir() else []), *sealed[hearing]):
                _move(folder, trash)
            log.info("the minutes of hearing %s have left the device", hearing)
        except StorageError as error:
            log.warning("%s", error)
    shutil.rmtree(trash, ignore_errors=True)


def _sealed_folders(paths: Paths) -> dict[str, list[Path]]:
    """Return the sealed versions and signatures by hearing."""
    found = defaultdict(list)
    for folder in sorted(paths.minutes.glob("*/")):
        names = (MINUTES_FILE, SIGNATURE_JSON)
        told = next(filter(None, (read_json_or_none(folder / name) for name in names)), None)
        if told is not None and is_sealed(folder):
            found[str(told.get("hearing"))].append(folder)
    return found


def _is_delivered(paths: Paths, hearing: str, sealed: list[Path]) -> bool:
    """Return whether the central system has all that is known of these minutes."""
    if not hearing or (paths.hearings / hearing).exists():
        return False
    try:
        record = read_record(paths.minutes_drafts / hearing)
        if record is not None:
            expected = {row.id for row in record.seals}
            expected |= {str(record.signed["folder"])} if record.signed else set()
            if record.stage != "confirmed" or not expected <= {row.name for row in sealed}:
                return False
        return all(_is_covered(paths, folder) for folder in sealed)
    except (KioskError, OSError) as error:
        log.warning("minutes of hearing %s stay: %s", hearing, error)
        return False


def _is_covered(paths: Paths, folder: Path) -> bool:
    """Return whether a receipt of the court names every file of a sealed folder as it is here.

    Raises:
        ReceiptInvalidError: the receipt is not the court's, or another item's.
        RecordingError, StorageError: the folder cannot be read.
    """
    receipt = read_json_or_none(paths.receipts / f"{folder.name}.json")
    if receipt is None:
        return False
    check_receipt(receipt, "report", folder.name, paths.court_ca)
    rows = receipt.get("files")
    theirs = {
        str(row.get("path")): row.get("sha256")
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    }
    ours = parse_sums((folder / SUMS).read_text(encoding="utf-8"))
    ours |= {name: sha256_of(folder / name) for name in (SUMS, SIGNATURE)}
    return all(theirs.get(name) == digest for name, digest in ours.items())


def _move(folder: Path, trash: Path) -> None:
    """Move ``folder`` away in one step: half of a draft must never look like one.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        folder.rename(make_folder(trash) / folder.name)
        sync_folder(folder.parent)
    except OSError as error:
        raise StorageError(f"minutes {folder.name}: {error.strerror}") from error
