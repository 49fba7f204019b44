"""Which items are left alone for a while after a failure, so that the others go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.errors import CentralError, CentralUnreachableError, StorageError
from kiosk.exchange.receipt_signature import ReceiptInvalidError
from kiosk.storage.database import DatabaseDamagedError, DatabaseLockedError
from kiosk.sync.context import SyncRoom
from kiosk.sync.outbox.lanes import PreemptedError
from kiosk.sync.transport.backoff import Backoff
from kiosk.sync.transport.central_session import IdentityRefusedError, RefusedError
from kiosk.sync.transport.identity import IdentityError, NotEnrolledError

log = logging.getLogger(__name__)

ITEM_CAP_SECONDS = 600.0
LINK_TROUBLE = (
    CentralUnreachableError,
    IdentityRefusedError,
    NotEnrolledError,
    IdentityError,
)


class Troubles:
    """The items in trouble, each with its own back-off.

    Args:
        room: what sync shares.
    """

    def __init__(self, room: SyncRoom) -> None:
        self._room = room
        self._items: dict[str, tuple[Backoff, float]] = {}

    def waits(self, item_id: str) -> bool:
        """Say whether an item is being left alone for a while after a failure."""
        return item_id in self._items and time.monotonic() < self._items[item_id][1]

    def over(self, item_id: str) -> None:
        """Forget an item's trouble."""
        self._items.pop(item_id, None)

    def forget(self) -> None:
        """Forget every back-off."""
        self._items = {}

    @contextmanager
    def of(self, kind: str, item_id: str) -> Iterator[None]:
        """Keep what one item's trouble is from stopping the others."""
        try:
            yield
        except (DatabaseDamagedError, DatabaseLockedError, PreemptedError):
            raise
        except LINK_TROUBLE as error:
            if error.code == "central_fault":  # perhaps this item's: let others go first
                self._leave_alone(item_id)
            raise
        except (CentralError, StorageError) as error:
            log.warning("%s %s: %s: %s", kind, item_id, error.code, error)
            self._room.alarms.raise_("delivery_failed", kind)
            refused = isinstance(error, RefusedError | ReceiptInvalidError)
            self._room.outbox.failed(item_id, error.code, final=refused)
            self._leave_alone(item_id)
            self._room.changed()

    def _leave_alone(self, item_id: str) -> None:
        backoff = self._items.get(item_id, (Backoff(cap=ITEM_CAP_SECONDS), 0.0))[0]
        self._items[item_id] = (backoff, time.monotonic() + backoff.failed())
