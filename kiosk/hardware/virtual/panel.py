"""A virtual panel: gpiozero's own mock pins, in this process.

Set it up before :class:`kiosk.hardware.panel.Panel` is made::

    with VirtualPanel(settings.panel) as virtual:
        panel = Panel(settings.panel, on_press=...)
        virtual.press()
        assert virtual.lamp
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from gpiozero import Device  # type: ignore[import-untyped]
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]

from kiosk.config import PanelSettings

HOLD_S = 0.6
"""How long a signalled press holds the button down: longer than whoever polls it waits."""


def press_mock_button(settings: PanelSettings) -> bool:
    """Press this process's mock button for :data:`HOLD_S`; return whether there is one.

    The recorder calls it on ``SIGUSR1``, so that a demo or a trainer in another process has a
    button to press. With real pins it does nothing.
    """
    factory = Device.pin_factory
    if not settings.enabled or not isinstance(factory, MockFactory):
        return False
    pin = factory.pin(settings.button_pin)
    pin.drive_low()
    threading.Timer(HOLD_S, pin.drive_high).start()
    return True


class VirtualPanel:
    """Mock pins in place of the GPIO header, until the end of the ``with``."""

    def __init__(self, settings: PanelSettings) -> None:
        self._settings = settings
        self._before: Any = None
        self._factory: Any = None

    def __enter__(self) -> VirtualPanel:
        self._before = Device.pin_factory
        self._factory = Device.pin_factory = MockFactory()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._factory.reset()
        Device.pin_factory = self._before

    @property
    def lamp(self) -> bool:
        """Whether the lamp's pin is driven high."""
        return bool(self._factory.pin(self._settings.lamp_pin).state)

    def press(self) -> None:
        """Press the button and let it go."""
        pin = self._factory.pin(self._settings.button_pin)
        pin.drive_low()
        pin.drive_high()
