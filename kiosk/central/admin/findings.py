"""Findings for court IT: exceptions in what the kiosks report and deliver.

Pure functions from rows to findings; :mod:`kiosk.central.admin.texts` words them. Times are aware
datetimes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, MINYEAR, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from kiosk.alarms import values_of
from kiosk.central.identity.staff import Member

Severity = Literal["fault", "caution"]

LATE_START = timedelta(minutes=15)
WATCH_WINDOW = timedelta(hours=6)
SILENT_AFTER = timedelta(minutes=10)
STUCK_AFTER = timedelta(hours=12)
FILING_STUCK_AFTER = timedelta(hours=1)
EXPIRY_WARNING = timedelta(days=30)
INCIDENT_WINDOW = timedelta(days=7)
MORNING = time(7)
FULL_WITHIN = timedelta(days=5)
FULL_FREE_SHARE = 0.05
CAUTIONS = frozenset({"read_back"})
"""Incidents that may be in order."""
DISPUTES = frozenset(
    {"hearing_other_room", "hearing_foreign", "hearing_set_aside", "hearing_freed"}
)
MORNING_CODES = frozenset(
    {
        "morning_camera_dark",
        "morning_camera_unsharp",
        "morning_microphone_louder",
        "morning_microphone_weaker",
        "morning_room_noisy",
        "morning_sweep_weaker",
        "morning_sweep_louder",
        "morning_sweep_muffled",
        "morning_loudspeaker_changed",
        "morning_transmission_fell",
        "morning_transmission_fell_everywhere",
    }
)
"""Alarms of the kiosks' morning check."""
LISTS = frozenset({"hearings", "staff", "filings", "cases"})
"""Lists of this system that kiosks read."""


@dataclass(frozen=True)
class KioskStatus:
    """A kiosk: ``state`` is its last heartbeat, ``certificate_until`` its certificate's end."""

    id: str
    court: str
    room: str
    zone: ZoneInfo
    last_seen: datetime | None = None
    state_at: datetime | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    certificate_until: datetime | None = None


@dataclass(frozen=True)
class ScheduledHearing:
    """A scheduled hearing: ``recorded`` if anything of its recording has arrived."""

    id: str
    court: str
    room: str
    case_number: str
    at: datetime
    recorded: bool


@dataclass(frozen=True)
class OpenDelivery:
    """A delivery without a receipt."""

    id: str
    kind: str
    kiosk: str
    label: str
    since: datetime


@dataclass(frozen=True)
class Incident:
    """A recorded event that must not happen.

    Attributes:
        code: what happened.
        kiosk: who caused it.
        subject: id of the delivery.
        detail: for the sentence.
        at: when, at last.
        times: how often just this was recorded.
        others: further events of this kiosk and code, which are not listed.
    """

    code: str
    kiosk: str
    subject: str
    detail: str
    at: datetime
    times: int = 1
    others: int = 0


@dataclass(frozen=True)
class QuarantinedFiles:
    """Plain files of a hearing that are withheld until court IT decides."""

    hearing: str
    kiosk: str
    files: int
    since: datetime


@dataclass(frozen=True)
class Finding:
    """An exception: a code and the values for its sentence."""

    code: str
    severity: Severity
    kiosk: str
    room: str
    since: datetime | None
    values: Mapping[str, str]
    reasons: tuple[Mapping[str, Any], ...] = ()
    """Of a list that cannot be read completely: row, field and what was expected."""
    times: int = 1
    others: int = 0


@dataclass(frozen=True)
class FleetSnapshot:
    """Input of :func:`collect_findings`."""

    kiosks: tuple[KioskStatus, ...] = ()
    scheduled: tuple[ScheduledHearing, ...] = ()
    open: tuple[OpenDelivery, ...] = ()
    incidents: tuple[Incident, ...] = ()
    staff: tuple[Member, ...] = ()
    quarantined: tuple[QuarantinedFiles, ...] = ()

    def disputed(self) -> list[Incident]:
        """Return the incidents about hearings that two kiosks want, one for each hearing."""
        found = {item.subject: item for item in self.incidents if item.code in DISPUTES}
        return list(found.values())


