"""Finds the support bundle of a kiosk by the code that its technician reads out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from kiosk.central.data import schema
from kiosk.central.data.object_store import ObjectStore

CODE = re.compile(r"[0-9A-Fa-f]{6}")
"""The first six digits of the report's id."""
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class StoredReport:
    """A delivered report: whose it is, and where its file is stored."""

    kiosk: str
    key: str
    size: int


def find_report(connection: Connection, code: str) -> StoredReport | None:
    """Return the newest delivered report whose id begins with ``code``, or None."""
    if not CODE.fullmatch(code):
        return None
    deliveries, files = schema.deliveries, schema.files
    row = connection.execute(
        select(deliveries.c.kiosk, files.c.upload, files.c.size)
        .join(files, files.c.delivery == deliveries.c.id)
        .where(deliveries.c.kind == "report", deliveries.c.completed_at.is_not(None))
        .where(deliveries.c.id.like(f"{code.lower()}%"), files.c.path == "report.json")
        .order_by(deliveries.c.completed_at.desc())
    ).first()
    return None if row is None else StoredReport(row.kiosk, row.upload, row.size)


def read_bundle(store: ObjectStore, report: StoredReport) -> str | None:
    """Return the bundle as indented JSON; None if the report is of another kind.

    Raises:
        StorageError: it cannot be read.
    """
    if report.size > MAX_BYTES:
        return None
    try:
        content = json.loads(b"".join(store.read(report.key, 0, report.size)))
    except ValueError:
        return None
    if not isinstance(content, dict) or content.get("kind") != "support":
        return None
    return json.dumps({"kiosk": report.kiosk, **content}, indent=2, ensure_ascii=False)
