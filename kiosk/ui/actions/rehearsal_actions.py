"""The rehearsal before a hearing: one call to the recorder, and what it says meanwhile (R35)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiosk.api.base import read_leniently
from kiosk.api.rehearsal import REHEARSE, BeginRehearsal, Rehearsal, RehearsalProgress
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.ui.actions.recorder_actions import RecorderActions

SPEAK_SECONDS = 8.0
ANSWER_SECONDS = 90.0
"""It speaks, opens the headset and plays; a device's test may come first."""


@dataclass(frozen=True)
class RehearsalState:
    """What the screen of the rehearsal shows.

    Attributes:
        is_running: begun, and not answered yet.
        progress: what the recorder does now; None: it has not said yet.
        answer: what came of the last one; forgotten when the screen is left.
    """

    is_running: bool = False
    progress: RehearsalProgress | None = None
    answer: Rehearsal | None = None


class RehearsalActions(RecorderActions):
    """Begins a rehearsal and breaks it off.

    Args:
        recorder: its client, which holds the token.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        recorder: LocalClient,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self._running: asyncio.Task[dict[str, Any]] | None = None
        self.state = RehearsalState()

    async def begin(self) -> None:
        """Rehearse once, unless that is being done."""
        if self._running is not None:
            return
        self._set(RehearsalState(is_running=True))
        body = BeginRehearsal(seconds=SPEAK_SECONDS).to_json()
        call = asyncio.create_task(self._recorder.post(REHEARSE.path, body, ANSWER_SECONDS))
        self._running = call
        try:
            await asyncio.wait({call})
        finally:
            call.cancel()
        if self._running is not call:
            return  # it was broken off, and another one may have begun
        self._running = None
        self._take(call)

    def _take(self, call: asyncio.Task[dict[str, Any]]) -> None:
        state, code = RehearsalState(), ""
        try:
            state = RehearsalState(answer=read_leniently(Rehearsal, call.result())[0])
        except ServiceRefusedError as error:
            code = error.code
        except (KioskError, ValueError):
            code = "recorder_down"
        self._set(state)
        if code and code != "already_recording":  # the hearing's own screen is there
            self._report_error(code)

    def apply_event(self, value: Any) -> None:
        """Apply an event ``rehearsal`` of the recorder."""
        if not self.state.is_running:
            return
        progress = RehearsalProgress.model_validate(value)
        self._set(RehearsalState(True, None if progress.phase == "over" else progress))

    def stop(self) -> None:
        """Break it off, and forget what came of it: nothing is kept."""
        if self._running is not None:
            self._running.cancel()  # the recorder ends it when nobody waits
            self._running = None
        if self.state != RehearsalState():
            self._set(RehearsalState())

    def _set(self, state: RehearsalState) -> None:
        self.state = state
        self._notify_change()
