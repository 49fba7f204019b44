"""The view for the display in the hall: today's hearings of the room as everybody may see them.

Of a hearing that is hidden the view has no number and no names, in any key (R54): a row has them in
``case`` alone, and only :func:`public_case` makes one.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Literal

from pydantic import Field

from kiosk.api.base import Model, Moment, Rows
from kiosk.api.hearing import Hearing
from kiosk.api.operations import EVENT_STREAM, Event, Operation

CONTRACT = 1


class HallStatus(StrEnum):
    """What is so with a hearing now, as the recorder says."""

    LISTED = "listed"
    """It has not begun."""
    NEXT = "next"
    """It is the next one to begin."""
    IN_SESSION = "in_session"
    RECESS = "recess"
    RETIRED = "retired"
    """The court has retired to deliberate."""
    ENDED = "ended"


class PublicCase(Model):
    """What names a hearing that everybody may know of."""

    number: str = ""
    title: str = ""


class HallRow(Model):
    """One hearing."""

    status: HallStatus
    publicity: Literal["open", "closed", "unclear"] = "unclear"
    """``unclear``: nobody has said clearly whether it is open."""
    starts_at: Moment | None = None
    """Scheduled start, or when one that is in no list began."""
    until: Moment | None = None
    """End of the recess or of the retirement, where the court has said one."""
    case: PublicCase | None = None
    """Null: nobody outside may know what is heard."""
    online: bool = False
    """Held online, wholly or in part, and open: anybody may watch (R55)."""
    is_streamed: bool = False
    """The court has allowed an internet stream of it, now (R62, R64)."""


class HallCall(Model):
    """Somebody who is called in. No name is in it, of no hearing."""

    role: str = ""
    """Role of the rules; empty: nobody outside may know it."""
    number: int = 0
    """Their place among the people of this role, or among all where the role is not told."""
    since: Moment = ""


class HallView(Model):
    """Today's hearings of the room."""

    contract: int = CONTRACT
    wall: Moment = ""
    court: dict[str, str] = Field(default_factory=dict)
    """Name of the court, by language."""
    room: str = ""
    is_day_known: bool = True
    """False while nobody has set the clock: only the hearing that is open is here."""
    rows: Rows[HallRow] = ()
    """In the order of their time."""
    calls: Rows[HallCall] = ()
    """Who is called in now, in the order of the calls."""


def public_case(hearing: Hearing, closed_here: Collection[str]) -> PublicCase | None:
    """Return what may name ``hearing`` to everybody; None: it is hidden (R54, S14).

    Args:
        closed_here: ids of hearings that the recorder says were closed in this room.
    """
    if hearing.hides_title or hearing.id in closed_here:
        return None
    return PublicCase(number=hearing.case_number, title=hearing.title)


GET_HALL = Operation(
    "getHall", "GET", "/v1/hall", "Today's hearings as everybody may see them", answer=HallView
)
GET_HALL_EVENTS = Operation(
    "getEvents",
    "GET",
    "/v1/events",
    "Events as they come; a new listener first gets the newest",
    answer=None,
    content=EVENT_STREAM,
)
HALL_OPERATIONS = (GET_HALL, GET_HALL_EVENTS)
HALL_EVENTS = (Event("hall", "The view: on each change, at least once a second", HallView),)
