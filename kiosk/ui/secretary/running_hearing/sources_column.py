"""Left column of the running hearing: camera picture and microphone levels."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import RemedyPanel
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.running_hearing.recording import RecordingView
from kiosk.ui.secretary.running_hearing.sources import MicrophoneRow
from kiosk.ui.widgets.indicators import Meters
from kiosk.ui.widgets.live_picture import LivePicture
from kiosk.ui.widgets.widget_kit import WidgetKit


class SourcesColumn:
    """Builds the left column, and draws what moves in it."""

    def __init__(self, kit: WidgetKit, app: AppState) -> None:
        self.kit, self.app = kit, app
        self._meters = Meters(kit)
        self._picture: LivePicture | None = None

    def build(self, view: RecordingView) -> Widget:
        """Return picture and levels."""
        kit = self.kit
        if self._picture is not None:
            self._picture.close()
        self._picture = LivePicture(kit, view.camera_text)
        self._meters.clear()
        rows = [self._microphone_row(row) for row in view.microphones]
        if view.repairable and not (view.alarm and view.alarm.repairable):
            rows.append(self._remedy_button(view.repairable))
        return kit.column(
            self._picture, kit.card(*rows, grow=False, gap=8, padding=(18, 12)), gap=12
        )

    def _microphone_row(self, row: MicrophoneRow) -> Widget:
        kit = self.kit
        is_faulty = row.tone == "fault"
        is_loud = is_faulty or row.tone == "caution"
        name = kit.fitted_text(
            row.label, "small", colour=row.tone if is_loud else "text", weight="semibold", lines=1,
            ellipsis=True,
        )  # fmt: skip
        name.size_hint_x = len(row.label) * 1.25
        parts: list[Widget] = [kit.icon("microphone-off", 24, "fault")] if is_faulty else []
        parts.append(name)
        if row.text:
            text = kit.fitted_text(
                row.text, "small", wid=f"level.{row.name}",
                colour=row.tone if is_loud else "quiet", align="right", lines=1, ellipsis=True,
            )  # fmt: skip
            text.size_hint_x = len(row.text)
            parts.append(text)
        words = kit.row(*parts, gap=6, height=round(kit.theme.font("small") * 1.3))
        return kit.natural_column(words, self._meters.add(row.name, 14, is_dull=is_faulty), gap=2)

    def _remedy_button(self, names: tuple[str, ...]) -> Widget:
        """Return the button that opens the remedies for microphones."""
        panel = RemedyPanel(names[0] if len(names) == 1 else None)
        return self.kit.button(
            "rec.mend", self.kit.translate.gettext("What to do about a microphone"),
            lambda: self.app.secretary.side_panel.show(panel), icon="wrench-outline", wide=True,
            pad=10, kind="small",
        )  # fmt: skip

    def live(self) -> None:
        """Draw levels and picture."""
        self._meters.show(self.app.audio_levels)
        recorder = self.app.recorder_state
        if self._picture is not None and recorder and recorder.preview:
            self._picture.draw(recorder.preview.path)
