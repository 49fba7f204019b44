"""Self-test screen: all checks on the left, the current one on the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

import kiosk
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SelfTestPlace
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.self_test import CheckRow, CurrentCheck, SelfTestView
from kiosk.ui.theme import Kind, tone_colour
from kiosk.ui.widgets.fonts import Weight
from kiosk.ui.widgets.indicators import Meters
from kiosk.ui.widgets.widget_kit import Style, WidgetKit


class SelfTestScreen(StaffScreen):
    """The list of checks, and one of them large: running, asking, or its result."""

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._meters = Meters(kit)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title, which kiosk, which version."""
        kiosk_id = self.app.settings.kiosk.id
        return self.kit.translate.gettext("Self-test"), f"{kiosk_id} · {kiosk.__version__}"

    def body(self, view: SelfTestView) -> Widget:
        """Return the list and the check shown large."""
        kit = self.kit
        rows: list[Widget] = [self._row(row) for row in view.rows]
        if kit.theme.compact:
            return self._compact_body(view, rows)
        left = kit.column(*kit.grid(rows, 2, gap=14), gap=8, size_hint_x=0.95)
        return kit.row(left, self._current_card(view.current_check), gap=24, padding=(28, 12))

    def _compact_body(self, view: SelfTestView, rows: list[Widget]) -> Widget:
        """Return, for a small screen, the check that runs or was picked, else all of them."""
        kit, secretary = self.kit, self.app.secretary
        picked = getattr(secretary.place, "chosen", None)
        if picked or view.current_check.question or view.is_running:
            back = kit.button(
                "tech.list", "", lambda: secretary.show(SelfTestPlace()), icon="arrow-left"
            )
            side = kit.column(back, kit.spacer(), width=back.width)
            return kit.row(side, self._current_card(view.current_check), gap=14, padding=(20, 12))
        cells = kit.filled(rows, -(-len(rows) // 4) * 4)
        return kit.column(*kit.grid(cells, 4, gap=12), gap=12, padding=(20, 12))

    def _row(self, row: CheckRow) -> Widget:
        kit, compact = self.kit, self.kit.theme.compact
        weight: Weight = "semibold" if row.chosen else "medium"
        name = kit.fitted_text(row.name, "body", lines=2, weight=weight)
        status = row.status.partition(" · ")[0] if compact else row.status
        pill = kit.pill(status, row.tone, max_width=180 if compact else 190)
        return kit.touchable_card(
            f"tech.check.{row.check}",
            f"{row.name}: {row.status}",
            self._choose(row.check),
            name,
            kit.row(pill, kit.spacer(), height=pill.height),
            padding=(18, 4),
            chosen=row.chosen,
            gap=2,
        )

    def _choose(self, check: str) -> Callable[[], None]:
        return lambda: self.app.secretary.show(SelfTestPlace(check))

    def _current_card(self, check: CurrentCheck) -> Widget:
        kit = self.kit
        title = kit.fitted_text(
            check.title, "title", wid="tech.now", weight="semibold", lines=1, size_hint_y=0.3
        )
        pill = kit.pill(check.status, check.tone, max_width=520)
        status = kit.row(pill, kit.spacer(), size_hint_y=0.25)
        padding = 18 if kit.theme.compact else 30
        self._meters.clear()
        if check.question:
            return kit.card(title, status, *self._question(check), gap=14, padding=padding)
        parts: list[Widget] = [kit.spacer()]
        if check.lines:
            kind: Kind = "lead" if len(check.lines) < 5 else "body"
            text = "\n".join(check.lines)
            parts = [kit.fitted_text(text, kind, wid="tech.lines", valign="top")]
        height = round(kit.theme.font("body") * 1.25)
        for name, label in check.levels:
            words = kit.fitted_text(label, "body", lines=1, height=height)
            parts.append(kit.natural_column(words, self._meters.add(name, 22), gap=2))
        return kit.card(title, status, *parts, gap=12, padding=padding)

    def _question(self, check: CurrentCheck) -> list[Widget]:
        """Return the question, and the answers where a tap answers it."""
        kit, _, self_test = self.kit, self.kit.translate.gettext, self.app.self_test
        text = kit.fitted_text(
            check.question, "choice", wid="tech.question", weight="semibold", valign="top"
        )
        if not check.can_answer:
            return [text]
        answers = (
            kit.button("tech.no", _("No"), lambda: self_test.answer(False), wide=True,
                       kind="heading", once=True, height=96),
            kit.button("tech.yes", _("Yes"), lambda: self_test.answer(True), wide=True,
                       kind="heading", style="primary", once=True, height=96),
        )  # fmt: skip
        return [text, kit.row(*answers, gap=24, height=max(kit.px(96), kit.theme.target))]

    def update(self, view: SelfTestView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        super().update(view, chrome)
        self.live()

    def live(self) -> None:
        """Draw the levels."""
        self._meters.show(self.app.audio_levels)

    def footer(self, view: SelfTestView) -> list[Widget]:
        """Return what became of the report, the button that saves it again, and the main one."""
        kit, app, _ = self.kit, self.app, self.kit.translate.gettext
        run = None if view.is_running else lambda: app.spawn(app.self_test.run())
        wid, text = ("tech.report", view.report) if view.report else ("tech.summary", view.summary)
        style: Style = "plain" if view.can_save_again else "primary"
        start = kit.button(
            "tech.run_all", _("Test everything"), run, icon="play",
            style=style, kind="lead", max_width=460,
        )  # fmt: skip
        colour = tone_colour(view.report_tone, "quiet")
        words = kit.fitted_text(text, "body", wid=wid, colour=colour)
        if not view.can_save_again:
            return [words, start]
        save = kit.button(
            "tech.save_again", _("Save again"), lambda: app.spawn(app.self_test.save_again()),
            style="primary", kind="lead", max_width=360, once=True,
        )  # fmt: skip
        return [words, save, start]
