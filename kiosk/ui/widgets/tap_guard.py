"""Keeps a button that has just changed from the tap that was meant for the one before it (no Kivy).

On a busy machine buttons change while a finger comes down: without this the tap would do what
nobody meant, and in a hearing that would stand in the minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NEW_SECONDS = 0.7
"""So long after it was drawn a changed button takes no tap: a finger under way has landed."""


@dataclass(frozen=True)
class TapTarget:
    """Something that can be tapped, in window pixels.

    Attributes:
        name: of the widget.
        label: its words: the same button for another person is another one.
        is_key: a key of a keyboard; keys change as one types, and are meant to.
        number: of the mark that a tap takes back; 0: it takes none.
        about: what a tap is about where name and label do not say it, as a question put off.
    """

    name: str
    label: str
    x: float
    y: float
    width: float
    height: float
    is_key: bool = False
    number: int = 0
    about: str = ""

    @property
    def middle(self) -> tuple[float, float]:
        """The point in its middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Return whether the point is inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def is_as(self, other: TapTarget) -> bool:
        """Return whether a tap meant for ``other`` is right here."""
        if self.is_key and other.is_key:
            return True
        # who takes back what was just marked means that; a second tap not the mark before it
        is_same = (self.name, self.label, self.about) == (other.name, other.label, other.about)
        return is_same and self.number >= other.number


class TapGuard:
    """What was on the screen a moment ago.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shown: tuple[TapTarget, ...] = ()
        self._former: list[tuple[float, tuple[TapTarget, ...]]] = []

    def note_drawn(self, targets: tuple[TapTarget, ...]) -> None:
        """Take what has just been drawn; what was there before is remembered for a moment."""
        if targets == self._shown:
            return
        now = self._clock()
        self._former = [row for row in self._former if now < row[0]]
        self._former.append((now + NEW_SECONDS, self._shown))
        self._shown = targets

    def refuses(self, target: TapTarget, x: float, y: float) -> bool:
        """Return whether a tap on ``target`` at that point may have been meant for another one."""
        now = self._clock()
        return any(
            former.holds(x, y) and not target.is_as(former)
            for until, targets in self._former
            if now < until
            for former in targets
        )
