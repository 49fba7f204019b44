"""What may leave the device, and when: only what the central system has receipted, hash by hash.

A filing's pages and documents go soon after the receipt (they are a visitor's papers); a
hearing's folder after ``recording.keep_delivered_days``. Whatever does not agree stays.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_time
from kiosk.errors import StorageError
from kiosk.storage.durable import make_folder, sync_folder, write_json
from kiosk.storage.layout import Layout
from kiosk.sync.manifest import SIGNATURE, SUMS, ManifestError, folder_of, read_sums, sha256_of
from kiosk.sync.receipts import Receipts, hashes_of
from kiosk.sync.room import SyncRoom
from kiosk.sync.trust import ReceiptInvalidError, check_receipt

log = logging.getLogger(__name__)

FILING_STAYS = timedelta(minutes=15)  # the receipt may be printed again meanwhile
LOOK_SECONDS = 60.0


def receipted(layout: Layout, receipts: Receipts, kind: str, item_id: str) -> dict[str, str]:
    """Return the hashes that the central system has receipted for an item; none: empty.

    The receipt is read back from the disk and its signature checked again.
    """
    receipt = receipts.get(item_id)
    if receipt is None:
        return {}
    try:
        check_receipt(receipt, kind, item_id, layout.court_ca)
    except ReceiptInvalidError as error:
        log.error("%s", error)
        return {}
    return hashes_of(receipt)


def retire_filing(layout: Layout, receipts: Receipts, filing_id: str) -> bool:
    """Delete a delivered filing's pages and documents; say whether they are gone.

    ``filing.json`` stays without the person's data, ``registration.json`` and the receipt stay
    as they are.

    Raises:
        StorageError: the disk refuses.
    """
    folder = folder_of(layout, "filing", filing_id)
    hashes = receipted(layout, receipts, "filing", filing_id)
    documents = [folder / path for path in hashes]
    if not hashes or any(
        path.exists() and sha256_of(path) != hashes[path.relative_to(folder).as_posix()]
        for path in documents
    ):
        return False
    others = {path.name for path in folder.glob("*.pdf")} - set(hashes)
    if others:  # something that was never delivered: a person must look
        log.error("filing %s holds documents without a receipt", filing_id)
        return False
    try:
        _forget_person(folder / "filing.json")
        if (folder / "pages").exists():
            shutil.rmtree(folder / "pages")
        for path in documents:
            path.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise StorageError(f"filing {filing_id}: {error.strerror}") from error
    return True


def _forget_person(path: Path) -> None:
    """Keep of ``filing.json`` what says nothing about the person."""
    if not path.exists():
        return
    try:
        filing: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StorageError(f"{path.parent.name}/filing.json: {error}") from error
    kept = {key: value for key, value in filing.items() if key not in ("applicant", "pages")}
    kept["case_number"] = None
    kept["state"] = "delivered"
    write_json(path, kept)


def retire_hearing(layout: Layout, receipts: Receipts, hearing_id: str) -> bool:
    """Delete a delivered hearing's folder; say whether it is gone.

    It is moved away in one step first: half a hearing must never look like one that was
    interrupted.

    Raises:
        StorageError: the disk refuses.
    """
    folder = folder_of(layout, "hearing", hearing_id)
    hashes = receipted(layout, receipts, "hearing", hearing_id)
    try:
        sealed = dict(read_sums(folder / SUMS))
        sealed |= {name: sha256_of(folder / name) for name in (SUMS, SIGNATURE)}
    except (ManifestError, StorageError) as error:
        log.error("%s", error)
        return False
    if any(hashes.get(path) != digest for path, digest in sealed.items()):
        return False
    trash = make_folder(layout.database.parent / "trash")
    try:
        folder.rename(trash / hearing_id)
        sync_folder(layout.hearings)
    except OSError as error:
        raise StorageError(f"hearing {hearing_id}: {error.strerror}") from error
    _empty(trash)
    return True


def _empty(trash: Path) -> None:
    if trash.exists():
        for left in trash.iterdir():
            shutil.rmtree(left, ignore_errors=True)


class Housekeeper:
    """Looks once a minute for what may leave the device."""

    def __init__(self, room: SyncRoom, filing_stays: timedelta = FILING_STAYS) -> None:
        self._room = room
        self._filing_stays = filing_stays
        self._next = 0.0

    def tidy(self) -> None:
        """Let go what may go; trouble with one thing does not stop the others."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        _empty(self._room.layout.database.parent / "trash")
        days = timedelta(days=self._room.settings.recording.keep_delivered_days)
        self._retire("filing", self._filing_stays)
        self._retire("hearing", days)

    def _retire(self, kind: str, stays: timedelta) -> None:
        room = self._room
        for item_id in room.outbox.delivered_before(kind, wall_time() - stays):
            if not _holds_anything(folder_of(room.layout, kind, item_id), kind):
                continue
            retire = retire_filing if kind == "filing" else retire_hearing
            try:
                if retire(room.layout, room.receipts, item_id):
                    log.info("%s %s has left the device", kind, item_id)
            except StorageError as error:
                log.warning("%s", error)


def _holds_anything(folder: Path, kind: str) -> bool:
    if kind == "hearing":
        return folder.exists()
    return any(folder.glob("*.pdf")) or (folder / "pages").exists()
