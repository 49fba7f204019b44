"""Until when minutes are due, and remarks on them possible: terms of the law as dates (S21).

Days count from the day after the hearing or the signature. Working days leave out Saturdays and
Sundays only: no calendar of holidays and moved days off is in the rules, so that a date may be
too early, never too late.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from kiosk.rules.rules import Rules

Code = Literal["criminal", "civil"]
SATURDAY = 5
_CODES: dict[str, Code] = {"criminal": "criminal", "civil": "civil", "admin_justice": "civil"}


def minutes_due(rules: Rules, kind: str, ended: date, is_complex: bool = False) -> date | None:
    """Return the last day for the minutes of a hearing that ended on ``ended``.

    Args:
        is_complex: the longer term counts, as a person said: a complex civil case (АПК 283(4)),
            several episodes or a jury (УПК 347(4)).

    Returns:
        None: no term was found for this kind of case.
    """
    code = _CODES.get(kind)
    term = "protocol_days_complex" if is_complex else "protocol_days"
    return None if code is None else _after(rules, f"{term}.{code}", ended)


def remarks_decided_by(rules: Rules, kind: str, filed: date) -> date | None:
    """Return the last day for deciding on remarks filed on ``filed`` (АПК 285).

    Returns:
        None: the code names no term (УПК 348-1, 349).
    """
    if _CODES.get(kind) != "civil":
        return None
    return _after(rules, "remarks_decision_days.civil", filed)


def remarks_until(rules: Rules, kind: str, signed: date) -> date | None:
    """Return the last day for remarks on minutes signed on ``signed`` (УПК 348-1, АПК 284).

    Civil: read within the first term, remarks within the second from then; the latest day counts.
    """
    code = _CODES.get(kind)
    if code is None:
        return None
    read = _after(rules, "reading_days.civil", signed) if code == "civil" else signed
    return _after(rules, f"remarks_days.{code}", read)


def _after(rules: Rules, limit: str, day: date) -> date:
    """Return the last day of a term that begins after ``day``."""
    row = rules.limits[limit]
    count = int(rules.limit(limit))
    if row.unit != "working days":
        return day + timedelta(days=count)
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day
