"""What the screen shows when the settings file is wrong: nothing else can be drawn without it.

The sentence stands in all three languages (which one the room speaks is a setting, too). As soon
as the file is right the window closes, so that the service manager starts the real screen.
"""

from __future__ import annotations

from pathlib import Path

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label

from kiosk.alarms import alarm_of
from kiosk.config import load_settings
from kiosk.errors import ConfigError
from kiosk.locale import Translator
from kiosk.ui.widgets.fonts import NAMES, register_fonts

BACKGROUND = (0.957, 0.965, 0.973, 1)
INK, QUIET = (0.063, 0.125, 0.173, 1), (0.298, 0.369, 0.431, 1)
LOOK_AGAIN_SECONDS = 1.0


class OutOfOrderApp(App):
    """One picture without a button.

    Args:
        path: the settings file; it is read again each second.
        error: what is wrong with it; its lines are for the technician and name no person.
    """

    def __init__(self, path: Path, error: ConfigError) -> None:
        super().__init__()
        self._path, self._error = path, error
        self.mended = False

    def build(self) -> BoxLayout:
        """Return sentence and remedy in each language, and the technician's lines."""
        register_fonts()
        Window.clearcolor = BACKGROUND
        Clock.schedule_interval(self._look_again, LOOK_AGAIN_SECONDS)
        box = BoxLayout(orientation="vertical", padding=60, spacing=12)
        alarm = alarm_of(self._error.code)
        for language in ("kk", "ru", "en"):
            say = Translator(language)
            box.add_widget(_line(alarm.say(say), 34, INK, NAMES["semibold"]))
            box.add_widget(_line(alarm.remedy(say, staff=False), 26, INK, NAMES["regular"]))
        box.add_widget(_line(str(self._error), 18, QUIET, NAMES["regular"]))
        return box

    def _look_again(self, _seconds: float) -> None:
        try:
            load_settings(self._path)
        except ConfigError:
            return
        self.mended = True
        self.stop()


def _line(text: str, size: int, colour: tuple[float, ...], font: str) -> Label:
    label = Label(text=text, font_size=size, color=colour, font_name=font, halign="left")
    label.bind(size=lambda widget, size: setattr(widget, "text_size", size))
    label.valign = "middle"
    return label


def show_out_of_order(path: Path, error: ConfigError) -> int:
    """Show it until the file is right (0) or the window is closed (the error's exit status)."""
    app = OutOfOrderApp(path, error)
    app.run()
    return 0 if app.mended else error.exit_code
