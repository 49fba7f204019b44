"""Requests and answers of the recorder's calls."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from kiosk.api.base import Model, Moment, OptionalText, Rows, SparseModel
from kiosk.api.operations import (
    ErrorAnswer,
)
from kiosk.api.recorder import Closure, Device, Interruption, Mark, Playback
from kiosk.api.reports import Limit
from kiosk.api.states import Phase, Remedy


# -- sign-in -----------------------------------------------------------------------------------
class ListedPerson(Model):
    """Somebody who may sign in with a PIN."""

    person: str
    """Id of the staff list; ``first-technician``: who has the code of ``kiosk provision``."""
    name: str = ""
    """Empty for the first technician."""
    roles: tuple[str, ...] = ()


class ListedPeople(Model):
    """Those of this room who may sign in with a PIN; who did so last comes first."""

    people: Rows[ListedPerson] = ()


class SignIn(Model):
    """Who signs in: ``person`` with ``pin``, or ``badge``."""

    person: str | None = None
    """Id of the person who was chosen."""
    pin: str | None = None
    badge: str | None = None
    place: Literal["screen", "command"] = "screen"
    """Wrong tries are counted for each place by itself."""


class SignInRefusal(ErrorAnswer):
    """Nobody was let in."""

    wait_seconds: int = 0
    """The next try of this person at this place is possible after this."""


class StaffSession(Model):
    """Somebody who has signed in."""

    token: str
    """Bearer token; it ends after a time without use, at the latest after 12 hours."""
    person: str = ""
    """Id of the staff list."""
    name: str = ""
    roles: tuple[str, ...] = ()

    def has_role(self, *roles: str) -> bool:
        """Return whether one of ``roles`` is among this person's."""
        return any(role in self.roles for role in roles)


class WrappedKey(Model):
    """The wrapped key of an unfinished filing."""

    wrapped: str
    """Base64 of the filing's ``key.keeper``."""


class FilingKey(Model):
    """The key of an unfinished filing."""

    key: str
    """Base64."""


# -- steps of a hearing ------------------------------------------------------------------------
class StartHearing(Model):
    """The hearing to start."""

    hearing: dict[str, Any] | None = None
    """The hearing with its ``id``; null: one that is in no list. Of a hearing that the court's list
    has, the recorder takes everything from the list; what else stands here can only close it."""
    with_minute_before: bool = False
    """Keep what ``kept_before`` of State has of this hearing, as a part of its own before it."""


class StartedHearing(Model):
    """The hearing is being recorded."""

    hearing_id: str
    """A new id where the hearing was sealed before."""
    part: int
    kept_seconds: float = 0.0
    """Length of the part before it; 0: nothing was kept before the start."""


class DueHearing(Model):
    """A hearing that is due, of which nothing before its start is kept."""

    hearing_id: str


class OpenHearingAnswer(ErrorAnswer):
    """Refusal because a hearing is open."""

    hearing_id: str = ""


class AddMark(Model):
    """An event to mark now."""

    type: str
    """Event id of the rules. ``closed_declared`` and ``opened_again`` close and open."""
    note: OptionalText = ""
    role: OptionalText = ""
    of: OptionalText = ""
    """Id of the person whom it concerns; without it, ``of_whom:MARK`` may be asked."""


class UndoMark(Model):
    """Which mark is taken back: a tap is meant for the one that was the newest then."""

    mark: int | None = None
    """Its number; null: the newest. One that was taken back already stays so; nothing else goes."""


class MarkAnswer(Model):
    """The mark that was set or withdrawn."""

    mark: Mark


class EndOath(Model):
    """An oath that was taken, or an explanation that was given, to its end."""

    mark: int
    """Id of the mark with which it began."""


