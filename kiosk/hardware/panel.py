"""The panel: recording lamp, buttons and seats' switches on the GPIO header, by gpiozero.

Whoever watches the recording sets the lamp and makes it blink (:meth:`Panel.blink`): a lamp that
blinked by itself would go on when nobody watches any more.

It never blocks or fails a recording: without GPIO its state is ``absent``.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from kiosk.api.recorder import Device
from kiosk.api.states import LampState
from kiosk.config import PanelSettings

log = logging.getLogger(__name__)
PanelState = Literal["ok", "absent", "off"]
BOUNCE_S = 0.03
MARK, CALL = "mark", "call"
"""The buttons: the one that marks a moment, and the one that calls the secretary."""


class Panel:
    """Recording lamp, buttons and switches; :meth:`open` takes the pins.

    A button that is held already when its pin is taken was not pressed: it counts from its next
    press on. A switch counts as it stands.

    Args:
        settings: the ``[panel]`` settings.
        on_press, on_call: called (in gpiozero's thread) when the button, or the one that calls the
            secretary, is pressed; they must return at once.
        on_switch: called so when a seat's switch is opened or closed.

    Attributes:
        problem: why the panel is absent or its lamp cannot be used, for the technician.
        is_tested: whether the technician's test switches the lamp now.
    """

    def __init__(
        self,
        settings: PanelSettings,
        on_press: Callable[[], None] = lambda: None,
        on_call: Callable[[], None] = lambda: None,
        on_switch: Callable[[], None] = lambda: None,
    ) -> None:
        self._led: Any = None
        self._buttons: dict[str, Any] = {}
        self._switches: dict[str, Any] = {}
        self._on_press, self._on_call, self._on_switch = on_press, on_call, on_switch
        self._lamp, self._is_driven = LampState.OFF, False
        self._pin_factory_name = ""
        self._lock = threading.Lock()
        self.problem = ""
        self.is_tested = False
        self._settings = settings

    def open(self) -> Self:
        """Take the pins and show the lamp as last requested; return the panel.

        Importing the libraries takes half a second on a Pi: a hearing is resumed before.
        """
        if self._settings.enabled:
            self._open(self._settings)
            self.lamp = self._lamp
        return self

    def _open(self, settings: PanelSettings) -> None:
        # lgpio leaves a notification file in the working directory unless LG_WD names another
        os.environ.setdefault("LG_WD", os.environ.get("RUNTIME_DIRECTORY", "/tmp").split(":")[0])
        try:
            from gpiozero import LED, Device, DigitalInputDevice  # type: ignore[import-untyped]

            self._led = LED(settings.lamp_pin)
            mock = "Mock" in type(Device.pin_factory).__name__
            bounce = None if mock else BOUNCE_S  # mock pins have no debouncing
            # not a Button: its thread wakes up ten times a second to tell how long it is held
            make = partial(DigitalInputDevice, pull_up=True, bounce_time=bounce)
            taken = {settings.lamp_pin}
            for name, pin, act in (
                (MARK, settings.button_pin, self._on_press),
                (CALL, settings.call_pin, self._on_call),
            ):
                if pin and pin not in taken:
                    self._buttons[name] = button = make(pin)
                    button.when_activated = partial(_act, act)
                    taken.add(pin)
            for row in settings.mutes:
                if row.pin not in taken and row.microphone not in self._switches:
                    self._switches[row.microphone] = switch = make(row.pin)
                    switch.when_activated = switch.when_deactivated = partial(_act, self._on_switch)
                    taken.add(row.pin)
            self._pin_factory_name = type(Device.pin_factory).__name__
        except Exception as error:  # gpiozero raises whatever its pin library raises
            self.problem = f"{type(error).__name__}: {error}"
            log.info("panel: no GPIO: %s", self.problem)
            self.close()

    @property
    def state(self) -> PanelState:
        """``ok``, ``absent`` (no GPIO here) or ``off`` (by the settings)."""
        if not self._settings.enabled:
            return "off"
        return "ok" if self._led is not None else "absent"

    @property
    def lamp(self) -> LampState | None:
        """What the lamp shows, by the level of its pin; None: unreadable.

        Without a lamp it is what was set last. A level that nobody has driven tells for itself.
        """
        if self._led is None:
            return self._lamp
        try:
            level = bool(self._led.value)
        except Exception as error:  # who watches a recording must go on watching it
            self._note_problem("read", error)
            return None
        if level == self._is_driven:
            return self._lamp
        return LampState.STEADY if level else LampState.OFF

    @lamp.setter
    def lamp(self, shown: LampState) -> None:
        with self._lock:
            if shown is not LampState.SLOW or self._lamp is not LampState.SLOW:
                self._is_driven = shown is not LampState.OFF
            self._lamp = shown
            self._drive()

    def renew(self, shown: LampState) -> None:
        """Change how a lit lamp is lit: one that a step has just darkened stays dark."""
        with self._lock:
            if self._lamp in (LampState.OFF, shown) or shown is LampState.OFF:
                return
            self._lamp, self._is_driven = shown, True
            self._drive()

    def blink(self) -> None:
        """Light or darken a lamp that blinks; whoever watches the recording calls it."""
        with self._lock:
            if self._lamp is LampState.SLOW:
                self._is_driven = not self._is_driven
                self._drive()

    def _drive(self) -> None:
        if self._led is None:
            return
        try:
            self._led.value = self._is_driven
        except Exception as error:  # the lamp must never stop a recording
            self._note_problem("switched", error)

    def _note_problem(self, what: str, error: Exception) -> None:
        """Remember why the lamp cannot be used; one line of the log for each new reason."""
        before, self.problem = self.problem, f"{type(error).__name__}: {error}"
        if self.problem != before:
            log.warning("panel: the lamp cannot be %s: %s", what, self.problem)

    @property
    def is_pressed(self) -> bool:
        """Whether the button is pressed now."""
        return MARK in self.pressed

    @property
    def pressed(self) -> tuple[str, ...]:
        """The buttons that are pressed now."""
        return tuple(_closed(self._buttons))

    @property
    def switched_off(self) -> frozenset[str]:
        """The microphones whose seat has switched them off."""
        return frozenset(_closed(self._switches))

    def describe(self) -> Device:
        """Return the panel as one of the devices in use."""
        return Device(
            name="panel",
            library="gpiozero",
            version=importlib.metadata.version("gpiozero"),
            back_end=self._pin_factory_name or "none",
            virtual="Mock" in self._pin_factory_name,
        )

    def close(self) -> None:
        """Switch the lamp off and release the pins."""
        for device in (self._led, *self._buttons.values(), *self._switches.values()):
            if device is not None:
                device.close()
        self._led, self._buttons, self._switches = None, {}, {}


def _act(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:
        log.exception("panel: the action of a button failed")


def _closed(contacts: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the contacts that are closed; one that cannot be read is open."""
    for name, contact in list(contacts.items()):
        try:
            is_closed = bool(contact.is_active)
        except Exception as error:  # gpiozero raises whatever its pin library raises
            log.debug("panel: a contact cannot be read: %s", error)
            continue
        if is_closed:
            yield name


def gpio_chips() -> list[str]:
    """Return the GPIO chips of this machine, for the self-test's report."""
    return sorted(path.name for path in Path("/dev").glob("gpiochip*"))
