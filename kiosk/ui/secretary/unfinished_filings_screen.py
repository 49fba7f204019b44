"""Screen of unfinished filings and receipt reprints."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.registry import TodayPlace
from kiosk.ui.secretary.unfinished_filings import UnfinishedFilingRow, UnfinishedFilingsView
from kiosk.ui.staff.staff_screen import StaffScreen

MAX_ROWS = 3


class UnfinishedFilingsScreen(StaffScreen):
    """Draws :class:`UnfinishedFilingsView`."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Visitors' documents"), ""

    def body(self, view: UnfinishedFilingsView) -> Widget:
        """Return the sentence, the filings, and the state of a receipt reprint."""
        kit = self.kit
        text = kit.fitted_text(
            view.text, "heading", wid="leftovers.text", weight="semibold", lines=3
        )
        rows = [self._row(n + 1, row) for n, row in enumerate(view.rows[:MAX_ROWS])]
        colour = {"good": "good", "caution": "caution"}.get(view.receipt_tone, "quiet")
        receipt_text = kit.fitted_text(
            view.receipt_text, "body", wid="leftovers.told", colour=colour, lines=3
        )
        line = kit.row(kit.icon("printer-outline", 36, colour), receipt_text, gap=16)
        return kit.column(
            text, *rows, *(kit.spacer() for _n in range(MAX_ROWS - len(rows))), line,
            gap=14, padding=(40, 20),
        )  # fmt: skip

    def _row(self, number: int, row: UnfinishedFilingRow) -> Widget:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        tap = (lambda: app.spawn(app.recover_filing(row.filing_id))) if row.can_open else None
        words = kit.column(
            kit.fitted_text(row.text, "heading", weight="semibold", lines=1),
            kit.fitted_text(row.pages, "body", colour="quiet", lines=1),
        )
        card = kit.card(
            words,
            kit.button(
                f"leftovers.delete.{number}",
                _("Delete"),
                lambda: app.unfinished_filings.ask_delete(row.filing_id),
                icon="trash-can-outline",
                style="danger",
            ),
            kit.button(
                f"leftovers.open.{number}",
                _("Open for the visitor"),
                tap,
                style="primary",
                once=True,
            ),
            orientation="horizontal",
            padding=(24, 8),
            gap=14,
        )
        card.spacing = kit.theme.gap
        return card

    def footer(self, view: UnfinishedFilingsView) -> list[Widget]:
        """Return the way back, or the question whether to delete."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        if view.to_delete:
            return [
                kit.fitted_text(
                    _("Delete this document? It cannot be taken back."),
                    "body",
                    wid="leftovers.asks",
                    weight="semibold",
                ),
                kit.button(
                    "leftovers.keep",
                    _("Keep it"),
                    lambda: app.unfinished_filings.ask_delete(""),
                    style="primary",
                ),
                kit.button(
                    "leftovers.wipe",
                    _("Delete"),
                    app.unfinished_filings.delete,
                    icon="trash-can-outline",
                    style="danger",
                    once=True,
                ),
            ]
        return [
            kit.button("back", _("Back"), lambda: app.secretary.show(TodayPlace())),
            kit.spacer(),
        ]
