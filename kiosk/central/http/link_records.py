"""Link checks in the database: the requests of one check may come to several servers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from kiosk.central.data import schema
from kiosk.central.errors import RefusedError
from kiosk.clocks import format_wall, parse_wall, wall_time

TOKEN_LIFETIME_S = 120.0
MAX_TOKENS_PER_KIOSK = 100
"""In their lifetime: whoever checks the line again and again never has so many."""
TABLE = schema.link_checks
AT_ONCE, SLOT_S = 8, 5.0
"""So many planned checks begin within so many seconds: a check takes four, and fills a line."""


def begin_check(
    connection: Connection, kiosk: str, token: str, *, is_planned: bool = False
) -> tuple[str, float]:
    """Record a check under ``token``; return when it ends, and in how many seconds it may begin.

    One that a person waits for begins at once; a planned one when few others do.

    Raises:
        RefusedError: 429, the kiosk has too many.
    """
    now = wall_time()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the table keeps times
    connection.execute(TABLE.delete().where(TABLE.c.expires_at < format_wall(now)))
    count = select(func.count()).where(TABLE.c.kiosk == kiosk)
    if connection.execute(count).scalar_one() >= MAX_TOKENS_PER_KIOSK:
        raise RefusedError(429, "too_many", retry_after=60)
    wait_s = _free_slot(connection, now) if is_planned else 0.0
    expires_at = format_wall(now + timedelta(seconds=wait_s + TOKEN_LIFETIME_S))
    connection.execute(
        TABLE.insert().values(
            token=token, kiosk=kiosk, expires_at=expires_at, is_upload_used=False, is_ended=False
        )
    )
    return expires_at, wait_s


def _free_slot(connection: Connection, now: datetime) -> float:
    """Return in how many seconds fewer than :data:`AT_ONCE` checks begin."""
    running = format_wall(now + timedelta(seconds=TOKEN_LIFETIME_S - SLOT_S))
    ends = connection.execute(select(TABLE.c.expires_at).where(TABLE.c.expires_at > running))
    begins = sorted(
        (end - now).total_seconds() - TOKEN_LIFETIME_S
        for end in map(parse_wall, ends.scalars())
        if end is not None
    )
    wait_s = 0.0
    while len(near := [begin for begin in begins if abs(begin - wait_s) < SLOT_S]) >= AT_ONCE:
        wait_s = near[0] + SLOT_S
    return round(wait_s, 3)


def find_check(connection: Connection, kiosk: str, token: str) -> Row[Any]:
    """Return the running check of ``kiosk``.

    Raises:
        RefusedError: 403, unknown, another kiosk's or over.
    """
    row = connection.execute(
        select(TABLE).where(
            TABLE.c.token == token,
            TABLE.c.kiosk == kiosk,
            TABLE.c.expires_at >= format_wall(),
        )
    ).one_or_none()
    if row is None:
        raise RefusedError(403, "token_unknown")
    return row


def use_upload(connection: Connection, token: str) -> None:
    """Use the one upload of a check.

    Raises:
        RefusedError: 403, it was used.
    """
    used = connection.execute(
        update(TABLE)
        .where(TABLE.c.token == token, TABLE.c.is_upload_used.is_(False))
        .values(is_upload_used=True)
    )
    if not used.rowcount:
        raise RefusedError(403, "token_unknown", "the token was used")


def publish_count(
    connection: Connection, token: str, count: Mapping[str, Any], is_ended: bool
) -> None:
    """Record what has been counted of an upload so far (``LinkCount`` of the contract)."""
    connection.execute(
        update(TABLE).where(TABLE.c.token == token).values(count=dict(count), is_ended=is_ended)
    )


def read_count(connection: Connection, token: str) -> tuple[dict[str, Any] | None, bool]:
    """Return what has been counted so far, or None, and whether the upload has ended."""
    row = connection.execute(
        select(TABLE.c["count"], TABLE.c.is_ended).where(TABLE.c.token == token)
    ).one_or_none()
    return (None, True) if row is None else (row[0], row.is_ended)
