"""Registers filings, sends journal heads and closings: small requests that go before any bytes."""

from __future__ import annotations

import logging
from itertools import groupby

from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.item_backoff import ItemBackoff
from kiosk.sync.outbox.journal_heads import JournalHead
from kiosk.sync.outbox.manifest import (
    Manifest,
    ManifestError,
    is_courier_only,
    item_folder,
    read_manifest,
)
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


class Registrar:
    """What goes before any bytes; whatever fails holds up nothing else.

    Args:
        context: shared state of sync.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._filings = ItemBackoff(context)
        self._heads = ItemBackoff(context, has_items=False)
        self._closings = ItemBackoff(context, "closing_refused", has_items=False)

    def retry_all(self) -> None:
        """End every pause."""
        for backoff in (self._filings, self._heads, self._closings):
            backoff.retry_all()

    def send_pending(self, client: CentralClient) -> None:
        """Send closings and signed journal heads, each once; register filings without a number.

        Raises:
            CentralError: the link fails.
        """
        self._context.journal_tailer.poll()
        self._send_closings(client)
        heads = groupby(self._context.journal_heads.unsent(), key=lambda head: head.hearing_id)
        for hearing_id, group in heads:
            if is_courier_only(self._context.paths.hearings / hearing_id):
                continue  # a secret that was named after its first heads (R86)
            self._send_heads(client, hearing_id, list(group))
        self._register_unnumbered(client)

    def _register_unnumbered(self, client: CentralClient) -> None:
        """Register the filings that have only a provisional number.

        Those in the outbox are registered by the delivery.
        """
        context = self._context
        unnumbered = [
            filing_id
            for filing_id in context.registrations.filings_without_number()
            if not context.outbox.contains(filing_id)
        ]
        self._filings.retain(set(unnumbered))
        for filing_id in unnumbered:
            if self._filings.is_paused(filing_id):
                continue
            with self._filings.guard("filing", filing_id, client):
                body = filing_registration_body(context, filing_id)
                register_filing(context, client, filing_id, body)
                self._filings.clear(filing_id)
                context.notify_change()

    def _send_closings(self, client: CentralClient) -> None:
        """Send the closings; a refused one is tried again, for plain files must not stay there."""
        refused = set()
        for closing in self._context.closures.unsent():
            if closing.hearing_id in refused or self._closings.is_paused(closing.hearing_id):
                continue
            refused.add(closing.hearing_id)
            with self._closings.guard("hearing", closing.hearing_id, client):
                for request in closing.requests:
                    client.post_closures(closing.hearing_id, request)
                self._context.closures.mark_sent(closing)
                self._context.link.mark_up()
                self._closings.clear(closing.hearing_id)
                refused.discard(closing.hearing_id)

    def _send_heads(self, client: CentralClient, hearing_id: str, heads: list[JournalHead]) -> None:
        if self._heads.is_paused(hearing_id):
            return
        with self._heads.guard("hearing", hearing_id, client):
            refusal: RefusedError | None = None
            for start in range(0, len(heads), HEADS_PER_POST):
                batch = heads[start : start + HEADS_PER_POST]
                refusal = self._post_heads(client, hearing_id, batch)
            if refusal is not None:
                raise refusal
            self._heads.clear(hearing_id)

    def _post_heads(
        self, client: CentralClient, hearing_id: str, heads: list[JournalHead]
    ) -> RefusedError | None:
        """Post heads, each once; return why the last one was refused: a later one covers others."""
        try:
            client.post_heads(hearing_id, [head.body for head in heads])
        except RefusedError as error:
            if len(heads) > 1:  # find out which one
                return [self._post_heads(client, hearing_id, [head]) for head in heads][-1]
            if error.code == "head_conflicts":
                self._context.alarms.raise_alarm("hash_mismatch", "hearing")
            self._context.journal_heads.mark_sent(heads, error.code)
            return error
        self._context.link.mark_up()
        self._context.journal_heads.mark_sent(heads)
        return None
