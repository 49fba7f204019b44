"""What every screen shows around its middle: title, step, languages, clock, one-line notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.ui.look import Look


@dataclass(frozen=True)
class Notice:
    """One line at the top of any screen that goes by itself.

    Attributes:
        code: an alarm code, or a code of :mod:`kiosk.ui.notices`.
        tone: how it looks.
        until: monotonic seconds at which it goes.
    """

    code: str
    tone: Literal["accent", "good", "caution", "fault"] = "caution"
    until: float = 0.0


@dataclass(frozen=True)
class Frame:
    """Around every screen.

    Attributes:
        look: language, text size, contrast.
        clock: ``09:42``, or empty while wall time cannot be trusted.
        court, room: names for the header.
        central: whether the central system answers; None: not known.
        notice: sentence to show, if any.
    """

    look: Look
    clock: str = ""
    court: str = ""
    room: str = ""
    today: str = ""
    central: bool | None = None
    notice: str = ""
    notice_tone: Literal["accent", "good", "caution", "fault"] = "caution"
