"""Reports the touch screen's health to systemd, from Kivy's own loop.

A screen whose loop hangs (a driver, the X server, a mistake of ours) sends nothing more, and
systemd starts it again; a running hearing belongs to the recorder and goes on.
"""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window

from kiosk.systemd import notify, ping_interval_s


def report_to_systemd() -> None:
    """Report ready after the first drawn picture, and healthy while Kivy's clock ticks."""
    Window.bind(on_flip=_report_ready)
    Clock.schedule_interval(lambda _seconds: notify("WATCHDOG=1"), ping_interval_s())


def _report_ready(*_: Any) -> None:
    Window.unbind(on_flip=_report_ready)
    notify("READY=1")
