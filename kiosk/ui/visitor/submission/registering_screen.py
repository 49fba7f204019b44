"""Shown while the filing is stored and registered."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.submission.registering import RegisteringView
from kiosk.ui.visitor.visitor_screen import FilingScreen


class RegisteringScreen(FilingScreen):
    """Shown while the filing is stored and registered; nobody can leave."""

    step = 4
    has_home_button = False

    def body(self, view: RegisteringView) -> Widget:
        """Return one sentence."""
        kit = self.kit
        text = kit.text(view.title, "headline", wid="register.text", weight="semibold",
                        align="center")  # fmt: skip
        icon = kit.icon("timer-sand", 130, "accent")
        return kit.column(kit.spacer(), icon, text, kit.spacer(), gap=28, padding=(60, 40))

    def has_footer(self, _view: Any) -> bool:
        """Return that there is none: nothing can be done here."""
        return False
