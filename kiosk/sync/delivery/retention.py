"""Deletes delivered hearings whose receipt covers every file, hash by hash.

A hearing's folder goes ``recording.keep_delivered_days`` after its delivery, and its second copy
with it; where the second storage has no room for the next hearing, the copies of delivered ones go
earlier, the oldest first. Whatever does not agree stays. No wall clock deletes anything: the days
are :class:`kiosk.storage.ages.Ages`. (The filing service deletes filings,
once sync reports them delivered.)
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from kiosk.errors import StorageError
from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import make_folder, sync_folder
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import SIGNATURE, SUMS
from kiosk.storage.paths import Paths
from kiosk.storage.space import FULL_BYTES, bytes_per_hour
from kiosk.storage.volume import StorageVolume
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.manifest import item_folder, read_sums
from kiosk.sync.outbox.receipts import ReceiptStore, receipt_hashes

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 60.0
TRASH = "trash"


def receipted_hashes(
    paths: Paths, receipts: ReceiptStore, kind: str, item_id: str
) -> dict[str, str]:
    """Return the hashes that the central system has receipted for an item; none: empty.

    The receipt is read back from the disk and its signature checked again.
    """
    receipt = receipts.get(item_id)
    if receipt is None:
        return {}
    try:
        check_receipt(receipt, kind, item_id, paths.court_ca)
    except ReceiptInvalidError as error:
        log.error("%s", error)
        return {}
    return receipt_hashes(receipt)


def delete_hearing(paths: Paths, receipts: ReceiptStore, hearing_id: str) -> bool:
    """Delete a delivered hearing's folder; say whether it is gone.

    Raises:
        StorageError: the disk refuses, or the folder's own list cannot be read.
    """
    folder = item_folder(paths, "hearing", hearing_id)
    hashes = receipted_hashes(paths, receipts, "hearing", hearing_id)
    return _delete_if_covered(folder, hashes, _trash_folder(paths))


def _delete_if_covered(folder: Path, hashes: Mapping[str, str], trash: Path) -> bool:
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
    _empty_trash(trash)
    return True


def _trash_folder(paths: Paths) -> Path:
    return paths.database.parent / TRASH


def _empty_trash(trash: Path) -> None:
    if trash.exists():
        for folder in trash.iterdir():
            shutil.rmtree(folder, ignore_errors=True)


class Retention:
    """Deletes, once a minute, the hearings that may leave the device.

    Args:
        context: shared state of sync.
        keep_delivered: how long a delivered hearing stays; None: as in the settings.
        ages: since when each hearing is known to be delivered.
    """

    def __init__(
        self,
        context: SyncContext,
        keep_delivered: timedelta | None = None,
        ages: Ages | None = None,
    ) -> None:
        days = timedelta(days=context.settings.recording.keep_delivered_days)
        self._context = context
        self._keep_delivered = days if keep_delivered is None else keep_delivered
        self._ages = ages or Ages(context.paths.delivery_ages)
        self._next_run = 0.0

    def apply(self) -> None:
        """Delete what may go; an error with one hearing does not stop the others."""
        if time.monotonic() < self._next_run:
            return
        self._next_run = time.monotonic() + INTERVAL_SECONDS
        context = self._context
        _empty_trash(_trash_folder(context.paths))
        delivered = [
            hearing_id
            for hearing_id in context.outbox.delivered_ids("hearing")
            if item_folder(context.paths, "hearing", hearing_id).exists()
        ]
        ages = self._ages.of("hearing", delivered)
        for hearing_id in delivered:
            if ages[hearing_id] < self._keep_delivered.total_seconds():
                continue
            try:
                is_deleted = delete_hearing(context.paths, context.receipts, hearing_id)
                text = (
                    "has left the device" if is_deleted else "stays: its receipt does not cover it"
                )
                log.info("hearing %s %s", hearing_id, text)
            except StorageError as error:
                log.warning("%s", error)
        try:
            self._clean_mirror()
        except (OSError, StorageError) as error:
            log.warning("second copy: %s", error)

    def _clean_mirror(self) -> None:
        """Delete second copies: after the first copy, or earlier where there is no space."""
        context, root = self._context, self._context.settings.paths.mirror
        if root is None:
            return
        disk = StorageVolume(root, context.settings.kiosk.id, "mirror")
        if disk.identity()[0] != "ok":
            return
        _empty_trash(root / TRASH)
        for hearing_id in context.outbox.delivered_ids("hearing"):
            folder = root / "hearings" / hearing_id
            is_first_copy_present = item_folder(context.paths, "hearing", hearing_id).exists()
            if not folder.exists() or (
                is_first_copy_present and disk.space()[0] >= self._mirror_bytes_needed()
            ):
                continue
            hashes = receipted_hashes(context.paths, context.receipts, "hearing", hearing_id)
            if _delete_if_covered(folder, hashes, root / TRASH):
                log.info("hearing %s has left the second storage", hearing_id)

    def _mirror_bytes_needed(self) -> float:
        """Return the free bytes that the next hearing needs."""
        settings = self._context.settings
        hours = settings.recording.planned_minutes / 60
        return FULL_BYTES + hours * bytes_per_hour(settings)
