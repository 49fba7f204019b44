"""Screens for an ad-hoc hearing and for the date when the clock is unset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.formatting import date_text, shift_date
from kiosk.ui.registry import AdHocPlace, DatePlace
from kiosk.ui.staff_screen import StaffScreen
from kiosk.ui.widgets.keyboard import CASE_NUMBER_ROWS, key_rows


class AdHocScreen(StaffScreen):
    """A hearing that is not on the list: case kind and number; both may stay as they are."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Hearing not on the list"), ""

    def body(self, view: AdHocPlace) -> Widget:
        """Return kinds and keys."""
        kit, _, secretary = self.kit, self.kit.translate.gettext, self.app.secretary
        kinds = [
            kit.button(
                f"kind.{kind}", self.app.labels.kind_title(kind), self._choose(kind),
                style="chosen" if kind == view.kind else "plain", wide=True, height=-1, left=True,
                icon="check" if kind == view.kind else "",
            )
            for kind in self.app.labels.kinds()
        ]  # fmt: skip
        left = kit.column(kit.text(_("Case kind"), "body", colour="quiet"), *kinds, gap=12)
        typed = kit.fitted_text(
            view.typed or _("may be added later"), "title" if view.typed else "body",
            wid="adhoc.number", weight="tabular" if view.typed else "regular",
            colour="text" if view.typed else "quiet", lines=1,
        )  # fmt: skip
        box = kit.card(typed, padding=(20, 6), size_hint_y=None, height=kit.px(90))
        right = kit.column(
            kit.text(_("Case number"), "body", colour="quiet"),
            box,
            key_rows(kit, CASE_NUMBER_ROWS, secretary.type_case_number),
            gap=12,
        )
        return kit.row(
            kit.column(left, size_hint_x=0.4), kit.column(right), gap=28, padding=(28, 20)
        )

    def _choose(self, kind: str) -> Callable[[], None]:
        return lambda: self.app.secretary.choose_kind(kind)

    def footer(self, _view: Any) -> list[Widget]:
        """Return back and start."""
        from kiosk.ui.registry import TodayPlace

        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        return [
            kit.button("back", _("Back"), lambda: app.secretary.show(TodayPlace())),
            kit.spacer(),
            kit.button(
                "adhoc.start",
                _("Start hearing"),
                lambda: app.spawn(app.secretary.start_adhoc_hearing()),
                icon="radiobox-marked",
                style="primary",
                kind="lead",
                once=True,
                max_width=520,
            ),
        ]


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
