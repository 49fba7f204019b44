"""Screen that asks for the date when there is neither list nor clock."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.formatting import date_text, shift_date
from kiosk.ui.registry import DatePlace
from kiosk.ui.staff.staff_screen import StaffScreen


class DateScreen(StaffScreen):
    """The date, set by three dials."""

    heading = N_("Date")

    def body(self, view: DatePlace) -> Widget:
        """Return the question, three dials, and the date in words."""
        kit, _, day = self.kit, self.kit.translate.gettext, view.day
        question = _("The kiosk does not know the date. Which day is it today?")
        words = date_text(day, kit.translate)
        dials = (
            self._dial("day", _("Day"), str(day.day), view),
            self._dial("month", _("Month"), f"{day.month:02d}", view),
            self._dial("year", _("Year"), str(day.year), view),
        )
        return kit.column(
            kit.text(question, "title", weight="semibold", wid="date.text"),
            kit.row(*dials, gap=28),
            kit.text(words, "heading", wid="date.value", align="center", weight="semibold"),
            gap=20,
            padding=(60, 24),
        )

    def _dial(self, unit: str, label: str, value: str, view: DatePlace) -> Widget:
        kit, secretary = self.kit, self.app.secretary

        def turn(by: int) -> Callable[[], None]:
            return lambda: secretary.show(DatePlace(shift_date(view.day, unit, by)))

        figure = kit.fitted_text(value, "display", weight="tabular", align="center", lines=1)
        return kit.column(
            kit.text(label, "body", colour="quiet", align="center"),
            kit.button(f"date.{unit}.up", "", turn(1), icon="chevron-up", wide=True),
            kit.card(figure, padding=8),
            kit.button(f"date.{unit}.down", "", turn(-1), icon="chevron-down", wide=True),
            gap=12,
        )

    def footer(self, view: DatePlace) -> list[Widget]:
        """Return back and next."""
        kit, secretary = self.kit, self.app.secretary
        following = kit.translate.gettext("Next")
        enter = kit.button(
            "date.ok", following, lambda: secretary.enter_date(view.day), style="primary"
        )
        return [self.back_button(), kit.spacer(), enter]
