"""Brings the court's receipts home from a medium (``kiosk courier receipt``), and into the outbox.

The command checks every receipt and lays it into ``receipts/``, where it permits deletion like
any other; ``kiosk sync`` takes it from there at its next look, whether it runs now or later.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError
from kiosk.exchange.courier_format import PACK, RECEIPT, CourierError, Json, packs_of, read_json
from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt, check_signed
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.storage.paths import Layout
from kiosk.sync.context import SyncRoom
from kiosk.sync.delivery.retention import receipted
from kiosk.sync.outbox.manifest import KINDS, UUID, folder_of, read_manifest
from kiosk.sync.outbox.receipts import Receipts, disagreements
from kiosk.sync.transport.identity import load_identity

log = logging.getLogger(__name__)


@dataclass
class Home:
    """What came home: ids with a receipt now or before, and what the court held back (codes)."""

    taken: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    held_back: dict[str, str] = field(default_factory=dict)
    unanswered: int = 0


def take_receipts(layout: Layout, medium: Path) -> Home:
    """Keep the receipts for this kiosk that lie on ``medium``; the same again changes nothing.

    Raises:
        CourierError: ``courier_nothing``, ``courier_foreign`` (only other kiosks' packs),
            ``courier_damaged`` (not genuine; nothing of that medium was taken),
            ``courier_medium``.
        NotEnrolledError: this kiosk does not know its court.
    """
    kiosk = load_identity(layout).kiosk_id
    folders = packs_of(medium)
    own = [folder for folder in folders if folder.parent.name == kiosk]
    if not own:
        others = ", ".join(sorted({folder.parent.name for folder in folders}))
        raise CourierError(f"this medium is of {others}, not of {kiosk}", code="courier_foreign")
    home = Home()
    answers: list[Json] = []
    for folder in own:
        bundle = read_json(folder / RECEIPT)
        if bundle is None:
            home.unanswered += (folder / PACK).exists()
            continue
        _check_bundle(layout, bundle, kiosk, folder.name)
        answers += bundle["items"]
    for answer in answers:
        _keep(layout, answer, home)
    return home


def _check_bundle(layout: Layout, bundle: Json, kiosk: str, pack: str) -> None:
    """See that a bundle of receipts is genuine, whole and for this kiosk, before any is kept."""
    try:
        check_signed(bundle, layout.court_ca)
        if (bundle["kiosk"], bundle["pack"]) != (kiosk, pack):
            raise ReceiptInvalidError("the receipts of another pack")
        for answer in bundle["items"]:
            if answer["kind"] not in KINDS or not UUID.match(answer["id"]):
                raise ReceiptInvalidError("no receipt of an item")
            if answer.get("receipt") is not None:
                receipt = answer["receipt"]
                check_receipt(receipt, answer["kind"], answer["id"], layout.court_ca)
                if receipt.get("kiosk") != kiosk:
                    raise ReceiptInvalidError("the receipt of another kiosk")
    except (ReceiptInvalidError, KeyError, TypeError, AttributeError) as error:
        text = f"the receipts of pack {pack} are not genuine: {error}; none was taken"
        raise CourierError(text, code="courier_damaged") from error


def _keep(layout: Layout, answer: Json, home: Home) -> None:
    kind, item_id, receipt = answer["kind"], answer["id"], answer.get("receipt")
    receipts = Receipts(layout.receipts)
    if receipted(layout, receipts, kind, item_id):
        home.known.append(item_id)
        return
    if receipt is None:
        home.held_back[item_id] = str(answer.get("problem") or "no_receipt")
        return
    if folder_of(layout, kind, item_id).exists():
        files = list(read_manifest(layout, kind, item_id).files)
        if disagreements(receipt, files):
            home.held_back[item_id] = "hash_mismatch"
            return
    if kind == "filing" and answer.get("number"):
        write_json(make_folder(_answers(layout)) / f"{item_id}.json", answer)
    receipts.keep(item_id, receipt)
    home.taken.append(item_id)


def _answers(layout: Layout) -> Path:
    return layout.database.parent / "courier" / "answers"


class Returns:
    """Sync's side: receipts that somebody has brought home become deliveries.

    Args:
        room: what sync shares.
    """

    def __init__(self, room: SyncRoom) -> None:
        self._room = room

    def take(self) -> None:
        """Look once."""
        room = self._room
        for path in sorted(_answers(room.layout).glob("*.json")):
            self._take_number(path)
        for item in room.outbox.undelivered():
            if not room.receipts.path(item.id).exists():
                continue
            hashes = receipted(room.layout, room.receipts, item.kind, item.id)
            files = room.outbox.files(item.id)
            if hashes and all(hashes.get(file.path) == file.sha256 for file in files):
                room.outbox.delivered(item.id)
                log.info("%s %s delivered by courier", item.kind, item.id)
                room.changed()

    def _take_number(self, path: Path) -> None:
        try:
            answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self._room.registrations.take(path.stem, answer)
            path.unlink()
        except (OSError, ValueError, StorageError) as error:
            log.warning("%s: %s", path.name, error)
