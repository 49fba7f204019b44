"""Fetches, checks and saves the receipt of each completely delivered item."""

from __future__ import annotations

import logging
import time
from typing import Any

from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.transfer_gate import TransferGate
from kiosk.sync.delivery.verdict import HeldBackError
from kiosk.sync.outbox.outbox_items import OutboxItem
from kiosk.sync.outbox.receipts import mismatched_paths
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)

RECEIPT_SECONDS = 10.0
RECEIPT_PAUSE = 0.1


def collect_receipt(
    context: SyncContext, gate: TransferGate, client: CentralClient, item: OutboxItem
) -> None:
    """Fetch, check and save the receipt of a complete item, then mark the item delivered.

    Raises:
        ReceiptInvalidError: it is not genuine, or disagrees on a hash.
        RefusedError: there is none, or it is held back: the item is registered again.
        PreemptedError: something urgent goes first.
    """
    answer = _wait_for_receipt(context, gate, client, item)
    files = context.outbox.files(item.id)
    receipt = answer.get("receipt")
    if not isinstance(receipt, dict):
        context.outbox.require_registration(item.id)
        raise RefusedError("everything sent, no receipt", code="no_receipt", status=0, body={})
    check_receipt(receipt, item.kind, item.id, context.paths.court_ca)
    wrong = mismatched_paths(receipt, files)
    if wrong:
        context.alarms.raise_alarm("hash_mismatch", item.kind)
        raise ReceiptInvalidError(f"receipt disagrees on {len(wrong)} files")
    context.receipts.save(item.id, receipt)
    context.outbox.mark_delivered(item.id)
    if item.kind == "filing":
        context.registrations.save_answer(item.id, answer)
    context.alarms.clear("hash_mismatch", item.kind)
    log.info("%s %s delivered: %d bytes", item.kind, item.id, item.bytes_total)
    context.notify_change()


def _wait_for_receipt(
    context: SyncContext, gate: TransferGate, client: CentralClient, item: OutboxItem
) -> dict[str, Any]:
    """Ask for the receipt; the central system may need a moment to write it."""
    end = time.monotonic() + RECEIPT_SECONDS
    while True:
        answer = client.item_status(item.kind, item.id)
        gate.mark_link_up()
        if answer.get("problem"):  # the central system holds it back: a person has to look
            context.outbox.require_registration(item.id)
            raise HeldBackError(str(answer["problem"]))
        if answer.get("receipt") or answer.get("missing") or time.monotonic() > end:
            return answer
        gate.raise_if_preempted()
        time.sleep(RECEIPT_PAUSE)
