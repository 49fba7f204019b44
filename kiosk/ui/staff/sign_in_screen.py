"""Base of the two screens of a sign-in."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.widgets.screen import StandardScreen


class SignInScreen(StandardScreen):
    """A screen with the header of the sign-in: nobody is known yet."""

    heading = N_("Staff")

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return title and clock."""
        kit = self.kit
        return [
            kit.icon("lock-outline", 30),
            kit.fitted_text(self.title(view)[0], "body", weight="semibold", lines=1),
            kit.text_line(chrome.clock, "body", weight="tabular"),
        ]
