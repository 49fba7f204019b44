"""Uploads files of the outbox and compares the hashes that the central system computed.

While the central system syncs and hashes a file, the next one is sent already.
"""

from __future__ import annotations

import logging
import time
from collections import deque

from kiosk.api.sync import CurrentDelivery
from kiosk.storage.hashing import sha256_of
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.item_backoff import ItemBackoff
from kiosk.sync.delivery.transfer_gate import TransferGate
from kiosk.sync.delivery.verdict import VerdictMissingError, fetch_verdict
from kiosk.sync.outbox.manifest import item_folder
from kiosk.sync.outbox.outbox_items import Upload
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.tus_client import TusClient, UploadGoneError, UploadLengthError

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.2
MAX_IMMEDIATE_RESTARTS = 2  # restarts from the first byte without a pause
MAX_UNVERIFIED = 2  # files that are sent before the first one's verdict is asked for


class Uploader:
    """Uploads the files of one delivery worker.

    Args:
        context: shared state of sync.
        worker_name: under which the progress is reported.
        item_backoff: cleared for an item when a file of it arrives.
        gate: of the worker.
        announced: how many bytes the server has just said that it has, by upload address; each is
            used once, and what is interrupted is asked for again.
    """

    def __init__(
        self,
        context: SyncContext,
        worker_name: str,
        item_backoff: ItemBackoff,
        gate: TransferGate,
        announced: dict[str, int],
    ) -> None:
        self._context = context
        self._worker_name = worker_name
        self._item_backoff = item_backoff
        self._gate = gate
        self._announced = announced
        self._unverified: deque[Upload] = deque()

    @property
    def unverified(self) -> tuple[Upload, ...]:
        """The files that have been sent and have no verdict yet, oldest first."""
        return tuple(self._unverified)

    @property
    def must_verify(self) -> bool:
        """Whether a verdict has to be fetched before another file is sent."""
        return len(self._unverified) >= MAX_UNVERIFIED

    def send_file(self, client: CentralClient, upload: Upload) -> None:
        """Send a file; record in any case how many bytes the server has."""
        if upload.upload_url is None:
            self._context.outbox.discard_upload_urls(upload.item_id)
            return
        item = self._context.outbox.item(upload.item_id)
        if item is None:
            return
        path = item_folder(self._context.paths, upload.kind, upload.item_id) / upload.path
        other_bytes_done = item.bytes_done - upload.sent + self._unverified_bytes(item.id)
        sent, next_report = upload.sent, 0.0

        def report_progress(done: int) -> None:
            nonlocal sent, next_report
            sent = done
            if done < upload.size and time.monotonic() < next_report:
                return
            next_report = time.monotonic() + PROGRESS_SECONDS
            self._context.progress.set(
                self._worker_name,
                CurrentDelivery(
                    id=upload.item_id,
                    kind=upload.kind,
                    done_bytes=other_bytes_done + done,
                    total_bytes=item.bytes_total,
                ),
            )
            self._context.notify_change()

        tus = TusClient(client.session, self._context.patch_limit)
        url = client.full_url(upload.upload_url)
        self._context.outbox.record_progress(upload, sent)
        try:
            tus.upload(
                path,
                url,
                upload.size,
                offset=self._announced.pop(upload.upload_url, None),
                raise_if_preempted=self._gate.raise_if_preempted,
                report_progress=report_progress,
            )
        except BaseException as error:  # of a file that is there, the verdict is recorded
            self._context.outbox.record_progress(upload, sent)
            if isinstance(error, UploadGoneError | UploadLengthError):
                log.warning("%s %s: %s", upload.kind, upload.item_id, error)
                self._context.outbox.discard_upload_urls(upload.item_id)
            raise
        self._gate.mark_link_up()
        self._unverified.append(upload)

    def _unverified_bytes(self, item_id: str) -> int:
        return sum(file.size - file.sent for file in self._unverified if file.item_id == item_id)

    def forget_unverified(self) -> None:
        """Leave the verdicts to the next step: the server is asked how far these files are."""
        while self._unverified:
            upload = self._unverified.popleft()
            self._context.outbox.record_progress(upload, upload.size)

    def verify_oldest(self, client: CentralClient) -> None:
        """Ask for the server's own hash of the file that was sent first."""
        upload = self._unverified.popleft()
        answer = fetch_verdict(client, upload.upload_id)
        if answer.get("state") == "complete" and answer.get("server_sha256") == upload.sha256:
            self._context.outbox.mark_confirmed(upload)
            self._context.outbox.clear_failures(upload.item_id)
            self._item_backoff.clear(upload.item_id)
        elif answer.get("state") in ("complete", "mismatch"):
            self._handle_mismatch(upload)
        else:  # closed meanwhile: the registration says what becomes of it, but not at once
            self._context.outbox.discard_upload_urls(upload.item_id)
            raise VerdictMissingError(f"upload {upload.upload_id}: {answer['state']}")

    def _handle_mismatch(self, upload: Upload) -> None:
        """Raise an alarm, find the side that is wrong, restart the upload. Never delete.

        Raises:
            RefusedError: too many restarts; the item pauses first.
        """
        self._context.alarms.raise_alarm("hash_mismatch", upload.kind)
        path = item_folder(self._context.paths, upload.kind, upload.item_id) / upload.path
        log.error("hash of a file of %s %s disagrees", upload.kind, upload.item_id)
        if sha256_of(path) != upload.sha256:
            self._context.outbox.mark_damaged(upload)
            return
        self._context.outbox.restart_upload(upload.item_id, upload.path)
        if upload.restarts >= MAX_IMMEDIATE_RESTARTS:
            raise RefusedError("hashes go on disagreeing", code="hash_mismatch", status=0, body={})
