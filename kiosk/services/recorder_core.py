"""Courtroom and panel of the recorder, without its local API.

An interrupted hearing must resume at once, and importing an HTTP server takes longer than that, so
the core is created first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kiosk.api.recorder import AlarmKey
from kiosk.config import Settings
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.session.context import CourtroomEvents
from kiosk.rules import load_rules
from kiosk.storage.paths import Paths


class RecorderCore:
    """The objects that the recorder owns.

    Args:
        sources: opened.
        settings_file: ``kiosk.toml``, over which the room's profile is kept.

    Attributes:
        on_change: called after each change of the courtroom, from any thread.
        further_alarms: alarms of the recorder's other work, as the sign-in's; any thread asks.
        on_button_press, on_call_press: called when the hardware button, or the one that calls the
            secretary, is pressed, from gpiozero's thread.
    """

    def __init__(self, settings: Settings, sources: Sources, settings_file: Path) -> None:
        self.settings, self.settings_file = settings, settings_file
        self.paths = Paths.from_settings(settings.paths)
        self.on_change: Callable[[], None] = lambda: None
        self.on_button_press: Callable[[], None] = lambda: None
        self.further_alarms: Callable[[], list[AlarmKey]] = list
        self.sources = sources
        self.on_call_press: Callable[[], None] = lambda: None
        self.panel = Panel(
            settings.panel,
            lambda: self.on_button_press(),
            lambda: self.on_call_press(),
            lambda: self.courtroom.panel_watch.apply_switches(),
        )
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
