"""Rows of a court's list of hearings as court systems have been seen to send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Almaty")
TODAY = datetime.now(ZONE).date()


def listed(hour: int, **more: Any) -> dict[str, Any]:
    """Return a hearing as the central system lists it."""
    return {
        "id": f"00000000-0000-4000-8000-0000000000{hour:02d}",
        "case_number": f"7514-26-00-2/{hour}",
        "title": "A v. B",
        "kind": "civil",
        "scheduled_at": f"{TODAY}T{hour:02d}:00:00+05:00",
        "duration_minutes": 60,
        "format": "offline",
        "publicity": "open",
        "judge": "J",
        "participants": [{"name": "A", "role": "claimant"}],
        "adhoc": False,
    } | more


FIRST, LAST = listed(9), listed(11)
ODD_ROWS: dict[str, tuple[Any, list[tuple[str, str]], dict[str, Any] | None]] = {
    "title is null": (listed(10, title=None), [("title", "text")], {"title": ""}),
    "title is a number": (listed(10, title=7), [("title", "text")], {"title": "7"}),
    "title is too long": (
        listed(10, title="x" * 5000),
        [("title", "shorter text")],
        {"title": "x" * 1000},
    ),
    "half a surrogate pair": (listed(10, judge="\ud800"), [("judge", "text")], {"judge": ""}),
    "participants is null": (
        listed(10, participants=None),
        [("participants", "list")],
        {"participants": ()},
    ),
    "a participant without a name": (
        listed(10, participants=[{"name": None, "role": "claimant"}, 7]),
        [("participants[0].name", "text"), ("participants[1]", "object")],
        {},
    ),
    "id is a number": (listed(10, id=4711), [("id", "text")], {"id": "4711"}),
    "id is blank": (listed(10, id=" "), [("id", "id")], None),
    "id is missing": ({"title": "A"}, [("id", "value")], None),
    "duration is a number as text": (
        listed(10, duration_minutes="60"),
        [("duration_minutes", "whole number")],
        {"duration_minutes": 60},
    ),
    "duration is a text": (
        listed(10, duration_minutes="approx. 60"),
        [("duration_minutes", "whole number")],
        {"duration_minutes": None},
    ),
    "duration is a fraction": (
        listed(10, duration_minutes=62.5),
        [("duration_minutes", "whole number")],
        {"duration_minutes": None},
    ),
    "duration is endless": (
        listed(10, duration_minutes=10**400),
        [("duration_minutes", "number in range")],
        {"duration_minutes": None},
    ),
    "time is null": (listed(10, scheduled_at=None), [], {"scheduled_at": None}),
    "time is an empty text": (
        listed(10, scheduled_at=""),
        [("scheduled_at", "time with offset")],
        {"scheduled_at": None},
    ),
    "time is of year 9999": (
        listed(10, scheduled_at="9999-12-31T23:59:59Z"),
        [("scheduled_at", "time with offset")],
        {"scheduled_at": None},
    ),
    "time is of year 1": (
        listed(10, scheduled_at="0001-01-01T00:00:00"),
        [("scheduled_at", "time with offset")],
        {"scheduled_at": None},
    ),
    "time is without offset": (
        listed(10, scheduled_at=f"{TODAY}T10:00:00"),
        [("scheduled_at", "time with offset")],
        {"scheduled_at": f"{TODAY}T10:00:00+05:00"},
    ),
    "secrecy is unclear": (
        listed(10, state_secret="perhaps"),
        [("state_secret", "yes or no")],
        {"state_secret": True},
    ),
    "not even an object": (["a"], [("", "object")], None),
    "nothing": (None, [("", "object")], None),
    "the same id twice": (FIRST, [("id", "unique id")], None),
}
"""By name: the row, its problems (field, what is expected), and some of its fields as read; None:
the row is dropped."""
