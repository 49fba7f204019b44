"""Delivery workers: one thread for urgent items, one for the rest (R4).

Each step scans the folders, registers new items, uploads missing files and collects receipts of
complete items. A fault, a crash or an urgent filing may interrupt it anywhere: the next step asks
the central system what it still lacks and resumes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from kiosk.api.rows import read_rows
from kiosk.api.sync import MissingFile
from kiosk.errors import CentralUnreachableError, KioskError, StorageError
from kiosk.storage.database import DatabaseDamagedError
from kiosk.storage.hashing import sha256_of
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.item_backoff import LINK_ERRORS, ItemBackoff
from kiosk.sync.delivery.pre_seal_uploader import upload_finished_files
from kiosk.sync.delivery.receipt_collector import collect_receipt
from kiosk.sync.delivery.registrar import provisional_number
from kiosk.sync.delivery.small_files import SmallFileSender
from kiosk.sync.delivery.transfer_gate import RECORDING_KIND, TransferGate
from kiosk.sync.delivery.uploader import Uploader
from kiosk.sync.outbox.lanes import Lane, PreemptedError
from kiosk.sync.outbox.manifest import (
    Manifest,
    item_folder,
    needs_courier,
    read_manifest,
    ready_items,
)
from kiosk.sync.outbox.outbox import NETWORK
from kiosk.sync.outbox.outbox_items import OutboxItem, Upload
from kiosk.sync.outbox.request_bodies import request_body
from kiosk.sync.transport.backoff import Backoff
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import is_unanswered
from kiosk.sync.transport.connection import Connection
from kiosk.sync.transport.worker import Worker

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0  # longest time between two scans of the folders
LINK_CAP_SECONDS = 60.0
DAMAGED = "file_changed"


class DeliveryWorker(Worker):
    """Delivers the items of some kinds in some lanes.

    Args:
        context: shared state of sync.
        name: for logs.
        kinds: what it delivers.
        lanes: in this order.
        before_step: called at the beginning of each step that has a client
            (:meth:`kiosk.sync.delivery.registrar.Registrar.send_pending`).
        clean_up: called in each step, with or without a client.
    """

    def __init__(
        self,
        context: SyncContext,
        name: str,
        kinds: tuple[str, ...],
        lanes: tuple[Lane, ...],
        before_step: Callable[[CentralClient], None] | None = None,
        clean_up: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, Connection(context.paths, context.settings.central.url))
        self.context = context
        self.kinds = kinds
        self.lanes = lanes
        self._before_step = before_step
        self._clean_up = clean_up
        self.is_urgent = Lane.URGENT in lanes
        self._link_backoff = Backoff(cap=LINK_CAP_SECONDS)
        self._item_backoff = ItemBackoff(context)
        self._pre_seal_backoff = ItemBackoff(context, has_items=False)
        self._gate = TransferGate(context, self._link_backoff, is_urgent=self.is_urgent)
        self._announced: dict[str, int] = {}
        shared = (context, name, self._item_backoff, self._gate, self._announced)
        self._uploader = Uploader(*shared)
        self._small_files = SmallFileSender(*shared)
        self._is_manual = True  # a restart counts as a person's wish
        self._idle_seconds = min(IDLE_SECONDS, context.settings.central.poll_seconds)

    # -- life --------------------------------------------------------------------------------
    def deliver_now(self, *, is_manual: bool) -> None:
        """Scan the folders at once and clear every back-off.

        Args:
            is_manual: a person asked (else the link has come up): recheck damaged files, too.
        """
        self._link_backoff.reset()
        self._item_backoff.retry_all()
        self._pre_seal_backoff.retry_all()
        self._is_manual = self._is_manual or is_manual
        self.wake()

    def stop(self, seconds: float = 5.0) -> None:
        """Abort the current transfer and end the thread."""
        self.context.lanes.stop()
        super().stop(seconds)

    def step(self) -> float:
        """Deliver what can be delivered; return the seconds until the next step."""
        database = self.context.database
        try:
            if self._clean_up is not None:
                self._clean_up()
            self._enqueue_new()
            self._enforce_secrecy()
            self._deliver(self.connection.client())
        except PreemptedError:
            self.context.lanes.wait_until_free(1.0)
            return 0.0
        except LINK_ERRORS as error:
            return self._handle_link_error(error)
        except DatabaseDamagedError as error:
            log.error("%s", error)
            self.context.rebuild(database)
            return 0.0
        except KioskError as error:
            return self._handle_local_error(error)
        except Exception:  # the thread must survive any error
            log.exception("%s delivery", self.name)
            return self._link_backoff.record_failure()
        finally:
            self.context.progress.set(self.name, None)
            self.context.notify_change()
        self._link_backoff.reset()
        self.context.alarms.clear("storage_failed", self.name)
        return self._idle_seconds

    def _handle_link_error(self, error: KioskError) -> float:
        self.context.link.mark_down(error.code, is_unanswered=is_unanswered(error))
        log.info("%s delivery: %s", self.name, error)
        return max(self._idle_seconds, self._link_backoff.record_failure())

    def _handle_local_error(self, error: KioskError) -> float:
        log.warning("%s delivery: %s: %s", self.name, error.code, error)
        if isinstance(error, StorageError):
            self.context.alarms.raise_alarm("storage_failed", self.name)
        return max(self._idle_seconds, self._link_backoff.record_failure())

    # -- new items -------------------------------------------------------------------------
    def _enqueue_new(self) -> None:
        """Queue the folders that have been finished since the last step."""
        outbox = self.context.outbox
        new_items = [
            (kind, item_id)
            for kind, item_id in ready_items(self.context.paths)
            if kind in self.kinds and not outbox.contains(item_id)
        ]
        for kind, item_id in new_items:
            if not self._item_backoff.is_paused(item_id):
                with self._item_backoff.guard(kind, item_id):
                    outbox.add(read_manifest(self.context.paths, kind, item_id))
                    self._item_backoff.clear(item_id)
                    self.context.notify_change()
        waiting = {item.id for item in outbox.undelivered_items() if item.route == NETWORK}
        self._item_backoff.retain(waiting | {item_id for _, item_id in new_items})

    def _enforce_secrecy(self) -> None:
        """Route hearings and their minutes by courier that were marked as state secrets since."""
        for item in self.context.outbox.undelivered_items():
            if item.route == NETWORK and needs_courier(self.context.paths, item.kind, item.id):
                self.context.outbox.route_by_courier(item.id)
                self.context.notify_change()

    # -- delivery ----------------------------------------------------------------------------
    def _deliver(self, client: CentralClient) -> None:
        if self._before_step is not None:
            self._before_step(client)
        self._retry_failed()
        has_work = bool(self._pending_items())
        with self.context.lanes.urgent_work() if self.is_urgent and has_work else nullcontext():
            self._register_all(client)
            try:
                while self._send_or_verify(client):
                    self._collect_receipts(client)
                    self._register_all(client)
            finally:
                self._uploader.forget_unverified()
            self._collect_receipts(client)
        if RECORDING_KIND in self._allowed_kinds():
            self._gate.begin(RECORDING_KIND)
            upload_finished_files(self.context, self._gate, client, self._pre_seal_backoff)
        self.context.outbox.fail_damaged()

    def _send_or_verify(self, client: CentralClient) -> bool:
        """Send the next file, or ask for the verdict of one; return False when all is done."""
        upload = None if self._uploader.must_verify else self._next_upload()
        if upload is not None:
            self._gate.wait_for_turn()
            self._gate.begin(upload.kind, upload.item_id)
            with self._item_backoff.guard(upload.kind, upload.item_id, client):
                several = self._small_files.gather(client, upload, self._uploader.unverified)
                if len(several) > 1:
                    self._small_files.send(client, several)
                else:
                    self._uploader.send_file(client, upload)
            return True
        for oldest in self._uploader.unverified[:1]:
            with self._item_backoff.guard(oldest.kind, oldest.item_id, client):
                self._uploader.verify_oldest(client)
            return True
        return False

    def _pending_items(self, *, unregistered: bool = False) -> list[OutboxItem]:
        kinds = self._allowed_kinds()
        return [
            item
            for item in self.context.outbox.undelivered_items(unregistered=unregistered)
            if item.kind in kinds
            and item.route == NETWORK
            and not self._item_backoff.is_paused(item.id)
        ]

    def _allowed_kinds(self) -> tuple[str, ...]:
        """Return the kinds that may be sent now: recordings only inside their windows."""
        if self.context.upload_policy.is_upload_allowed:
            return self.kinds
        return tuple(kind for kind in self.kinds if kind != RECORDING_KIND)

    def _retry_failed(self) -> None:
        """Requeue failed items; those with damaged files only when a person asked."""
        is_manual, self._is_manual = self._is_manual, False
        for item in self._pending_items():
            if item.state == "failed" and (
                self._recheck_damaged(item) if is_manual else item.problem != DAMAGED
            ):
                self.context.outbox.requeue(item.id)

    def _recheck_damaged(self, item: OutboxItem) -> bool:
        """Requeue damaged files that are intact again; return whether the item may be retried."""
        damaged = self.context.outbox.damaged_files(item.id)
        folder = item_folder(self.context.paths, item.kind, item.id)
        intact_files = [file for file in damaged if _is_intact(folder / file.path, file.sha256)]
        for file in intact_files:
            self.context.outbox.mark_repaired(item.id, file.path)
        return len(intact_files) > 0 or not damaged

    def _register_all(self, client: CentralClient) -> None:
        for item in self._pending_items(unregistered=True):
            self._gate.begin(item.kind)
            self._gate.raise_if_preempted()
            with self._item_backoff.guard(item.kind, item.id, client):
                self._register(client, item)

    def _register(self, client: CentralClient, item: OutboxItem) -> None:
        """Register an item; the answer names the files that the central system lacks."""
        files = tuple(self.context.outbox.files(item.id))
        manifest = Manifest(item.id, item.kind, files)
        provisional = provisional_number(self.context, item.id) if item.kind == "filing" else None
        folder = item_folder(self.context.paths, item.kind, item.id)
        body = request_body(manifest, folder, provisional)
        answer = client.register_item(item.kind, item.id, body)
        self._gate.mark_link_up()
        if item.kind == "filing":
            self.context.registrations.save_answer(item.id, answer)
        self._record_missing(item.id, files, answer)

    def _record_missing(self, item_id: str, files: tuple[Any, ...], answer: dict[str, Any]) -> None:
        rows = read_rows(MissingFile, answer.get("missing", []), "path")
        if len(rows.rows) < rows.total:  # what is taken for present would not be sent
            raise CentralUnreachableError("missing files unreadable", code="central_fault")
        missing = {file.path: file.address for file in rows.rows}
        offsets = {file.address: file.offset for file in rows.rows if file.offset is not None}
        self._announced |= offsets
        present = [file.path for file in files if file.path not in missing]
        self.context.outbox.mark_registered(item_id, missing, present)

    def _next_upload(self) -> Upload | None:
        """Return the file to send next: those of items that have failed come last."""
        backoff = self._item_backoff
        return self.context.outbox.next_upload(
            self.lanes,
            self._allowed_kinds(),
            lambda item_id: (
                None if backoff.is_paused(item_id) else int(backoff.has_failed(item_id))
            ),
            [upload.key for upload in self._uploader.unverified],
        )

    # -- receipts ----------------------------------------------------------------------------
    def _collect_receipts(self, client: CentralClient) -> None:
        for item in self.context.outbox.complete_items():
            if item.kind in self._allowed_kinds() and not self._item_backoff.is_paused(item.id):
                with self._item_backoff.guard(item.kind, item.id, client):
                    collect_receipt(self.context, self._gate, client, item)
                    self._item_backoff.clear(item.id)


def _is_intact(path: Path, sha256: str) -> bool:
    try:
        return sha256_of(path) == sha256
    except StorageError:
        return False
