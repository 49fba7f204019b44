"""Screen of a recess or retirement, between two parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.formatting import timer_text
from kiosk.ui.secretary.chain_receipt_widgets import (
    chain_receipt_button,
    chain_receipt_or_icon,
    chain_receipt_status,
)
from kiosk.ui.secretary.end_question import end_question
from kiosk.ui.secretary.recess import RecessView
from kiosk.ui.secretary.running_hearing.question_card import question_card
from kiosk.ui.staff.staff_screen import StaffScreen


class RecessScreen(StaffScreen):
    """Recess or retirement: nothing is captured; resume is the one large action."""

    is_guarded = True

    def title(self, view: RecessView) -> tuple[str, str]:
        """Return the case number."""
        return view.case_number, ""

    def body(self, view: RecessView) -> Widget:
        """Return state and what comes next."""
        kit, _, receipt = self.kit, self.kit.translate.gettext, self.app.chain_receipt.state
        icon = kit.icon("door" if view.retired else "pause", 120, "tint_text")
        recorded = _("Recorded so far: {time}", time=timer_text(view.seconds))
        words: list[Widget] = [
            kit.text(view.title, "title", wid="rec.state", weight="semibold"),
            kit.text(view.text, "lead", wid="stopped.text"),
            kit.text(recorded, "lead", wid="rec.timer", colour="quiet"),
        ]
        if view.banner:
            words.append(kit.text(view.banner, "body", wid="banner", colour="caution"))
        words += [*self._ends(view), *chain_receipt_status(kit, receipt)]
        sign = self._sign(view, chain_receipt_or_icon(kit, receipt, icon, "accent", 0.3))
        parts = [sign, kit.column(kit.spacer(), *words, kit.spacer(), gap=16)]
        if view.question:
            is_small = kit.theme.compact and not receipt.picture  # a slip has to be read
            parts = parts[1:] if is_small else parts
            share = 1.3 if is_small else 0.85
            parts.append(kit.column(question_card(kit, view.question, self.app), size_hint_x=share))
        return kit.row(*parts, gap=36, padding=(40, 32))

    def _sign(self, view: RecessView, sign: Widget) -> Widget:
        """Return ``sign`` with what leads to the full minutes, which may be begun now (S18).

        A question comes first, and so does the picture of a slip that has to be read.
        """
        kit, app = self.kit, self.app
        if not view.keeps_minutes or view.question or app.chain_receipt.state.picture:
            return sign
        button = kit.button(
            "rec.minutes", kit.translate.gettext("Full minutes"), app.minutes_desk.open_running,
            icon="pencil", fill=True, pad=8,
        )  # fmt: skip
        sign.size_hint_x = 1
        return kit.column(sign, kit.touch_line(button), gap=16, size_hint_x=0.3)

    def _ends(self, view: RecessView) -> list[Widget]:
        """Return until when the recess lasts, or the times that can be said; the hall sees it."""
        kit = self.kit
        if view.until and not view.ends:
            return [kit.text(view.until, "lead", wid="recess.until", weight="semibold")]
        if not view.ends or view.question:
            return []
        buttons = [
            kit.button(f"recess.until.{number}", time, self._announce(moment), once=True, fill=True,
                       pad=8)
            for number, (moment, time) in enumerate(view.ends, 1)
        ]  # fmt: skip
        label = kit.text(kit.translate.gettext("Lasts until:"), "body")
        if kit.theme.compact:
            return [kit.touch_line(*buttons)]
        return [label, kit.touch_line(*buttons)]

    def _announce(self, moment: str) -> Callable[[], None]:
        return lambda: self.app.spawn(self.app.secretary.announce_end_of_recess(moment))

    def body_key(self, view: RecessView) -> Any:
        """Return what the body depends on: also the page of answers and the chain receipt."""
        return (view, self.app.secretary.answers_page, self.app.chain_receipt.state)

    def footer_key(self, view: RecessView) -> Any:
        """Return what the footer depends on: the question whether to end, the chain receipt."""
        return (self.app.secretary.is_end_asked, self.app.chain_receipt.state)

    def footer(self, view: RecessView) -> list[Widget]:
        """Return end (asks again) and resume."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        secretary = app.secretary
        if secretary.is_end_asked:
            return end_question(kit, app, _("Do not end"))
        return [
            kit.button("rec.end", _("End hearing"), lambda: secretary.ask_end(True), icon="stop",
                       style="danger", max_width=300),
            chain_receipt_button(kit, app),
            kit.spacer(),
            kit.button("rec.resume", _("Resume the hearing"),
                       lambda: app.spawn(secretary.resume_hearing()), icon="radiobox-marked",
                       style="primary", kind="lead", once=True, max_width=520),
        ]  # fmt: skip
