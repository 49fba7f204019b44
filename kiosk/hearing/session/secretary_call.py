"""The call of the secretary: it lasts until she says that she is coming.

A file in the recorder's runtime folder keeps it over a restart of the recorder; whatever is in it,
its being there is the call. One thread makes and answers calls.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.api.recorder import AlarmKey
from kiosk.hearing.session.current_hearing import CurrentHearing

log = logging.getLogger(__name__)


class SecretaryCall:
    """The call in one room.

    Args:
        file: keeps it.
        current: whose journal gets it.
    """

    def __init__(self, file: Path, current: CurrentHearing) -> None:
        self._file, self._current = file, current
        self._is_made = file.exists()

    def make(self) -> bool:
        """Call, from the panel's button; return whether nobody had called: twice is once."""
        if self._is_made:
            return False
        self._is_made = True
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()
        except OSError as error:  # it is shown all the same; only a restart would forget it
            log.warning("a call of the secretary is not kept: %s", error)
        self._journal("secretary_called", {})
        return True

    def answer(self, person: str) -> bool:
        """Note that ``person`` is coming; return whether somebody had called."""
        was_made, self._is_made = self._is_made, False
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("a call that was answered is still kept: %s", error)
        if was_made:
            self._journal("secretary_call_answered", {"person": person})
        return was_made

    def _journal(self, kind: str, fields: Mapping[str, Any]) -> None:
        hearing = self._current.hearing
        if hearing is not None and hearing.state.phase.is_open:
            hearing.append(kind, fields)
        self._current.on_change()

    def alarms(self) -> list[AlarmKey]:
        """Return the call, as long as nobody has answered it."""
        return [("secretary_called", "panel")] if self._is_made else []
