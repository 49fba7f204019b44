"""The button that calls the secretary: its call, the tone in her headset, and her answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from kiosk.api.base import Model
from kiosk.api.recorder_calls import CallAnswer
from kiosk.api.recorder_operations import ANSWER_CALL
from kiosk.services.headset_signals import HeadsetSignal, HeadsetSignals
from kiosk.services.local_api import Call, Route
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.step_runner import StepRunner


class SecretaryCallService:
    """Calls the secretary, and takes her answer.

    Args:
        steps: runs the steps of a hearing.
        signals: of her headset.
    """

    def __init__(self, core: RecorderCore, steps: StepRunner, signals: HeadsetSignals) -> None:
        self._steps, self._signals = steps, signals
        self._call = core.courtroom.secretary_call

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
                    schedule(lambda: self._signals.ask(HeadsetSignal.CALL))

        with contextlib.suppress(RuntimeError):  # the service is ending
            self._steps.submit(call)

    async def _answer(self, call: Call) -> Model:
        person = call.person.id
        return CallAnswer(was_called=await self._steps.run(lambda: self._call.answer(person)))
