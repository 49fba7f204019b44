"""Screens for an ad-hoc hearing and for the date when the clock is unset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.registry import AdHocPlace
from kiosk.ui.staff.staff_screen import StaffScreen
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
