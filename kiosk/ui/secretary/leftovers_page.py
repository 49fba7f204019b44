"""The screen of unfinished documents and of receipts that are printed again."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.places import Today
from kiosk.ui.secretary.leftovers import LeftoverRow, LeftoversView
from kiosk.ui.staff_page import StaffPage
from kiosk.ui.widgets.kit import Kit

AT_ONCE = 3


class LeftoversPage(StaffPage):
    """Draws :class:`LeftoversView`."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.leftovers", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Visitors' documents"), ""

    def body(self, view: LeftoversView) -> Widget:
        """Return the sentence, the documents, and what became of a receipt."""
        kit = self.kit
        text = kit.fit(view.text, "heading", wid="leftovers.text", weight="semibold", lines=3)
        rows = [self._row(n + 1, row) for n, row in enumerate(view.rows[:AT_ONCE])]
        colour = {"good": "good", "caution": "caution"}.get(view.told_tone, "quiet")
        told = kit.fit(view.told, "body", wid="leftovers.told", colour=colour, lines=3)
        line = kit.row(kit.icon("printer-outline", 36, colour), told, gap=16)
        return kit.column(
            text, *rows, *(kit.space() for _n in range(AT_ONCE - len(rows))), line,
            gap=14, padding=(40, 20),
        )  # fmt: skip

    def _row(self, number: int, row: LeftoverRow) -> Widget:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        tap = (lambda: desk.do(desk.recover(row.filing_id))) if row.can_open else None
        words = kit.column(
            kit.fit(row.text, "heading", weight="semibold", lines=1),
            kit.fit(row.pages, "body", colour="quiet", lines=1),
        )
        card = kit.card(
            words,
            kit.button(f"leftovers.delete.{number}", _("Delete"),
                       lambda: desk.leftovers.ask(row.filing_id), icon="trash-can-outline",
                       style="danger"),
            kit.button(f"leftovers.open.{number}", _("Open for the visitor"), tap,
                       style="primary", once=True),
            orientation="horizontal", padding=(24, 8), gap=14,
        )  # fmt: skip
        card.spacing = kit.theme.gap
        return card

    def foot(self, view: LeftoversView) -> list[Widget]:
        """Return the way back, or the question whether to delete."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        if view.asks:
            return [
                kit.fit(_("Delete this document? It cannot be taken back."), "body",
                        wid="leftovers.asks", weight="semibold"),
                kit.button("leftovers.keep", _("Keep it"), lambda: desk.leftovers.ask(""),
                           style="primary"),
                kit.button("leftovers.wipe", _("Delete"), desk.leftovers.wipe,
                           icon="trash-can-outline", style="danger", once=True),
            ]  # fmt: skip
        return [kit.button("back", _("Back"), lambda: desk.office.go(Today())), kit.space()]
