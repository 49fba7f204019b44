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
from gpiozero.pins.mock import MockFactory, MockPin  # type: ignore[import-untyped]

from kiosk.config import PanelSettings

HOLD_S = 0.6
"""How long a press by signal lasts: longer than the interval of any poll."""


def press_mock_button(settings: PanelSettings, number: int) -> bool:
    """Press this process's mock button on a pin for :data:`HOLD_S`; return whether there is one.

    The recorder calls it on ``SIGUSR1`` (button) and ``SIGRTMIN`` (call of the secretary), so that
    a demo or a trainer in another process can press them. With real pins it does nothing.
    """
    factory = Device.pin_factory
    if not (settings.enabled and number) or not isinstance(factory, MockFactory):
        return False
    pin = factory.pin(number)
    pin.drive_low()
    threading.Timer(HOLD_S, pin.drive_high).start()
    return True


class ContactPin(MockPin):  # type: ignore[misc]
    """A pin that a closed contact to ground holds low against the pull-up, as a real one."""

    is_closed = False

    def drive_low(self) -> None:
        """Close the contact."""
        self.is_closed = True
        super().drive_low()

    def drive_high(self) -> None:
        """Open the contact."""
        self.is_closed = False
        super().drive_high()

    def _set_pull(self, value: str) -> None:
        is_closed = self.is_closed
        super()._set_pull(value)
        if is_closed:
            self.drive_low()


class VirtualPanel:
    """Mock pins in place of the GPIO header (a context manager)."""

    def __init__(self, settings: PanelSettings) -> None:
        self._settings = settings
        self._before: Any = None
        self._factory: Any = None

    def __enter__(self) -> Self:
        self._before = Device.pin_factory
        self._factory = Device.pin_factory = MockFactory(pin_class=ContactPin)
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
        self.close_contact(self._settings.button_pin)
        self.open_contact(self._settings.button_pin)

    def call(self) -> None:
        """Press and release the button that calls the secretary."""
        self.close_contact(self._settings.call_pin)
        self.open_contact(self._settings.call_pin)

    def close_contact(self, number: int) -> None:
        """Close the button or switch on pin ``number``."""
        self._factory.pin(number).drive_low()

    def open_contact(self, number: int) -> None:
        """Open the button or switch on pin ``number``."""
        self._factory.pin(number).drive_high()
