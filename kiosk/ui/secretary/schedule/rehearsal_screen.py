"""Screen of the rehearsal: the person's own picture large, the microphones, one large button."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.app_state import AppState
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.secretary.schedule.readiness_list import TONE_ICONS, ReadinessList
from kiosk.ui.secretary.schedule.rehearsal import MicrophoneBar, RehearsalView
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import Kind, tone_colour
from kiosk.ui.widgets.indicators import Meters
from kiosk.ui.widgets.live_picture import LivePicture
from kiosk.ui.widgets.text import FittedText
from kiosk.ui.widgets.widget_kit import WidgetKit

STEP_ICONS = {"waiting": "clock-outline", "speak": "microphone", "listen": "headphones"}
BARS_IN_COLUMN, BAR_HEIGHT = 4, 14


class RehearsalScreen(StaffScreen):
    """Whoever takes part sees themselves, speaks, and hears themselves."""

    heading = N_("Rehearsal")

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._picture: LivePicture | None = None
        self._meters = Meters(kit)
        self._seconds: FittedText | None = None

    def body_key(self, view: RehearsalView) -> Any:
        """Return what the body depends on: not the seconds, which run, and not the footer."""
        return replace(view, seconds_left=None, link=None)  # type: ignore[arg-type]

    def footer_key(self, view: RehearsalView) -> Any:
        """Return what the footer depends on."""
        return view.link

    def update(self, view: RehearsalView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        super().update(view, chrome)
        if self._seconds is not None and view.seconds_left is not None:
            self._seconds.text = self.kit.translate.gettext("{n} s", n=view.seconds_left)
        self.live()

    def live(self) -> None:
        """Draw levels and picture."""
        self._meters.show(self.app.audio_levels)
        recorder = self.app.recorder_state
        if self._picture is not None and recorder and recorder.preview:
            self._picture.draw(recorder.preview.path)

    def body(self, view: RehearsalView) -> Widget:
        """Return the picture with its question, and what is to be done beside it."""
        kit = self.kit
        if self._picture is not None:
            self._picture.close()
        self._picture = LivePicture(kit, view.message)
        self._meters.clear()
        left: list[Widget] = [self._picture]
        if view.question:
            left.append(kit.text(view.question, "heading", wid="rehearsal.question",
                                 weight="semibold", align="center"))  # fmt: skip
        left.append(kit.text(view.advice, "small", wid="rehearsal.advice", colour="quiet",
                             align="center"))  # fmt: skip
        bars = self._bars(view) if view.step != "done" else []
        right = kit.column(self._words(view), *bars, self._button(view), gap=14)
        padding = (16, 8) if kit.theme.compact else (28, 16)
        return kit.row(kit.column(*left, gap=8), right, gap=24, padding=padding)

    def _words(self, view: RehearsalView) -> Widget:
        """Return what is to be done now, or what came of it."""
        kit = self.kit
        self._seconds = None
        title = kit.fitted_text(
            view.title, "title", wid="rehearsal.title", weight="semibold", lines=2,
            size_hint_y=0.4 if view.lines or view.text else 1,
        )  # fmt: skip
        if view.lines:
            title.size_hint_y = 0.22
            return kit.column(title, ReadinessList(kit, view.lines), gap=6)
        kind: Kind = "body" if kit.theme.compact else "lead"
        words = kit.fitted_text(view.text, kind, wid="rehearsal.text", valign="top")
        text = kit.column(title, words, gap=6) if view.text else title
        if view.step not in STEP_ICONS:
            return text
        self._seconds = kit.fitted_text("", "display", wid="rehearsal.seconds", weight="tabular",
                                        align="right", lines=1, size_hint_x=0.35)  # fmt: skip
        return kit.row(kit.icon(STEP_ICONS[view.step], 84), text, self._seconds, gap=18)

    def _bars(self, view: RehearsalView) -> list[Widget]:
        """Return the level of each microphone, on little room some beside each other."""
        kit = self.kit
        bars = [self._bar(bar) for bar in view.bars]
        is_full = len(bars) > BARS_IN_COLUMN
        beside = 1 + is_full + kit.theme.compact
        height = round(kit.theme.font("small") * 1.3) + kit.px(2) + kit.px(BAR_HEIGHT)
        rows = [
            kit.row(*kit.filled(bars[at : at + beside], beside), gap=20, height=height)
            for at in range(0, len(bars), beside)
        ]
        return [kit.card(*rows, grow=False, gap=6, padding=(18, 10))] if rows else []

    def _bar(self, bar: MicrophoneBar) -> Widget:
        kit = self.kit
        name = kit.fitted_text(
            bar.label, "small", colour="fault" if bar.is_faulty else "text", lines=1,
            ellipsis=True,
        )  # fmt: skip
        meter = self._meters.add(bar.name, BAR_HEIGHT, is_dull=bar.is_faulty)
        return kit.column(name, meter, gap=2)

    def _button(self, view: RehearsalView) -> Widget:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        rehearsal = app.secretary.rehearsal
        if view.step not in ("ready", "done"):
            return kit.button("rehearsal.stop", _("Stop"), rehearsal.stop, icon="close",
                              wide=True, height=90)  # fmt: skip
        begin = (lambda: app.spawn(rehearsal.begin())) if view.can_begin else None
        text = _("Begin the rehearsal") if view.step == "ready" else _("Once more")
        return kit.button("rehearsal.begin", text, begin, icon="account-voice", style="primary",
                          kind="heading", wide=True, height=90, once=True)  # fmt: skip

    def footer(self, view: RehearsalView) -> list[Widget]:
        """Return the way back, and the measured line of the court."""
        kit, _, link = self.kit, self.kit.translate.gettext, view.link
        colour = tone_colour(link.tone, "quiet")
        said = " ".join(filter(None, (_("The court's line:"), link.text, link.remedy)))
        words = kit.fitted_text(
            said, "body", wid="rehearsal.link", lines=3, ellipsis=True,
            colour="text" if link.tone in ("good", "plain") else colour,
        )  # fmt: skip
        back = kit.button("back", _("Back"), self._leave)
        return [back, kit.icon(TONE_ICONS[link.tone], 34, colour), words]

    def _leave(self) -> None:
        self.app.secretary.rehearsal.stop()
        self.app.secretary.show_today()
