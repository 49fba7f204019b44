"""What every screen shows around its body: settings in force, clock, court, one-line notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.ui.display_settings import DisplaySettings

NoticeKey = tuple[str, str, str]
"""Code, hearing and action of a notice."""


@dataclass(frozen=True)
class Notice:
    """One line at the top of any screen; it disappears by itself.

    Attributes:
        code: an alarm code.
        tone: its colours.
        source: what its sentence names.
        action: label of its button, marked for translation; empty: none.
        hearing_id: of the hearing that its buttons start; empty: they start none.
        kept_seconds: of sound that a second button keeps with the start; 0: it has none.
        until: monotonic seconds at which it disappears.
    """

    code: str
    tone: Literal["accent", "good", "caution", "fault"] = "caution"
    until: float = 0.0
    source: str = ""
    action: str = ""
    hearing_id: str = ""
    kept_seconds: int = 0

    @property
    def about(self) -> NoticeKey:
        """What it is about: a tap on a button of it is meant for nothing else."""
        return self.code, self.hearing_id, self.action


@dataclass(frozen=True)
class ScreenChrome:
    """What surrounds the body of every screen.

    Attributes:
        display_settings: language, text size, contrast.
        clock: ``09:42``, or empty while wall time cannot be trusted.
        court, room: names for the header.
        central: whether the central system answers; None: unknown.
        notice: sentence to show, if any.
        notice_about: what it is about, for its buttons.
        notice_action: words on its button; empty: it has none.
        notice_second_action: words on another one beside it.
        is_notice_lasting: it cannot be removed: only its cause ends it.
    """

    display_settings: DisplaySettings
    clock: str = ""
    court: str = ""
    room: str = ""
    today: str = ""
    central: bool | None = None
    notice: str = ""
    notice_about: NoticeKey | None = None
    notice_action: str = ""
    notice_second_action: str = ""
    is_notice_lasting: bool = False
    notice_tone: Literal["accent", "good", "caution", "fault"] = "caution"
