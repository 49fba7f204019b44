"""Reports that kiosks have delivered: the support bundle of a code, a self-test by its id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, select

from kiosk.central.data import schema
from kiosk.central.data.object_store import ObjectStore
from kiosk.commissioning.labels import unfinished_lines
from kiosk.selftest.slip import slip_lines
from kiosk.selftest.words import MeasuredWords

MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class StoredReport:
    """A delivered report: whose it is, where its file is stored, and the zone of its court."""

    kiosk: str
    key: str
    size: int
    zone: ZoneInfo


@dataclass(frozen=True)
class SelfTestPage:
    """A self-test in words.

    Attributes:
        is_commissioning: the room was set up with it, and later ones are compared with it.
        unfinished: steps of setting the room up that are not done.
        checks: each check with its result, and what is said below it.
    """

    kiosk: str
    room: str
    ended: str
    is_commissioning: bool
    unfinished: tuple[str, ...]
    checks: tuple[tuple[str, tuple[str, ...]], ...]


def find_stored(connection: Connection, *conditions: ColumnElement[bool]) -> StoredReport | None:
    """Return the newest delivered report for which ``conditions`` hold, or None."""
    deliveries, files = schema.deliveries, schema.files
    row = connection.execute(
        select(deliveries.c.kiosk, files.c.upload, files.c.size, schema.courts.c.timezone)
        .join(files, files.c.delivery == deliveries.c.id)
        .join(schema.kiosks, schema.kiosks.c.id == deliveries.c.kiosk)
        .join(schema.courts, schema.courts.c.id == schema.kiosks.c.court)
        .where(deliveries.c.kind == "report", deliveries.c.completed_at.is_not(None))
        .where(files.c.path == "report.json", *conditions)
        .order_by(deliveries.c.completed_at.desc())
    ).first()
    if row is None:
        return None
    return StoredReport(row.kiosk, row.upload, row.size, ZoneInfo(row.timezone))


def find_self_test(connection: Connection, report: str) -> StoredReport | None:
    """Return the delivered report with this id, or None."""
    return find_stored(connection, schema.deliveries.c.id == report)


def delivered_reports(connection: Connection, reports: set[str]) -> set[str]:
    """Return those of ``reports`` (ids) that have been delivered completely."""
    table = schema.deliveries
    rows = connection.execute(
        select(table.c.id).where(
            table.c.kind == "report", table.c.completed_at.is_not(None), table.c.id.in_(reports)
        )
    )
    return {row.id for row in rows}


def read_content(store: ObjectStore, report: StoredReport, kind: str) -> dict[str, Any] | None:
    """Return the content of a report; None if it is of another kind, or cannot be read as one.

    Raises:
        StorageError: the store fails.
    """
    if report.size > MAX_BYTES:
        return None
    try:
        content = json.loads(b"".join(store.read(report.key, 0, report.size)))
    except (ValueError, RecursionError):
        return None
    is_right = isinstance(content, dict) and content.get("kind") == kind
    return content if is_right else None


def describe(kiosk: str, content: Mapping[str, Any], words: MeasuredWords) -> SelfTestPage | None:
    """Return a self-test in words; None if it is not as a kiosk writes it.

    Args:
        kiosk: who delivered it; what the content says of that is not believed.
    """
    try:
        return SelfTestPage(
            kiosk=kiosk,
            room=str(content["room"]),
            ended=str(content["ended"]),
            is_commissioning=bool(content["commissioning"]),
            unfinished=tuple(unfinished_lines(content, words.translate)),
            checks=tuple((head, tuple(below)) for head, below in slip_lines(content, words)),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return None
