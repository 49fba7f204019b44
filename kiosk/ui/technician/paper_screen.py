"""Screen of the receipt printer."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.paper import PaperView
from kiosk.ui.theme import tone_colour


class PaperScreen(StaffScreen):
    """The printer's state, its paper, and a test print."""

    heading = N_("Receipt printer")

    def body(self, view: PaperView) -> Widget:
        """Return the state, what to do, and what came of the print."""
        kit = self.kit
        parts: list[Widget] = [
            kit.fitted_text(
                view.text, "lead", wid="paper.text", colour=tone_colour(view.tone, "text")
            )
        ]
        if view.remedy:
            parts.append(kit.fitted_text(view.remedy, "body", wid="paper.remedy"))
        if view.result:
            parts.append(kit.fitted_text(view.result, "body", wid="paper.result", colour="quiet"))
        return kit.column(kit.card(*parts, gap=10), padding=(40, 24))

    def footer(self, view: PaperView) -> list[Widget]:
        """Return the test print."""
        kit, app = self.kit, self.app
        tap = (lambda: app.spawn(app.paper.print_test())) if view.can_print else None
        title = kit.translate.gettext("Print a test")
        print_it = kit.button("paper.print", title, tap, icon="printer-outline", style="primary")
        return [kit.spacer(), print_it]
