"""Fetches, checks and keeps the receipt of what has arrived completely."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.sync.context import SyncRoom
from kiosk.sync.outbox.outbox import Item
from kiosk.sync.outbox.receipts import disagreements
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)

RECEIPT_SECONDS = 10.0
RECEIPT_PAUSE = 0.1


class Settler:
    """Settles complete items.

    Args:
        room: what sync shares.
        may_go_on: raises when the line is wanted for something else.
        worked: called after each success of the line.
    """

    def __init__(
        self, room: SyncRoom, may_go_on: Callable[[], None], worked: Callable[[], None]
    ) -> None:
        self._room = room
        self._may_go_on = may_go_on
        self._worked = worked

    def settle(self, client: CentralClient, item: Item) -> None:
        """Fetch the receipt of a complete item, check it, make it durable; then it is delivered."""
        answer = self._answer_with_receipt(client, item)
        files = self._room.outbox.files(item.id)
        receipt = answer.get("receipt")
        if not isinstance(receipt, dict):
            self._room.outbox.reopen(item.id)
            raise RefusedError("everything sent, no receipt", code="no_receipt", status=0, body={})
        check_receipt(receipt, item.kind, item.id, self._room.layout.court_ca)
        wrong = disagreements(receipt, files)
        if wrong:
            self._room.alarms.raise_("hash_mismatch", item.kind)
            raise ReceiptInvalidError(f"receipt disagrees on {len(wrong)} files")
        self._room.receipts.keep(item.id, receipt)
        self._room.outbox.delivered(item.id)
        if item.kind == "filing":
            self._room.registrations.take(item.id, answer)
        self._room.alarms.clear("hash_mismatch", item.kind)
        self._room.alarms.clear("journal_rewritten", item.kind)
        self._room.alarms.clear("delivery_failed", item.kind)
        log.info("%s %s delivered: %d bytes", item.kind, item.id, item.bytes_total)
        self._room.changed()

    def _answer_with_receipt(self, client: CentralClient, item: Item) -> dict[str, Any]:
        """Ask for the receipt; the central system may need a moment to write it."""
        end = time.monotonic() + RECEIPT_SECONDS
        while True:
            answer = client.get(item.kind, item.id)
            self._worked()
            if answer.get("problem"):  # the central system holds it back: a person has to look
                self._room.outbox.reopen(item.id)
                self._room.alarms.raise_("journal_rewritten", item.kind)
                code = str(answer["problem"])
                raise RefusedError("held back", code=code, status=0, body={})
            if answer.get("receipt") or answer.get("missing") or time.monotonic() > end:
                return answer
            self._may_go_on()
            time.sleep(RECEIPT_PAUSE)
