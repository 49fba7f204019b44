"""Says, before each block that a worker sends, whether the transfer may go on."""

from __future__ import annotations

import time

from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.lanes import PreemptedError
from kiosk.sync.outbox.manifest import is_courier_only
from kiosk.sync.transport.backoff import Backoff

RECORDING_KIND = "hearing"
SECRECY_CHECK_SECONDS = 0.2  # longest time between two checks of the current upload


class TransferGate:
    """The rules under which one delivery worker sends.

    Args:
        context: shared state of sync.
        link_backoff: of the worker; reset by each successful request.
        is_urgent: the worker sends urgent items, which only a stop interrupts.
    """

    def __init__(self, context: SyncContext, link_backoff: Backoff, *, is_urgent: bool) -> None:
        self._context = context
        self._link_backoff = link_backoff
        self._is_urgent = is_urgent
        self._is_recording = False
        self._item_id = ""
        self._next_secrecy_check = 0.0

    def begin(self, kind: str, item_id: str = "") -> None:
        """Record what is sent from now on; with an id, its secrecy is checked on the way."""
        self._is_recording = kind == RECORDING_KIND
        self._item_id, self._next_secrecy_check = item_id, 0.0

    def wait_for_turn(self) -> None:
        """Let urgent work go first; an urgent worker goes at once.

        Raises:
            PreemptedError: the service stops.
        """
        lanes = self._context.lanes
        while not (self._is_urgent or lanes.wait_until_free(1.0)):
            pass
        lanes.raise_if_stopping()

    def raise_if_preempted(self) -> None:
        """Return at once while the transfer may go on.

        Raises:
            PreemptedError: it has to yield, to stop, or must not leave by network.
        """
        if self._is_urgent:
            self._context.lanes.raise_if_stopping()
            return
        self._context.lanes.raise_if_preempted()
        if self._is_recording and not self._context.upload_policy.is_upload_allowed:
            raise PreemptedError("recordings may not be sent now")
        self._raise_if_secret()

    def _raise_if_secret(self) -> None:
        """Check periodically whether the current upload has been marked as a state secret."""
        is_due = time.monotonic() >= self._next_secrecy_check
        if not self._is_recording or not self._item_id or not is_due:
            return
        self._next_secrecy_check = time.monotonic() + SECRECY_CHECK_SECONDS
        if is_courier_only(self._context.paths.hearings / self._item_id):
            raise PreemptedError("this recording must not leave by network")

    def mark_link_up(self) -> None:
        """Record a successful request."""
        self._link_backoff.reset()
        self._context.link.mark_up()
