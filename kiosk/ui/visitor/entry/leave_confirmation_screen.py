"""Asks whether to leave, because scanned pages would be lost."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.entry.leave_confirmation import LeaveConfirmationView
from kiosk.ui.visitor.visitor_screen import VisitorScreen


class LeaveConfirmationScreen(VisitorScreen):
    """Asks whether to leave; the question itself is the way home."""

    has_home_button = False

    def title(self, _view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Hand in documents"), ""

    def body(self, view: LeaveConfirmationView) -> Widget:
        """Return the consequence first."""
        words = (self.headline(view.consequence, "leave.text"), self.paragraph(view.text))
        card = self.picture_card("trash-can-outline")
        return self.kit.row(card, self.kit.column(*words, gap=14), gap=48, padding=(60, 60))

    def footer(self, _view: Any) -> list[Widget]:
        """Return both ways; staying is the safe one."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.visit
        text = _("Delete and leave")
        return [
            kit.button("leave.yes", text, visit.leave, style="danger", max_width=460),
            kit.spacer(),
            self.primary("leave.no", _("Go on"), visit.cancel_leaving, arrow=False),
        ]
