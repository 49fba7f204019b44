"""Incidents: events that must not happen, recorded for court IT."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select

from kiosk.central.data import schema
from kiosk.clocks import format_wall, wall_time

REPEATED_WITHIN = timedelta(days=1)
MAX_DETAIL = 400


def record_incident(
    connection: Connection, kiosk: str, code: str, subject: str, detail: str
) -> None:
    """Record an event once a day, however often a kiosk repeats what caused it.

    Args:
        connection: a writing transaction.
        kiosk: who caused it.
        code: what happened; the page for court IT has a sentence for each.
        subject: id of the delivery.
        detail: for the sentence; holds no personal data.
    """
    table = schema.incidents
    values = {"kiosk": kiosk, "code": code, "subject": subject, "detail": detail}
    earliest = format_wall(wall_time() - REPEATED_WITHIN)
    known = connection.execute(
        select(table.c.id).filter_by(**values).where(table.c.at > earliest).limit(1)
    ).one_or_none()
    if known is None:
        connection.execute(table.insert().values(at=format_wall(), **values))


def record_decision(
    connection: Connection, kiosk: str, code: str, subject: str, detail: str
) -> None:
    """Record what court IT has decided, each time; for arguments see :func:`record_incident`."""
    connection.execute(
        schema.incidents.insert().values(
            at=format_wall(), kiosk=kiosk, code=code, subject=subject, detail=detail[:MAX_DETAIL]
        )
    )
