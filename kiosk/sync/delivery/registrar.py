"""Registers filings and sends journal heads: small requests that go before any bytes."""

from __future__ import annotations

import logging
from itertools import groupby

from kiosk.errors import StorageError
from kiosk.sync.context import SyncRoom
from kiosk.sync.outbox.journal_heads import Head
from kiosk.sync.outbox.manifest import Manifest, ManifestError, folder_of, read_manifest
from kiosk.sync.outbox.registrations import Registration
from kiosk.sync.outbox.request_bodies import Json, body_of, read_json
from kiosk.sync.transport.central_client import PATIENT, CentralClient, Timeout
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)
HEADS_PER_POST = 200


def registration_body(room: SyncRoom, filing_id: str) -> Json:
    """Return what is said about a filing; hashes its documents if that was not done yet.

    Raises:
        ManifestError: there is no such filing, or it lacks what is needed.
    """
    if room.outbox.knows(filing_id):
        manifest = Manifest(filing_id, "filing", tuple(room.outbox.files(filing_id)))
    else:
        manifest = read_manifest(room.layout, "filing", filing_id)
    folder = folder_of(room.layout, "filing", filing_id)
    return body_of(manifest, folder, provisional_of(room, filing_id))


def provisional_of(room: SyncRoom, filing_id: str) -> str | None:
    """Return the provisional number on the visitor's receipt, or None where there is none.

    The filing room gives one of its own, in ``registration.json``, while sync is dead.
    """
    try:
        said = read_json(folder_of(room.layout, "filing", filing_id) / "registration.json")
    except ManifestError:  # not written yet, or the number came from sync and is known here
        said = {}
    own = said.get("provisional")
    if said.get("given_by") == "kiosk" and isinstance(own, str) and own:
        return room.registrations.adopt(filing_id, own).provisional
    known = room.registrations.get(filing_id)
    return None if known is None else known.provisional


def register_filing(
    room: SyncRoom, client: CentralClient, filing_id: str, body: Json, timeout: Timeout = PATIENT
) -> Registration | None:
    """Register a filing in one small request; bulk transfers give way meanwhile.

    Returns:
        the registration, or None when the court has it but gives the number later.

    Raises:
        CentralError: no success; asking again with the same filing is harmless.
    """
    with room.lanes.urgent():
        answer = client.put("filing", filing_id, body, timeout)
    room.link.worked()
    return room.registrations.take(filing_id, answer)


def reconcile_filings(room: SyncRoom, client: CentralClient) -> None:
    """Ask for the numbers of the filings that went away with a provisional one.

    Those whose bytes wait in the outbox are registered there.
    """
    for filing_id in room.registrations.unregistered():
        if room.outbox.knows(filing_id):
            continue
        try:
            register_filing(room, client, filing_id, registration_body(room, filing_id))
            room.changed()
        except (RefusedError, StorageError) as error:
            log.warning("filing %s cannot be registered: %s", filing_id, error)
            room.alarms.raise_("delivery_failed", "filing")


def send_heads(room: SyncRoom, client: CentralClient) -> None:
    """Send closings and signed journal heads that the central system does not have, each once."""
    room.journals.look()
    if room.closures.send(client):
        room.link.worked()
    for hearing_id, group in groupby(room.heads.waiting(), key=lambda head: head.hearing_id):
        heads = list(group)
        for start in range(0, len(heads), HEADS_PER_POST):
            _send(room, client, hearing_id, heads[start : start + HEADS_PER_POST])


def _send(room: SyncRoom, client: CentralClient, hearing_id: str, heads: list[Head]) -> None:
    try:
        client.post_heads(hearing_id, [head.body for head in heads])
        room.link.worked()
        room.heads.sent(heads)
    except RefusedError as error:
        if len(heads) > 1:  # find out which one
            for head in heads:
                _send(room, client, hearing_id, [head])
            return
        log.error("head of hearing %s refused: %s", hearing_id, error)
        if error.code == "head_conflicts":
            room.alarms.raise_("hash_mismatch", "hearing")
        room.heads.sent(heads, error.code)
