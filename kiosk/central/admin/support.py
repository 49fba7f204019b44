"""Finds the support bundle of a kiosk by the code that its technician reads out."""

from __future__ import annotations

import json
import re

from sqlalchemy import Connection

from kiosk.central.admin.reports import StoredReport, find_stored, read_content
from kiosk.central.data import schema
from kiosk.central.data.object_store import ObjectStore

CODE = re.compile(r"[0-9A-Fa-f]{6}")
"""The first six digits of the report's id."""


def find_report(connection: Connection, code: str) -> StoredReport | None:
    """Return the newest delivered report whose id begins with ``code``, or None."""
    if not CODE.fullmatch(code):
        return None
    return find_stored(connection, schema.deliveries.c.id.like(f"{code.lower()}%"))


def read_bundle(store: ObjectStore, report: StoredReport) -> str | None:
    """Return the bundle as indented JSON; None if the report is of another kind.

    Raises:
        StorageError: it cannot be read.
    """
    content = read_content(store, report, "support")
    if content is None:
        return None
    return json.dumps({"kiosk": report.kiosk, **content}, indent=2, ensure_ascii=False)
