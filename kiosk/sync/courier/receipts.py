"""Imports the court's receipts from a medium (``kiosk courier receipt``) and applies them in sync.

The command checks every receipt and saves it in ``receipts/``, where it permits deletion like any
other; ``kiosk sync`` applies it at its next step, whether it runs now or later.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError
from kiosk.exchange.courier_format import (
    PACK,
    RECEIPT,
    CourierError,
    Json,
    list_packs,
    read_courier_json,
)
from kiosk.exchange.receipt_signature import (
    ReceiptInvalidError,
    check_court_signature,
    check_receipt,
)
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.storage.paths import Paths
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.retention import receipted_hashes
from kiosk.sync.outbox.manifest import KINDS, UUID, item_folder, read_manifest
from kiosk.sync.outbox.receipts import ReceiptStore, mismatched_paths
from kiosk.sync.transport.identity import load_identity

log = logging.getLogger(__name__)


@dataclass
class ImportResult:
    """Result of an import: ids with a receipt, and ids that the court held back (codes)."""

    imported: list[str] = field(default_factory=list)
    already_known: list[str] = field(default_factory=list)
    held_back: dict[str, str] = field(default_factory=dict)
    unanswered: int = 0


def import_receipts(paths: Paths, medium: Path) -> ImportResult:
    """Import the receipts for this kiosk on ``medium``; repeating it changes nothing.

    Raises:
        CourierError: ``courier_nothing``, ``courier_foreign`` (only other kiosks' packs),
            ``courier_damaged`` (not genuine; nothing of that medium was taken),
            ``courier_medium``.
        NotEnrolledError: this kiosk does not know its court.
    """
    kiosk = load_identity(paths).kiosk_id
    folders = list_packs(medium)
    own = [folder for folder in folders if folder.parent.name == kiosk]
    if not own:
        others = ", ".join(sorted({folder.parent.name for folder in folders}))
        raise CourierError(f"this medium is of {others}, not of {kiosk}", code="courier_foreign")
    result = ImportResult()
    answers: list[Json] = []
    for folder in own:
        bundle = read_courier_json(folder / RECEIPT)
        if bundle is None:
            result.unanswered += (folder / PACK).exists()
            continue
        _check_bundle(paths, bundle, kiosk, folder.name)
        answers += bundle["items"]
    for answer in answers:
        _import_receipt(paths, answer, result)
    return result


def _check_bundle(paths: Paths, bundle: Json, kiosk: str, pack: str) -> None:
    """Check that a bundle of receipts is genuine, whole and for this kiosk, before saving any."""
    try:
        check_court_signature(bundle, paths.court_ca)
        if (bundle["kiosk"], bundle["pack"]) != (kiosk, pack):
            raise ReceiptInvalidError("the receipts of another pack")
        for answer in bundle["items"]:
            if answer["kind"] not in KINDS or not UUID.match(answer["id"]):
                raise ReceiptInvalidError("no receipt of an item")
            if answer.get("receipt") is not None:
                receipt = answer["receipt"]
                check_receipt(receipt, answer["kind"], answer["id"], paths.court_ca)
                if receipt.get("kiosk") != kiosk:
                    raise ReceiptInvalidError("the receipt of another kiosk")
    except (ReceiptInvalidError, KeyError, TypeError, AttributeError) as error:
        text = f"the receipts of pack {pack} are not genuine: {error}; none was taken"
        raise CourierError(text, code="courier_damaged") from error


def _import_receipt(paths: Paths, answer: Json, result: ImportResult) -> None:
    kind, item_id, receipt = answer["kind"], answer["id"], answer.get("receipt")
    receipts = ReceiptStore(paths.receipts)
    if receipted_hashes(paths, receipts, kind, item_id):
        result.already_known.append(item_id)
        return
    if receipt is None:
        result.held_back[item_id] = str(answer.get("problem") or "no_receipt")
        return
    if item_folder(paths, kind, item_id).exists():
        files = list(read_manifest(paths, kind, item_id).files)
        if mismatched_paths(receipt, files):
            result.held_back[item_id] = "hash_mismatch"
            return
    if kind == "filing" and answer.get("number"):
        write_json(make_folder(_answers_folder(paths)) / f"{item_id}.json", answer)
    receipts.save(item_id, receipt)
    result.imported.append(item_id)


def _answers_folder(paths: Paths) -> Path:
    return paths.database.parent / "courier" / "answers"


class CourierReceipts:
    """Marks items delivered whose receipts were imported.

    Args:
        context: shared state of sync.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context

    def apply(self) -> None:
        """Apply the receipts imported since the last call."""
        context = self._context
        for path in sorted(_answers_folder(context.paths).glob("*.json")):
            self._apply_number(path)
        for item in context.outbox.undelivered_items():
            if not context.receipts.path(item.id).exists():
                continue
            hashes = receipted_hashes(context.paths, context.receipts, item.kind, item.id)
            files = context.outbox.files(item.id)
            if hashes and all(hashes.get(file.path) == file.sha256 for file in files):
                context.outbox.mark_delivered(item.id)
                log.info("%s %s delivered by courier", item.kind, item.id)
                context.notify_change()

    def _apply_number(self, path: Path) -> None:
        try:
            answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self._context.registrations.save_answer(path.stem, answer)
            path.unlink()
        except (OSError, ValueError, StorageError) as error:
            log.warning("%s: %s", path.name, error)
