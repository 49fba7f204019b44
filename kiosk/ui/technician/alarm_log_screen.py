"""Screen of the last alarms."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.registry import AlarmLogPlace
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.alarm_log import AlarmLogView, AlarmRow
from kiosk.ui.theme import tone_colour


class AlarmLogScreen(StaffScreen):
    """What was, when, and what to do."""

    heading = N_("Last alarms")

    @property
    def _per_page(self) -> int:
        return 2 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 4

    def _pages(self, view: AlarmLogView) -> int:
        return max(1, -(-len(view.rows) // self._per_page))

    def has_footer(self, view: AlarmLogView) -> bool:
        """Return whether there are several pages."""
        return self._pages(view) > 1

    def body(self, view: AlarmLogView) -> Widget:
        """Return the alarms of one page."""
        kit, each = self.kit, self._per_page
        if view.text:
            text = kit.text(view.text, "heading", wid="alarms.text", align="center")
            return kit.column(kit.spacer(), text, kit.spacer(), padding=(60, 20))
        first = min(view.page, self._pages(view) - 1) * each
        rows = [self._row(n, row) for n, row in enumerate(view.rows[first:][:each], first + 1)]
        return kit.column(*kit.filled(rows, each), gap=14, padding=(40, 16))

    def _row(self, number: int, row: AlarmRow) -> Widget:
        kit = self.kit
        colour = tone_colour(row.tone, "text")
        return kit.card(
            kit.fitted_text(
                row.sentence, "body", wid=f"alarm.{number}", colour=colour, weight="semibold"
            ),
            kit.fitted_text(row.time, "small", colour="quiet", lines=1, size_hint_y=0.6),
            kit.fitted_text(row.remedy, "body"),
            padding=(24, 8),
            gap=2,
        )

    def footer(self, view: AlarmLogView) -> list[Widget]:
        """Return the pages."""
        kit, pages = self.kit, self._pages(view)
        page = min(view.page, pages - 1)
        return [kit.spacer(), *kit.pager("alarms", page, pages, self._show)]

    def _show(self, page: int) -> None:
        self.app.secretary.show(AlarmLogPlace(page))
