"""Devices and courtroom of one room, without the recorder's local API.

What a crash or a power cut interrupted has to go on within seconds of the start, and importing an
HTTP server takes a good part of them on a Raspberry Pi: so this room is made first.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.config import Settings
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.source import SourceSet
from kiosk.hearing.courtroom import Courtroom
from kiosk.rules import load_rules
from kiosk.selftest.noise_baseline import noise_floors
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.paths import Layout


class Room:
    """What a recorder owns.

    Attributes:
        on_change: called after each change of the courtroom, from any thread.
        on_press: called when the hardware button is pressed, from gpiozero's thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.layout = Layout.of(settings.paths)
        self.on_change: Callable[[], None] = lambda: None
        self.on_press: Callable[[], None] = lambda: None
        make_folder(self.layout.data)
        make_folder(self.layout.run)
        self.sources = SourceSet(settings, self.layout.preview, noise_floors(self.layout))
        self.sources.open()  # devices come up while the rest is made
        self.panel = Panel(settings.panel, lambda: self.on_press())
        self.courtroom = Courtroom(
            settings,
            self.layout,
            load_rules(),
            self.sources,
            self.panel,
            changed=lambda: self.on_change(),
        )

    def recover(self) -> None:
        """Let an interrupted hearing go on; see :meth:`Courtroom.recover`."""
        self.courtroom.recover()
