"""The ticket of the parked filing, printed or on the screen."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.tracking.parked import ParkedView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.widgets.code_picture import CodePicture


class ParkedScreen(FilingScreen):
    """The ticket of the parked filing, printed or on the screen."""

    step = 3

    def body(self, view: ParkedView) -> Widget:
        """Return what to do with the ticket; its code where it could not be printed."""
        kit, _ = self.kit, self.kit.translate.gettext
        colour = view.printer_tone if view.printer_tone in ("good", "caution") else "quiet"
        text = _(
            "Hold the ticket to this kiosk's reader to go on. Nobody can open your papers "
            "without it."
        )
        words = kit.column(
            self.headline(view.title, "parked.title"),
            kit.fitted_text(view.until, "title", wid="parked.until", lines=1, size_hint_y=0.5),
            kit.fitted_text(text, "lead", colour="quiet", size_hint_y=0.8),
            kit.fitted_text(view.printer, "lead", wid="parked.printer", colour=colour,
                            size_hint_y=0.8),
            gap=12,
        )  # fmt: skip
        right = self.picture_card("ticket-outline", 180, "accent", 0.36)
        if view.shows_code:
            code = kit.fitted_text(view.code, "heading", wid="parked.code", weight="tabular",
                                   align="center")  # fmt: skip
            picture = CodePicture(view.reference, size_hint_y=1.6)
            right = kit.card(picture, code, gap=8, padding=16, size_hint_x=0.5)
        padding = (24, 12) if kit.theme.compact else (60, 30)
        return kit.row(words, right, gap=40, padding=padding)

    def footer_key(self, view: ParkedView) -> Any:
        """Return whether it can be printed, and the countdown."""
        return (view.can_print, self.app.wipe_seconds_left)

    def footer(self, view: ParkedView) -> list[Widget]:
        """Return print again, countdown, done."""
        done = self.kit.translate.gettext("Done")
        return [
            self.print_button("parked.print", self.visit.parking.print_ticket, view.can_print),
            *self.aids(),
            self.wipe_countdown("parked.wipe"),
            self.primary("parked.done", done, self.app.finish_visit, arrow=False),
        ]
