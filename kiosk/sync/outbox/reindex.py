"""Fills ``kiosk.db`` from the folders, the receipts and the kept registrations."""

from __future__ import annotations

import logging

from kiosk.errors import StorageError
from kiosk.storage.paths import Paths
from kiosk.sync.outbox.manifest import Manifest, read_manifest, ready_items
from kiosk.sync.outbox.outbox import Outbox
from kiosk.sync.outbox.receipts import ReceiptStore, mismatched_paths, receipt_hashes
from kiosk.sync.outbox.registrations import RegistrationStore

log = logging.getLogger(__name__)


def reindex(
    paths: Paths, outbox: Outbox, registrations: RegistrationStore, receipts: ReceiptStore
) -> dict[str, int]:
    """Add what the folders hold and the index lacks; return how many of each.

    What has a receipt whose hashes agree counts as delivered; everything else is queued and
    offered again, which the central system answers with what it still lacks.
    """
    counts = {"queued": 0, "delivered": 0, "damaged": 0}
    counts["registrations"] = registrations.reconcile()
    for kind, item_id in ready_items(paths):
        try:
            manifest = read_manifest(paths, kind, item_id)
        except StorageError as error:
            if receipts.get(item_id) is not None:  # its documents have left the device
                continue
            log.error("%s", error)
            counts["damaged"] += 1
            continue
        outbox.add(manifest)
        counts["delivered" if _mark_delivered(manifest, outbox, receipts) else "queued"] += 1
    counts["delivered"] += _add_without_folder(outbox, receipts)
    return counts


def _mark_delivered(manifest: Manifest, outbox: Outbox, receipts: ReceiptStore) -> bool:
    """Mark an item delivered if its receipt says so; return whether it does."""
    receipt = receipts.get(manifest.id)
    if receipt is None or mismatched_paths(receipt, list(manifest.files)):
        return False
    outbox.mark_delivered(manifest.id)
    return True


def _add_without_folder(outbox: Outbox, receipts: ReceiptStore) -> int:
    """Add the items that have a receipt but no folder any more."""
    count = 0
    for item_id in receipts.all_ids():
        receipt = receipts.get(item_id)
        if outbox.contains(item_id) or receipt is None or not receipt_hashes(receipt):
            continue
        kind = str(receipt.get("kind"))
        if kind in ("hearing", "filing", "report"):
            outbox.add(Manifest(item_id, kind, ()))
            outbox.mark_delivered(item_id)
            count += 1
    return count
