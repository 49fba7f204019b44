"""Screen of a recess or retirement, between two parts."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.formatting import timer_text
from kiosk.ui.secretary.chain_receipt_widgets import (
    chain_receipt_button,
    chain_receipt_picture,
    chain_receipt_status,
)
from kiosk.ui.secretary.hearing.question_card import question_card
from kiosk.ui.secretary.hearing.recess import RecessView
from kiosk.ui.staff.staff_screen import StaffScreen


class RecessScreen(StaffScreen):
    """Recess or retirement: nothing is captured; resume is the one large action."""

    def title(self, view: RecessView) -> tuple[str, str]:
        """Return case number and state."""
        return view.case_number, ""

    def body(self, view: RecessView) -> Widget:
        """Return state and what comes next."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        icon = kit.icon("door" if view.retired else "pause", 120, "tint_text")
        slip = app.chain_receipt.state
        picture = (
            chain_receipt_picture(kit, slip.picture)
            if slip.picture
            else kit.card(kit.centred(icon), tone="accent", size_hint_x=0.3)
        )
        recorded = _("Recorded so far: {time}", time=timer_text(view.seconds))
        words: list[Widget] = [
            kit.spacer(),
            kit.text(view.title, "title", wid="rec.state", weight="semibold"),
            kit.text(view.text, "lead", wid="stopped.text"),
            kit.text(recorded, "lead", wid="rec.timer", colour="quiet"),
        ]
        if view.banner:
            words.append(kit.text(view.banner, "body", wid="banner", colour="caution"))
        told = chain_receipt_status(kit, slip)
        if told:
            words.append(told)
        words.append(kit.spacer())
        parts: list[Widget] = [picture, kit.column(*words, gap=16)]
        if view.question:
            ask = question_card(kit, view.question, app.secretary, app.secretary.answers_page)
            parts.append(kit.column(ask, size_hint_x=0.85))
        return kit.row(*parts, gap=36, padding=(40, 32))

    def body_key(self, view: RecessView) -> Any:
        """The body depends on the view and on the answers shown."""
        return (view, self.app.secretary.answers_page, self.app.chain_receipt.state)

    def footer_key(self, view: RecessView) -> Any:
        """The footer depends on the question whether to end."""
        return (self.app.secretary.is_end_asked, self.app.chain_receipt.state)

    def footer(self, view: RecessView) -> list[Widget]:
        """Return end (asks again) and resume."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        secretary = app.secretary
        if secretary.is_end_asked:
            hearing = app.recorder_state.hearing if app.recorder_state else None
            return [
                kit.fitted_text(
                    _("End the hearing? It is sealed; nothing can be added after that."),
                    "body",
                    wid="rec.end.text",
                    weight="semibold",
                ),
                kit.button(
                    "rec.end.cancel",
                    _("Do not end"),
                    lambda: secretary.ask_end(False),
                    style="primary",
                ),
                kit.button(
                    "rec.end.confirm",
                    _("End and seal"),
                    lambda: app.spawn(
                        secretary.end_hearing(hearing.id if hearing else "", view.case_number)
                    ),
                    icon="stop",
                    style="danger",
                    once=True,
                ),
            ]
        return [
            kit.button(
                "rec.end",
                _("End hearing"),
                lambda: secretary.ask_end(True),
                icon="stop",
                style="danger",
                max_width=300,
            ),
            chain_receipt_button(kit, app),
            kit.spacer(),
            kit.button(
                "rec.resume",
                _("Resume the hearing"),
                lambda: app.spawn(secretary.resume_hearing()),
                icon="radiobox-marked",
                style="primary",
                kind="lead",
                once=True,
                max_width=520,
            ),
        ]
