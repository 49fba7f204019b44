"""Between two parts: recess and retirement."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.parts import question_card
from kiosk.ui.secretary.slip_parts import slip_button, slip_picture, slip_word
from kiosk.ui.secretary.stopped_views import StoppedView
from kiosk.ui.staff_page import StaffPage
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.words import timer_text


class StoppedPage(StaffPage):
    """Recess or retirement: nothing is captured; resume is the one large action."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.stopped", desk)

    def title(self, view: StoppedView) -> tuple[str, str]:
        """Return case number and state."""
        return view.case_number, ""

    def body(self, view: StoppedView) -> Widget:
        """Return state and what comes next."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        icon = kit.icon("door" if view.retired else "pause", 120, "tint_text")
        slip = desk.slips.state
        picture = (
            slip_picture(kit, slip.picture)
            if slip.picture
            else kit.card(kit.middle(icon), tone="accent", size_hint_x=0.3)
        )
        recorded = _("Recorded so far: {time}", time=timer_text(view.seconds))
        words: list[Widget] = [
            kit.space(),
            kit.text(view.title, "title", wid="rec.state", weight="semibold"),
            kit.text(view.text, "lead", wid="stopped.text"),
            kit.text(recorded, "lead", wid="rec.timer", colour="quiet"),
        ]
        if view.banner:
            words.append(kit.text(view.banner, "body", wid="banner", colour="caution"))
        told = slip_word(kit, slip)
        if told:
            words.append(told)
        words.append(kit.space())
        parts: list[Widget] = [picture, kit.column(*words, gap=16)]
        if view.question:
            ask = question_card(kit, view.question, desk.office, desk.office.answers_page)
            parts.append(kit.column(ask, size_hint_x=0.85))
        return kit.row(*parts, gap=36, padding=(40, 32))

    def body_key(self, view: StoppedView) -> Any:
        """The body depends on the view and on the answers shown."""
        return (view, self.desk.office.answers_page, self.desk.slips.state)

    def foot_key(self, view: StoppedView) -> Any:
        """The footer depends on the question whether to end."""
        return (self.desk.office.asks_end, self.desk.slips.state)

    def foot(self, view: StoppedView) -> list[Widget]:
        """Return end (asks again) and resume."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        office = desk.office
        if office.asks_end:
            hearing = desk.recorder.hearing if desk.recorder else None
            return [
                kit.fit(_("End the hearing? It is sealed; nothing can be added after that."),
                        "body", wid="rec.end.text", weight="semibold"),
                kit.button("rec.end.cancel", _("Do not end"), lambda: office.ask_end(False),
                           style="primary"),
                kit.button("rec.end.confirm", _("End and seal"), lambda: desk.do(
                    office.end(hearing.id if hearing else "", view.case_number)),
                    icon="stop", style="danger", once=True),
            ]  # fmt: skip
        return [
            kit.button("rec.end", _("End hearing"), lambda: office.ask_end(True), icon="stop",
                       style="danger", most=300),
            slip_button(kit, desk),
            kit.space(),
            kit.button("rec.resume", _("Resume the hearing"), lambda: desk.do(office.resume()),
                       icon="radiobox-marked", style="primary", kind="lead", once=True, most=520),
        ]  # fmt: skip
