"""The newest link check by sync, for the hearing's journal (R30). Never waited for."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_time

log = logging.getLogger(__name__)

MAX_AGE = timedelta(hours=1)
REPORTED_KEYS = (
    *("at", "verdict", "state", "down_mbit", "up_mbit", "limit_mbit"),
    *("rtt_ms", "loss", "jitter_ms", "bearer", "problem"),
)


def recent_link_check(folder: Path, hearing_id: str) -> dict[str, Any] | None:
    """Return the newest result that says something about this hearing, or None.

    Args:
        folder: ``published/link-checks``: one file per hearing, and ``last.json``.
        hearing_id: the hearing.
    """
    found = [_read(folder / name) for name in (f"{hearing_id}.json", "last.json")]
    fresh = [result for result in found if result is not None and _age(result) <= MAX_AGE]
    newest = max(fresh, key=lambda result: str(result["at"]), default=None)
    return None if newest is None else {key: newest.get(key) for key in REPORTED_KEYS}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("link check of a hearing cannot be read: %s", error)
        return None
    return value if isinstance(value, dict) else None


def _age(result: dict[str, Any]) -> timedelta:
    """Return how old a result is; one without a time, or from the future, is too old."""
    try:
        age = wall_time() - datetime.fromisoformat(str(result.get("at")))
    except (ValueError, TypeError):
        return timedelta.max
    return age if age > -MAX_AGE else timedelta.max
