"""Lock screen of a running hearing."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import timer_text
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.secretary.lock import LockView
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.indicators import RecordingLight, Timer
from kiosk.ui.widgets.screen import StandardScreen
from kiosk.ui.widgets.widget_kit import WidgetKit


class LockScreen(StandardScreen):
    """A hearing runs and nobody is signed in: light and time for everybody, badge for the rest."""

    app: AppState

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._timer = Timer(kit, "rec.timer", 24.0, round(kit.theme.width * 0.8), "on_dark")
        Band(self, self.colours.dark)

    def header(self, view: LockView, chrome: ScreenChrome) -> list[Widget]:
        """Return court and clock."""
        kit = self.kit
        return [
            kit.fitted_text(f"{chrome.court} · {chrome.room}", "body", colour="quiet", lines=1),
            kit.text_line(chrome.clock, "body", weight="tabular"),
        ]

    def header_key(self, view: Any, chrome: ScreenChrome) -> Any:
        """Return what the header depends on: court and clock."""
        return (chrome.display_settings, chrome.clock)

    def body(self, view: LockView) -> Widget:
        """Return light, state, time and proof."""
        kit = self.kit
        self._timer.detach()
        state = kit.text_line(
            view.state, "title", wid="rec.state", colour="on_dark", weight="semibold",
            max_width=1000,
        )  # fmt: skip
        light = RecordingLight(kit, 56, on=view.recording)
        rows: list[Widget] = [
            kit.natural_row(light, state, gap=20, height=kit.px(110)),
            self._timer,
        ]
        if view.proof:
            icon = "check-decagram" if view.proof.tone == "good" else "alert-circle"
            rows.append(
                kit.pill(view.proof.text, view.proof.tone, icon, wid="rec.proof", max_width=700)
            )
        text = kit.text(view.text, "lead", wid="locked.text", colour="on_dark", align="center")
        box = kit.column(
            kit.spacer(), *(self._centred(row) for row in rows), kit.spacer(), text, kit.spacer(),
            gap=16, padding=(40, 10),
        )  # fmt: skip
        Band(box, self.colours.dark)
        return box

    def _centred(self, child: Widget) -> Widget:
        kit = self.kit
        return kit.row(kit.spacer(), child, kit.spacer(), height=child.height)

    def footer(self, _view: Any) -> list[Widget]:
        """Return the way in without a badge."""
        kit, enter = self.kit, self.kit.translate.gettext("Sign in with a PIN")
        return [
            kit.spacer(),
            kit.button("staff.enter", enter, self.app.sign_in.open, icon="lock-outline"),
        ]

    def live(self) -> None:
        """Draw the running time."""
        self._timer.show(timer_text(self.app.recorded_seconds))
