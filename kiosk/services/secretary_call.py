"""The button that calls the secretary: its call, the tone in her headset, and her answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from kiosk.api.base import Model
from kiosk.api.recorder_calls import CallAnswer
from kiosk.api.recorder_operations import ANSWER_CALL
from kiosk.selftest.recorder_checks import check_headset
from kiosk.services.local_api import Call, Route
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.step_runner import StepRunner

log = logging.getLogger(__name__)
TONE_S = 1.0


class SecretaryCallService:
    """Calls the secretary, and takes her answer.

    Args:
        steps: runs the steps of a hearing.
    """

    def __init__(self, core: RecorderCore, steps: StepRunner) -> None:
        self._settings, self._steps = core.settings, steps
        self._call = core.courtroom.secretary_call
        self._calls = asyncio.Event()

    def routes(self) -> list[Route]:
        """Return the handlers."""
        return [(ANSWER_CALL, self._answer)]

    def press(self, schedule: Callable[[Callable[[], object]], object]) -> None:
        """Call the secretary (in gpiozero's thread).

        Args:
            schedule: runs a function in the event loop, soon.
        """

        def call() -> None:
            if self._call.make():
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    schedule(self._calls.set)

        with contextlib.suppress(RuntimeError):  # the service is ending
            self._steps.submit(call)

    async def run(self) -> None:
        """Play a tone in the headset for each call, until cancelled."""
        while True:
            await self._calls.wait()
            self._calls.clear()
            try:
                result = await check_headset(self._settings, TONE_S)
                if result.state == "failed":
                    log.warning("the call has no tone in the headset: %s", result.code)
            except Exception:  # the screen shows the call all the same
                log.exception("the call has no tone in the headset")

    async def _answer(self, call: Call) -> Model:
        person = call.person.id
        return CallAnswer(was_called=await self._steps.run(lambda: self._call.answer(person)))
