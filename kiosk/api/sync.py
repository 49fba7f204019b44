"""State of sync, its events, and the requests and answers of its calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from kiosk.api.base import Model, Moment, Rows
from kiosk.api.enrolment import ENROL
from kiosk.api.operations import EVENT_STREAM, Event, NoBody, Operation
from kiosk.api.published import Schedule
from kiosk.api.recorder import Alarm
from kiosk.api.rows import ListedId, ListedText, ListReport
from kiosk.api.upkeep import SYNC_UPKEEP

CONTRACT = 1
"""Version of sync's State."""
Verdict = Literal["good", "borderline", "below", "unreachable"]
CallClass = Literal["heard", "gaps", "unheard"]
Remedy = Literal["rate", "loss", "jitter", "delay", "load"]
Direction = Literal["up", "down"]


class Link(Model):
    """The link to the central system."""

    state: Literal["up", "down", "unknown"] = "unknown"
    since: Moment | None = None
    last_contact: Moment | None = None
    problem: str | None = None
    """Why it is down: ``not_enrolled``, ``certificate_invalid`` (revoked, expired, clock wrong),
    ``central_untrusted``, ``captive_portal``, ``central_contract_unknown``, ``dns_failed``,
    ``central_timeout``, ``central_fault`` (5xx), ``central_full``, ``central_unreachable``."""


class DeliveryQueue(Model):
    """What waits for delivery."""

    items: int = 0
    bytes: int = 0
    """To be sent by network; those for the courier do not count."""
    filings: int = 0
    hearings: int = 0
    reports: int = 0
    courier: int = 0
    """Items that wait for a carried medium."""


class ScheduleAge(Model):
    """Age of the list of hearings."""

    pulled_at: Moment | None = None


class CurrentDelivery(Model):
    """The item that is being sent; of several, the most urgent."""

    id: str
    kind: str
    """``filing``, ``hearing`` or ``report``."""
    done_bytes: int = 0
    total_bytes: int = 0


class LinkCheckResult(Model):
    """Result of a link check. What cannot be measured is null (loss: UDP is blocked)."""

    at: Moment = ""
    state: Literal["passed", "failed"] = "failed"
    verdict: Verdict = "unreachable"
    """On the rate of the slower direction, against the limit of the rules (R31)."""
    call: CallClass | None = None
    """What people will notice in a call; null: not measured."""
    score: float | None = None
    """Mean opinion score of the call's voice, 1 to 4.5 (ITU-T G.107)."""
    remedy: Remedy | None = None
    """What the one thing that helps is about; null: nothing is needed."""
    direction: Direction | None = None
    """The one that alone is as bad as ``call`` says: ``up`` is to the central system; null: both,
    or not known."""
    rate_direction: Direction | None = None
    """The one that alone is below the limit; null: both, or none."""
    via: Literal["udp", "https"] | None = None
    """Over what the call's packets went."""
    down_mbit: float | None = None
    up_mbit: float | None = None
    rtt_ms: float | None = None
    loss: float | None = None
    """Fraction of the datagrams that did not come back, 0 to 1."""
    late: float | None = None
    """Fraction that came later than a jitter buffer waits, in the worse direction."""
    jitter_ms: float | None = None
    """Of the worse direction (RFC 3550)."""
    loaded_rtt_ms: float | None = None
    """Round trip while both directions are full."""
    loaded_loss: float | None = None
    round_trips_per_minute: int | None = None
    """Responsiveness under load (draft-ietf-ippm-responsiveness)."""
    bearer: str | None = None
    """``ethernet``, ``wifi``, ...; null: not known."""
    limit_mbit: float | None = None
    problem: str | None = None
    """Why nothing could be measured."""
    sentence: dict[str, str | None] = Field(default_factory=dict)
    """What people will notice, by language."""
    rate_sentence: dict[str, str | None] = Field(default_factory=dict)
    """Whether the least rate is reached, by language."""
    remedy_sentence: dict[str, str | None] = Field(default_factory=dict)
    """What helps, by language."""


class BootMoment(Model):
    """A moment by the time that the kiosk ran, from which an age is told."""

    model_config = ConfigDict(allow_inf_nan=False)

    boot: str
    uptime: float
    """Seconds since that boot."""
    wall: str | None = None
    """Null: the wall clock was not certain."""


