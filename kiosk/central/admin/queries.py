"""Queries of the page for court IT."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, exists, func, or_, select

from kiosk.central.admin.findings import (
    INCIDENT_WINDOW,
    WATCH_WINDOW,
    FleetSnapshot,
    Incident,
    KioskStatus,
    OpenDelivery,
    QuarantinedFiles,
    ScheduledHearing,
    parse_time,
)
from kiosk.central.data import schema
from kiosk.central.deliveries.quarantine import list_quarantined
from kiosk.central.identity.staff import list_members
from kiosk.clocks import format_wall

MAX_OPEN_DELIVERIES = 1000
MAX_INCIDENTS = 1000
MAX_INCIDENTS_OF_A_KIND = 10  # of one kiosk
MAX_OPEN_OF_A_KIOSK = 50
RECENT_COUNT = 30


def read_snapshot(connection: Connection, now: datetime) -> FleetSnapshot:
    """Read the input of :func:`collect_findings`."""
    return FleetSnapshot(
        kiosks=_read_kiosks(connection),
        scheduled=_read_scheduled(connection, now),
        open=_read_open_deliveries(connection),
        incidents=_read_incidents(connection, now),
        staff=tuple(list_members(connection)),
        quarantined=tuple(
            QuarantinedFiles(
                item.hearing, item.kiosk, item.files, datetime.fromisoformat(item.since)
            )
            for item in list_quarantined(connection)
        ),
    )


def _read_kiosks(connection: Connection) -> tuple[KioskStatus, ...]:
    kiosks, certificates = schema.kiosks, schema.certificates
    newest = (
        select(certificates.c.kiosk, func.max(certificates.c.not_after).label("until"))
        .where(certificates.c.revoked_at.is_(None))
        .group_by(certificates.c.kiosk)
        .subquery()
    )
    rows = connection.execute(
        select(kiosks, newest.c.until, schema.courts.c.timezone)
        .join(schema.courts, schema.courts.c.id == kiosks.c.court)
        .outerjoin(newest, newest.c.kiosk == kiosks.c.id)
        .order_by(kiosks.c.id)
    )
    return tuple(
        KioskStatus(
            id=row.id,
            court=row.court,
            room=row.room,
            zone=ZoneInfo(row.timezone),
            last_seen=parse_time(row.last_seen),
            state_at=parse_time(row.state_at),
            state=row.state or {},
            certificate_until=parse_time(row.until),
        )
        for row in rows
    )


def _read_scheduled(connection: Connection, now: datetime) -> tuple[ScheduledHearing, ...]:
    table = schema.schedule
    is_recorded = or_(
        exists().where(schema.deliveries.c.id == table.c.id),
        exists().where(schema.heads.c.hearing == table.c.id),
        exists().where(schema.uploads.c.owner == table.c.id),
    )
    rows = connection.execute(
        select(table, is_recorded.label("recorded"))
        .where(table.c.scheduled_at > format_wall(now - WATCH_WINDOW))
        .where(table.c.scheduled_at < format_wall(now))
    )
    return tuple(
        ScheduledHearing(
            id=row.id,
            court=row.court,
            room=row.room,
            case_number=str(row.hearing.get("case_number", "")),
            at=datetime.fromisoformat(row.scheduled_at),
            recorded=bool(row.recorded),
        )
        for row in rows
    )


def _read_open_deliveries(connection: Connection) -> tuple[OpenDelivery, ...]:
    table, filings = schema.deliveries, schema.filings
    oldest_first = func.row_number().over(partition_by=table.c.kiosk, order_by=table.c.created_at)
    ranked = (
        select(table.c.id, table.c.kind, table.c.kiosk, table.c.created_at, oldest_first.label("n"))
        .where(table.c.completed_at.is_(None))
        .subquery()
    )
    rows = connection.execute(
        select(ranked, filings.c.number)
        .outerjoin(filings, filings.c.id == ranked.c.id)
        .where(ranked.c.n <= MAX_OPEN_OF_A_KIOSK)
        .order_by(ranked.c.n, ranked.c.created_at)
        .limit(MAX_OPEN_DELIVERIES)
    )
    return tuple(
        OpenDelivery(
            id=row.id,
            kind=row.kind,
            kiosk=row.kiosk,
            label=row.number or row.id,
            since=datetime.fromisoformat(row.created_at),
        )
        for row in rows
    )


def _read_incidents(connection: Connection, now: datetime) -> tuple[Incident, ...]:
    """Return the newest incidents of each kiosk and code; none hides those of another."""
    table = schema.incidents
    event = (table.c.kiosk, table.c.code, table.c.subject, table.c.detail)
    equal = (
        select(*event, func.max(table.c.at).label("at"), func.count().label("times"))
        .where(table.c.at > format_wall(now - INCIDENT_WINDOW))
        .group_by(*event)
        .subquery()
    )
    kind = (equal.c.kiosk, equal.c.code)
    newest_first = func.row_number().over(partition_by=kind, order_by=equal.c.at.desc())
    of_the_kind = func.count().over(partition_by=kind)
    ranked = select(equal, newest_first.label("place"), of_the_kind.label("kinds")).subquery()
    rows = connection.execute(
        select(ranked)
        .where(ranked.c.place <= MAX_INCIDENTS_OF_A_KIND)
        .order_by(ranked.c.place, ranked.c.at.desc())
        .limit(MAX_INCIDENTS)
    ).all()
    return tuple(
        Incident(
            row.code,
            row.kiosk,
            row.subject,
            row.detail,
            datetime.fromisoformat(row.at),
            times=row.times,
            others=row.kinds - row.place if row.place == MAX_INCIDENTS_OF_A_KIND else 0,
        )
        for row in sorted(rows, key=lambda row: str(row.at), reverse=True)
    )


def read_hearings(connection: Connection) -> Sequence[Row[Any]]:
    """Return the newest deliveries of hearings, without what can be long: their lists of files."""
    table = schema.deliveries
    shown = [
        *(table.c.id, table.c.kiosk, table.c.created_at, table.c.completed_at),
        table.c.manifest["hearing"]["case_number"].as_string().label("case_number"),
        table.c.manifest["duration_seconds"].as_float().label("seconds"),
    ]
    return connection.execute(
        select(*shown)
        .where(table.c.kind == "hearing")
        .order_by(table.c.created_at.desc())
        .limit(RECENT_COUNT)
    ).all()


def read_filings(connection: Connection) -> Sequence[Row[Any]]:
    """Return the newest filings with their deliveries."""
    table, deliveries = schema.filings, schema.deliveries
    return connection.execute(
        select(table, deliveries.c.kiosk, deliveries.c.completed_at, deliveries.c.manifest)
        .join(deliveries, deliveries.c.id == table.c.id)
        .order_by(table.c.registered_at.desc())
        .limit(RECENT_COUNT)
    ).all()
