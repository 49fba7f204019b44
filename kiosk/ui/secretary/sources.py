"""The left of a running hearing: the picture, and the level of each microphone in words."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.panels import RemedyPanel
from kiosk.ui.secretary.parts import (
    LivePicture,
    Meter,
)
from kiosk.ui.secretary.recording_views import LevelRow, RecordingView
from kiosk.ui.widgets.kit import Kit


class SourcesColumn:
    """Builds the left column, and draws what moves in it."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        self.kit, self.desk = kit, desk
        self._meters: dict[str, Meter] = {}
        self._picture: LivePicture | None = None

    def build(self, view: RecordingView) -> Widget:
        """Return picture and levels."""
        kit = self.kit
        if self._picture is not None:
            self._picture.close()
        self._picture = LivePicture(kit, view.camera_word, size_hint_y=1)
        self._meters = {}
        rows = [self._level(level) for level in view.levels]
        if view.mends and not (view.alarm and view.alarm.mends):
            rows.append(self._mend(view.mends))
        levels = kit.card(*rows, grow=False, gap=8, padding=(18, 12))
        return kit.column(self._picture, levels, gap=12)

    def _level(self, level: LevelRow) -> Widget:
        kit = self.kit
        loud = level.tone in ("fault", "caution")
        colour = level.tone if loud else "text"
        name = kit.fit(
            level.label, "small", colour=colour, weight="semibold", lines=1, ellipsis=True
        )
        word = kit.fit(
            level.word, "small", wid=f"level.{level.name}", colour=colour if loud else "quiet",
            align="right", lines=1, ellipsis=True,
        )  # fmt: skip
        name.size_hint_x, word.size_hint_x = len(level.label) * 1.25, len(level.word)
        height = round(kit.theme.font("small") * 1.3)
        parts: list[Widget] = []
        if level.tone == "fault":
            parts.append(kit.icon("microphone-off", 24, "fault"))
        parts += [name, word] if level.word else [name]
        meter = Meter(kit, 14, dull=level.tone == "fault")
        self._meters[level.name] = meter
        row = kit.row(*parts, gap=6, size_hint_y=None, height=height)
        return kit.stack(row, meter, gap=2)

    def _mend(self, names: tuple[str, ...]) -> Widget:
        """Return the way to what can be done about microphones."""
        conduct = self.desk.office.conduct
        panel = RemedyPanel(names[0] if len(names) == 1 else None)
        return self.kit.button(
            "rec.mend", self.kit.say.gettext("What to do about a microphone"),
            lambda: conduct.open(panel), icon="wrench-outline", wide=True, pad=10, kind="small",
        )  # fmt: skip

    def live(self) -> None:
        """Draw levels and picture."""
        for name, meter in self._meters.items():
            level = self.desk.levels.get(name) or {}
            meter.show(level.get("rms_db"))
        recorder = self.desk.recorder
        if self._picture is not None and recorder and recorder.preview:
            self._picture.draw(recorder.preview.path)
