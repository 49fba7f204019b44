"""A virtual panel: gpiozero's own mock pins, in this process.

Enter it before :class:`kiosk.hardware.panel.Panel` is opened::

    with VirtualPanel(settings.panel) as virtual:
        panel = Panel(settings.panel, on_press=...).open()
        virtual.press()
        assert virtual.lamp
"""

from __future__ import annotations

import threading
from typing import Any, Self

from gpiozero import Device  # type: ignore[import-untyped]
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]

from kiosk.config import PanelSettings

HOLD_S = 0.6
"""How long a press by signal lasts: longer than the interval of any poll."""


def press_mock_button(settings: PanelSettings) -> bool:
    """Press this process's mock button for :data:`HOLD_S`; return whether there is one.

    The recorder calls it on ``SIGUSR1``, so that a demo or a trainer in another process can press
    the button. With real pins it does nothing.
    """
    factory = Device.pin_factory
    if not settings.enabled or not isinstance(factory, MockFactory):
        return False
    pin = factory.pin(settings.button_pin)
    pin.drive_low()
    threading.Timer(HOLD_S, pin.drive_high).start()
    return True


class VirtualPanel:
    """Mock pins in place of the GPIO header (a context manager)."""

    def __init__(self, settings: PanelSettings) -> None:
        self._settings = settings
        self._before: Any = None
        self._factory: Any = None

    def __enter__(self) -> Self:
        self._before = Device.pin_factory
        self._factory = Device.pin_factory = MockFactory()
        return self

    def __exit__(self, *_error: object) -> None:
        self._factory.reset()
        Device.pin_factory = self._before

    @property
    def lamp(self) -> bool:
        """Whether the lamp's pin is driven high."""
        return bool(self._factory.pin(self._settings.lamp_pin).state)

    def press(self) -> None:
        """Press and release the button."""
        pin = self._factory.pin(self._settings.button_pin)
        pin.drive_low()
        pin.drive_high()
