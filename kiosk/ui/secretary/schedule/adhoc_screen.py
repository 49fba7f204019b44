"""Screen for a hearing that is not on the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.registry import AdHocPlace
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.widgets.keyboard import CASE_NUMBER_ROWS, key_rows


class AdhocScreen(StaffScreen):
    """A hearing that is not on the list: case kind and number; both may stay as they are."""

    heading = N_("Hearing not on the list")

    def body(self, view: AdHocPlace) -> Widget:
        """Return kinds and keys."""
        kit, _, labels = self.kit, self.kit.translate.gettext, self.app.labels
        kinds = [
            kit.button(
                f"kind.{kind}",
                labels.kind_title(kind),
                self._choose(kind),
                style="chosen" if kind == view.kind else "plain",
                icon="check" if kind == view.kind else "",
                fill=True,
                left=True,
            )
            for kind in labels.kinds()
        ]
        left = kit.column(kit.text(_("Case kind"), "body", colour="quiet"), *kinds, gap=12)
        if view.typed:
            typed = kit.fitted_text(
                view.typed, "title", wid="adhoc.number", weight="tabular", lines=1
            )
        else:
            hint = _("may be added later")
            typed = kit.fitted_text(hint, "body", wid="adhoc.number", colour="quiet", lines=1)
        right = kit.column(
            kit.text(_("Case number"), "body", colour="quiet"),
            kit.card(typed, padding=(20, 6), height=kit.px(90)),
            key_rows(kit, CASE_NUMBER_ROWS, self.app.secretary.type_case_number),
            gap=12,
        )
        columns = kit.column(left, size_hint_x=0.4), kit.column(right)
        return kit.row(*columns, gap=28, padding=(28, 20))

    def _choose(self, kind: str) -> Callable[[], None]:
        return lambda: self.app.secretary.choose_kind(kind)

    def footer(self, _view: Any) -> list[Widget]:
        """Return back and start."""
        kit, app = self.kit, self.app
        start = kit.button(
            "adhoc.start",
            kit.translate.gettext("Start hearing"),
            lambda: app.spawn(app.secretary.start_adhoc_hearing()),
            icon="radiobox-marked",
            style="primary",
            kind="lead",
            once=True,
            max_width=520,
        )
        return [self.back_button(), kit.spacer(), start]
