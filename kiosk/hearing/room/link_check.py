"""Reads sync's newest link check for the hearing's journal (R30). It is never waited for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from kiosk.clocks import parse_wall, wall_time
from kiosk.storage.atomic_io import read_json_or_none

MAX_AGE = timedelta(hours=1)
REPORTED_KEYS = (
    *("at", "verdict", "state", "down_mbit", "up_mbit", "limit_mbit"),
    *("rtt_ms", "loss", "jitter_ms", "bearer", "problem"),
)


def recent_link_check(folder: Path, hearing_id: str) -> dict[str, Any] | None:
    """Return the newest recent result for this hearing, or None.

    Args:
        folder: ``published/link-checks``: one file per hearing, and ``last.json``.
        hearing_id: the hearing.
    """
    found = [read_json_or_none(folder / name) for name in (f"{hearing_id}.json", "last.json")]
    fresh = [result for result in found if result is not None and _age(result) <= MAX_AGE]
    newest = max(fresh, key=lambda result: str(result["at"]), default=None)
    return None if newest is None else {key: newest.get(key) for key in REPORTED_KEYS}


def _age(result: dict[str, Any]) -> timedelta:
    """Return the age of a result; one without a time, or from the future, counts as too old."""
    moment = parse_wall(str(result.get("at")))
    age = wall_time() - moment if moment is not None else timedelta.max
    return age if age > -MAX_AGE else timedelta.max
