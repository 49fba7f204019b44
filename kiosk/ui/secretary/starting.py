"""A hearing that is not on the list, and the date where no clock knows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.places import AdHoc, AskingDate
from kiosk.ui.staff_page import StaffPage
from kiosk.ui.widgets.keyboard import CASE_NUMBER_ROWS, key_rows
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.words import date_text, turned


class AdHocPage(StaffPage):
    """A hearing that is not on the list: case kind and number; both may stay as they are."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.adhoc", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Hearing not on the list"), ""

    def body(self, view: AdHoc) -> Widget:
        """Return kinds and keys."""
        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        kinds = [
            kit.button(
                f"kind.{kind}", self.desk.labels.kind_title(kind), self._choose(kind),
                style="chosen" if kind == view.kind else "plain", wide=True, height=-1, left=True,
                icon="check" if kind == view.kind else "",
            )
            for kind in self.desk.labels.kinds()
        ]  # fmt: skip
        left = kit.column(kit.text(_("Case kind"), "body", colour="quiet"), *kinds, gap=12)
        typed = kit.fit(
            view.typed or _("may be added later"), "title" if view.typed else "body",
            wid="adhoc.number", weight="tabular" if view.typed else "regular",
            colour="text" if view.typed else "quiet", lines=1,
        )  # fmt: skip
        box = kit.card(typed, padding=(20, 6), size_hint_y=None, height=kit.px(90))
        right = kit.column(
            kit.text(_("Case number"), "body", colour="quiet"),
            box,
            key_rows(kit, CASE_NUMBER_ROWS, office.type_key),
            gap=12,
        )
        return kit.row(
            kit.column(left, size_hint_x=0.4), kit.column(right), gap=28, padding=(28, 20)
        )

    def _choose(self, kind: str) -> Callable[[], None]:
        return lambda: self.desk.office.choose_kind(kind)

    def foot(self, _view: Any) -> list[Widget]:
        """Return back and start."""
        from kiosk.ui.places import Today

        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("back", _("Back"), lambda: desk.office.go(Today())),
            kit.space(),
            kit.button(
                "adhoc.start", _("Start hearing"), lambda: desk.do(desk.office.start_adhoc()),
                icon="radiobox-marked", style="primary", kind="lead", once=True, most=520,
            ),
        ]  # fmt: skip


class DatePage(StaffPage):
    """No list and no clock: the date is asked."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.date", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Date"), ""

    def body(self, view: AskingDate) -> Widget:
        """Return the question and three dials."""
        kit, _ = self.kit, self.kit.say.gettext
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
            date_text(view.day, kit.say), "heading", wid="date.value", align="center",
            weight="semibold",
        )  # fmt: skip
        return kit.column(question, dials, words, gap=20, padding=(60, 24))

    def _dial(self, part: str, label: str, value: str, day: date, step: timedelta | None) -> Widget:
        kit, office = self.kit, self.desk.office

        def turn(by: int) -> Callable[[], None]:
            return lambda: office.go(AskingDate(turned(day, part, by)))

        del step
        return kit.column(
            kit.text(label, "body", colour="quiet", align="center"),
            kit.button(f"date.{part}.up", "", turn(1), icon="chevron-up", wide=True),
            kit.card(
                kit.fit(value, "display", weight="tabular", align="center", lines=1), padding=8
            ),
            kit.button(f"date.{part}.down", "", turn(-1), icon="chevron-down", wide=True),
            gap=12,
        )

    def foot(self, view: AskingDate) -> list[Widget]:
        """Return back and go on."""
        from kiosk.ui.places import Today

        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        return [
            kit.button("back", _("Back"), lambda: office.go(Today())),
            kit.space(),
            kit.button("date.ok", _("Next"), lambda: office.set_day(view.day), style="primary"),
        ]
