"""When a delivered hearing leaves the device: only what is receipted, hash by hash.

A hearing's folder goes ``recording.keep_delivered_days`` after its delivery, and its second copy
with it; where the second storage has no room for the next hearing, the copies of delivered ones go
earlier, the oldest first. Whatever does not agree stays. (Filings are tidied by the filing room,
once sync calls them delivered.)
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from kiosk.clocks import wall_time
from kiosk.errors import StorageError
from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.storage.atomic_io import make_folder, sync_folder
from kiosk.storage.paths import Layout
from kiosk.storage.space import FULL_BYTES, bytes_per_hour
from kiosk.storage.volume import Disk
from kiosk.sync.context import SyncRoom
from kiosk.sync.outbox.manifest import SIGNATURE, SUMS, folder_of, read_sums, sha256_of
from kiosk.sync.outbox.receipts import Receipts, hashes_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
TRASH = "trash"


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


def retire_hearing(layout: Layout, receipts: Receipts, hearing_id: str) -> bool:
    """Delete a delivered hearing's folder; say whether it is gone.

    Raises:
        StorageError: the disk refuses, or the folder's own list cannot be read.
    """
    folder = folder_of(layout, "hearing", hearing_id)
    hashes = receipted(layout, receipts, "hearing", hearing_id)
    return _remove_covered(folder, hashes, _trash(layout))


def _remove_covered(folder: Path, hashes: Mapping[str, str], trash: Path) -> bool:
    """Delete a hearing's folder if ``hashes`` cover all of it; say whether it is gone.

    It is moved away in one step first: half a hearing must never look like one that was
    interrupted.
    """
    sealed = dict(read_sums(folder / SUMS))
    sealed |= {name: sha256_of(folder / name) for name in (SUMS, SIGNATURE)}
    if any(hashes.get(path) != digest for path, digest in sealed.items()):
        return False
    make_folder(trash)
    try:
        folder.rename(trash / folder.name)
        sync_folder(folder.parent)
    except OSError as error:
        raise StorageError(f"hearing {folder.name}: {error.strerror}") from error
    _empty(trash)
    return True


def _trash(layout: Layout) -> Path:
    return layout.database.parent / TRASH


def _empty(trash: Path) -> None:
    if trash.exists():
        for left in trash.iterdir():
            shutil.rmtree(left, ignore_errors=True)


class Housekeeper:
    """Looks once a minute for hearings that may leave the device.

    Args:
        room: what sync shares.
        stays: how long a delivered hearing stays; None: as in the settings.
    """

    def __init__(self, room: SyncRoom, stays: timedelta | None = None) -> None:
        days = timedelta(days=room.settings.recording.keep_delivered_days)
        self._room = room
        self._stays = days if stays is None else stays
        self._next = 0.0

    def tidy(self) -> None:
        """Let go what may go; trouble with one hearing does not stop the others."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        room = self._room
        _empty(_trash(room.layout))
        for hearing_id in room.outbox.delivered_before("hearing", wall_time() - self._stays):
            if not folder_of(room.layout, "hearing", hearing_id).exists():
                continue
            try:
                gone = retire_hearing(room.layout, room.receipts, hearing_id)
                text = "has left the device" if gone else "stays: its receipt does not cover it"
                log.info("hearing %s %s", hearing_id, text)
            except StorageError as error:
                log.warning("%s", error)
        try:
            self._tidy_mirror()
        except (OSError, StorageError) as error:
            log.warning("second copy: %s", error)

    def _tidy_mirror(self) -> None:
        """Let the second copies go: after the first, or earlier where there is no room."""
        room, root = self._room, self._room.settings.paths.mirror
        if root is None:
            return
        disk = Disk(root, room.settings.kiosk.id, "mirror")
        if disk.identity()[0] != "ok":
            return
        _empty(root / TRASH)
        for hearing_id in room.outbox.delivered_before("hearing", wall_time()):
            folder = root / "hearings" / hearing_id
            kept = folder_of(room.layout, "hearing", hearing_id).exists()
            if not folder.exists() or (kept and disk.space()[0] >= self._mirror_needs()):
                continue
            hashes = receipted(room.layout, room.receipts, "hearing", hearing_id)
            if _remove_covered(folder, hashes, root / TRASH):
                log.info("hearing %s has left the second storage", hearing_id)

    def _mirror_needs(self) -> float:
        """Return the free bytes that the next hearing needs."""
        settings = self._room.settings
        hours = settings.recording.planned_minutes / 60
        return FULL_BYTES + hours * bytes_per_hour(settings)
