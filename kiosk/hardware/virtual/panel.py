"""A virtual panel: gpiozero's own mock pins, in this process.

Set it up before :class:`kiosk.hardware.panel.Panel` is made::

    with VirtualPanel(settings.panel) as virtual:
        panel = Panel(settings.panel, on_press=...)
        virtual.press()
        assert virtual.lamp
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from gpiozero import Device  # type: ignore[import-untyped]
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]

from kiosk.config import Panel as PanelSettings


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
