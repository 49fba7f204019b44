"""Today's hearings."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.theme import Tone
from kiosk.ui.visitor.entry.hearings import HearingsView, ListedHearing
from kiosk.ui.visitor.visitor_screen import VisitorScreen


class HearingsScreen(VisitorScreen):
    """Today's hearings; of hidden ones only the time."""

    def title(self, _view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Today's hearings"), ""

    @property
    def _rows_per_page(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 5

    def body(self, view: HearingsView) -> Widget:
        """Return the rows of one page."""
        kit, each = self.kit, self._rows_per_page
        first = view.page * each
        rows = [self._row(first + n, row) for n, row in enumerate(view.rows[first:][:each], 1)]
        if view.empty:
            text = kit.text(view.empty, "title", align="center")
            return kit.column(kit.spacer(), text, kit.spacer(), gap=12, padding=(60, 20))
        return kit.column(*kit.filled(rows, each), gap=12, padding=(60, 20))

    def _row(self, number: int, row: ListedHearing) -> Widget:
        kit, wid = self.kit, f"hearing.{number}"
        share = 0.16 if kit.theme.text_size < 3 else 0.2  # the pill beside it is wider
        time = kit.fitted_text(
            row.time or "–", "choice", weight="tabular", lines=1, size_hint_x=share
        )
        name = row.case_number or kit.translate.gettext("Number not shown")
        words: list[Widget] = [
            kit.fitted_text(name, "heading", wid=wid, weight="semibold", lines=1)
        ]
        if row.title:
            words.append(kit.fitted_text(row.title, "body", colour="quiet", lines=1, ellipsis=True))
        tone: Tone = "dark" if row.closed else "accent"
        pill = kit.pill(row.publicity, tone, "lock" if row.closed else "", max_width=260)
        return kit.card(
            time, kit.column(*words), pill, orientation="horizontal", padding=(26, 8), gap=16
        )

    def footer(self, view: HearingsView) -> list[Widget]:
        """Return back, the age of the list and its pages."""
        pages = max(1, -(-len(view.rows) // self._rows_per_page))
        return [
            self.back(self.visit.leave_or_ask),
            *self.aids(),
            self.kit.fitted_text(view.age, "small", colour="quiet", align="right"),
            *(
                self.kit.pager("hearing", view.page, pages, self.visit.show_hearings)
                if pages > 1
                else ()
            ),
        ]
