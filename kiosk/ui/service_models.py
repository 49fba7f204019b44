"""Models of the services: the recorder's from :mod:`kiosk.api`; sync's are still here."""

from __future__ import annotations

from pydantic import Field

from kiosk.api.base import Model as ServiceModel
from kiosk.api.hearing import Hearing
from kiosk.api.recorder import (
    Alarm,
    Microphone,
    Preview,
    RecorderState,
    RunningHearing,
)
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import Phase
from kiosk.clocks import parse_wall as parse_time

__all__ = [
    "Alarm",
    "CurrentDelivery",
    "Delivery",
    "Forecast",
    "Hearing",
    "LinkCheckResult",
    "Microphone",
    "Phase",
    "Preview",
    "RecorderState",
    "RunningHearing",
    "Schedule",
    "ServiceModel",
    "StaffSession",
    "SyncState",
    "parse_time",
]


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
    sentence: dict[str, str] = Field(default_factory=dict)


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
