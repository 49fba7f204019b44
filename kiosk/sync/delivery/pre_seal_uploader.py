"""Uploads finished files of a hearing while it still runs (``[sync] minutes_early``).

Each file that the journal calls finished is announced by itself and sent; the manifest at the end
adopts it by path, size and SHA-256.
"""

from __future__ import annotations

import logging
from typing import Any

from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.item_backoff import ItemBackoff
from kiosk.sync.delivery.transfer_gate import TransferGate
from kiosk.sync.delivery.verdict import fetch_verdict
from kiosk.sync.outbox.manifest import is_courier_only
from kiosk.sync.outbox.pre_seal_files import PreSealFile, PreSealFiles
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.tus_client import TusClient, UploadGoneError

log = logging.getLogger(__name__)

MISMATCHES = 2  # then it waits for the manifest


def upload_finished_files(
    context: SyncContext, gate: TransferGate, client: CentralClient, backoff: ItemBackoff
) -> None:
    """Upload the finished files; after an interruption the next call resumes.

    Args:
        context: shared state of sync.
        gate: of the worker.
        client: of the worker.
        backoff: of these files, by upload.

    Raises:
        CentralError: the link fails.
        PreemptedError: something urgent goes first.
    """
    waiting = context.pre_seal_files.waiting()
    backoff.retain({file.upload_id for file in waiting})
    for file in waiting:
        if backoff.is_paused(file.upload_id):
            continue
        folder = context.paths.hearings / file.hearing_id
        if is_courier_only(folder):
            context.pre_seal_files.set_state(file, "given_up")
            continue
        gate.raise_if_preempted()
        if (folder / file.path).exists():
            with backoff.guard("hearing", file.upload_id, client):
                _upload_file(context, gate, client, file)
        else:  # replaced since: the journal will say so
            context.pre_seal_files.set_state(file, "given_up")


def _upload_file(
    context: SyncContext, gate: TransferGate, client: CentralClient, file: PreSealFile
) -> None:
    path = context.paths.hearings / file.hearing_id / file.path
    body = {
        "kind": "hearing",
        "owner": file.hearing_id,
        "path": file.path,
        "size": file.size,
        "sha256": file.sha256,
    }
    try:
        answer = client.announce_upload(file.upload_id, body)
        gate.mark_link_up()
        if answer.get("state") == "receiving":
            url = client.full_url(str(answer["address"]))
            tus = TusClient(client.session, context.patch_limit)
            tus.upload(path, url, file.size, raise_if_preempted=gate.raise_if_preempted)
        if answer.get("state") in ("receiving", "verifying"):
            answer = fetch_verdict(client, file.upload_id)
    except (RefusedError, UploadGoneError) as error:
        log.info("a finished minute is refused: %s", error)
        state = "closed" if error.code == "closed_since" else "given_up"
        context.pre_seal_files.set_state(file, state)
        return
    _record_answer(context.pre_seal_files, file, answer)


def _record_answer(files: PreSealFiles, file: PreSealFile, answer: dict[str, Any]) -> None:
    """Record the result; a mismatch is sent again, and in the end left to the manifest."""
    state = answer.get("state")
    if state == "complete" and answer.get("server_sha256") == file.sha256:
        files.set_state(file, "complete")
    elif state == "mismatch":
        log.error("hash of a finished minute of %s disagrees", file.hearing_id)
        again = file.tries < MISMATCHES
        files.set_state(file, "waiting" if again else "given_up", failed=True)
    elif state == "closed":
        files.set_state(file, "closed")
