"""After the end: sealing, then the way to the central system."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.secretary.parts import Meter
from kiosk.ui.secretary.slip_parts import slip_button, slip_picture, slip_word
from kiosk.ui.secretary.stopped_views import SealedView
from kiosk.ui.staff_page import StaffPage
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.kit import Kit


class SealedPage(StaffPage):
    """After the end: sealing, delivery, done."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.sealing", desk)

    def title(self, view: SealedView) -> tuple[str, str]:
        """Return the case number."""
        return view.case_number, ""

    def update(self, view: SealedView, frame: Frame) -> None:
        """Show ``view``; the screen's name says whether it is still being sealed."""
        self.name = "secretary.sealing" if view.sealing else "secretary.delivered"
        super().update(view, frame)

    def body_key(self, view: SealedView) -> Any:
        """The body depends on the view and the slip."""
        return (view, self.desk.slips.state)

    def foot_key(self, view: SealedView) -> Any:
        """The footer depends on the view and the slip."""
        return (view, self.desk.slips.state)

    def body(self, view: SealedView) -> Widget:
        """Return what has happened and what is happening."""
        kit, _ = self.kit, self.kit.say.gettext
        good = view.delivery_tone == "good"
        icon = "timer-sand" if view.sealing else "cloud-check-outline" if good else "lock"
        tone: Tone = "good" if good else "accent"
        colour = "good" if good else "tint_text"
        slip = self.desk.slips.state
        picture = (
            slip_picture(kit, slip.picture)
            if slip.picture
            else kit.card(kit.middle(kit.icon(icon, 130, colour)), tone=tone, size_hint_x=0.34)
        )
        sealed = "sealing.text" if view.sealing else "sealed.text"
        words: list[Widget] = [
            kit.space(),
            kit.text(view.sealed_text, "title", wid=sealed, weight="semibold"),
        ]
        if view.delivery_text:
            words.append(
                kit.text(
                    view.delivery_text, "lead", wid="delivery.text",
                    colour={"good": "good", "caution": "caution", "fault": "fault"}.get(
                        view.delivery_tone, "text"
                    ),
                )
            )  # fmt: skip
        if view.fraction is not None:
            bar = Meter(kit, 22)
            bar.fill(view.fraction)
            words.append(bar)
        if not view.sealing and not good:
            words.append(kit.text(_("You need not wait: it goes on by itself."), colour="quiet"))
        told = slip_word(kit, slip)
        if told:
            words.append(told)
        words.append(kit.space())
        return kit.row(picture, kit.column(*words, gap=18), gap=44, padding=(60, 60))

    def foot(self, view: SealedView) -> list[Widget]:
        """Return done."""
        from kiosk.ui.places import Today

        kit, _, desk = self.kit, self.kit.say.gettext, self.desk

        def leave() -> None:
            desk.slips.clear()
            desk.office.go(Today())

        done = leave if view.done else None
        return [
            *([slip_button(kit, desk, view.hearing_id)] if view.done else []),
            kit.space(),
            kit.button("sealed.done", _("Done"), done, style="primary", kind="lead"),
        ]
