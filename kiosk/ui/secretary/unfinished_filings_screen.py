"""Screen of unfinished filings and receipt reprints."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.secretary.unfinished_filings import UnfinishedFilingRow, UnfinishedFilingsView
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import tone_colour

MAX_ROWS = 3


class UnfinishedFilingsScreen(StaffScreen):
    """Unfinished filings to open or delete, and the state of a receipt's reprint."""

    heading = N_("Visitors' documents")

    def body(self, view: UnfinishedFilingsView) -> Widget:
        """Return the sentence, the filings, and the state of a receipt reprint."""
        kit = self.kit
        text = kit.fitted_text(
            view.text, "heading", wid="leftovers.text", weight="semibold", lines=3
        )
        rows = [self._row(n, row) for n, row in enumerate(view.rows[:MAX_ROWS], 1)]
        colour = tone_colour(view.receipt_tone, "quiet")
        receipt_text = kit.fitted_text(
            view.receipt_text, "body", wid="leftovers.told", colour=colour, lines=3
        )
        line = kit.row(kit.icon("printer-outline", 36, colour), receipt_text, gap=16)
        return kit.column(text, *kit.filled(rows, MAX_ROWS), line, gap=14, padding=(40, 20))

    def _row(self, number: int, row: UnfinishedFilingRow) -> Widget:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        actions = app.unfinished_filings
        tap = (lambda: app.spawn(app.recover_filing(row.filing_id))) if row.can_open else None
        words = kit.column(
            kit.fitted_text(row.text, "heading", weight="semibold", lines=1),
            kit.fitted_text(row.pages, "body", colour="quiet", lines=1),
        )
        buttons = (
            kit.button(f"leftovers.delete.{number}", _("Delete"),
                       lambda: actions.ask_delete(row.filing_id), icon="trash-can-outline",
                       style="danger"),
            kit.button(f"leftovers.open.{number}", _("Open for the visitor"), tap, style="primary",
                       once=True),
        )  # fmt: skip
        return kit.card(words, *buttons, orientation="horizontal", gap="touch", padding=(24, 8))

    def footer(self, view: UnfinishedFilingsView) -> list[Widget]:
        """Return the way back, or the question whether to delete."""
        kit, _, actions = self.kit, self.kit.translate.gettext, self.app.unfinished_filings
        if not view.to_delete:
            return [self.back_button(), kit.spacer()]
        text = _("Delete this document? It cannot be taken back.")
        return [
            kit.fitted_text(text, "body", wid="leftovers.asks", weight="semibold"),
            kit.button("leftovers.keep", _("Keep it"), lambda: actions.ask_delete(""),
                       style="primary"),
            kit.button("leftovers.wipe", _("Delete"), actions.delete, icon="trash-can-outline",
                       style="danger", once=True),
        ]  # fmt: skip
