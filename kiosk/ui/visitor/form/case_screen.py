"""Whether a case exists already or the filing starts one; one tap either way."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.case import CaseView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.widgets.widget_kit import Style


class CaseScreen(FilingScreen):
    """Whether a case exists already or the filing starts one; one tap either way."""

    step = 1

    def body(self, view: CaseView) -> Widget:
        """Return the new case's kinds at the left, the existing case at the right."""
        kit, _ = self.kit, self.kit.translate.gettext
        style: Style = "primary" if len(view.kinds) == 1 else "plain"
        kinds = [
            kit.button(f"case.new.{kind}", label, partial(self.visit.case.start_new, kind),
                       wide=True, height=-1, kind="option", style=style, pad=20,
                       icon="file-plus-outline", left=True)
            for kind, label in view.kinds
        ]  # fmt: skip
        new = self.paragraph(_("No, a new one:"), valign="middle", lines=1, size_hint_y=0.5)
        columns = kit.row(kit.column(new, *kinds, gap=14), self._existing(), gap=32)
        if kit.theme.compact:
            return kit.column(columns, padding=(24, 12))
        title = self.headline(view.title, valign="middle", lines=1, size_hint_y=0.22)
        return kit.column(title, columns, gap=16, padding=(60, 16, 60, 24))

    def _existing(self) -> Widget:
        """Return the two ways to name an existing case."""
        kit, _ = self.kit, self.kit.translate.gettext
        text, hint = _("Yes: type its number"), _("Or hold the code of your summons to the reader")
        options: dict[str, Any] = {"orientation": "horizontal", "padding": (24, 10), "gap": 20}
        number = kit.touchable_card(
            "case.number",
            text,
            self.visit.case.enter_number,
            kit.icon("keyboard-outline", 60, "accent"),
            kit.fitted_text(text, "option", weight="semibold"),
            **options,
        )
        code = kit.card(
            kit.icon("qrcode-scan", 60, "tint_text"),
            kit.fitted_text(hint, "body", colour="tint_text"),
            tone="accent",
            **options,
        )
        return kit.column(number, code, gap=14)

    def footer(self, _view: Any) -> list[Widget]:
        """Return back, aids, and leaving it out."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.visit
        skip = kit.button("case.skip", _("I do not know"), visit.case.skip,
                          icon_after="arrow-right", max_width=420)  # fmt: skip
        return [self.back(visit.step_back), *self.aids(), kit.spacer(), skip]
