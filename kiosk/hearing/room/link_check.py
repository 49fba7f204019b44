"""Reads sync's newest link check for the hearing's journal (R30). It is never waited for.

How old it is the kiosk's running time tells: a wall clock that was set in between does not count.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiosk.storage.age_stamp import age_seconds
from kiosk.storage.atomic_io import read_json_or_none

MAX_AGE_S = 3600.0
REPORTED_KEYS = (
    *("at", "verdict", "state", "down_mbit", "up_mbit", "limit_mbit"),
    *("call", "score", "remedy", "direction", "rate_direction", "via"),
    *("rtt_ms", "loss", "late", "jitter_ms"),
    *("loaded_rtt_ms", "loaded_loss", "round_trips_per_minute", "bearer", "problem"),
)


def recent_link_check(folder: Path, hearing_id: str) -> dict[str, Any] | None:
    """Return the newest recent result for this hearing, or None.

    Args:
        folder: ``published/link-checks``: one file per hearing, and ``last.json``.
        hearing_id: the hearing.
    """
    found = [read_json_or_none(folder / name) for name in (f"{hearing_id}.json", "last.json")]
    aged = [
        (age, index, result)
        for index, result in enumerate(found)
        if result is not None and (age := age_seconds(result.get("measured"))) is not None
    ]
    age, _index, newest = min(aged, default=(MAX_AGE_S + 1, 0, {}))
    return {key: newest.get(key) for key in REPORTED_KEYS} if age <= MAX_AGE_S else None
