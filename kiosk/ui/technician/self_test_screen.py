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
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.indicators import Meter
from kiosk.ui.widgets.widget_kit import WidgetKit

TONE_COLOURS: dict[Tone, str] = {"good": "good", "fault": "fault", "caution": "caution"}


class SelfTestScreen(StaffScreen):
    """Draws :class:`SelfTestView`."""

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._meters: dict[str, Meter] = {}

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title, which kiosk, which version."""
        settings = self.app.settings
        return self.kit.translate.gettext("Self-test"), f"{settings.kiosk.id} · {kiosk.__version__}"

    def body(self, view: SelfTestView) -> Widget:
        """Return the list and the check shown large."""
        kit = self.kit
        rows = [self._row(row) for row in view.rows]
        if kit.theme.compact:
            return self._compact_body(view, rows)
        lines = [kit.row(*rows[n : n + 2], gap=14) for n in range(0, len(rows), 2)]
        left = kit.column(*lines, gap=8, size_hint_x=0.95)
        return kit.row(left, self._current_card(view.current_check), gap=24, padding=(28, 12))

    def _compact_body(self, view: SelfTestView, rows: list[Widget]) -> Widget:
        """On a small screen: the check that runs or was picked, else all of them."""
        kit, secretary = self.kit, self.app.secretary
        picked = getattr(secretary.place, "chosen", None)
        if picked or view.current_check.question or view.is_running:
            back = kit.button(
                "tech.list", "", lambda: secretary.show(SelfTestPlace()), icon="arrow-left"
            )
            side = kit.column(back, kit.spacer(), size_hint_x=None, width=back.width)
            return kit.row(side, self._current_card(view.current_check), gap=14, padding=(20, 12))
        rows += [kit.spacer() for _n in range(-len(rows) % 4)]
        lines = [kit.row(*rows[n : n + 4], gap=12) for n in range(0, len(rows), 4)]
        return kit.column(*lines, gap=12, padding=(20, 12))

    def _row(self, row: CheckRow) -> Widget:
        kit = self.kit
        name = kit.fitted_text(
            row.name, "body", lines=2, weight="semibold" if row.chosen else "medium"
        )
        status = row.status.partition(" · ")[0] if kit.theme.compact else row.status
        pill = kit.pill(status, row.tone, max_width=190 if not kit.theme.compact else 180)
        foot = kit.row(pill, kit.spacer(), size_hint_y=None, height=pill.height)
        return kit.touchable_card(
            f"tech.check.{row.check}",
            f"{row.name}: {row.status}",
            self._choose(row.check),
            name,
            foot,
            padding=(18, 4),
            chosen=row.chosen,
            gap=2,
        )

    def _choose(self, check: str) -> Callable[[], None]:
        return lambda: self.app.secretary.show(SelfTestPlace(check))

    def _current_card(self, current_check: CurrentCheck) -> Widget:
        kit, _, self_test = self.kit, self.kit.translate.gettext, self.app.self_test
        parts: list[Widget] = [
            kit.fitted_text(
                current_check.title,
                "title",
                wid="tech.now",
                weight="semibold",
                lines=1,
                size_hint_y=0.3,
            ),
            kit.row(
                kit.pill(current_check.status, current_check.tone, max_width=520),
                kit.spacer(),
                size_hint_y=0.25,
            ),
        ]
        self._meters = {}
        if current_check.question:
            parts.append(
                kit.fitted_text(
                    current_check.question,
                    "choice",
                    wid="tech.question",
                    weight="semibold",
                    valign="top",
                )
            )
            if current_check.can_answer:
                parts.append(
                    kit.row(
                        kit.button(
                            "tech.no",
                            _("No"),
                            lambda: self_test.answer(False),
                            wide=True,
                            kind="heading",
                            once=True,
                            height=96,
                        ),
                        kit.button(
                            "tech.yes",
                            _("Yes"),
                            lambda: self_test.answer(True),
                            wide=True,
                            kind="heading",
                            style="primary",
                            once=True,
                            height=96,
                        ),
                        gap=24,
                        size_hint_y=None,
                        height=max(kit.px(96), kit.theme.target),
                    )
                )
            return kit.card(*parts, gap=14, padding=30 if not kit.theme.compact else 18)
        if current_check.lines:
            kind: Any = "lead" if len(current_check.lines) < 5 else "body"
            parts.append(
                kit.fitted_text(
                    "\n".join(current_check.lines), kind, wid="tech.lines", valign="top"
                )
            )
        else:
            parts.append(kit.spacer())
        for name, label in current_check.levels:
            meter = self._meters[name] = Meter(kit, 22)
            text = kit.fitted_text(label, "body", lines=1, size_hint_y=None,
                                   height=round(kit.theme.font("body") * 1.25))  # fmt: skip
            parts.append(kit.natural_column(text, meter, gap=2))
        return kit.card(*parts, gap=12, padding=30 if not kit.theme.compact else 18)

    def update(self, view: SelfTestView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        super().update(view, chrome)
        self.live()

    def live(self) -> None:
        """Draw the levels."""
        for name, meter in self._meters.items():
            level = self.app.audio_levels.get(name) or {}
            meter.show(level.get("rms_db"))

    def footer(self, view: SelfTestView) -> list[Widget]:
        """Return what became of the report, and the one button."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        person = app.staff.person if app.staff else ""
        run = None if view.is_running else lambda: app.spawn(app.self_test.run(person))
        colour = TONE_COLOURS.get(view.report_tone, "quiet")
        text = kit.fitted_text(
            view.report or view.summary,
            "body",
            wid="tech.report" if view.report else "tech.summary",
            colour=colour,
        )
        return [
            text,
            kit.button("tech.run_all", _("Test everything"), run, icon="play", style="primary",
                       kind="lead", max_width=460),
        ]  # fmt: skip