def collect_findings(snapshot: FleetSnapshot, now: datetime) -> list[Finding]:
    """Return all exceptions, faults first, newest first among equals."""
    rooms = {kiosk.id: kiosk.room for kiosk in snapshot.kiosks}
    found = [
        *_late_hearings(snapshot, now),
        *(finding for kiosk in snapshot.kiosks for finding in _kiosk_findings(kiosk, now)),
        *(finding for kiosk in snapshot.kiosks for finding in _list_findings(kiosk)),
        *(finding for kiosk in snapshot.kiosks for finding in _morning_findings(kiosk)),
        *_staff_findings(snapshot.staff, rooms),
        *_delivery_findings(snapshot.open, rooms, now),
        *_incident_findings(snapshot.incidents, rooms, now),
        *(
            Finding(
                "in_quarantine",
                "caution",
                item.kiosk,
                rooms.get(item.kiosk, ""),
                item.since,
                {"count": str(item.files), "hearing": item.hearing},
            )
            for item in snapshot.quarantined
        ),
    ]
    distant = datetime.min.replace(tzinfo=now.tzinfo)
    found.sort(key=lambda finding: finding.since or distant, reverse=True)
    found.sort(key=lambda finding: finding.severity != "fault")
    return found


def _late_hearings(snapshot: FleetSnapshot, now: datetime) -> Iterator[Finding]:
    """Yield scheduled hearings that are not being recorded 15 minutes later."""
    recording = {
        running.get("hearing") for kiosk in snapshot.kiosks if (running := _recording(kiosk))
    }
    secret = {
        (kiosk.court, kiosk.room)
        for kiosk in snapshot.kiosks
        if (running := _recording(kiosk)) and running.get("hearing") is None
    }
    rooms = {(kiosk.court, kiosk.room): kiosk.id for kiosk in snapshot.kiosks if kiosk.last_seen}
    for hearing in snapshot.scheduled:
        waited = now - hearing.at
        kiosk = rooms.get((hearing.court, hearing.room))
        if hearing.recorded or hearing.id in recording or not LATE_START < waited < WATCH_WINDOW:
            continue
        if kiosk is None or (hearing.court, hearing.room) in secret:
            continue  # there is no kiosk, or it records a state secret
        values = {"case": hearing.case_number}
        yield Finding("not_recording", "fault", kiosk, hearing.room, hearing.at, values)


def _recording(kiosk: KioskStatus) -> Mapping[str, Any] | None:
    running: Mapping[str, Any] | None = kiosk.state.get("recording")
    return running


def _kiosk_findings(kiosk: KioskStatus, now: datetime) -> Iterator[Finding]:
    def finding(
        code: str, severity: Severity, since: datetime | None = None, **values: str
    ) -> Finding:
        return Finding(code, severity, kiosk.id, kiosk.room, since or kiosk.state_at, values)

    running = _recording(kiosk)
    if kiosk.last_seen is not None and now - kiosk.last_seen > SILENT_AFTER:
        yield finding("kiosk_silent", "fault" if running else "caution", kiosk.last_seen)
    if running and running.get("sources_missing"):
        yield finding("source_missing", "fault", sources=", ".join(running["sources_missing"]))
    if _is_backlog_late(kiosk, now):
        yield finding("backlog_late", "caution")
    if (share := _low_disk_share(kiosk, now)) is not None:
        severity: Severity = "fault" if share < FULL_FREE_SHARE else "caution"
        full_at = parse_time((kiosk.state.get("storage") or {}).get("full_at"))
        if full_at is None:
            yield finding("disk_is_full", severity)
        else:
            yield finding("disk_fills", severity, day=f"{full_at.astimezone(kiosk.zone):%d.%m.%Y}")
    failed = (kiosk.state.get("selftest") or {}).get("failed", 0)
    if failed:
        yield finding("selftest_failed", "caution", failed=str(failed))
    if kiosk.certificate_until is not None and kiosk.certificate_until - now < EXPIRY_WARNING:
        yield finding("certificate_expires", "caution", kiosk.certificate_until)


