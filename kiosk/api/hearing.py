"""A hearing of the list, and the people named in it."""

from __future__ import annotations

from datetime import datetime

from kiosk.api.base import Model, Moment
from kiosk.clocks import parse_wall


class Participant(Model):
    """Somebody at the hearing: only name and role."""

    name: str = ""
    role: str = ""


class Hearing(Model):
    """A hearing of the list (or ad hoc: then all but ``adhoc`` may be missing)."""

    id: str
    case_number: str = ""
    title: str = ""
    kind: str = ""
    scheduled_at: Moment | None = None
    duration_minutes: int | None = None
    format: str = "offline"
    publicity: str = "open"
    judge: str = ""
    participants: tuple[Participant, ...] = ()
    adhoc: bool = False

    @property
    def starts_at(self) -> datetime | None:
        """Return its scheduled start, timezone-aware, or None if the list has none."""
        return parse_wall(self.scheduled_at)
