"""One touch of the real screen: a pointer's click, and whether the screen took it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kiosk.demo.processes import wait_until
from kiosk.errors import KioskError

ScreenReader = Callable[[], Mapping[str, Any]]


def touch_widget(
    item: Mapping[str, Any], read_screen: ScreenReader, run: Callable[..., None], seconds: float
) -> bool | None:
    """Click on the middle of a widget; a button that has only just come refuses it.

    Args:
        item: the widget as the screen describes it.
        read_screen: returns what the screen says of itself; empty while it does not answer.
        run: runs a program on the screen's display.
        seconds: within which a busy screen answers, and takes a touch.

    Returns:
        Whether it took the touch; None: it counted none, as when the touch has ended it.

    Raises:
        KioskError: it does not answer.
    """
    before = wait_until(read_screen, "the screen", seconds)

    def touched() -> Mapping[str, Any] | None:
        screen = read_screen()
        return screen if screen.get("touches", 0) > before.get("touches", 0) else None

    x, y = (round(item[at] + item[size] / 2) for at, size in (("x", "w"), ("y", "h")))
    run("xdotool", "mousemove", str(x), str(y))
    run("xdotool", "click", "1")  # by itself: a click at once with the move may be lost
    try:
        after = wait_until(touched, "the touch", seconds, every=0.02)
    except KioskError:
        return None
    return bool(after.get("refused", 0) <= before.get("refused", 0))
