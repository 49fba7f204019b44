"""Asks the person at the screen a yes-or-no question of a check, and waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kiosk.selftest.model import Question


class AskedPerson:
    """The person at the screen.

    Args:
        show: shows a question; None: there is none any more.
    """

    def __init__(self, show: Callable[[Question | None], None]) -> None:
        self._show = show
        self._answer: asyncio.Future[bool] | None = None

    async def ask(self, question: Question, seconds: float) -> bool | None:
        """Return the answer, or None if none came within ``seconds``."""
        self._answer = asyncio.get_running_loop().create_future()
        self._show(question)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer = None
            self._show(None)

    def answer(self, is_yes: bool) -> None:
        """Take the person's answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(is_yes)
