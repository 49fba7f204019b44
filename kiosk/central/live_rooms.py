"""What each room that records says now: levels and proof. In memory, of this server alone.

It is worth nothing after some seconds, so it is written nowhere; it holds no case and no person.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiosk.central.contract import LiveRoom

LIVE_S = 15.0
"""A room that says nothing for so long is not shown as live."""


@dataclass(frozen=True)
class RoomNow:
    """A room and how old its word is, in seconds."""

    kiosk: str
    age: float
    room: LiveRoom


class LiveRooms:
    """The newest word of each room, and a count of how often a kiosk's alarms have changed.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._rooms: dict[str, tuple[float, LiveRoom]] = {}
        self._alarms: dict[str, frozenset[tuple[str, str]]] = {}
        self.alarm_changes = 0

    def put(self, kiosk: str, room: LiveRoom) -> None:
        """Take what ``kiosk`` says."""
        self._rooms[kiosk] = (self._now(), room)

    def rooms(self) -> list[RoomNow]:
        """Return the rooms that have said something lately; the others are forgotten."""
        now = self._now()
        self._rooms = {k: row for k, row in self._rooms.items() if now - row[0] <= LIVE_S}
        found = [RoomNow(kiosk, now - at, room) for kiosk, (at, room) in self._rooms.items()]
        return sorted(found, key=lambda row: row.kiosk)

    def note_alarms(self, kiosk: str, alarms: list[dict[str, Any]]) -> None:
        """Count it if the alarms of ``kiosk`` are others than before."""
        found = frozenset((str(row.get("code")), str(row.get("source"))) for row in alarms)
        if found != self._alarms.get(kiosk, frozenset()):
            self.alarm_changes += 1
        self._alarms[kiosk] = found
