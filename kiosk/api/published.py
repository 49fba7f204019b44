"""Lists that sync pulls from the central system and publishes in ``data/published/``.

The files hold the rows as the central system sent them. Every reader goes through this module,
so that all processes see the same rows in the same order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from kiosk.api.base import Model, Moment
from kiosk.api.hearing import Hearing
from kiosk.api.rows import MAX_ROWS, ListedId, ListedText, ListedTime, ReadRows, read_rows

_LAST = datetime.max.replace(tzinfo=UTC)


class Schedule(Model):
    """Answer of ``GET /v1/schedule``, and ``published/schedule.json`` as it is read."""

    pulled_at: Moment | None = None
    """When the list was pulled; null: never."""
    pulled: dict[str, Any] | None = None
    """The same moment as a stamp that tells its age, whatever the wall clock does."""
    hearings: tuple[Hearing, ...] = ()
    """In the order of their time, those without a time last."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object; of each hearing the fields that the list has."""
        hearings = [row.model_dump(mode="json", exclude_unset=True) for row in self.hearings]
        return {"pulled_at": self.pulled_at, "pulled": self.pulled, "hearings": hearings}


class StaffMember(Model):
    """A row of ``published/staff.json``: hashes only."""

    person: ListedId
    """Id, as journals keep it."""
    name: ListedText = ""
    roles: tuple[str, ...] = ()
    """``secretary``, ``judge``, ``technician``; empty: may not sign in."""
    pin: str | None = None
    """argon2id hash of the PIN in PHC form (:mod:`kiosk.exchange.staff_list`)."""
    badge: str | None = None
    """Likewise of the badge."""


class FilingAnswer(Model):
    """What the central system says about a filing."""

    state: Annotated[str, Field(min_length=1)] | None = None
    """Null: unreadable; the state known before stays."""
    number: Annotated[ListedText, Field(min_length=1)] | None = None
    """Registration number; null: it is given later."""
    registered_at: ListedTime | None = None
    reason: ListedText | None = None
    """Why it was returned, in the registry's words."""


def read_hearings(value: object, zone: ZoneInfo) -> ReadRows[Hearing]:
    """Read the hearings of ``published/schedule.json``, in the order of their time.

    Args:
        value: the file's JSON, or the central system's answer.
        zone: of the court.
    """
    rows = value.get("hearings", []) if isinstance(value, dict) else []
    read = read_rows(Hearing, rows, "id", zone, MAX_ROWS)
    ordered = sorted(read.rows, key=lambda hearing: hearing.starts_at or _LAST)
    return ReadRows(tuple(ordered), read.problems, read.total)


def read_schedule(value: object, zone: ZoneInfo) -> Schedule:
    """Read ``published/schedule.json`` or the answer of ``GET /v1/schedule``."""
    return Schedule(**pulled(value), hearings=read_hearings(value, zone).rows)


def read_staff(value: object) -> ReadRows[StaffMember]:
    """Read the rows of ``published/staff.json``; a person may have several badges, so rows."""
    rows = value.get("staff", []) if isinstance(value, dict) else []
    return read_rows(StaffMember, rows, most=MAX_ROWS)


def pulled_at(value: Any) -> str | None:
    """Return when a published list was pulled, or None."""
    moment = value.get("pulled_at") if isinstance(value, dict) else None
    return moment if isinstance(moment, str) else None


def pulled(value: Any) -> dict[str, Any]:
    """Return when a published list was pulled, as the fields of :class:`Schedule`."""
    stamp = value.get("pulled") if isinstance(value, dict) else None
    return {"pulled_at": pulled_at(value), "pulled": stamp if isinstance(stamp, dict) else None}
