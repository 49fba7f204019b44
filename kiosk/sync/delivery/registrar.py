"""Registers filings and sends journal heads: small requests that go before any bytes."""

from __future__ import annotations

import logging
from itertools import groupby

from kiosk.errors import StorageError
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.journal_heads import JournalHead
from kiosk.sync.outbox.manifest import Manifest, ManifestError, item_folder, read_manifest
from kiosk.sync.outbox.registrations import Registration
from kiosk.sync.outbox.request_bodies import Json, read_json_object, request_body
from kiosk.sync.transport.central_client import PATIENT_TIMEOUT, CentralClient, Timeout
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)
HEADS_PER_POST = 200


def filing_registration_body(context: SyncContext, filing_id: str) -> Json:
    """Return the registration of a filing; hashes its documents if that was not done yet.

    Raises:
        ManifestError: there is no such filing, or it lacks what is needed.
    """
    if context.outbox.contains(filing_id):
        manifest = Manifest(filing_id, "filing", tuple(context.outbox.files(filing_id)))
    else:
        manifest = read_manifest(context.paths, "filing", filing_id)
    folder = item_folder(context.paths, "filing", filing_id)
    return request_body(manifest, folder, provisional_number(context, filing_id))


def provisional_number(context: SyncContext, filing_id: str) -> str | None:
    """Return the provisional number on the visitor's receipt, or None where there is none.

    The filing service gives a number of its own, in ``registration.json``, while sync is down.
    """
    try:
        registration = read_json_object(
            item_folder(context.paths, "filing", filing_id) / "registration.json"
        )
    except ManifestError:  # not written yet, or the number came from sync and is known here
        registration = {}
    number = registration.get("provisional")
    if registration.get("given_by") == "kiosk" and isinstance(number, str) and number:
        return context.registrations.adopt_provisional(filing_id, number).provisional
    known = context.registrations.get(filing_id)
    return None if known is None else known.provisional


def register_filing(
    context: SyncContext,
    client: CentralClient,
    filing_id: str,
    body: Json,
    timeout: Timeout = PATIENT_TIMEOUT,
) -> Registration | None:
    """Register a filing in one small request; bulk transfers give way meanwhile.

    Returns:
        the registration, or None when the court has it but gives the number later.

    Raises:
        CentralError: no success; asking again with the same filing is harmless.
    """
    with context.lanes.urgent_work():
        answer = client.register_item("filing", filing_id, body, timeout)
    context.link.mark_up()
    return context.registrations.save_answer(filing_id, answer)


def register_unnumbered_filings(context: SyncContext, client: CentralClient) -> None:
    """Register the filings that have only a provisional number.

    Those in the outbox are registered by the delivery.
    """
    for filing_id in context.registrations.filings_without_number():
        if context.outbox.contains(filing_id):
            continue
        try:
            register_filing(
                context, client, filing_id, filing_registration_body(context, filing_id)
            )
            context.notify_change()
        except (RefusedError, StorageError) as error:
            log.warning("filing %s cannot be registered: %s", filing_id, error)
            context.alarms.raise_alarm("delivery_failed", "filing")


def send_journal_heads(context: SyncContext, client: CentralClient) -> None:
    """Send unsent closures and signed journal heads, each once."""
    context.journal_tailer.poll()
    if context.closures.send(client):
        context.link.mark_up()
    for hearing_id, group in groupby(
        context.journal_heads.unsent(), key=lambda head: head.hearing_id
    ):
        heads = list(group)
        for start in range(0, len(heads), HEADS_PER_POST):
            _send_heads(context, client, hearing_id, heads[start : start + HEADS_PER_POST])


def _send_heads(
    context: SyncContext, client: CentralClient, hearing_id: str, heads: list[JournalHead]
) -> None:
    try:
        client.post_heads(hearing_id, [head.body for head in heads])
        context.link.mark_up()
        context.journal_heads.mark_sent(heads)
    except RefusedError as error:
        if len(heads) > 1:  # find out which one
            for head in heads:
                _send_heads(context, client, hearing_id, [head])
            return
        log.error("head of hearing %s refused: %s", hearing_id, error)
        if error.code == "head_conflicts":
            context.alarms.raise_alarm("hash_mismatch", "hearing")
        context.journal_heads.mark_sent(heads, error.code)
