"""The court's list of hearings as the recorder itself reads it.

What is closed and what is a state secret is decided from this list, never from what a screen
repeats of it. A request may close more than the list does, never less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.hearing import Hearing
from kiosk.api.published import read_schedule
from kiosk.rules import Rules, case_number_key
from kiosk.storage.atomic_io import FileVersion, file_version, read_json_or_none
from kiosk.storage.patient_reader import PatientReader

PUBLICITIES = ("open", "closed")
UNCLEAR = ""
"""Publicity of a hearing of which nobody has said clearly whether it is open."""


def is_closed(hearing: Mapping[str, Any]) -> bool:
    """Return whether a hearing is closed from its start."""
    return hearing.get("publicity") == "closed" or bool(hearing.get("state_secret"))


def hides_number(listed: Iterable[Hearing], number: str) -> bool:
    """Return whether the list hides a hearing of the case with that number."""
    key = case_number_key(number)
    return bool(key) and any(
        row.hides_title and case_number_key(row.case_number) == key for row in listed
    )


class CourtList:
    """The published list, read again when its file changes.

    A file that cannot be read leaves the list as it was: a closed hearing stays closed.

    Args:
        path: ``published/schedule.json``.
        zone: of the court.
    """

    def __init__(self, path: Path, zone: ZoneInfo, rules: Rules) -> None:
        self._path, self._zone, self._rules = path, zone, rules
        self._read: tuple[FileVersion | None, tuple[Hearing, ...]] = (None, ())
        self._reader = PatientReader(self._read_list)

    def hearings(self) -> tuple[Hearing, ...]:
        """Return all hearings of the list."""
        return self._reader.value()

    def _read_list(self) -> tuple[Hearing, ...]:
        version = file_version(self._path)
        if version is not None and version != self._read[0]:
            value = read_json_or_none(self._path)
            found = self._read[1] if value is None else read_schedule(value, self._zone).hearings
            self._read = (version, found)
        return self._read[1]

    def hearings_on(self, day: date) -> list[Hearing]:
        """Return the hearings that may be held on ``day``, as last known: no disk is waited for."""
        return [hearing for hearing in self._reader.latest() if hearing.may_be_on(day, self._zone)]

    def details_of(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the hearing to start.

        Args:
            asked: what the request says. Of a hearing that is in the list only its ``id`` counts,
                and what closes it.

        Returns:
            All that the list has, else ``asked``. ``publicity`` is ``open``, ``closed``, or
            :data:`UNCLEAR`, also where the list hides another hearing of the case; a hearing that
            touches a state secret has ``state_secret`` (R86, R87);
            ``closure_ground`` is one of the rules, or absent: then it is asked.
        """
        row = next((h for h in self.hearings() if h.id == str(asked.get("id", ""))), None)
        details = dict(asked) if row is None else row.to_json()
        named = (details.pop("closure_ground", None), asked.get("closure_ground"))
        grounds = [self._rules.closure_grounds.get(str(name)) for name in named if name]
        known = [ground for ground in grounds if ground is not None]
        if known:
            details["closure_ground"] = known[0].id
        secret = details.get("state_secret") or asked.get("state_secret")
        if secret or any(ground.never_online for ground in known):
            details["state_secret"] = True
        number = str(details.get("case_number") or "")
        if is_closed(details) or is_closed(asked):
            details["publicity"] = "closed"
        elif row is None and hides_number(self.hearings(), number):
            details["publicity"] = UNCLEAR  # the list came too late, or it was typed in again
        elif details.get("publicity", "open") not in PUBLICITIES:
            details["publicity"] = UNCLEAR
        return details
