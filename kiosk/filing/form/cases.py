"""Is there such a case? Asked of the kiosk's own list, and of the central system when online.

An unknown number is taken all the same: the court may know more than this kiosk (R14).
"""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kiosk.errors import KioskError
from kiosk.filing.context import FilingRoom
from kiosk.rules import case_number_key

#: As on summonses: digits in groups, the last after a slash ("7514-26-00-2/1187").
_NUMBER = re.compile(r"(?<![0-9])[0-9]{3,6}(?:-[0-9A-Za-zА-Яа-я]{1,4}){1,4}/[0-9]{1,7}(?![0-9])")
_LONGEST = 100
_ASK_SECONDS = 4.0


@dataclass(frozen=True)
class FoundCase:
    """What is known of a case number: nothing about anybody.

    Attributes:
        number: as it is kept from now on (as the list writes it, where it is known).
        state: ``known``, ``unknown``, or ``unchecked`` (no list has it and nobody could be asked).
        kind: case kind, where it is known.
        court: language map of the court's name, where the central system said so.
        source: ``schedule`` or ``central``; None: nobody knows it.
        as_of: age of what was said (wall time).
    """

    number: str
    state: Literal["known", "unknown", "unchecked"]
    kind: str | None = None
    court: dict[str, str] | None = None
    source: Literal["schedule", "central"] | None = None
    as_of: str | None = None


def case_in_code(text: str) -> str | None:
    """Return the case number in a summons' QR code; None where there is none.

    What such a code holds was not found; any text with a number of the usual form will do.
    """
    found = _NUMBER.search(unicodedata.normalize("NFKC", text))
    return found.group(0) if found else None


async def find_case(room: FilingRoom, typed: str) -> FoundCase:
    """Return what is known of a typed or scanned case number; never fails.

    Args:
        room: the filing room.
        typed: look-alike letters, dashes, spaces and case do not count.
    """
    number = " ".join(typed.split())[:_LONGEST]
    key = case_number_key(number)
    here = await asyncio.to_thread(_in_schedule, room.layout.schedule, key)
    if here is not None:
        return here
    if not key:
        return FoundCase(number, "unchecked")
    try:
        told = await room.sync.post("/v1/cases", {"number": number}, timeout=_ASK_SECONDS)
    except KioskError:
        return FoundCase(number, "unchecked")
    if not told.get("exists"):
        return FoundCase(number, "unknown", source=None, as_of=_text(told.get("as_of")))
    court = told.get("court")
    return FoundCase(
        number=_text(told.get("number")) or number,
        state="known",
        kind=_text(told.get("kind")),
        court=court if isinstance(court, dict) else None,
        source="central",
        as_of=_text(told.get("as_of")),
    )


def _in_schedule(path: Path, key: str) -> FoundCase | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        hearings = [one for one in value["hearings"] if isinstance(one, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    for hearing in hearings:
        number = str(hearing.get("case_number") or "")
        if number and case_number_key(number) == key:
            kind, pulled = hearing.get("kind"), value.get("pulled_at")
            return FoundCase(number, "known", _text(kind), None, "schedule", _text(pulled))
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
