"""Notices that people speak in the room while nothing is recorded."""

from __future__ import annotations

from kiosk.api.recorder import RecorderState
from kiosk.clocks import parse_wall

WITHIN_S = 20.0
SPOKEN_S = 5
"""So many seconds with speech among the last :data:`WITHIN_S` are a conversation, not a door."""
FRESH_S = 1.5
"""State comes once a second: speech that is not older belongs to that second."""


class SpeechWatch:
    """Counts the seconds in which somebody was heard, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._seconds: set[int] = set()

    def take(self, state: RecorderState, now: float) -> None:
        """Take a State that came at ``now`` (monotonic seconds).

        How old the speech is, is the difference of two times of that State.
        """
        self._seconds = {second for second in self._seconds if second > now - WITHIN_S}
        wall = parse_wall(state.wall)
        for microphone in state.microphones:
            heard = parse_wall(microphone.heard)
            if wall is None or heard is None or microphone.is_spare:
                continue
            if (wall - heard).total_seconds() < FRESH_S:
                self._seconds.add(int(now))

    def is_speaking(self, now: float) -> bool:
        """Return whether people have been speaking lately."""
        return sum(second > now - WITHIN_S for second in self._seconds) >= SPOKEN_S
