"""The PIN pad."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.registry import PinPlace
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.screen import StandardScreen


class PinScreen(StandardScreen):
    """The PIN pad; digits are shown as dots."""

    heading = N_("Staff")

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return title and clock."""
        kit = self.kit
        return [
            kit.icon("lock-outline", 30),
            kit.fitted_text(self.title(view)[0], "body", weight="semibold", lines=1),
            kit.text_line(chrome.clock, "body", weight="tabular"),
        ]

    def body(self, view: PinPlace) -> Widget:
        """Return sentence, dots and pad."""
        kit, _ = self.kit, self.kit.translate.gettext
        dots = "•" * len(view.digits) or " "
        typed = kit.fitted_text(dots, "title", weight="semibold", align="center")
        box = kit.card(typed, padding=6, height=kit.px(84))
        message, colour = _("Hold your badge to the reader, or type your PIN."), "text"
        if view.is_wrong:
            message, colour = _("This PIN is not right. Try again or use your badge."), "fault"
        text = kit.text(message, "heading", wid="pin.text", colour=colour, weight="medium")
        left = kit.column(kit.spacer(), text, box, kit.spacer(), gap=24)
        pad = key_rows(kit, ("123", "456", "789", "0"), self.app.type_pin, prefix="pin")
        return kit.row(left, pad, gap=60, padding=(60, 24))

    def footer(self, view: PinPlace) -> list[Widget]:
        """Return cancel and sign in."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        submit = app.submit_pin if view.digits else None
        return [
            kit.button("pin.cancel", _("Cancel"), app.close_pin),
            kit.spacer(),
            kit.button("pin.ok", _("Log in"), submit, style="primary", once=True),
        ]
