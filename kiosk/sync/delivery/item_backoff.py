"""Per-item back-off, so that one failing item does not block the rest."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.errors import CentralError, CentralUnreachableError, StorageError
from kiosk.exchange.receipt_signature import ReceiptInvalidError
from kiosk.storage.database import DatabaseDamagedError, DatabaseLockedError
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.lanes import PreemptedError
from kiosk.sync.transport.backoff import Backoff
from kiosk.sync.transport.central_session import IdentityRefusedError, RefusedError
from kiosk.sync.transport.identity import IdentityError, NotEnrolledError

log = logging.getLogger(__name__)

ITEM_CAP_SECONDS = 600.0
LINK_ERRORS = (
    CentralUnreachableError,
    IdentityRefusedError,
    NotEnrolledError,
    IdentityError,
)


class ItemBackoff:
    """The failing items, each with its own back-off.

    Args:
        context: shared state of sync.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._items: dict[str, tuple[Backoff, float]] = {}

    def is_paused(self, item_id: str) -> bool:
        """Return whether an item is paused after a failure."""
        return item_id in self._items and time.monotonic() < self._items[item_id][1]

    def clear(self, item_id: str) -> None:
        """Clear the back-off of an item."""
        self._items.pop(item_id, None)

    def clear_all(self) -> None:
        """Clear every back-off."""
        self._items = {}

    @contextmanager
    def guard(self, kind: str, item_id: str) -> Iterator[None]:
        """Pause the item if the body fails, so that the others go on; link errors are raised."""
        try:
            yield
        except (DatabaseDamagedError, DatabaseLockedError, PreemptedError):
            raise
        except LINK_ERRORS as error:
            if error.code == "central_fault":  # perhaps caused by this item: let others go first
                self._pause(item_id)
            raise
        except (CentralError, StorageError) as error:
            log.warning("%s %s: %s: %s", kind, item_id, error.code, error)
            self._context.alarms.raise_alarm("delivery_failed", kind)
            refused = isinstance(error, RefusedError | ReceiptInvalidError)
            self._context.outbox.record_failure(item_id, error.code, final=refused)
            self._pause(item_id)
            self._context.notify_change()

    def _pause(self, item_id: str) -> None:
        backoff = self._items.get(item_id, (Backoff(cap=ITEM_CAP_SECONDS), 0.0))[0]
        self._items[item_id] = (backoff, time.monotonic() + backoff.record_failure())
