"""A sign, visible across the room, that calls the secretary."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.visitor_screen import VisitorScreen


class SecretaryCallScreen(VisitorScreen):
    """A sign, visible across the room, that calls the secretary."""

    def title(self, _view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Call the secretary"), ""

    def body(self, _view: Any) -> Widget:
        """Return the sign."""
        kit, _ = self.kit, self.kit.translate.gettext
        text = _(
            "Please wait here. The secretary sees this sign, and a message when signing in. "
            "No sound is made."
        )
        words = kit.column(
            kit.fitted_text(_("Help is needed here"), "display", weight="semibold",
                            valign="bottom", colour="caution"),
            self.paragraph(text, "called.text"),
        )  # fmt: skip
        icon = kit.centred(kit.icon("bell-ring-outline", 200, "caution"), size_hint_x=0.4)
        card = kit.card(icon, words, tone="caution", orientation="horizontal", gap=20, padding=40)
        return kit.column(card, padding=(60, 40))

    def footer(self, _view: Any) -> list[Widget]:
        """Return the button for: help is no longer needed."""
        _ = self.kit.translate.gettext
        done = self.primary("called.done", _("Go on"), self.visit.end_call, arrow=False)
        return [*self.aids(), self.kit.spacer(), done]
