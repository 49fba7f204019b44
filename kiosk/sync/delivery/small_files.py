"""Sends several small files of one item in one request, to a central system that takes that.

The contract's revision alone says whether it does. Whatever else goes wrong with such a request,
the files go one by one: they are asked about first, so nothing is sent that is there already.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from io import BytesIO

from kiosk.api.sync import CurrentDelivery
from kiosk.errors import CentralUnreachableError
from kiosk.exchange.small_files import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_LIST_BYTES,
    Result,
    file_list,
    read_results,
)
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.item_backoff import ItemBackoff
from kiosk.sync.delivery.transfer_gate import TransferGate
from kiosk.sync.outbox.manifest import item_folder
from kiosk.sync.outbox.outbox_items import OutboxItem, Upload
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import ForeignAnswerError, RefusedError
from kiosk.sync.transport.tus_client import FileSlice

log = logging.getLogger(__name__)

REVISION = 6
BODY_BYTES = 256 << 10  # so much is sent again when a request breaks off
ASK_AGAIN_SECONDS = 600.0  # a central system of an earlier revision may be updated
PAUSE_SECONDS = 3600.0  # after the line has let no such request through
MAX_CUTS = 2


class SmallFileSender:
    """Sends the small files of one delivery worker.

    Args:
        context: shared state of sync.
        worker_name: under which the progress is reported.
        item_backoff: cleared for an item when files of it arrive.
        gate: of the worker.
        announced: see :class:`.uploader.Uploader`.
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
        self._alone: set[str] = set()
        self._paused_until = self._asked_at = float("-inf")
        self._cuts = 0

    def gather(
        self, client: CentralClient, first: Upload, sent: Collection[Upload]
    ) -> list[Upload]:
        """Return the small files to send with ``first`` and as it; fewer than two: send it alone.

        Args:
            client: of the worker.
            first: the file whose turn it is.
            sent: files that have been sent and have no verdict yet.

        Raises:
            CentralError: the central system does not say which revision it speaks.
        """
        if first.upload_url in self._alone:
            self._alone.discard(first.upload_url)
            return []
        if not 0 < first.size <= MAX_FILE_BYTES or not self._is_taken(client):
            return []
        room = min(BODY_BYTES, self._context.patch_limit.size - MAX_LIST_BYTES)
        keys, found = {upload.key for upload in sent}, []
        for upload in self._context.outbox.small_uploads(first, MAX_FILE_BYTES, MAX_FILES):
            if upload.key not in keys and upload.upload_url not in self._alone:
                room -= upload.size
                if room < 0:
                    break
                found.append(upload)
        return found

    def _is_taken(self, client: CentralClient) -> bool:
        """Return whether the central system takes such requests, and the line lets them through."""
        now = time.monotonic()
        if now < self._paused_until:
            return False
        if client.revision < REVISION and now >= self._asked_at + ASK_AGAIN_SECONDS:
            self._asked_at = now
            client.check_contract()
        return client.revision >= REVISION

    def send(self, client: CentralClient, uploads: list[Upload]) -> None:
        """Send files of one item; those that are not taken go alone.

        Raises:
            CentralError: the link fails, or this kiosk is refused.
            PreemptedError: something urgent goes first.
        """
        for upload in uploads:
            self._announced.pop(str(upload.upload_url), None)
        item = self._context.outbox.item(uploads[0].item_id)
        if item is None:
            return
        contents = self._read(uploads)
        by_id = {upload.upload_id: upload for upload in uploads if upload.path in contents}
        if not by_id:
            return
        line = file_list((id_, file.size, file.sha256) for id_, file in by_id.items())
        body = line + b"".join(contents[upload.path] for upload in by_id.values())
        try:
            results = read_results(client.send_small_files(self._slice(client, item, body)))
        except (RefusedError, CentralUnreachableError) as error:
            if error.code == "central_full":
                raise  # it takes nothing of anybody
            self._send_alone(client, by_id.values(), error)
            return
        self._cuts = 0
        self._gate.mark_link_up()
        done = [
            upload
            for id_, upload in by_id.items()
            if results.get(id_) in (Result.TAKEN, Result.PRESENT)
        ]
        self._alone |= {str(upload.upload_url) for upload in by_id.values() if upload not in done}
        if done:
            self._context.outbox.mark_confirmed(*done)
            self._context.outbox.clear_failures(item.id)
            self._item_backoff.clear(item.id)

    def _read(self, uploads: list[Upload]) -> dict[str, bytes]:
        """Return the contents by path; a file that is not as it was goes alone: that says why."""
        contents = {}
        for upload in uploads:
            path = item_folder(self._context.paths, upload.kind, upload.item_id) / upload.path
            try:
                with path.open("rb") as file:
                    content = file.read(upload.size + 1)
            except OSError:
                content = b""
            if len(content) == upload.size:
                contents[upload.path] = content
            else:
                self._alone.add(str(upload.upload_url))
        return contents

    def _slice(self, client: CentralClient, item: OutboxItem, body: bytes) -> FileSlice:
        """Return the body of a request, which reports its progress."""

        def report(done: int) -> None:
            current = CurrentDelivery(
                id=item.id,
                kind=item.kind,
                done_bytes=min(item.bytes_total, item.bytes_done + done),
                total_bytes=item.bytes_total,
            )
            self._context.progress.set(self._worker_name, current)
            self._context.notify_change()

        blocks = client.session.send_blocks
        return FileSlice(BytesIO(body), 0, len(body), blocks, self._gate.raise_if_preempted, report)

    def _send_alone(
        self,
        client: CentralClient,
        uploads: Collection[Upload],
        error: RefusedError | CentralUnreachableError,
    ) -> None:
        """Leave the files to requests of their own, for a while all of them.

        Raises:
            CentralError: it is the link: the same again later.
        """
        client.check_contract()
        self._cuts += 1
        is_refused = (
            isinstance(error, RefusedError | ForeignAnswerError) and error.http_status < 500
        )
        if is_refused or self._cuts >= MAX_CUTS:
            log.warning("small files go one by one for an hour: %s", error)
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            self._cuts = 0
        for upload in uploads:
            self._alone.add(str(upload.upload_url))
