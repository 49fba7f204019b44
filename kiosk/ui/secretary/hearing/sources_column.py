"""Left column of the running hearing: camera picture and microphone levels."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import RemedyPanel
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.hearing.recording import MicrophoneRow, RecordingView
from kiosk.ui.widgets.indicators import Meter
from kiosk.ui.widgets.live_picture import LivePicture
from kiosk.ui.widgets.widget_kit import WidgetKit


class SourcesColumn:
    """Builds the left column, and draws what moves in it."""

    def __init__(self, kit: WidgetKit, app: AppState) -> None:
        self.kit, self.app = kit, app
        self._meters: dict[str, Meter] = {}
        self._picture: LivePicture | None = None

    def build(self, view: RecordingView) -> Widget:
        """Return picture and levels."""
        kit = self.kit
        if self._picture is not None:
            self._picture.close()
        self._picture = LivePicture(kit, view.camera_word, size_hint_y=1)
        self._meters = {}
        rows = [self._microphone_row(level) for level in view.microphones]
        if view.repairable and not (view.alarm and view.alarm.repairable):
            rows.append(self._remedy_button(view.repairable))
        levels = kit.card(*rows, grow=False, gap=8, padding=(18, 12))
        return kit.column(self._picture, levels, gap=12)

    def _microphone_row(self, level: MicrophoneRow) -> Widget:
        kit = self.kit
        loud = level.tone in ("fault", "caution")
        colour = level.tone if loud else "text"
        name = kit.fitted_text(
            level.label, "small", colour=colour, weight="semibold", lines=1, ellipsis=True
        )
        word = kit.fitted_text(
            level.word, "small", wid=f"level.{level.name}", colour=colour if loud else "quiet",
            align="right", lines=1, ellipsis=True,
        )  # fmt: skip
        name.size_hint_x, word.size_hint_x = len(level.label) * 1.25, len(level.word)
        height = round(kit.theme.font("small") * 1.3)
        parts: list[Widget] = []
        if level.tone == "fault":
            parts.append(kit.icon("microphone-off", 24, "fault"))
        parts += [name, word] if level.word else [name]
        meter = Meter(kit, 14, is_dull=level.tone == "fault")
        self._meters[level.name] = meter
        row = kit.row(*parts, gap=6, size_hint_y=None, height=height)
        return kit.natural_column(row, meter, gap=2)

    def _remedy_button(self, names: tuple[str, ...]) -> Widget:
        """Return the button that opens the remedies for microphones."""
        side_panel = self.app.secretary.side_panel
        panel = RemedyPanel(names[0] if len(names) == 1 else None)
        return self.kit.button(
            "rec.mend", self.kit.translate.gettext("What to do about a microphone"),
            lambda: side_panel.show(panel), icon="wrench-outline", wide=True, pad=10, kind="small",
        )  # fmt: skip

    def live(self) -> None:
        """Draw levels and picture."""
        for name, meter in self._meters.items():
            level = self.app.audio_levels.get(name) or {}
            meter.show(level.get("rms_db"))
        recorder = self.app.recorder_state
        if self._picture is not None and recorder and recorder.preview:
            self._picture.draw(recorder.preview.path)
