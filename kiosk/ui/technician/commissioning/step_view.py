"""What every step of setting up the room shows: one form, so that a technician learns it once."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.theme import Tone


@dataclass(frozen=True)
class Choice:
    """A large card that can be tapped.

    Attributes:
        tap: what a tap does, as :mod:`.taps` reads it; also the name of the widget.
        detail: a second line; ``tone`` is its colour.
        level: whose level is shown in it; empty: none.
        is_marked: drawn with a thick frame: heard now, or chosen.
    """

    tap: str
    label: str
    detail: str = ""
    tone: Tone = "plain"
    level: str = ""
    is_marked: bool = False
    is_enabled: bool = True


@dataclass(frozen=True)
class StepView:
    """One step.

    Attributes:
        title: with the step's number, such as "3 of 9".
        text: what to do, in a sentence or two.
        lines: results with their tones.
        picture: path of the live picture; None: no picture belongs to it.
        primary, primary_tap: main button; an empty tap disables it.
        can_skip, can_go_back: whether these buttons are there.
    """

    step: str
    title: str
    text: str
    choices: tuple[Choice, ...] = ()
    columns: int = 3
    lines: tuple[tuple[str, Tone], ...] = ()
    picture: str | None = None
    primary: str = ""
    primary_tap: str = ""
    can_skip: bool = False
    can_go_back: bool = True
