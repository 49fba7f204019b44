"""Microphones to seats: rows of ``[[microphones]]`` as a technician names what is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kiosk.api.room import FoundInput

SEATS = (
    "presiding",
    "secretary",
    "plaintiff",
    "defendant_civil",
    "prosecutor",
    "defender",
    "witness",
    "remote",
    "spare",
)
"""Roles of the seats of a usual courtroom; another role is given in a hearing."""
Row = dict[str, Any]


def assign(rows: Sequence[Mapping[str, Any]], found: FoundInput, role: str) -> list[Row]:
    """Return ``rows`` with the input ``found`` at the seat ``role``.

    A seat that had another microphone keeps its name and all its other settings, so that a new
    microphone at a seat is still this seat's. Of spare ones there may be several.
    """
    place = {"device": found.device, "channel": found.channel, "rate": found.rate}
    kept = [dict(row) for row in rows if not is_at(row, found)]
    seat = next((row for row in kept if row["role"] == role and role != "spare"), None)
    if seat is not None:
        seat.update(place)
        return kept
    names = {row["name"] for row in kept}
    numbered = (f"{role}-{number}" for number in range(2, len(names) + 3))
    name = next(name for name in (role, *numbered) if name not in names)
    return [*kept, {"name": name, "role": role, **place}]


def remove(rows: Sequence[Mapping[str, Any]], found: FoundInput) -> list[Row]:
    """Return ``rows`` without the one of ``found``."""
    return [dict(row) for row in rows if not is_at(row, found)]


def seat_of(rows: Sequence[Mapping[str, Any]], found: FoundInput) -> str:
    """Return the role of the seat that has ``found``, or an empty text."""
    return next((str(row["role"]) for row in rows if is_at(row, found)), "")


def absent(rows: Sequence[Mapping[str, Any]], found: Sequence[FoundInput]) -> list[str]:
    """Return the roles of the seats whose microphone is not there now."""
    return [str(row["role"]) for row in rows if not any(is_at(row, one) for one in found)]


def is_at(row: Mapping[str, Any], found: FoundInput) -> bool:
    """Return whether ``row`` is the microphone ``found``.

    One in use is known by its name: the settings may name its device in another form.
    """
    if found.name:
        return bool(row["name"] == found.name)
    return bool(row["device"] == found.device and row.get("channel", 0) == found.channel)