class PublishedLinkCheck(LinkCheckResult):
    """``published/link-checks/<hearing id>.json``, and ``last.json`` beside it: the newest."""

    hearing: str | None = None
    """Before which it was made; null: by a person."""
    measured: BootMoment | None = None
    """When; null in files of an earlier version."""


class PublishedLine(Model):
    """``published/line.json``: how the line is while a hearing is open, by what flows over it."""

    model_config = ConfigDict(allow_inf_nan=False)

    state: Literal["good", "silent", "poor"]
    """``silent``: nothing comes back; ``poor``: loss or delay past what a call bears."""
    since: BootMoment
    measured: BootMoment
    """Written again every minute; without that nobody watches any more."""
    rtt_ms: float | None = None
    """Round trip lately; null: nothing was acknowledged."""
    loss: float | None = None
    """Fraction of the segments sent again lately; null: too few were sent."""


class NextLinkCheck(Model):
    """The next scheduled link check."""

    hearing: str
    at: Moment


class LinkCheckState(Model):
    """The link check: running, newest result, the next one."""

    running: bool = False
    last: LinkCheckResult | None = None
    next: NextLinkCheck | None = None


class LinkCheckStep(Model):
    """Progress of a link check."""

    phase: Literal["call", "load"]
    seconds: float
    of_seconds: float


class UploadState(Model):
    """Whether recordings may be sent now, and how fast. Filings and reports always go."""

    state: Literal["free", "capped", "paced", "paused", "outside_window"] = "free"
    rate_mbit: float | None = None
    until: Moment | None = None
    """When the next window begins, for ``outside_window``."""


class ForecastState(Model):
    """Forecast from the measured uplink, the windows and the list of hearings."""

    empty_at: Moment | None = None
    """When the backlog will be empty."""
    endless: bool = False
    """Not within eight days."""
    full_at: Moment | None = None
    """When the disk would be full; null: not within eight days."""


class Stamps(Model):
    """RFC 3161 time stamps of sealed hearings."""

    missing: int = 0
    problem: str | None = None


class RulesPackState(Model):
    """The signed rules pack in force: monthly indices (MRP) after the release."""

    version: int
    valid_from: str
    """First payment date of which it says something."""
    valid_until: str
    """Last one."""


class SyncState(Model):
    """State of sync."""

    contract: int = CONTRACT
    kiosk: str = ""
    """Id of this kiosk."""
    link: Link = Link()
    queue: DeliveryQueue = DeliveryQueue()
    schedule: ScheduleAge = ScheduleAge()
    delivering: CurrentDelivery | None = None
    uploads: UploadState = UploadState()
    forecast: ForecastState | None = None
    """Null until the first one."""
    database: Literal["ok", "rebuilt"] = "ok"
    link_check: LinkCheckState = LinkCheckState()
    stamps: Stamps | None = None
    """Null: no authority is set."""
    lists: Rows[ListReport] = ()
    """Lists from the central system that could not be read completely."""
    rules_pack: RulesPackState | None = None
    """Null: there is none; the indices of the release count."""
    alarms: Rows[Alarm] = ()


class ScheduleQuery(Model):
    """Query of the schedule."""

    date: Annotated[str | None, WithJsonSchema({"type": "string", "format": "date"})] = None
    """Only what may be held that day; hearings without a time may."""


class RegistrationAnswer(Model):
    """Number of a filing."""

    state: Literal["registered", "provisional"]
    number: str | None
    """The court's, or the kiosk's provisional ``<kiosk id>-<yymmdd>-<nnn>``."""
    provisional: str | None = None
    """The provisional number; null: none was given."""
    at: Moment
    """When the number was given."""


class FilingState(Model):
    """How far a filing has come."""

    state: str = "queued"
    """``queued``, ``sent``, or the court's: ``registered``, ``accepted``, ``returned``,
    ``passed_to_judge``."""
    number: str | None = None
    provisional: str | None = None
    as_of: Moment | None = None
    """When the central system last said so."""
    reason: str | None = None
    """Why it was returned, in the registry's words."""
    delivered: bool = False
    """A receipt with a valid signature is on the disk: the documents may be deleted."""


