"""Base of the staff's screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import TechnicianHomePlace
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.widgets.screen import StandardScreen


class StaffScreen(StandardScreen):
    """A screen with the staff's header: title, who is signed in, sign out, clock."""

    app: AppState

    def header_key(self, view: Any, chrome: ScreenChrome) -> Any:
        """Return what the header depends on: also who is signed in."""
        return (super().header_key(view, chrome), chrome.today, self.app.staff)

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return title, sign-out and clock."""
        kit = self.kit
        title, quiet = self.title(view)
        place = " · ".join(part for part in (quiet, chrome.room, chrome.today) if part)
        name = self.app.staff.name if self.app.staff else ""
        languages = [
            kit.button(
                f"lang.{code}",
                code.upper(),
                self._language(code),
                style="chosen" if code == chrome.display_settings.language else "ghost",
                kind="small",
            )
            for code in ("kk", "ru", "en")
        ]
        return [
            *self.home_button(),
            kit.text_line(title, "body", weight="semibold", max_width=330),
            kit.fitted_text(place, "small", colour="quiet", lines=2, ellipsis=True),
            kit.fitted_text(name, "small", colour="quiet", align="right", lines=2, ellipsis=True),
            kit.button("look.text", "", self._text_size, icon="format-size", style="ghost"),
            *languages,
            kit.button("staff.signout", "", self.app.sign_out, icon="logout", style="plain"),
            kit.text_line(chrome.clock, "body", weight="tabular"),
        ]

    def home_button(self) -> list[Widget]:
        """Return what leads to the technician's first screen, on his other screens."""
        if not self.name.startswith("technician.") or self.name == "technician.home":
            return []
        home = self.app.secretary.show
        return [
            self.kit.button("tech.home", "", lambda: home(TechnicianHomePlace()), icon="arrow-left")
        ]

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.app.set_display_settings(self.app.display_settings.with_language(code))

    def _text_size(self) -> None:
        self.app.set_display_settings(self.app.display_settings.with_next_text_size())

    def back_button(self) -> Widget:
        """Return the button that leads back to the list of the day."""
        back = self.kit.translate.gettext("Back")
        return self.kit.button("back", back, self.app.secretary.show_today)
