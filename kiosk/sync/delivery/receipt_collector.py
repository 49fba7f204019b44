"""Fetches, checks and saves the receipt of each completely delivered item."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.outbox import OutboxItem
from kiosk.sync.outbox.receipts import mismatched_paths
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)

RECEIPT_SECONDS = 10.0
RECEIPT_PAUSE = 0.1


class ReceiptCollector:
    """Collects the receipts of complete items.

    Args:
        context: shared state of sync.
        raise_if_preempted: raises when the transfer has to yield or stop.
        mark_link_up: called after each successful request.
    """

    def __init__(
        self,
        context: SyncContext,
        raise_if_preempted: Callable[[], None],
        mark_link_up: Callable[[], None],
    ) -> None:
        self._context = context
        self._raise_if_preempted = raise_if_preempted
        self._mark_link_up = mark_link_up

    def collect(self, client: CentralClient, item: OutboxItem) -> None:
        """Fetch, check and save the receipt of a complete item, then mark the item delivered."""
        answer = self._wait_for_receipt(client, item)
        files = self._context.outbox.files(item.id)
        receipt = answer.get("receipt")
        if not isinstance(receipt, dict):
            self._context.outbox.require_registration(item.id)
            raise RefusedError("everything sent, no receipt", code="no_receipt", status=0, body={})
        check_receipt(receipt, item.kind, item.id, self._context.paths.court_ca)
        wrong = mismatched_paths(receipt, files)
        if wrong:
            self._context.alarms.raise_alarm("hash_mismatch", item.kind)
            raise ReceiptInvalidError(f"receipt disagrees on {len(wrong)} files")
        self._context.receipts.save(item.id, receipt)
        self._context.outbox.mark_delivered(item.id)
        if item.kind == "filing":
            self._context.registrations.save_answer(item.id, answer)
        self._context.alarms.clear("hash_mismatch", item.kind)
        self._context.alarms.clear("journal_rewritten", item.kind)
        self._context.alarms.clear("delivery_failed", item.kind)
        log.info("%s %s delivered: %d bytes", item.kind, item.id, item.bytes_total)
        self._context.notify_change()

    def _wait_for_receipt(self, client: CentralClient, item: OutboxItem) -> dict[str, Any]:
        """Ask for the receipt; the central system may need a moment to write it."""
        end = time.monotonic() + RECEIPT_SECONDS
        while True:
            answer = client.item_status(item.kind, item.id)
            self._mark_link_up()
            if answer.get("problem"):  # the central system holds it back: a person has to look
                self._context.outbox.require_registration(item.id)
                self._context.alarms.raise_alarm("journal_rewritten", item.kind)
                code = str(answer["problem"])
                raise RefusedError("held back", code=code, status=0, body={})
            if answer.get("receipt") or answer.get("missing") or time.monotonic() > end:
                return answer
            self._raise_if_preempted()
            time.sleep(RECEIPT_PAUSE)
