"""Which microphone hears somebody now: the one whose level rises most above its own rest.

Microphones differ in gain by 20 dB and more: the loudest one is often only the most sensitive.
"""

from __future__ import annotations

from collections.abc import Mapping

RISE_DB = 12.0
"""Speech at arm's length is 20 to 40 dB above the noise of a room."""
LEAD_DB = 3.0
"""So much more than any other, or it is not clear which one it was."""
UPDATES = 3
"""Levels come ten times a second: a knock on the table is over by then."""
_FLOOR_RISE_DB = 0.05
_SOUNDLESS_DB = -90.0
"""No microphone is so quiet: it was just opened, or is muted, and says nothing of the rest."""


class Listening:
    """Listens to all levels; one for each time that it is asked who is heard."""

    def __init__(self) -> None:
        self._floors: dict[str, float] = {}
        self._last, self._count = "", 0
        self.is_quiet = True
        """Whether no microphone hears anybody, by the newest levels."""

    def push(self, levels: Mapping[str, float]) -> str:
        """Take the levels (dB of full scale) of a tenth of a second; return who is heard, or ""."""
        sounding = {name: level for name, level in levels.items() if level > _SOUNDLESS_DB}
        rises = sorted((self._rise(name, level), name) for name, level in sounding.items())
        rise, name = rises[-1] if rises else (0.0, "")
        second = rises[-2][0] if len(rises) > 1 else 0.0
        self.is_quiet = rise < RISE_DB
        if rise < RISE_DB or rise - second < LEAD_DB:
            self._last, self._count = "", 0
            return ""
        self._count = self._count + 1 if name == self._last else 1
        self._last = name
        return name if self._count >= UPDATES else ""

    def floor(self, name: str) -> float | None:
        """Return the level at rest of a microphone; None: it was not heard yet."""
        return self._floors.get(name)

    def _rise(self, name: str, level: float) -> float:
        floor = self._floors.get(name, level)
        # Falls at once: who speaks before the first level came is not taken for the room's noise.
        self._floors[name] = min(floor + _FLOOR_RISE_DB, level)
        return level - floor
