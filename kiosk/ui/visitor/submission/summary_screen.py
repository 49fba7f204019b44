"""The summary of everything that goes to the court; a touch on a line changes it."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.visitor.submission.summary import SummaryLine, SummaryView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.widgets.touchable import Tap

MAX_LINES_IN_ONE_COLUMN = 5


class SummaryScreen(FilingScreen):
    """The summary of everything that goes to the court; a touch on a line changes it."""

    step = 4

    def body(self, view: SummaryView) -> Widget:
        """Return the lines of the summary."""
        kit, _ = self.kit, self.kit.translate.gettext
        lines = [self._line(n, line) for n, line in enumerate(view.rows)]
        if kit.theme.compact:
            return kit.column(*self._in_pairs(lines, 12), gap=12, padding=(20, 10))
        if len(lines) > MAX_LINES_IN_ONE_COLUMN:
            lines = self._in_pairs(lines, 15)
        title = kit.fitted_text(view.title, "title", weight="semibold", lines=1,
                                size_hint_y=None, height=kit.px(56))  # fmt: skip
        note = kit.fitted_text(_("The court gets the scan. Keep the paper original."), "body",
                               colour="quiet", size_hint_y=None, height=kit.px(40))  # fmt: skip
        return kit.column(title, *lines, note, gap=15, padding=(48, 12))

    def _in_pairs(self, lines: list[Widget], gap: int) -> list[Widget]:
        cells = self.kit.filled(lines, len(lines) + len(lines) % 2)
        return list(self.kit.grid(cells, 2, gap))

    def _line(self, number: int, line: SummaryLine) -> Widget:
        kit = self.kit
        colour = "caution" if line.tone == "caution" else "text"
        wid = f"confirm.{line.target}" if number < 4 else f"confirm.{line.target}.{number}"
        arrow = kit.icon("chevron-right", 30, "quiet")
        return kit.touchable_card(
            wid,
            f"{line.label}: {line.text}",
            self._target(line.target),
            kit.fitted_text(line.label, "body", colour="quiet", size_hint_x=0.5),
            kit.fitted_text(line.text, "lead", wid=f"confirm.text.{number}", colour=colour,
                            weight="medium", ellipsis=True),
            kit.centred(arrow, size_hint_x=None, width=kit.px(36)),
            orientation="horizontal",
            padding=(22, 4),
            gap=14,
        )  # fmt: skip

    def _target(self, target: str) -> Tap:
        """Return what opens the screen that a line comes from."""
        visit = self.visit
        targets: dict[str, Tap] = {
            "type": visit.start_filing,
            "case": visit.case.ask,
            "who": visit.applicant.ask,
            "slots": visit.documents.show,
            "originals": visit.documents.ask_originals,
            "fee": visit.fee.ask,
        }
        return targets[target]

    def footer(self, _view: SummaryView) -> list[Widget]:
        """Return back, later and hand in."""
        kit, submit = self.kit, self.spawning(self.visit.submit)
        return [
            self.back(self.visit.documents.show),
            *self.aids(),
            *self.park_button(),
            kit.spacer(),
            kit.button("pages.submit", kit.translate.gettext("Submit"), submit, icon="check",
                       style="primary", kind="heading", once=True, max_width=520),
        ]  # fmt: skip
