"""What the services say, typed: the JSON of ``docs/interfaces.md`` as frozen models.

Unknown keys are ignored (a newer service may say more); a missing one takes a default that
promises nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Phase = Literal["idle", "recording", "recess", "retired", "sealing"]


class Fact(BaseModel):
    """Frozen; keys that are not known are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Participant(Fact):
    """Somebody at the hearing: only name and role."""

    name: str = ""
    role: str = ""


class Hearing(Fact):
    """A hearing of the list (or ad hoc)."""

    id: str
    case_number: str = ""
    title: str = ""
    kind: str = ""
    scheduled_at: str | None = None
    duration_minutes: int | None = None
    format: str = "offline"
    publicity: str = "open"
    judge: str = ""
    participants: tuple[Participant, ...] = ()
    adhoc: bool = False

    @property
    def begins(self) -> datetime | None:
        """Return when it is due, aware, or None where the list does not say."""
        return moment(self.scheduled_at)


class Mark(Fact):
    """One event of the running hearing."""

    id: int | str
    type: str
    at: str = ""
    seconds: float = 0.0
    note: str | None = ""
    role: str = ""
    withdrawn: bool = False


class Interruption(Fact):
    """Something was not recorded for a while."""

    source: str = ""
    kind: str = ""
    at: str = ""
    seconds: float | None = None


class Closed(Fact):
    """The hearing is closed: since when, on which ground (None: not named yet)."""

    since: str = ""
    ground: str | None = None


class RunningHearing(Hearing):
    """The hearing the recorder has open."""

    part: int = 1
    parts: int = 1
    seconds: float = 0.0
    part_seconds: float = 0.0
    started: str = ""
    marks: tuple[Mark, ...] = ()
    expected: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    tap_to_first_durable_ms: float | None = None
    closed: Closed | None = None
    closed_parts: tuple[int, ...] = ()
    replacing: bool = False


class Camera(Fact):
    """The camera."""

    state: str = "off"
    back_end: str = ""


class Microphone(Fact):
    """One named microphone.

    ``roles``: whom it serves now (None: an older recorder does not say); ``remedies`` are possible
    now, ``remedy_targets`` could take over.
    """

    name: str
    kind: str = "room"
    role: str = ""
    state: str = "starting"
    since: str | None = None
    heard: str | None = None
    roles: tuple[str, ...] | None = None
    without: bool = False
    remedies: tuple[str, ...] = ()
    remedy_targets: dict[str, tuple[str, ...]] = {}

    @property
    def is_spare(self) -> bool:
        """Return whether it serves nobody now."""
        return self.roles == ()


class Planned(Fact):
    """What the hearing still needs of the disk."""

    hours_needed: float = 0.0
    fits: bool = True


class Storage(Fact):
    """Free space."""

    free_bytes: int = 0
    total_bytes: int = 0
    hours_left: float | None = None
    state: str = "ok"
    planned: Planned | None = None
    waiting_bytes: int = 0


class Mirror(Fact):
    """The second storage."""

    state: str = "off"
    behind_bytes: int = 0
    behind_seconds: float = 0.0
    free_bytes: int | None = None


class CourtKeys(Fact):
    """The court's keys for closed parts."""

    state: str = "missing"
    needed: bool = False


class Playing(Fact):
    """What is played in the headset."""

    source: str | None = None
    seconds: float = 0.0
    of_seconds: float = 60.0


class Reminder(Fact):
    """Nobody has resumed: how often that was said, after how many minutes."""

    count: int = 1
    minutes: float = 0.0


class ClockFact(Fact):
    """Whether wall time can be trusted."""

    state: str = "ok"


class Proof(Fact):
    """The read-back proof."""

    state: str = "none"
    age_seconds: float | None = None
    detail: str = ""
    source: str = ""


class Preview(Fact):
    """Where the live picture lies."""

    path: str = ""
    width: int = 0
    height: int = 0


class Alarm(Fact):
    """An alarm by code; sentence and remedy come from :mod:`kiosk.alarms`."""

    code: str
    source: str | None = None
    since: str | None = None


class Recovered(Fact):
    """A hearing that was resumed by itself after a crash or power cut."""

    hearing_id: str = ""
    gap_seconds: float | None = None


class Recorder(Fact):
    """State of the recorder service."""

    wall: str = ""
    phase: Phase = "idle"
    recovered: Recovered | None = None
    hearing: RunningHearing | None = None
    camera: Camera = Camera()
    microphones: tuple[Microphone, ...] = ()
    storage: Storage = Storage()
    mirror: Mirror = Mirror()
    court_keys: CourtKeys | None = None
    listening: Playing | None = None
    reminder: Reminder | None = None
    clock: ClockFact = ClockFact()
    proof: Proof = Proof()
    lamp: bool = False
    preview: Preview | None = None
    alarms: tuple[Alarm, ...] = ()


class Link(Fact):
    """The line to the central system."""

    state: str = "unknown"
    since: str | None = None
    last_contact: str | None = None
    problem: str | None = None


class Delivering(Fact):
    """What is on its way now."""

    id: str = ""
    kind: str = ""
    done_bytes: int = 0
    total_bytes: int = 0


class Pulled(Fact):
    """Age of the list of hearings."""

    pulled_at: str | None = None


class Queue(Fact):
    """What waits for delivery."""

    items: int = 0
    bytes: int = 0
    courier: int = 0


class LinkResult(Fact):
    """Result of a link check."""

    state: str = "failed"
    verdict: str = ""
    at: str = ""
    hearing: str = ""
    problem: str | None = None
    sentence: dict[str, str] = {}


class NextCheck(Fact):
    """The link check that comes by itself."""

    hearing: str = ""
    at: str = ""


class LinkCheck(Fact):
    """The link check: running, newest result, the next one."""

    running: bool = False
    last: LinkResult | None = None
    next: NextCheck | None = None


class Uploads(Fact):
    """How recordings leave now; ``state`` is one of ``docs/interfaces.md``."""

    state: str = "free"
    rate_mbit: float | None = None
    until: str | None = None


class Forecast(Fact):
    """When the backlog is empty and when the disk would be full."""

    empty_at: str | None = None
    endless: bool = False
    full_at: str | None = None


class Sync(Fact):
    """State of the sync service."""

    link: Link = Link()
    schedule: Pulled = Pulled()
    delivering: Delivering | None = None
    queue: Queue = Queue()
    link_check: LinkCheck = LinkCheck()
    uploads: Uploads = Uploads()
    forecast: Forecast | None = None
    database: str = "ok"
    alarms: tuple[Alarm, ...] = ()


class Schedule(Fact):
    """Hearings of the day, and when the list was pulled."""

    pulled_at: str | None = None
    hearings: tuple[Hearing, ...] = ()


class Staff(Fact):
    """Somebody who has signed in."""

    token: str
    person: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()

    def may(self, *roles: str) -> bool:
        """Return whether one of ``roles`` is among this person's."""
        return any(role in self.roles for role in roles)


class Delivery(Fact):
    """How far a hearing's delivery has come."""

    state: str = "queued"
    bytes_done: int = 0
    bytes_total: int = 0
    central_sha256_match: bool | None = None


class FilingState(Fact):
    """Where a filing stands."""

    state: str = "queued"
    number: str | None = None
    provisional: str | None = None
    as_of: str | None = None


def moment(text: str | None) -> datetime | None:
    """Return RFC 3339 ``text`` as an aware time, or None where there is none or it is wrong."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def parse_recorder(value: Any) -> Recorder:
    """Return the recorder's state; raises ``pydantic.ValidationError`` on a foreign one."""
    return Recorder.model_validate(value)
