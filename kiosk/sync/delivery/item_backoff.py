"""Failing items, each with a back-off and an alarm of its own, so that none blocks the others.

An error concerns one item alone when the central system still answers another request: a web server
that takes no large bodies, a filter that dislikes one file, a lock. Otherwise it is the link's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kiosk.errors import CentralError, CentralUnreachableError, KioskError, StorageError
from kiosk.exchange.receipt_signature import ReceiptInvalidError
from kiosk.storage.database import DatabaseDamagedError, DatabaseLockedError
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.verdict import OWN_ALARMS, VerdictMissingError
from kiosk.sync.outbox.lanes import PreemptedError
from kiosk.sync.transport.backoff import Backoff
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import (
    ForeignAnswerError,
    IdentityRefusedError,
    RefusedError,
)
from kiosk.sync.transport.identity import IdentityError, NotEnrolledError

log = logging.getLogger(__name__)

ITEM_CAP_SECONDS = 600.0
MAX_ALARMS = 20
PATIENCE = 3  # failures without an answer before there is an alarm
VERDICT_SECONDS = 600.0  # a slow central system hashes a large file in less
LINK_ERRORS = (
    CentralUnreachableError,
    IdentityRefusedError,
    NotEnrolledError,
    IdentityError,
)
Alarm = tuple[str, str]


@dataclass
class _Failure:
    backoff: Backoff = field(default_factory=lambda: Backoff(cap=ITEM_CAP_SECONDS))
    paused_until: float = 0.0
    since: float = field(default_factory=time.monotonic)
    alarm: Alarm | None = None


class ItemBackoff:
    """The failing items.

    Args:
        context: shared state of sync.
        refused_alarm: raised when the central system refuses an item; its source is the item's id.
        has_items: whether they are items of the outbox, which then says why they fail.
    """

    def __init__(
        self,
        context: SyncContext,
        refused_alarm: str = "delivery_refused",
        *,
        has_items: bool = True,
    ) -> None:
        self._context = context
        self._refused_alarm = refused_alarm
        self._has_items = has_items
        self._failures: dict[str, _Failure] = {}

    def has_failed(self, item_id: str) -> bool:
        """Return whether an item has failed since anything of it was taken."""
        return item_id in self._failures

    def is_paused(self, item_id: str) -> bool:
        """Return whether an item is paused after a failure."""
        failure = self._failures.get(item_id)
        return failure is not None and time.monotonic() < failure.paused_until

    def clear(self, item_id: str) -> None:
        """Clear the back-off and the alarm of an item."""
        failure = self._failures.pop(item_id, None)
        if failure is not None:
            self._end_alarm(failure.alarm)

    def retain(self, item_ids: set[str]) -> None:
        """Clear every item but these: the others are delivered, or go another way."""
        for item_id in self._failures.keys() - item_ids:
            self.clear(item_id)

    def retry_all(self) -> None:
        """End every pause; the alarms stay until the items are taken."""
        for failure in list(self._failures.values()):
            failure.backoff.reset()
            failure.paused_until = 0.0

    @contextmanager
    def guard(self, kind: str, item_id: str, client: CentralClient | None = None) -> Iterator[None]:
        """Pause the item if the body fails, so that the others go on.

        Args:
            kind: of the item.
            item_id: the item.
            client: asks the central system whether it answers at all; None: nothing is sent.

        Raises:
            CentralError: the link fails, or this kiosk is refused.
        """
        try:
            yield
        except (DatabaseDamagedError, DatabaseLockedError, PreemptedError):
            raise
        except LINK_ERRORS as error:
            is_unreachable = isinstance(error, CentralUnreachableError)
            if client is None or not is_unreachable or error.code == "central_full":
                raise  # a full central system takes nothing of anybody
            self._context.lanes.raise_if_stopping()
            client.check_contract()  # raises: it is the link
            self._record(kind, item_id, error, source=item_id)
        except (CentralError, StorageError) as error:
            # A recording that must not leave by network fails here: not even its id may leave.
            self._record(kind, item_id, error, source=kind if client is None else item_id)

    def _record(self, kind: str, item_id: str, error: KioskError, source: str) -> None:
        """Pause an item, raise its alarm, and write down why."""
        is_foreign = isinstance(error, ForeignAnswerError)
        code = "proxy_refused" if is_foreign else error.code
        log.warning("%s %s: %s: %s", kind, item_id, code, error)
        failure = self._failures.setdefault(item_id, _Failure())
        failure.paused_until = time.monotonic() + failure.backoff.record_failure()
        if isinstance(error, VerdictMissingError):
            if time.monotonic() - failure.since < VERDICT_SECONDS:
                return
            self._set_alarm(failure, error.code, source, kind)
        elif is_foreign:
            self._set_alarm(failure, "proxy_refused", source, kind)
        elif isinstance(error, RefusedError) and error.code in OWN_ALARMS:
            self._set_alarm(failure, OWN_ALARMS[error.code], source, kind)
        elif isinstance(error, RefusedError) and error.http_status:
            self._set_alarm(failure, self._refused_alarm, source, kind)
        elif not isinstance(error, CentralUnreachableError) or failure.backoff.failures >= PATIENCE:
            self._set_alarm(failure, "delivery_failed", source, kind)
        if self._has_items:
            final = is_foreign or isinstance(error, RefusedError | ReceiptInvalidError)
            self._context.outbox.record_failure(item_id, code, final=final)
        self._context.notify_change()

    def _set_alarm(self, failure: _Failure, code: str, source: str, kind: str) -> None:
        """Raise the alarm of an item; beyond a number of them one for its kind."""
        before, others = failure.alarm, self._alarms() - {failure.alarm}
        failure.alarm = (code, source if len(others) < MAX_ALARMS else kind)
        self._context.alarms.raise_alarm(*failure.alarm)
        self._end_alarm(before)

    def _end_alarm(self, alarm: Alarm | None) -> None:
        """Clear an alarm that no item has any more."""
        if alarm is not None and alarm not in self._alarms():
            self._context.alarms.clear(*alarm)

    def _alarms(self) -> set[Alarm | None]:
        return {failure.alarm for failure in self._failures.values()}
