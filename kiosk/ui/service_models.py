"""Typed models of the services' JSON (``docs/interfaces.md``).

Unknown keys are ignored, so that a newer service may send more. A missing key takes a neutral
default.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Phase = Literal["idle", "recording", "recess", "retired", "sealing"]


class ServiceModel(BaseModel):
    """Frozen; keys that are not known are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Participant(ServiceModel):
    """Somebody at the hearing: only name and role."""

    name: str = ""
    role: str = ""


class Hearing(ServiceModel):
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
    def starts_at(self) -> datetime | None:
        """Return its scheduled start, timezone-aware, or None if the list has none."""
        return parse_time(self.scheduled_at)


class Mark(ServiceModel):
    """One event of the running hearing."""

    id: int | str
    type: str
    at: str = ""
    seconds: float = 0.0
    note: str | None = ""
    role: str = ""
    withdrawn: bool = False


class Interruption(ServiceModel):
    """Something was not recorded for a while."""

    source: str = ""
    kind: str = ""
    at: str = ""
    seconds: float | None = None


class Closure(ServiceModel):
    """The hearing is closed: since when, on which ground (None: not named yet)."""

    since: str = ""
    ground: str | None = None


class RunningHearing(Hearing):
    """The hearing that the recorder has open."""

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
    closed: Closure | None = None
    closed_parts: tuple[int, ...] = ()
    replacing: bool = False


class Camera(ServiceModel):
    """The camera."""

    state: str = "off"
    back_end: str = ""


class Microphone(ServiceModel):
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


class PlannedSpace(ServiceModel):
    """Disk space that the hearing still needs."""

    hours_needed: float = 0.0
    fits: bool = True


class Storage(ServiceModel):
    """Free space."""

    free_bytes: int = 0
    total_bytes: int = 0
    hours_left: float | None = None
    state: str = "ok"
    planned: PlannedSpace | None = None
    waiting_bytes: int = 0


class Mirror(ServiceModel):
    """The second storage."""

    state: str = "off"
    behind_bytes: int = 0
    behind_seconds: float = 0.0
    free_bytes: int | None = None


class CourtKeys(ServiceModel):
    """The court's keys for closed parts."""

    state: str = "missing"
    needed: bool = False


class Playback(ServiceModel):
    """What the headset plays now."""

    source: str | None = None
    seconds: float = 0.0
    of_seconds: float = 60.0


class ResumeReminder(ServiceModel):
    """Reminder to resume: how often it was given, after how many minutes."""

    count: int = 1
    minutes: float = 0.0


class ClockState(ServiceModel):
    """Whether wall time can be trusted."""

    state: str = "ok"


class Proof(ServiceModel):
    """The read-back proof."""

    state: str = "none"
    age_seconds: float | None = None
    detail: str = ""
    source: str = ""


class Preview(ServiceModel):
    """Where the live picture is stored."""

    path: str = ""
    width: int = 0
    height: int = 0


class Alarm(ServiceModel):
    """An alarm by code; sentence and remedy come from :mod:`kiosk.alarms`."""

    code: str
    source: str | None = None
    since: str | None = None


class Recovery(ServiceModel):
    """A hearing that was resumed automatically after a crash or power cut."""

    hearing_id: str = ""
    gap_seconds: float | None = None


class RecorderState(ServiceModel):
    """State of the recorder service."""

    wall: str = ""
    phase: Phase = "idle"
    recovered: Recovery | None = None
    hearing: RunningHearing | None = None
    camera: Camera = Camera()
    microphones: tuple[Microphone, ...] = ()
    storage: Storage = Storage()
    mirror: Mirror = Mirror()
    court_keys: CourtKeys | None = None
    listening: Playback | None = None
    reminder: ResumeReminder | None = None
    clock: ClockState = ClockState()
    proof: Proof = Proof()
    lamp: bool = False
    preview: Preview | None = None
    alarms: tuple[Alarm, ...] = ()


class Link(ServiceModel):
    """The link to the central system."""

    state: str = "unknown"
    since: str | None = None
    last_contact: str | None = None
    problem: str | None = None


class CurrentDelivery(ServiceModel):
    """The item that is being delivered now."""

    id: str = ""
    kind: str = ""
    done_bytes: int = 0
    total_bytes: int = 0


class ScheduleAge(ServiceModel):
    """Age of the list of hearings."""

    pulled_at: str | None = None


class DeliveryQueue(ServiceModel):
    """What waits for delivery."""

    items: int = 0
    bytes: int = 0
    courier: int = 0


class LinkCheckResult(ServiceModel):
    """Result of a link check."""

    state: str = "failed"
    verdict: str = ""
    at: str = ""
    hearing: str = ""
    problem: str | None = None
    sentence: dict[str, str] = {}


class NextLinkCheck(ServiceModel):
    """The next scheduled link check."""

    hearing: str = ""
    at: str = ""


class LinkCheck(ServiceModel):
    """The link check: running, newest result, the next one."""

    running: bool = False
    last: LinkCheckResult | None = None
    next: NextLinkCheck | None = None


class UploadState(ServiceModel):
    """How recordings are uploaded now; ``state`` is one of ``docs/interfaces.md``."""

    state: str = "free"
    rate_mbit: float | None = None
    until: str | None = None


class Forecast(ServiceModel):
    """When the backlog will be empty and when the disk would be full."""

    empty_at: str | None = None
    endless: bool = False
    full_at: str | None = None


class SyncState(ServiceModel):
    """State of the sync service."""

    link: Link = Link()
    schedule: ScheduleAge = ScheduleAge()
    delivering: CurrentDelivery | None = None
    queue: DeliveryQueue = DeliveryQueue()
    link_check: LinkCheck = LinkCheck()
    uploads: UploadState = UploadState()
    forecast: Forecast | None = None
    database: str = "ok"
    alarms: tuple[Alarm, ...] = ()


class Schedule(ServiceModel):
    """Hearings of the day, and when the list was pulled."""

    pulled_at: str | None = None
    hearings: tuple[Hearing, ...] = ()


class StaffSession(ServiceModel):
    """Somebody who has signed in."""

    token: str
    person: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()

    def has_role(self, *roles: str) -> bool:
        """Return whether one of ``roles`` is among this person's."""
        return any(role in self.roles for role in roles)


class Delivery(ServiceModel):
    """How far a hearing's delivery has come."""

    state: str = "queued"
    bytes_done: int = 0
    bytes_total: int = 0
    central_sha256_match: bool | None = None


class FilingState(ServiceModel):
    """Where a filing stands."""

    state: str = "queued"
    number: str | None = None
    provisional: str | None = None
    as_of: str | None = None


def parse_time(text: str | None) -> datetime | None:
    """Return RFC 3339 ``text`` as an aware time, or None where there is none or it is wrong."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def parse_recorder(value: Any) -> RecorderState:
    """Return the recorder's state; raises ``pydantic.ValidationError`` on a foreign one."""
    return RecorderState.model_validate(value)
