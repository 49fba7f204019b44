"""Shows the points of the touch test in turn and takes the finger on each (asyncio, no Kivy)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from kiosk.selftest.model import TOUCH_POINTS, TouchPoint
from kiosk.ui.registry import SelfTestPlace, StaffPlace, TouchPlace


class TouchTest:
    """The touch test.

    Args:
        place: returns where the staff are.
        show: shows another place.
    """

    def __init__(self, place: Callable[[], StaffPlace], show: Callable[[StaffPlace], None]) -> None:
        self._place, self._show = place, show
        self._missed: dict[TouchPoint, float] = {}
        self._done: asyncio.Future[None] | None = None

    async def read(self, seconds: float) -> Mapping[TouchPoint, float]:
        """Wait for a finger on each point; return by how many millimetres it missed them."""
        self._missed = {}
        self._done = asyncio.get_running_loop().create_future()
        self._show(TouchPlace())
        try:
            async with asyncio.timeout(seconds):
                await self._done
        except TimeoutError:
            pass  # a place that feels nothing: those before it count
        finally:
            self._done = None
            if isinstance(self._place(), TouchPlace):
                self._show(SelfTestPlace())
        return dict(self._missed)

    def touch(self, missed_mm: float) -> None:
        """Take a finger that missed the point shown by ``missed_mm``."""
        if self._done is None or self._done.done():
            return
        self._missed[TOUCH_POINTS[len(self._missed)]] = round(missed_mm, 1)
        if len(self._missed) == len(TOUCH_POINTS):
            self._done.set_result(None)
        else:
            self._show(TouchPlace(len(self._missed)))

    def give_up(self) -> None:
        """End the test: the point that is shown feels nothing."""
        if self._done is not None and not self._done.done():
            self._done.set_result(None)
