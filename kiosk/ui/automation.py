"""``GET /v1/screen`` on ``ui.sock``: what is on the screen, for demo and tests.

Only with ``[ui] automation = true``. It lists positions; taps come from a real pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web
from kivy.uix.widget import Widget

from kiosk.ipc import serve_unix
from kiosk.ui.widgets.touchable import Touchable


def visible_widgets(
    root: Widget, height: int, takes_tap: Callable[[Touchable], bool] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the named widgets under ``root`` in window pixels, origin top left.

    Args:
        height: of the window.
        takes_tap: whether a button takes a tap in its middle now; None: each does.
    """
    for widget in root.walk(restrict=True):
        wid = getattr(widget, "wid", "")
        if not wid or widget.width < 1 or widget.height < 1 or widget.get_root_window() is None:
            continue
        x, y = widget.to_window(*widget.pos)
        yield {
            "id": wid,
            "text": getattr(widget, "label", None) or getattr(widget, "text", ""),
            "x": round(x),
            "y": round(height - y - widget.height),
            "w": round(widget.width),
            "h": round(widget.height),
            "enabled": isinstance(widget, Touchable)
            and not widget.disabled
            and (takes_tap is None or takes_tap(widget)),
        }


async def serve_automation(socket: Path, describe: Callable[[], dict[str, Any]]) -> web.AppRunner:
    """Serve ``describe()`` as ``GET /v1/screen`` on ``socket``; return the runner."""

    async def screen(_request: web.Request) -> web.Response:
        return web.json_response(describe())

    app = web.Application()
    app.router.add_get("/v1/screen", screen)
    return await serve_unix(app, socket)
