"""Shown instead of the touch screen while the settings file is wrong.

The sentence is shown in all three languages, because the language is a setting too. The window
closes as soon as the file is correct, so that the service manager starts the real screen.
"""

from __future__ import annotations

from pathlib import Path

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label

from kiosk.alarms import alarm_of
from kiosk.errors import ConfigError
from kiosk.locale import Translator
from kiosk.settings_files import load_settings
from kiosk.ui.service_watchdog import report_to_systemd
from kiosk.ui.widgets.fonts import NAMES, register_fonts

BACKGROUND = (0.957, 0.965, 0.973, 1)
INK, QUIET = (0.063, 0.125, 0.173, 1), (0.298, 0.369, 0.431, 1)
RECHECK_SECONDS = 1.0


class SettingsErrorApp(App):
    """One page without buttons.

    Args:
        path: the settings file; it is read again each second.
        error: what is wrong with it, for the technician; it names no person.
    """

    def __init__(self, path: Path, error: ConfigError) -> None:
        super().__init__()
        self._path, self._error = path, error
        self.is_fixed = False

    def build(self) -> BoxLayout:
        """Return sentence and remedy in each language, and the technician's lines."""
        register_fonts()
        Window.clearcolor = BACKGROUND
        Clock.schedule_interval(self._recheck, RECHECK_SECONDS)
        report_to_systemd()
        box = BoxLayout(orientation="vertical", padding=60, spacing=12)
        alarm = alarm_of(self._error.code)
        for language in ("kk", "ru", "en"):
            translate = Translator(language)
            box.add_widget(_line(alarm.say(translate), 34, INK, NAMES["semibold"]))
            box.add_widget(_line(alarm.remedy(translate, staff=False), 26, INK, NAMES["regular"]))
        box.add_widget(_line(str(self._error), 18, QUIET, NAMES["regular"]))
        return box

    def _recheck(self, _seconds: float) -> None:
        try:
            load_settings(self._path)
        except ConfigError:
            return
        self.is_fixed = True
        self.stop()


def _line(text: str, size: int, colour: tuple[float, ...], font: str) -> Label:
    label = Label(text=text, font_size=size, color=colour, font_name=font, halign="left")
    label.bind(size=lambda widget, size: setattr(widget, "text_size", size))
    label.valign = "middle"
    return label


def show_settings_error(path: Path, error: ConfigError) -> int:
    """Show the error; return 0 once the file is correct, or the error's exit status if closed."""
    app = SettingsErrorApp(path, error)
    app.run()
    return 0 if app.is_fixed else error.exit_code
