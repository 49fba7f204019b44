"""Who sits at a microphone, and since when somebody said so (S18).

Words that were said before are those of the seat: whoever spoke then nobody has named.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kiosk.api.speech import SpokenPlace
from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import Entry
from kiosk.hearing.session.hearing_state import HearingState

SeatChange = tuple[int, float, bool]
"""Part, seconds from its begin, and whether the person sits there from then on."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who is heard at a microphone: role, and the name where somebody said who sits there.

    Attributes:
        own_role: of the microphone, whoever sits there.
        changes: when the person named came and went, oldest first; empty: they sat there always.
    """

    role: str = ""
    name: str = ""
    own_role: str = ""
    changes: tuple[SeatChange, ...] = ()

    def at(self, place: SpokenPlace) -> Seat:
        """Return whose words those at ``place`` are: without a name where it was not said yet."""
        if not self.name or not self.changes:
            return self
        before = [row for row in self.changes if row[:2] <= (place.part, place.part_seconds)]
        return self if before and before[-1][2] else Seat(self.own_role)


def find_seats(
    state: HearingState, roles: Mapping[str, str], entries: Iterable[Entry]
) -> dict[str, Seat]:
    """Return the microphones of ``roles``, and who sits there.

    Nobody is named where others sat there, too: whose words they were nobody has said.

    Args:
        roles: of each microphone as it was recorded.
        entries: of the hearing's journal.
    """
    seats, rows = {}, list(entries)
    for name, role in roles.items():
        people = [row for row in state.persons.shown if row.seat == name]
        if len(people) != 1 or len(state.persons.seated.get(name, ())) != 1:
            seats[name] = Seat(role, own_role=role)
            continue
        changes = _changes(rows, people[0].id, name)
        seats[name] = Seat(people[0].role or role, people[0].name, role, tuple(changes))
    return seats


def _changes(entries: Iterable[Entry], person: str, seat: str) -> Iterator[SeatChange]:
    """Yield when ``person`` came to ``seat`` and left it, by what the journal says."""
    part, begun_ns, is_running, sits = 0, 0, False, False
    for entry in entries:
        match entry["kind"]:
            case "part_opened":
                part, begun_ns, is_running = int(entry["part"]), int(entry["tap_ns"]), True
            case "part_closed":
                is_running = False
            case "person" if entry["id"] == person:
                is_there = entry.get("seat") == seat and not entry.get("left")
                seconds = max(0.0, (int(entry["t"]) - begun_ns) / NS_PER_S)
                if is_there != sits:
                    yield part, seconds if is_running else math.inf, is_there
                sits = is_there
