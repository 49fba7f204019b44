"""The technician's screen: all checks at the left, one large at the right, one button for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

import kiosk
from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.places import AtBench
from kiosk.ui.secretary.parts import Meter
from kiosk.ui.staff_page import StaffPage
from kiosk.ui.technician.views import CheckRow, Now, SelfTestView
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.kit import Kit

WORD_COLOURS: dict[Tone, str] = {"good": "good", "fault": "fault", "caution": "caution"}


class SelfTestPage(StaffPage):
    """Draws :class:`SelfTestView`."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "technician.tests", desk)
        self._meters: dict[str, Meter] = {}

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title, which kiosk, which version."""
        settings = self.desk.settings
        return self.kit.say.gettext("Self-test"), f"{settings.kiosk.id} · {kiosk.__version__}"

    def body(self, view: SelfTestView) -> Widget:
        """Return the list and the check shown large."""
        kit = self.kit
        rows = [self._row(row) for row in view.rows]
        if kit.theme.compact:
            return self._small(view, rows)
        lines = [kit.row(*rows[n : n + 2], gap=14) for n in range(0, len(rows), 2)]
        left = kit.column(*lines, gap=8, size_hint_x=0.95)
        return kit.row(left, self._large(view.now), gap=24, padding=(28, 12))

    def _small(self, view: SelfTestView, rows: list[Widget]) -> Widget:
        """On a small screen: the check that runs or was picked, else all of them."""
        kit, office = self.kit, self.desk.office
        picked = getattr(office.place, "chosen", None)
        if picked or view.now.question or view.runs:
            back = kit.button("tech.list", "", lambda: office.go(AtBench()), icon="arrow-left")
            side = kit.column(back, kit.space(), size_hint_x=None, width=back.width)
            return kit.row(side, self._large(view.now), gap=14, padding=(20, 12))
        rows += [kit.space() for _n in range(-len(rows) % 4)]
        lines = [kit.row(*rows[n : n + 4], gap=12) for n in range(0, len(rows), 4)]
        return kit.column(*lines, gap=12, padding=(20, 12))

    def _row(self, row: CheckRow) -> Widget:
        kit = self.kit
        name = kit.fit(row.name, "body", lines=2, weight="semibold" if row.chosen else "medium")
        word = row.word.partition(" · ")[0] if kit.theme.compact else row.word
        pill = kit.pill(word, row.tone, most=190 if not kit.theme.compact else 180)
        foot = kit.row(pill, kit.space(), size_hint_y=None, height=pill.height)
        return kit.touchable_card(
            f"tech.check.{row.check}",
            f"{row.name}: {row.word}",
            self._choose(row.check),
            name,
            foot,
            padding=(18, 4),
            chosen=row.chosen,
            gap=2,
        )

    def _choose(self, check: str) -> Callable[[], None]:
        return lambda: self.desk.office.go(AtBench(check))

    def _large(self, now: Now) -> Widget:
        kit, _, bench = self.kit, self.kit.say.gettext, self.desk.bench
        parts: list[Widget] = [
            kit.fit(now.title, "title", wid="tech.now", weight="semibold", lines=1,
                    size_hint_y=0.3),
            kit.row(kit.pill(now.word, now.tone, most=520), kit.space(), size_hint_y=0.25),
        ]  # fmt: skip
        self._meters = {}
        if now.question:
            parts.append(
                kit.fit(now.question, "choice", wid="tech.question", weight="semibold",
                        valign="top")
            )  # fmt: skip
            if now.can_answer:
                parts.append(
                    kit.row(
                        kit.button("tech.no", _("No"), lambda: bench.answer(False), wide=True,
                                   kind="heading", once=True, height=96),
                        kit.button("tech.yes", _("Yes"), lambda: bench.answer(True), wide=True,
                                   kind="heading", style="primary", once=True, height=96),
                        gap=24, size_hint_y=None, height=max(kit.px(96), kit.theme.target),
                    )
                )  # fmt: skip
            return kit.card(*parts, gap=14, padding=30 if not kit.theme.compact else 18)
        if now.lines:
            kind: Any = "lead" if len(now.lines) < 5 else "body"
            parts.append(kit.fit("\n".join(now.lines), kind, wid="tech.lines", valign="top"))
        else:
            parts.append(kit.space())
        for name, label in now.levels:
            meter = self._meters[name] = Meter(kit, 22)
            text = kit.fit(label, "body", lines=1, size_hint_y=None,
                           height=round(kit.theme.font("body") * 1.25))  # fmt: skip
            parts.append(kit.stack(text, meter, gap=2))
        return kit.card(*parts, gap=12, padding=30 if not kit.theme.compact else 18)

    def update(self, view: SelfTestView, frame: Frame) -> None:
        """Show ``view``."""
        super().update(view, frame)
        self.live()

    def live(self) -> None:
        """Draw the levels."""
        for name, meter in self._meters.items():
            level = self.desk.levels.get(name) or {}
            meter.show(level.get("rms_db"))

    def foot(self, view: SelfTestView) -> list[Widget]:
        """Return what became of the report, and the one button."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        person = desk.staff.person if desk.staff else ""
        run = None if view.runs else lambda: desk.do(desk.bench.run(person))
        colour = WORD_COLOURS.get(view.report_tone, "quiet")
        text = kit.fit(
            view.report or view.summary,
            "body",
            wid="tech.report" if view.report else "tech.summary",
            colour=colour,
        )
        return [
            text,
            kit.button("tech.run_all", _("Test everything"), run, icon="play", style="primary",
                       kind="lead", most=460),
        ]  # fmt: skip
