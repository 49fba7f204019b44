"""Sends one file of the outbox and has the central system's own hash of it confirmed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kiosk.sync.context import SyncRoom
from kiosk.sync.delivery.item_backoff import Troubles
from kiosk.sync.outbox.manifest import folder_of, sha256_of
from kiosk.sync.outbox.outbox import Upload
from kiosk.sync.state.status import Delivering
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.tus_client import TusClient, UploadGoneError, UploadTooLongError

log = logging.getLogger(__name__)

MIB = 1024 * 1024
HASHING_SECONDS = 20.0
TELL_SECONDS = 0.2
MISMATCHES_AT_ONCE = 2  # fresh uploads without a pause


class Sender:
    """Sends the files of one deliverer.

    Args:
        room: what sync shares.
        name: the deliverer's, for the progress.
        troubles: told when an item is well again.
        may_go_on: raises when the line is wanted for something else.
        worked: called after each success of the line.
    """

    def __init__(
        self,
        room: SyncRoom,
        name: str,
        troubles: Troubles,
        may_go_on: Callable[[], None],
        worked: Callable[[], None],
    ) -> None:
        self._room = room
        self._name = name
        self._troubles = troubles
        self._may_go_on = may_go_on
        self._worked = worked

    def send(self, client: CentralClient, upload: Upload) -> None:
        """Send one file; whatever happens, what the server has is written down."""
        if upload.upload_url is None:
            self._room.outbox.forget_addresses(upload.item_id)
            return
        item = self._room.outbox.item(upload.item_id)
        if item is None:
            return
        path = folder_of(self._room.layout, upload.kind, upload.item_id) / upload.path
        before = item.bytes_done - upload.sent
        sent, next_told = upload.sent, 0.0

        def progress(done: int) -> None:
            nonlocal sent, next_told
            sent = done
            if done < upload.size and time.monotonic() < next_told:
                return
            next_told = time.monotonic() + TELL_SECONDS
            self._room.progress.set(
                self._name,
                Delivering(upload.item_id, upload.kind, before + done, item.bytes_total),
            )
            self._room.changed()

        tus = TusClient(client.line, self._room.settings.central.patch_mib * MIB)
        url = client.address(upload.upload_url)
        self._room.outbox.progress(upload, sent)
        try:
            tus.upload(path, url, upload.size, may_go_on=self._may_go_on, progress=progress)
        except (UploadGoneError, UploadTooLongError) as error:
            log.warning("%s %s: %s", upload.kind, upload.item_id, error)
            self._room.outbox.forget_addresses(upload.item_id)
            raise
        finally:
            self._room.outbox.progress(upload, sent)
        self._worked()
        self._check_upload(client, upload)

    def _check_upload(self, client: CentralClient, upload: Upload) -> None:
        """Ask for the server's own hash of a file that has been sent."""
        upload_id = str(upload.upload_url).rstrip("/").rsplit("/", 1)[-1]
        while True:
            answer = client.wait_verified(upload_id, HASHING_SECONDS)
            if answer.get("state") != "verifying":
                break
            self._may_go_on()
        if answer.get("state") == "complete" and answer.get("server_sha256") == upload.sha256:
            self._room.outbox.confirm(upload)
            self._room.outbox.succeeded(upload.item_id)
            self._troubles.over(upload.item_id)
        elif answer.get("state") == "receiving":  # the server lost bytes: it is asked anew
            self._room.outbox.forget_addresses(upload.item_id)
        else:
            self._mismatch(upload)

    def _mismatch(self, upload: Upload) -> None:
        """The hashes disagree: say so, look which side is wrong, send afresh. Never delete.

        Raises:
            RefusedError: too many fresh uploads; a pause first.
        """
        self._room.alarms.raise_("hash_mismatch", upload.kind)
        path = folder_of(self._room.layout, upload.kind, upload.item_id) / upload.path
        log.error("hash of a file of %s %s disagrees", upload.kind, upload.item_id)
        if sha256_of(path) != upload.sha256:
            self._room.outbox.damaged(upload)
            return
        self._room.outbox.begin_afresh(upload.item_id, upload.path)
        if upload.fresh_tries >= MISMATCHES_AT_ONCE:
            raise RefusedError("hashes go on disagreeing", code="hash_mismatch", status=0, body={})
