"""The room's profile on a stick: that of another room is taken over, this one's is saved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kiosk.api.room import (
    LIST_STICK_PROFILES,
    SAVE_STICK_PROFILE,
    SavedProfile,
    StickProfile,
    StickProfiles,
)
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient

log = logging.getLogger(__name__)
_STICK_S = 20.0


@dataclass(frozen=True)
class StickState:
    """What the screen shows.

    Attributes:
        profiles: on the stick, while one is chosen; None: nobody chooses.
        is_busy: the stick is being read or written.
        problem: alarm code of what did not work.
        taken: the profile that was taken over on this screen.
        saved: name of the file that was written.
    """

    profiles: tuple[StickProfile, ...] | None = None
    is_busy: bool = False
    problem: str = ""
    taken: StickProfile | None = None
    saved: str = ""


class CommissioningStick:
    """Asks the recorder, which alone may use sticks.

    Args:
        recorder: its client holds the technician's token.
        on_change: called after every change.
    """

    def __init__(self, recorder: LocalClient, on_change: Callable[[], None]) -> None:
        self._recorder, self._notify_change = recorder, on_change
        self.state = StickState()

    def reset(self) -> None:
        """Forget all: the stick may be another one."""
        self.state = StickState()

    async def look(self) -> None:
        """Read which profiles are on the stick."""
        await self._ask("GET", LIST_STICK_PROFILES.path, self._show)

    def _show(self, answer: Any) -> None:
        self._set(profiles=StickProfiles.model_validate(answer).profiles)

    def take(self, file: str) -> StickProfile | None:
        """Choose the profile ``file``; return it, or None: it does not count, or is not there."""
        rows = self.state.profiles or ()
        chosen = next((row for row in rows if row.file == file and not row.problem), None)
        if chosen is not None:
            self._set(profiles=None, taken=chosen)
        return chosen

    def leave(self) -> None:
        """Choose none."""
        self._set(profiles=None, problem="")

    async def save(self) -> None:
        """Save this room's profile onto the stick."""
        self._set(saved="")
        await self._ask("POST", SAVE_STICK_PROFILE.path, self._note)

    def _note(self, answer: Any) -> None:
        self._set(saved=SavedProfile.model_validate(answer).file)

    async def _ask(self, method: str, path: str, show: Callable[[Any], None]) -> None:
        if self.state.is_busy:
            return
        self._set(is_busy=True, problem="")
        body: dict[str, Any] | None = {} if method == "POST" else None
        try:
            show(await self._recorder.call(method, path, body, _STICK_S))
        except (KioskError, ValueError) as error:
            code = getattr(error, "code", "error")
            log.warning("a stick: %s", code)
            self._set(problem=code)
        finally:
            self._set(is_busy=False)

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()
