"""Screen that asks for the date when there is neither list nor clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.formatting import date_text, shift_date
from kiosk.ui.registry import DatePlace
from kiosk.ui.staff.staff_screen import StaffScreen


class DateScreen(StaffScreen):
    """No list and no clock: the date is asked."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Date"), ""

    def body(self, view: DatePlace) -> Widget:
        """Return the question and three dials."""
        kit, _ = self.kit, self.kit.translate.gettext
        question = kit.text(
            _("The kiosk does not know the date. Which day is it today?"),
            "title", weight="semibold", wid="date.text",
        )  # fmt: skip
        dials = kit.row(
            self._dial("day", _("Day"), str(view.day.day), view.day, timedelta(days=1)),
            self._dial("month", _("Month"), f"{view.day.month:02d}", view.day, None),
            self._dial("year", _("Year"), str(view.day.year), view.day, None),
            gap=28,
        )
        words = kit.text(
            date_text(view.day, kit.translate), "heading", wid="date.value", align="center",
            weight="semibold",
        )  # fmt: skip
        return kit.column(question, dials, words, gap=20, padding=(60, 24))

    def _dial(self, part: str, label: str, value: str, day: date, step: timedelta | None) -> Widget:
        kit, secretary = self.kit, self.app.secretary

        def turn(by: int) -> Callable[[], None]:
            return lambda: secretary.show(DatePlace(shift_date(day, part, by)))

        del step
        return kit.column(
            kit.text(label, "body", colour="quiet", align="center"),
            kit.button(f"date.{part}.up", "", turn(1), icon="chevron-up", wide=True),
            kit.card(
                kit.fitted_text(value, "display", weight="tabular", align="center", lines=1),
                padding=8,
            ),
            kit.button(f"date.{part}.down", "", turn(-1), icon="chevron-down", wide=True),
            gap=12,
        )

    def footer(self, view: DatePlace) -> list[Widget]:
        """Return back and go on."""
        from kiosk.ui.registry import TodayPlace

        kit, _, secretary = self.kit, self.kit.translate.gettext, self.app.secretary
        return [
            kit.button("back", _("Back"), lambda: secretary.show(TodayPlace())),
            kit.spacer(),
            kit.button(
                "date.ok", _("Next"), lambda: secretary.enter_date(view.day), style="primary"
            ),
        ]
