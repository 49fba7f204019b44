"""Warns that the screen is wiped soon, because nobody has touched it."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.entry.idle_warning import IdleWarningView
from kiosk.ui.visitor.visitor_screen import VisitorScreen


class IdleWarningScreen(VisitorScreen):
    """Warns that the screen is wiped soon; counts down."""

    has_home_button = False

    def title(self, view: IdleWarningView) -> tuple[str, str]:
        """Return the title."""
        return view.title, ""

    def body(self, view: IdleWarningView) -> Widget:
        """Return the seconds that are left."""
        kit, _ = self.kit, self.kit.translate.gettext
        number = kit.fitted_text(str(view.seconds), "display", wid="idle.seconds",
                                 weight="tabular", align="center", factor=1.6)  # fmt: skip
        card = kit.card(number, tone="caution", size_hint_x=0.32)
        text = _("Otherwise everything you have entered and scanned is deleted.")
        words = kit.column(self.headline(view.title), self.paragraph(text), gap=14)
        return kit.row(card, words, gap=48, padding=(60, 60))

    def footer_key(self, _view: Any) -> Any:
        """Return nothing: the footer does not count."""
        return None

    def footer(self, _view: Any) -> list[Widget]:
        """Return the one large button, and the other way."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        here = self.primary("idle.here", _("I am still here"), app.record_touch, arrow=False,
                            kind="heading", max_width=620)  # fmt: skip
        finish = kit.button("idle.finish", _("Delete and finish"), app.finish_visit)
        return [finish, kit.spacer(), here]