class InterruptionQuery(Model):
    """Which rows of the ledger."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class InterruptionPage(Model):
    """Rows of the ledger of interruptions, by part and number."""

    total: int
    """Rows of the whole ledger; those of the last second may be missing."""
    offset: int
    interruptions: Rows[Interruption] = ()


class StepReason(Model):
    """Why the court interrupts."""

    reason: OptionalText = ""


class StepAnswer(Model):
    """The capture has stopped."""

    hearing_id: str
    part: int
    phase: Phase


class ResumedHearing(Model):
    """The next part is being recorded."""

    hearing_id: str
    part: int


class EndedHearing(Model):
    """The hearing is being sealed."""

    hearing_id: str
    phase: Phase


class CloseHearing(Model):
    """The court closes the hearing."""

    ground: str | None = None
    """Closure ground of the rules; without it the question ``closure_ground`` is asked."""
    note: OptionalText = ""


class OpenHearing(Model):
    """The court opens the hearing again."""

    note: OptionalText = ""


class PublicityAnswer(Model):
    """Whether the hearing is closed now."""

    hearing_id: str
    part: int
    phase: Phase
    closed: Closure | None


class CloseSince(CloseHearing):
    """The court closes the hearing from an earlier moment: ``since`` or ``mark``."""

    since: Moment | None = None
    mark: int | None = None
    """Id of a mark of this hearing."""


class CloseSinceAnswer(Model):
    """Media captured from ``since`` on are being replaced in the background."""

    hearing_id: str
    since: Moment
    parts: int
    """Number of the last part in which media are replaced."""


MAX_ANSWER_LENGTH = 500
"""Of an answer that is a sentence."""


class Statement(Model):
    """An answer to an open question, or anything else for the minutes."""

    subject: str = Field(min_length=1)
    value: Any = None
    note: OptionalText = ""


class OpenQuestions(Model):
    """Questions that are still open."""

    open_questions: tuple[str, ...]


class CallAnswer(Model):
    """The secretary is coming."""

    was_called: bool
    """False: nobody had called, or somebody has answered already."""


class ApplyRemedy(Model):
    """What the court does about a microphone that fails."""

    source: str
    """The microphone."""
    remedy: Remedy
    to: OptionalText = ""
    """Which microphone takes over; needed for ``move``."""


class MicrophoneDuties(Model):
    """Whom each microphone serves now."""

    roles: dict[str, tuple[str, ...]]
    without: tuple[str, ...]
    """Microphones that the court continues without."""


class ListenBack(Model):
    """What to play in the headset: the last seconds of the running part, or some before.

    With ``hearing_id`` it is a place of a hearing that has ended: ``part`` and ``part_seconds``.
    """

    hearing_id: UUID | None = None
    part: Annotated[int, Field(ge=1)] | None = None

    seconds: Annotated[float, Field(ge=1, le=600)] = 60.0
    part_seconds: Annotated[float, Field(ge=0)] | None = None
    """From there on, counted from the begin of the part; null: the last ``seconds``."""
    source: str | None = None
    """A microphone; null: the mix."""


class ListenBackAnswer(Model):
    """What plays now; null: nothing."""

    listening: Playback | None


# -- devices -----------------------------------------------------------------------------------
class Devices(Model):
    """The devices in use."""

    devices: Rows[Device]


class TestDevice(Model):
    """How a device is tested."""

    __test__ = False  # no test of pytest
    seconds: Annotated[float, Field(ge=0, le=300)] | None = None
    """How long; null or 0: the test's own time."""
    commissioning: bool = False
    """Whether it becomes the baseline; then it is not compared with an earlier one."""


class DeviceTestAnswer(SparseModel):
    """Result of a device's test."""

    state: Literal["passed", "failed", "skipped"]
    code: str | None = None
    """Why it failed or was skipped; sentence in :mod:`kiosk.alarms`."""
    measured: dict[str, Any]
    """Measured values by name; they differ by device."""
    limits: dict[str, Limit] = Field(default_factory=dict)
    """Limit by name (``fps``) or path (``judge.level_db``) of the measured value."""
