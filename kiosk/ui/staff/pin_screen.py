"""The PIN pad."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.screen import StandardScreen


class PinScreen(StandardScreen):
    """The PIN pad; digits are shown as dots."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Staff"), ""

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return title and clock."""
        kit = self.kit
        return [
            kit.icon("lock-outline", 30),
            kit.fitted_text(kit.translate.gettext("Staff"), "body", weight="semibold", lines=1),
            kit.text_line(chrome.clock, "body", weight="tabular"),
        ]

    def body(self, view: Any) -> Widget:
        """Return sentence, dots and pad."""
        kit, _ = self.kit, self.kit.translate.gettext
        dots = kit.fitted_text(
            "•" * len(view.digits) or " ", "title", weight="semibold", align="center"
        )
        box = kit.card(dots, padding=6, size_hint_y=None, height=kit.px(84))
        message = _("This PIN is not right. Try again or use your badge.") if view.is_wrong else _(
            "Hold your badge to the reader, or type your PIN."
        )  # fmt: skip
        text = kit.text(
            message, "heading", wid="pin.text", colour="fault" if view.is_wrong else "text",
            weight="medium",
        )  # fmt: skip
        left = kit.column(kit.spacer(), text, box, kit.spacer(), gap=24)
        pad = key_rows(kit, ("123", "456", "789", "0"), self.app.type_pin, prefix="pin")
        return kit.row(left, pad, gap=60, padding=(60, 24))

    def footer(self, view: Any) -> list[Widget]:
        """Return cancel and sign in."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        return [
            kit.button("pin.cancel", _("Cancel"), app.close_pin),
            kit.spacer(),
            kit.button(
                "pin.ok", _("Log in"), app.submit_pin if view.digits else None, style="primary",
                once=True,
            ),
        ]  # fmt: skip
