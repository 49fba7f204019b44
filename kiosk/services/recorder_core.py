"""Devices and courtroom of the recorder, without its local API.

An interrupted hearing must resume within seconds of the start, and importing an HTTP server takes
a good part of them on a Raspberry Pi, so the core is created first.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.alarms import AlarmKey
from kiosk.config import Settings
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.session.context import CourtroomEvents
from kiosk.rules import load_rules
from kiosk.selftest.noise_baseline import load_noise_floors
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.paths import Paths


class RecorderCore:
    """The objects that the recorder owns.

    Attributes:
        on_change: called after each change of the courtroom, from any thread.
        further_alarms: alarms of the recorder's other work, as the sign-in's; any thread asks.
        on_button_press: called when the hardware button is pressed, from gpiozero's thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.paths = Paths.from_settings(settings.paths)
        self.on_change: Callable[[], None] = lambda: None
        self.on_button_press: Callable[[], None] = lambda: None
        self.further_alarms: Callable[[], list[AlarmKey]] = list
        make_folder(self.paths.data)
        make_folder(self.paths.recorder_run)
        self.sources = Sources(settings, self.paths.preview, load_noise_floors(self.paths))
        self.sources.open()  # devices come up while the rest is made
        self.panel = Panel(settings.panel, lambda: self.on_button_press())
        self.courtroom = Courtroom(
            settings,
            self.paths,
            load_rules(),
            self.sources,
            self.panel,
            events=CourtroomEvents(
                on_change=lambda: self.on_change(), further_alarms=lambda: self.further_alarms()
            ),
        )

    def recover(self) -> None:
        """Resume an interrupted hearing; see :meth:`Courtroom.recover`."""
        self.courtroom.recover()
