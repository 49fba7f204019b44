"""A hearing of the list, and the people named in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo

from kiosk.api.base import Model
from kiosk.api.rows import ListedId, ListedText, ListedTime
from kiosk.clocks import parse_wall

EARLY = timedelta(minutes=1)
"""A hearing may begin so long before its time."""


def _read_secrecy(value: object, info: ValidationInfo) -> object:
    """Read any answer but a clear no as yes, when a list is read field by field."""
    return bool(value) if isinstance(info.context, ZoneInfo) else value


def _read_publicity(value: object, info: ValidationInfo) -> object:
    """Read what is no text as "", which is not "open", when a list is read field by field."""
    return "" if isinstance(info.context, ZoneInfo) and not isinstance(value, str) else value


class Participant(Model):
    """Somebody at the hearing: only name and role."""

    name: Annotated[ListedText, Field(max_length=300)] = ""
    role: Annotated[ListedText, Field(max_length=100)] = ""


class Hearing(Model):
    """A hearing of the list (or ad hoc: then all but ``adhoc`` may be missing).

    The limits are those of the central contract, which refuses a recording that exceeds them.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    id: ListedId
    case_number: Annotated[ListedText, Field(max_length=200)] = ""
    title: Annotated[ListedText, Field(max_length=1000)] = ""
    kind: Annotated[ListedText, Field(max_length=100)] = ""
    scheduled_at: ListedTime | None = None
    """Null: the list has no time for it that can be read."""
    duration_minutes: Annotated[int, Field(ge=0, le=100_000)] | None = None
    format: Annotated[ListedText, Field(max_length=100)] = ""
    """Empty: nobody has said it; it is asked (R20)."""
    publicity: Annotated[ListedText, Field(max_length=100), BeforeValidator(_read_publicity)] = (
        "open"
    )
    """Neither "open" nor "closed": the list has nothing that can be read."""
    state_secret: Annotated[bool, BeforeValidator(_read_secrecy)] = False
    """Never leaves by network (R86, R87); closed from the start."""
    liberty_at_stake: Annotated[bool, BeforeValidator(_read_secrecy)] = False
    """The case may end in deprivation of liberty: an online format is confirmed (R89)."""
    session: Annotated[ListedText, Field(max_length=100)] = ""
    """Kind of session of the rules (``conciliation``, …); empty: a usual one."""
    closure_ground: ListedText | None = None
    """Ground of the rules for closing, where the list names one."""
    judge: Annotated[ListedText, Field(max_length=300)] = ""
    participants: Annotated[tuple[Participant, ...], Field(max_length=1000)] = ()
    adhoc: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this hearing; what few have only where it has it."""
        value = super().to_json()
        few = ("state_secret", "closure_ground", "liberty_at_stake", "session")
        return {key: item for key, item in value.items() if item or key not in few}

    @property
    def starts_at(self) -> datetime | None:
        """Return its scheduled start, timezone-aware, or None if the list has none."""
        return parse_wall(self.scheduled_at)

    def is_due(self, now: datetime) -> bool:
        """Return whether its time is there: from a minute before its start to its planned end."""
        starts = self.starts_at
        if starts is None:
            return False
        ends = starts + timedelta(minutes=self.duration_minutes or 60)
        return starts - EARLY <= now < ends

    @property
    def is_closed(self) -> bool:
        """Whether it is to be closed from its start."""
        return self.publicity == "closed" or self.state_secret

    @property
    def hides_title(self) -> bool:
        """Whether its title is shown to nobody: it is closed, or not clearly open.

        An open hearing with a ground for closing is not clearly open.
        """
        return self.publicity != "open" or self.state_secret or bool(self.closure_ground)

    def may_be_on(self, day: date, zone: ZoneInfo) -> bool:
        """Return whether it may be held on ``day``: an untimed hearing may be on any day."""
        starts = self.starts_at
        return starts is None or starts.astimezone(zone).date() == day
