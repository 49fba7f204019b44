"""Looks up a case number in the kiosk's own list and, when online, in the central system.

An unknown number is accepted too: the court may know more than this kiosk (R14).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from kiosk.api.published import read_schedule
from kiosk.errors import KioskError
from kiosk.filing.context import FilingContext
from kiosk.rules import case_number_key, plain_number
from kiosk.storage.atomic_io import read_json_or_none

#: Form on summonses: court, year, 00, kind with a letter in appeal or cassation, then the serial
#: number and perhaps its part: "7514-26-00-2/1187", "6003-25-00-4к/1454(2)".
_CASE_NUMBER = re.compile(
    r"(?<![0-9])[0-9]{3,6}(?:\s?-\s?[0-9A-Za-zА-Яа-яӘәІіҢңҒғҮүҰұҚқӨөҺһ]{1,4}){1,4}"
    r"(?:\s[A-Za-zА-Яа-я])?\s?/\s?[0-9]{1,7}(?:\s?\(\s?[0-9]{1,3}\s?\)|(?![0-9]))"
)
_MAX_LENGTH = 100
_TIMEOUT_S = 4.0


@dataclass(frozen=True)
class CaseLookup:
    """Result of looking up a case number; it holds no personal data.

    Attributes:
        number: the number to save, as the list writes it if it is known.
        state: ``known``, ``unknown``, or ``unchecked`` (not in the list, and sync did not answer).
        kind: case kind, if it is known.
        court: the court's name by language, if the central system gave it.
        source: ``schedule`` or ``central``; None if the case is not known.
        as_of: wall time of the source's last change.
    """

    number: str
    state: Literal["known", "unknown", "unchecked"]
    kind: str | None = None
    court: dict[str, str] | None = None
    source: Literal["schedule", "central"] | None = None
    as_of: str | None = None


def case_number_in_code(text: str) -> str | None:
    """Return the case number in a summons' QR code, or None.

    The format of such codes is not published; any text with a number of the usual form is accepted.
    """
    found = _CASE_NUMBER.search(plain_number(text))
    return re.sub(r"\s", "", found.group(0)) if found else None


async def find_case(context: FilingContext, typed: str) -> CaseLookup:
    """Look up a typed or scanned case number; never fails.

    Args:
        context: the filing context.
        typed: the number; look-alike letters, dashes, spaces and case are ignored.
    """
    number = " ".join(typed.split())[:_MAX_LENGTH]
    key = case_number_key(number)
    zone = ZoneInfo(context.settings.kiosk.timezone)
    scheduled = await asyncio.to_thread(_find_in_schedule, context.paths.schedule, key, zone)
    if scheduled is not None:
        return scheduled
    if not key:
        return CaseLookup(number, "unchecked")
    try:
        reply = await context.sync.post("/v1/cases", {"number": number}, timeout=_TIMEOUT_S)
    except KioskError:
        return CaseLookup(number, "unchecked")
    if not reply.get("exists"):
        return CaseLookup(number, "unknown", as_of=_text(reply.get("as_of")))
    court = reply.get("court")
    return CaseLookup(
        number=_text(reply.get("number")) or number,
        state="known",
        kind=_text(reply.get("kind")),
        court=court if isinstance(court, dict) else None,
        source="central",
        as_of=_text(reply.get("as_of")),
    )


def _find_in_schedule(path: Path, key: str, zone: ZoneInfo) -> CaseLookup | None:
    schedule = read_schedule(read_json_or_none(path), zone)
    for hearing in schedule.hearings:
        number = hearing.case_number
        if number and case_number_key(number) == key:
            kind, pulled = hearing.kind or None, schedule.pulled_at
            return CaseLookup(number, "known", kind, None, "schedule", pulled)
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
