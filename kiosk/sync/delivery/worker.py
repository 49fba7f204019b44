"""A deliverer: one thread for what is urgent, one for the rest.

Each step looks at the folders, registers what is new, sends what is missing and settles what is
complete. It may be broken off anywhere, by a fault, a crash or an urgent filing: the next step
asks the central system what it still lacks and goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from kiosk.errors import KioskError, StorageError
from kiosk.storage.database import DatabaseDamagedError
from kiosk.sync.context import SyncRoom
from kiosk.sync.delivery.item_backoff import LINK_TROUBLE, Troubles
from kiosk.sync.delivery.pre_seal import EarlySender
from kiosk.sync.delivery.receipt_collector import Settler
from kiosk.sync.delivery.registrar import provisional_of
from kiosk.sync.delivery.uploader import MIB, Sender
from kiosk.sync.outbox.lanes import Lane, PreemptedError
from kiosk.sync.outbox.manifest import (
    Manifest,
    courier_only,
    folder_of,
    read_manifest,
    ready_items,
    sha256_of,
)
from kiosk.sync.outbox.outbox import NETWORK, Item, Upload
from kiosk.sync.outbox.request_bodies import body_of
from kiosk.sync.transport.backoff import Backoff
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.connection import Connector
from kiosk.sync.transport.worker import Worker

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0  # most time between two looks at the folders
LINK_CAP_SECONDS = 60.0
SECRET_SECONDS = 0.2  # most time between two looks for a mark, of what is being sent
DAMAGED = "file_changed"
RECORDINGS = "hearing"


class Deliverer(Worker):
    """Delivers the items of some kinds in some lanes.

    Args:
        room: what sync shares.
        name: for logs.
        kinds: what it delivers.
        lanes: in this order.
        first: called at the beginning of each step that has a client (heads, registrations).
        tidy: called in each step, with or without a client.
    """

    def __init__(
        self,
        room: SyncRoom,
        name: str,
        kinds: tuple[str, ...],
        lanes: tuple[Lane, ...],
        first: Callable[[CentralClient], None] | None = None,
        tidy: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, Connector(room.layout, room.settings.central.url))
        self.room = room
        self.kinds = kinds
        self.lanes = lanes
        self._first = first
        self._tidy = tidy
        self.urgent = Lane.URGENT in lanes
        self._link = Backoff(cap=LINK_CAP_SECONDS)
        self._troubles = Troubles(room)
        self._sender = Sender(room, name, self._troubles, self._may_go_on, self._worked)
        self._early = EarlySender(
            lambda: room.early,
            room.layout.hearings,
            room.settings.central.patch_mib * MIB,
            self._may_go_on,
            self._worked,
        )
        self._settler = Settler(room, self._may_go_on, self._worked)
        self._sending = ""
        self._next_look = 0.0
        self._recording = False  # what is being sent now is a recording
        self._asked = True  # a restart counts as a person's wish
        self._idle = min(IDLE_SECONDS, room.settings.central.poll_seconds)

    # -- life --------------------------------------------------------------------------------
    def deliver_now(self, *, asked: bool) -> None:
        """Look at the folders at once and forget every back-off.

        Args:
            asked: a person asked (else the link has come up): look again at what was damaged
                here, too.
        """
        self._link.succeeded()
        self._troubles.forget()
        self._asked = self._asked or asked
        self.wake()

    def stop(self, seconds: float = 5.0) -> None:
        """Break off what is being sent and end the thread."""
        self.room.lanes.stop()
        super().stop(seconds)

    def step(self) -> float:
        """Deliver what can be delivered; return the seconds until the next look."""
        database = self.room.database
        try:
            if self._tidy is not None:
                self._tidy()
            self._collect()
            self._heed_secrets()
            self._deliver(self.connector.client())
        except PreemptedError:
            self.room.lanes.wait_for_bulk(1.0)
            return 0.0
        except LINK_TROUBLE as error:
            return self._link_trouble(error)
        except DatabaseDamagedError as error:
            log.error("%s", error)
            self.room.rebuild(database)
            return 0.0
        except KioskError as error:
            return self._own_trouble(error)
        except Exception:  # a deliverer must outlive every surprise
            log.exception("%s delivery", self.name)
            return self._link.failed()
        finally:
            self.room.progress.set(self.name, None)
            self.room.changed()
        self._link.succeeded()
        self.room.alarms.clear("storage_failed", self.name)
        return self._idle

    def _link_trouble(self, error: KioskError) -> float:
        self.room.link.failed(error.code)
        log.info("%s delivery: %s", self.name, error)
        return max(self._idle, self._link.failed())

    def _own_trouble(self, error: KioskError) -> float:
        log.warning("%s delivery: %s: %s", self.name, error.code, error)
        if isinstance(error, StorageError):
            self.room.alarms.raise_("storage_failed", self.name)
        return max(self._idle, self._link.failed())

    # -- what is new -------------------------------------------------------------------------
    def _collect(self) -> None:
        """Queue the folders that have been finished since the last look."""
        for kind, item_id in ready_items(self.room.layout):
            if (
                kind not in self.kinds
                or self.room.outbox.knows(item_id)
                or self._troubles.waits(item_id)
            ):
                continue
            with self._troubles.of(kind, item_id):
                self.room.outbox.add(read_manifest(self.room.layout, kind, item_id))
                self.room.changed()

    def _heed_secrets(self) -> None:
        """Take a hearing off the network that was marked as a state secret after its seal."""
        for item in self.room.outbox.undelivered():
            if item.kind == RECORDINGS and item.route == NETWORK and self._is_secret(item.id):
                self.room.outbox.by_courier(item.id)
                self.room.changed()

    def _is_secret(self, hearing_id: str) -> bool:
        return courier_only(self.room.layout.hearings / hearing_id)

    # -- one step ----------------------------------------------------------------------------
    def _deliver(self, client: CentralClient) -> None:
        if self._first is not None:
            self._first(client)
        self._retry_failed()
        work = bool(self._open_items())
        with self.room.lanes.urgent() if self.urgent and work else nullcontext():
            self._register_all(client)
            while (upload := self._next_upload()) is not None:
                self._wait_for_line()
                self._recording = upload.kind == RECORDINGS
                self._sending, self._next_look = upload.item_id, 0.0
                with self._troubles.of(upload.kind, upload.item_id):
                    self._sender.send(client, upload)
                self._settle_all(client)
                self._register_all(client)
            self._settle_all(client)
        if RECORDINGS in self._kinds():
            self._recording, self._sending = True, ""
            self._early.send(client)
        self.room.outbox.fail_damaged()

    def _open_items(self) -> list[Item]:
        kinds = self._kinds()
        return [
            item
            for item in self.room.outbox.undelivered()
            if item.kind in kinds and item.route == NETWORK and not self._troubles.waits(item.id)
        ]

    def _kinds(self) -> tuple[str, ...]:
        """Return the kinds that may be sent now: recordings have to keep to their windows."""
        if self.room.permit.given:
            return self.kinds
        return tuple(kind for kind in self.kinds if kind != RECORDINGS)

    def _retry_failed(self) -> None:
        """Try failed items again; what is damaged here only when a person asked."""
        asked, self._asked = self._asked, False
        for item in self._open_items():
            if item.state == "failed" and (self._mend(item) if asked else item.problem != DAMAGED):
                self.room.outbox.retry(item.id)

    def _mend(self, item: Item) -> bool:
        """Take damaged files that are good again; say whether the item may be tried again."""
        damaged = self.room.outbox.damaged_files(item.id)
        folder = folder_of(self.room.layout, item.kind, item.id)
        good = [file for file in damaged if _is_good(folder / file.path, file.sha256)]
        for file in good:
            self.room.outbox.mended(item.id, file.path)
        return len(good) > 0 or not damaged

    def _wait_for_line(self) -> None:
        """Let urgent work go first; an urgent deliverer goes at once."""
        if not self.urgent:
            while not self.room.lanes.wait_for_bulk(1.0):
                pass
        self.room.lanes.must_stop()

    def _may_go_on(self) -> None:
        if self.urgent:
            self.room.lanes.must_stop()
        else:
            self.room.lanes.bulk_must_yield()
            if self._recording and not self.room.permit.given:
                raise PreemptedError("recordings may not be sent now")
            self._heed_secret()

    def _heed_secret(self) -> None:
        """Look now and then whether what is being sent has been marked as a state secret."""
        if not self._recording or not self._sending or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + SECRET_SECONDS
        if self._is_secret(self._sending):
            raise PreemptedError("this recording must not leave by network")

    def _register_all(self, client: CentralClient) -> None:
        for item in self._open_items():
            if not item.registered:
                self._recording = item.kind == RECORDINGS
                self._may_go_on()
                with self._troubles.of(item.kind, item.id):
                    self._register(client, item)

    def _register(self, client: CentralClient, item: Item) -> None:
        """Tell the central system what will come; it says what it lacks and where to send it."""
        files = tuple(self.room.outbox.files(item.id))
        manifest = Manifest(item.id, item.kind, files)
        provisional = provisional_of(self.room, item.id) if item.kind == "filing" else None
        folder = folder_of(self.room.layout, item.kind, item.id)
        body = body_of(manifest, folder, provisional)
        answer = client.put(item.kind, item.id, body)
        self._worked()
        if item.kind == "filing":
            self.room.registrations.take(item.id, answer)
        self._take_missing(item.id, files, answer)

    def _take_missing(self, item_id: str, files: tuple[Any, ...], answer: dict[str, Any]) -> None:
        missing = {str(file["path"]): str(file["address"]) for file in answer.get("missing", ())}
        present = [file.path for file in files if file.path not in missing]
        self.room.outbox.registered(item_id, missing, present)

    def _next_upload(self) -> Upload | None:
        uploads = self.room.outbox.uploads(self.lanes, self._kinds())
        return next(
            (upload for upload in uploads if not self._troubles.waits(upload.item_id)), None
        )

    # -- settling ----------------------------------------------------------------------------
    def _settle_all(self, client: CentralClient) -> None:
        for item in self.room.outbox.complete():
            if item.kind in self._kinds() and not self._troubles.waits(item.id):
                with self._troubles.of(item.kind, item.id):
                    self._settler.settle(client, item)

    def _worked(self) -> None:
        self._link.succeeded()
        self.room.link.worked()


def _is_good(path: Path, sha256: str) -> bool:
    try:
        return sha256_of(path) == sha256
    except StorageError:
        return False
