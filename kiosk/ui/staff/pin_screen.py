"""The PIN pad."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.staff.pin import PinView
from kiosk.ui.staff.sign_in_screen import SignInScreen
from kiosk.ui.widgets.keyboard import key_rows


class PinScreen(SignInScreen):
    """The PIN pad of the person who was chosen; digits are shown as dots."""

    def body(self, view: PinView) -> Widget:
        """Return name, sentence, dots and pad."""
        kit = self.kit
        typed = kit.fitted_text(
            "•" * view.digits or " ", "title", wid="pin.typed", weight="semibold", align="center"
        )
        box = kit.card(typed, padding=6, height=kit.px(84))
        name = kit.fitted_text(
            view.name, "title", wid="pin.name", weight="semibold", lines=2, size_hint_y=9
        )
        colour = "fault" if view.is_wrong or view.wait_seconds else "text"
        text = kit.text(
            self._sentence(view), "heading", wid="pin.text", colour=colour, weight="medium"
        )
        left = kit.column(kit.spacer(), name, text, box, kit.spacer(), gap=14)
        pad = key_rows(kit, ("123", "456", "789", "0"), self.app.sign_in.type_digit, prefix="pin")
        return kit.row(left, pad, gap=40, padding=(40, 16))

    def _sentence(self, view: PinView) -> str:
        _ = self.kit.translate.gettext
        if view.wait_seconds:
            wait = _("Too many wrong PINs of this name. Wait {seconds} s, or use your badge.")
            return wait.format(seconds=view.wait_seconds)
        if view.is_wrong:
            return _("This PIN is not right. Try again or use your badge.")
        return _("Type your PIN, or hold your badge to the reader.")

    def footer(self, view: Any) -> list[Widget]:
        """Return cancel, the way back to the names, and sign in."""
        kit, _, sign_in = self.kit, self.kit.translate.gettext, self.app.sign_in
        submit = sign_in.submit if view.digits and not view.wait_seconds else None
        return [
            kit.button("pin.cancel", _("Cancel"), sign_in.close),
            kit.button("pin.back", _("Other name"), sign_in.open),
            kit.spacer(),
            kit.button("pin.ok", _("Log in"), submit, style="primary", once=True),
        ]
