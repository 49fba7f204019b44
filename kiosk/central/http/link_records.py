"""Link checks in the database: the requests of one check may come to several servers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from kiosk.central.data import schema
from kiosk.central.errors import RefusedError
from kiosk.clocks import format_wall, wall_time

TOKEN_LIFETIME_S = 120.0
MAX_TOKENS_PER_KIOSK = 20
TABLE = schema.link_checks


def begin_check(connection: Connection, kiosk: str, token: str) -> str:
    """Record a check under ``token``; return when it ends.

    Raises:
        RefusedError: 429, the kiosk has too many.
    """
    now = wall_time()
    connection.execute(TABLE.delete().where(TABLE.c.expires_at < format_wall(now)))
    count = select(func.count()).where(TABLE.c.kiosk == kiosk)
    if connection.execute(count).scalar_one() >= MAX_TOKENS_PER_KIOSK:
        raise RefusedError(429, "too_many", retry_after=60)
    expires_at = format_wall(now + timedelta(seconds=TOKEN_LIFETIME_S))
    connection.execute(
        TABLE.insert().values(
            token=token, kiosk=kiosk, expires_at=expires_at, is_upload_used=False, is_ended=False
        )
    )
    return expires_at


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
