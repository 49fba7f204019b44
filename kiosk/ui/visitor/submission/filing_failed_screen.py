"""Shown when the filing could not be stored: what to do."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.visitor.submission.filing_failed import FilingFailedView
from kiosk.ui.visitor.visitor_screen import FilingScreen


class FilingFailedScreen(FilingScreen):
    """Shown when the filing could not be stored: what to do."""

    step = 4

    def body(self, view: FilingFailedView) -> Widget:
        """Return consequence and remedy."""
        words = (
            self.headline(view.title, "refused.title"),
            self.paragraph(view.text, "refused.text"),
        )
        card = self.picture_card("alert-circle", 180, "fault")
        return self.kit.row(card, self.kit.column(*words, gap=14), gap=48, padding=(60, 60))

    def footer(self, view: FilingFailedView) -> list[Widget]:
        """Return again and call."""
        kit, text = self.kit, self.kit.translate.gettext("Try again")
        retry = self.spawning(self.visit.submit) if view.has_pages else self.visit.leave
        call = self.call_button("refused.call", style="primary", max_width=440)
        again = kit.button("refused.retry", text, retry, icon="restart", once=True)
        return [again, *self.aids(), kit.spacer(), call]
