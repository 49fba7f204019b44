"""Reads the recorder's State as far as it can be read, and says what cannot."""

from __future__ import annotations

import logging
from typing import Any

from pydantic import ValidationError

from kiosk.api.base import absent_keys, describe_problems, read_leniently
from kiosk.api.recorder import Alarm, RecorderState
from kiosk.api.states import Phase

log = logging.getLogger(__name__)

RECORDER_DOWN = "recorder_down"
UNREADABLE_STATE = "recorder_state_unreadable"
PARTIAL_STATE = "recorder_state_partial"
"""Codes of :mod:`kiosk.alarms`."""


class RecorderReader:
    """Reads one State after another; logs each new problem once.

    Attributes:
        is_unreadable: the newest State could not be read.
    """

    def __init__(self) -> None:
        self.is_unreadable = False
        self._problems: list[str] = []

    def read(self, value: Any) -> RecorderState | None:
        """Return the State; None where it cannot be read at all.

        Where only a row of a list cannot be read or a key is missing, the State has the alarm
        ``PARTIAL_STATE``: a default may hide a fault.
        """
        state: RecorderState | None = None
        try:
            read, problems = read_leniently(RecorderState, value)
        except ValidationError as error:
            problems = describe_problems(error)
        else:
            problems += [f"{key}: missing" for key in absent_keys(read, value)]
            if read.hearing is not None or read.phase == Phase.IDLE:
                state = read
            else:
                problems = [f"hearing: missing while {read.phase}", *problems]
        self.is_unreadable = state is None
        if problems and problems != self._problems:
            log.error("the recorder's state cannot be read: %s", "; ".join(problems))
        self._problems = problems
        if state is None or not problems:
            return state
        return state.model_copy(update={"alarms": (*state.alarms, Alarm(code=PARTIAL_STATE))})