class CaseQuery(Model):
    """A case number as a person typed it."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class CaseAnswer(Model):
    """What the central system knows of a case number."""

    number: ListedText = ""
    """As the court writes it, where it is known."""
    exists: bool
    kind: ListedText | None = None
    court: dict[str, str | None] | None = None
    """Name of the court by language."""
    as_of: Moment | None = None


class Delivery(Model):
    """How far the delivery of a hearing or report has come."""

    state: Literal["queued", "sending", "delivered", "failed"] = "queued"
    files: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    central_sha256_match: bool | None = None
    problem: str | None = None
    route: Literal["network", "courier"] = "network"


class MissingFile(Model):
    """A file that the central system lacks, and where to send it."""

    path: ListedId
    address: ListedId
    offset: Annotated[int, Field(ge=0)] | None = None
    """Bytes of it that the central system has; null: it does not say."""


# -- calls and events ------------------------------------------------------------------------
_UNKNOWN_ITEM = {404: ("not_found",)}
_CENTRAL_ERRORS = (
    *("central_timeout", "central_unreachable", "central_fault", "central_refused", "dns_failed"),
    *("central_untrusted", "central_contract_unknown", "captive_portal"),
    *("not_enrolled", "certificate_invalid"),
)
GET_STATE = Operation("getState", "GET", "/v1/state", "State of sync", SyncState)
GET_EVENTS = Operation(
    "getEvents",
    "GET",
    "/v1/events",
    "Events; a new listener gets the newest of each name first",
    answer=None,
    content=EVENT_STREAM,
)
GET_SCHEDULE = Operation(
    "getSchedule",
    "GET",
    "/v1/schedule",
    "Hearings of the list in the order of their time, those without a time last",
    Schedule,
    query=ScheduleQuery,
    errors={400: ("http",)},
)
REGISTER_FILING = Operation(
    "registerFiling",
    "POST",
    "/v1/filings/{id}/register",
    "Number of a filing: the court's within 3 s, else a provisional one; idempotent",
    RegistrationAnswer,
    errors=_UNKNOWN_ITEM | {409: ("filing_failed",)},
)
GET_FILING = Operation(
    "getFiling",
    "GET",
    "/v1/filings/{id}",
    "How far a filing has come",
    FilingState,
    errors=_UNKNOWN_ITEM,
)
FIND_CASE = Operation(
    "findCase",
    "POST",
    "/v1/cases",
    "Whether the court knows a case; an error when it cannot be asked within 3 s",
    CaseAnswer,
    request=CaseQuery,
    errors={409: _CENTRAL_ERRORS},
)
GET_HEARING_DELIVERY = Operation(
    "getHearingDelivery",
    "GET",
    "/v1/hearings/{id}",
    "How far the delivery of a sealed hearing has come",
    Delivery,
    errors=_UNKNOWN_ITEM,
)
GET_REPORT_DELIVERY = Operation(
    "getReportDelivery",
    "GET",
    "/v1/reports/{id}",
    "How far the delivery of a self-test report has come",
    Delivery,
    errors=_UNKNOWN_ITEM,
)
CHECK_LINK = Operation(
    "checkLink",
    "POST",
    "/v1/link-check",
    "Check the link; events `link-check` show the progress",
    LinkCheckResult,
    errors={409: ("link_check_running", "cancelled")},
)
CANCEL_LINK_CHECK = Operation(
    "cancelLinkCheck", "DELETE", "/v1/link-check", "Cancel the running link check", NoBody
)
DELIVER = Operation(
    "deliver",
    "POST",
    "/v1/deliver",
    "Deliver now: clear back-offs, check damaged files again",
    NoBody,
)
GET_METRICS = Operation(
    "getMetrics",
    "GET",
    "/metrics",
    "Metrics for Prometheus (text format 0.0.4)",
    answer=None,
    content="text/plain",
)
SYNC_OPERATIONS = (
    GET_STATE,
    GET_EVENTS,
    GET_SCHEDULE,
    REGISTER_FILING,
    GET_FILING,
    FIND_CASE,
    GET_HEARING_DELIVERY,
    GET_REPORT_DELIVERY,
    CHECK_LINK,
    CANCEL_LINK_CHECK,
    DELIVER,
    GET_METRICS,
    *SYNC_UPKEEP,
    ENROL,
)
SYNC_EVENTS = (
    Event("state", "State: on each change, at most twice a second", SyncState),
    Event("link-check", "Progress of a running link check", LinkCheckStep),
)
