"""Whoever was removed from the hall has left: removal is a mark, and so is its undoing (S7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing

REMOVAL_EVENT = "removal"
"""Event type of the rules data."""


@contextmanager
def removals_followed(hearing: OpenHearing, by: str) -> Iterator[None]:
    """Note who was removed by what is done meanwhile, and whose removal was taken back.

    Args:
        by: the member of staff who does it.
    """
    before = _removed(hearing.state)
    yield
    after = _removed(hearing.state)
    for person in list(hearing.state.persons.rows.values()):
        was, now = before.get(person.id, []), after.get(person.id, [])
        left = now[-1] if now and not person.left else person.left
        if len(now) < len(was) and person.left == was[-1]:
            left = ""  # also if they had been removed before, and had come back since
        if left != person.left and was != now:
            changed = person.model_copy(update={"left": left})
            hearing.append("person", changed.to_json() | {"person": by})


def _removed(state: HearingState) -> dict[str, list[str]]:
    """Return the times at which each person was removed, by id."""
    found: dict[str, list[str]] = {}
    for mark in state.marks_in_force:
        if mark.type == REMOVAL_EVENT and mark.of is not None:
            found.setdefault(mark.of.id, []).append(mark.at)
    return found
