"""Values of an address's query (``?days=7``), and the cursors of lists.

A cursor is opaque to the caller. It says up to which change of a court's list the caller has been:
changes are counted, and the count is locked until its transaction ends, so that nothing is ever
inserted before a cursor.
"""

from __future__ import annotations

import base64
from datetime import MAXYEAR, MINYEAR, date

from aiohttp import web

from kiosk.central.errors import RefusedError, malformed

MAX_CURSOR_LENGTH = 200
MAX_DIGITS = 9


def query_day(request: web.Request, name: str) -> date | None:
    """Return a day, or None where the query has none.

    Raises:
        RefusedError: 400, as all of this file.
    """
    text = request.query.get(name)
    if text is None:
        return None
    try:
        if len(text) != len("2000-01-01"):
            raise ValueError
        day = date.fromisoformat(text)
        if not MINYEAR < day.year < MAXYEAR:  # its first moment elsewhere is no date any more
            raise ValueError
    except ValueError as error:
        raise malformed(f"{name}: not a day as YYYY-MM-DD") from error
    return day


def query_flag(request: web.Request, name: str) -> bool:
    """Return whether the query says ``true``; it may say ``false`` or nothing."""
    texts = request.query.getall(name, ["false"])
    if texts not in (["true"], ["false"]):
        raise malformed(f"{name}: true or false")
    return texts == ["true"]


def query_count(request: web.Request, name: str, default: int, maximum: int) -> int:
    """Return a whole number from 1 to ``maximum``."""
    text = request.query.get(name, str(default))
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0
    if not 1 <= value <= maximum:
        raise malformed(f"{name}: 1 to {maximum}")
    return value


def query_number(request: web.Request, name: str, default: float, maximum: float) -> float:
    """Return a number from 0 to ``maximum``."""
    try:
        value = float(request.query.get(name, default))
    except ValueError as error:
        raise malformed(f"{name}: not a number") from error
    if not 0 <= value <= maximum:
        raise malformed(f"{name}: 0 to {maximum:g}")
    return value


def make_cursor(court: str, change: int) -> str:
    """Return the cursor after a change of a court's list."""
    return base64.urlsafe_b64encode(f"{change}/{court}".encode()).decode("ascii").rstrip("=")


def read_cursor(cursor: str | None, court: str, newest: int) -> int:
    """Return the number of the change after which a list goes on; 0 without a cursor.

    Args:
        cursor: as the caller sent it.
        court: whose list it is.
        newest: number of the court's last change; a later one is of a database that is gone.

    Raises:
        RefusedError: 400 ``cursor_unknown``; the caller begins without a cursor.
    """
    if cursor is None:
        return 0
    try:
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        change, _, of_court = base64.b64decode(padded, b"-_", validate=True).decode().partition("/")
        known = int(change) if change.isascii() and change.isdigit() else -1
        if of_court != court or not 0 <= known <= newest:
            raise ValueError
    except ValueError:
        text = "after: not a cursor of this list: begin without one"
        raise RefusedError(400, "cursor_unknown", text) from None
    return known