def _list_findings(kiosk: KioskStatus) -> Iterator[Finding]:
    """Yield the lists of this system that a kiosk refuses or cannot read completely."""
    for alarm in kiosk.state.get("alarms") or ():
        if alarm.get("code") == "staff_list_refused":
            since = parse_time(alarm.get("since")) or kiosk.state_at
            values = {"reason": str(alarm.get("source") or "")}
            yield Finding("staff_list_refused", "fault", kiosk.id, kiosk.room, since, values)
        if alarm.get("code") in ("rules_pack_refused", "rules_pack_damaged"):
            since = parse_time(alarm.get("since")) or kiosk.state_at
            values = {"reason": str(alarm.get("source") or "")}
            yield Finding(alarm["code"], "caution", kiosk.id, kiosk.room, since, values)
    for report in kiosk.state.get("lists") or ():
        if report["list"] not in LISTS:
            continue
        values = {"count": str(report["unreadable"]), "total": str(report["rows"])}
        reasons = tuple(report.get("problems") or ())
        code = f"{report['list']}_unreadable"
        yield Finding(code, "caution", kiosk.id, kiosk.room, kiosk.state_at, values, reasons)


def _morning_findings(kiosk: KioskStatus) -> Iterator[Finding]:
    """Yield what a kiosk's morning check found."""
    for alarm in kiosk.state.get("alarms") or ():
        if alarm.get("code") in MORNING_CODES:
            since = parse_time(alarm.get("since")) or kiosk.state_at
            source, before, now = values_of(str(alarm.get("source") or ""))
            values = {"source": source, "before": before, "now": now}
            yield Finding(alarm["code"], "caution", kiosk.id, kiosk.room, since, values)


def _staff_findings(staff: Iterable[Member], rooms: Mapping[str, str]) -> Iterator[Finding]:
    """Yield one finding for each revoked kiosk whose people need new PINs."""
    groups: dict[str | None, list[Member]] = {}
    for member in staff:
        if member.needs_pin and member.roles:
            groups.setdefault(member.exposed_by, []).append(member)
    for kiosk, members in groups.items():
        code = "pins_former" if kiosk is None else "pins_exposed"
        severity: Severity = "caution" if all(member.has_badge for member in members) else "fault"
        since = min(filter(None, (parse_time(m.exposed_at) for m in members)), default=None)
        values = {"count": str(len(members))}
        yield Finding(code, severity, kiosk or "", rooms.get(kiosk or "", ""), since, values)


def _is_backlog_late(kiosk: KioskStatus, now: datetime) -> bool:
    """Return whether the queue will not be empty at seven tomorrow morning."""
    queue = kiosk.state.get("queue") or {}
    if queue.get("endless"):
        return True
    empty_at = parse_time(queue.get("empty_at"))
    if empty_at is None:
        return False
    tomorrow = now.astimezone(kiosk.zone).date() + timedelta(days=1)
    return empty_at > datetime.combine(tomorrow, MORNING, tzinfo=kiosk.zone)


def _low_disk_share(kiosk: KioskStatus, now: datetime) -> float | None:
    """Return the free share of a disk that is full, or will be within five days, else None."""
    storage = kiosk.state.get("storage") or {}
    total = storage.get("total_bytes") or 0
    if not total:
        return None
    share = float(storage.get("free_bytes") or 0) / total
    full_at = parse_time(storage.get("full_at"))
    soon = full_at is not None and full_at - now < FULL_WITHIN
    return share if soon or share < FULL_FREE_SHARE else None


def _delivery_findings(
    opened: Iterable[OpenDelivery], rooms: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    for item in opened:
        limit = FILING_STUCK_AFTER if item.kind == "filing" else STUCK_AFTER
        if now - item.since > limit:
            values = {"kind": item.kind, "label": item.label}
            room = rooms.get(item.kiosk, "")
            yield Finding("delivery_stuck", "caution", item.kiosk, room, item.since, values)


def _incident_findings(
    incidents: Iterable[Incident], rooms: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    for incident in incidents:
        if now - incident.at < INCIDENT_WINDOW:
            values = {"subject": incident.subject, "detail": incident.detail}
            room = rooms.get(incident.kiosk, "")
            severity: Severity = "caution" if incident.code in CAUTIONS else "fault"
            found = Finding(incident.code, severity, incident.kiosk, room, incident.at, values)
            yield replace(found, times=incident.times, others=incident.others)


def parse_time(text: object) -> datetime | None:
    """Return a kiosk's RFC 3339 text as a time, or None when it is no time with a zone.

    A time of the first or last year is none: no other zone can show it.
    """
    if not isinstance(text, str):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo is not None and MINYEAR < value.year < MAXYEAR else None
