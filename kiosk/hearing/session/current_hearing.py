"""The hearing that is open in this room, if any, and the events that State has to report.

One thread takes the steps; any thread may ask.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from kiosk.api.recorder import Recovery
from kiosk.api.states import Phase
from kiosk.errors import StorageError
from kiosk.evidence.chain import Entry, is_event
from kiosk.hearing.room.errors import StepRefusedError
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.logs import set_current_hearing
from kiosk.recording.part import Part

log = logging.getLogger(__name__)
OPEN_PHASES = tuple(phase for phase in Phase if phase.is_open)


class CurrentHearing:
    """The open hearing of one room.

    Args:
        on_change: called after each change, from any thread.

    Attributes:
        lock: held while the hearing state changes and while it is read for State.
        hearing: the open hearing, or None.
        starting: capture of a hearing that is being started and is not open yet.
        recovered: ``recovered`` of State.
        storage_error: why the journal cannot be written, if it cannot.
        has_failed_start: whether the newest start of a part has failed.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        self.lock = threading.RLock()
        self.hearing: OpenHearing | None = None
        self.starting: Part | None = None
        self.recovered: Recovery | None = None
        self.storage_error: StorageError | None = None
        self.has_failed_start = False

    def set(self, hearing: OpenHearing) -> None:
        """Make ``hearing`` the open hearing."""
        with self.lock:
            self.hearing = hearing
            self.starting = None
            self.recovered = None
            set_current_hearing(hearing.state.id, hearing.state.part)

    def clear(self, hearing: OpenHearing) -> None:
        """Forget ``hearing``, unless another hearing was opened meanwhile."""
        with self.lock:
            if self.hearing is hearing:
                self.hearing = None
                self.recovered = None
                self.has_failed_start = False
                set_current_hearing("")

    def require(self, *phases: Phase) -> OpenHearing:
        """Return the hearing that is open.

        Args:
            phases: in which the step is possible; default: any phase of an open hearing.

        Raises:
            StepRefusedError: there is none, or it is in another phase.
        """
        hearing = self.hearing
        if hearing is None or hearing.state.phase not in (phases or OPEN_PHASES):
            phase = hearing.state.phase if hearing else Phase.IDLE
            raise StepRefusedError(f"not possible in phase “{phase}”")
        return hearing

    def apply_entry(self, state: HearingState, part: int, entry: Entry) -> None:
        """Apply a durable journal entry to ``state``."""
        with self.lock:
            state.apply(part, entry)
            if entry["kind"] == "part_opened":
                set_current_hearing(state.id, state.part)
        if is_event(entry):
            self.on_change()

    def set_storage_error(self, error: StorageError | None) -> None:
        """Record why the journal cannot be written (None: it can)."""
        if error is not None:
            log.error("the journal cannot be written: %s", error)
        self.storage_error = error
