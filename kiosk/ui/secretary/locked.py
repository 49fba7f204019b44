"""A hearing runs and nobody is signed in; and the way in."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.secretary.parts import RecordingLight, Timer
from kiosk.ui.secretary.stopped_views import LockedView
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Page, Slot
from kiosk.ui.words import timer_text


class LockedPage(Page):
    """A hearing runs and nobody is signed in: light and time for everybody, badge for the rest."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.locked", desk)
        self._timer = Timer(kit, "rec.timer", 24.0, round(kit.theme.width * 0.8), "on_dark")
        Band(self, self.colours.dark)
        self._clock = Slot()

    def head(self, view: LockedView, frame: Frame) -> list[Widget]:
        """Return court and clock."""
        kit = self.kit
        return [
            kit.fit(f"{frame.court} · {frame.room}", "body", colour="quiet", lines=1),
            kit.line(frame.clock, "body", weight="tabular"),
        ]

    def head_key(self, view: Any, frame: Frame) -> Any:
        """The header shows court and clock."""
        return (frame.look, frame.clock)

    def body(self, view: LockedView) -> Widget:
        """Return light, state, time."""
        kit = self.kit
        if self._timer.parent:
            self._timer.parent.remove_widget(self._timer)
        state = kit.line(
            view.state, "title", wid="rec.state", colour="on_dark", weight="semibold", most=1000
        )
        light = RecordingLight(kit, 56, on=view.recording)
        rows: list[Widget] = [
            kit.space(),
            self._centred(kit.strip(light, state, gap=20, size_hint_y=None, height=kit.px(110))),
            self._centred(self._timer),
        ]
        if view.proof:
            icon = "check-decagram" if view.proof.tone == "good" else "alert-circle"
            pill = kit.pill(view.proof.text, view.proof.tone, icon, wid="rec.proof", most=700)
            rows.append(self._centred(pill))
        text = kit.text(view.text, "lead", wid="locked.text", colour="on_dark", align="center")
        rows += [kit.space(), text, kit.space()]
        box = kit.column(*rows, gap=16, padding=(40, 10))
        Band(box, self.colours.dark)
        return box

    def _centred(self, child: Widget) -> Widget:
        return self.kit.row(
            self.kit.space(), child, self.kit.space(), size_hint_y=None, height=child.height
        )

    def foot(self, _view: Any) -> list[Widget]:
        """Return the way in without a badge."""
        kit = self.kit
        return [
            kit.space(),
            kit.button(
                "staff.enter", kit.say.gettext("Sign in with a PIN"), self.desk.open_pin,
                icon="lock-outline",
            ),
        ]  # fmt: skip

    def live(self) -> None:
        """Draw the running time."""
        self._timer.show(timer_text(self.desk.seconds_recorded))


class PinPage(Page):
    """The PIN pad; digits are shown as dots."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "staff.pin", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Staff"), ""

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return title and clock."""
        kit = self.kit
        return [
            kit.icon("lock-outline", 30),
            kit.fit(kit.say.gettext("Staff"), "body", weight="semibold", lines=1),
            kit.line(frame.clock, "body", weight="tabular"),
        ]

    def body(self, view: Any) -> Widget:
        """Return sentence, dots and pad."""
        kit, _ = self.kit, self.kit.say.gettext
        dots = kit.fit("•" * len(view.digits) or " ", "title", weight="semibold", align="center")
        box = kit.card(dots, padding=6, size_hint_y=None, height=kit.px(84))
        told = _("This PIN is not right. Try again or use your badge.") if view.wrong else _(
            "Hold your badge to the reader, or type your PIN."
        )  # fmt: skip
        text = kit.text(
            told, "heading", wid="pin.text", colour="fault" if view.wrong else "text",
            weight="medium",
        )  # fmt: skip
        left = kit.column(kit.space(), text, box, kit.space(), gap=24)
        pad = key_rows(kit, ("123", "456", "789", "0"), self.desk.pin_key, prefix="pin")
        return kit.row(left, pad, gap=60, padding=(60, 24))

    def foot(self, view: Any) -> list[Widget]:
        """Return cancel and sign in."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("pin.cancel", _("Cancel"), desk.close_pin),
            kit.space(),
            kit.button(
                "pin.ok", _("Log in"), desk.pin_enter if view.digits else None, style="primary",
                once=True,
            ),
        ]  # fmt: skip
