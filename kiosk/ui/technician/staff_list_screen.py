"""Screen of who may sign in here."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.registry import StaffListPlace
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.staff_list import StaffListView, StaffRow


class StaffListScreen(StaffScreen):
    """Names and roles; they are changed in the central system."""

    heading = N_("People")

    @property
    def _per_page(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 5

    def _pages(self, view: StaffListView) -> int:
        return max(1, -(-len(view.rows) // self._per_page))

    def has_footer(self, view: StaffListView) -> bool:
        """Return whether there are several pages."""
        return self._pages(view) > 1

    def body(self, view: StaffListView) -> Widget:
        """Return the sentence and the people of one page."""
        kit, each = self.kit, self._per_page
        colour = "caution" if view.is_wrong else "text"
        text = kit.fitted_text(view.text, "body", wid="people.text", colour=colour)
        first = min(view.page, self._pages(view) - 1) * each
        rows = [self._row(n, row) for n, row in enumerate(view.rows[first:][:each], first + 1)]
        return kit.column(text, *kit.filled(rows, each), gap=14, padding=(40, 16))

    def _row(self, number: int, row: StaffRow) -> Widget:
        kit = self.kit
        return kit.card(
            kit.fitted_text(row.name, "body", wid=f"people.{number}", weight="semibold", lines=1),
            kit.fitted_text(row.roles, "body", colour="quiet", align="right", lines=1),
            orientation="horizontal",
            padding=(24, 8),
            gap=16,
        )

    def footer(self, view: StaffListView) -> list[Widget]:
        """Return the pages."""
        kit, pages = self.kit, self._pages(view)
        page = min(view.page, pages - 1)
        return [kit.spacer(), *kit.pager("people", page, pages, self._show)]

    def _show(self, page: int) -> None:
        self.app.secretary.show(StaffListPlace(page))
