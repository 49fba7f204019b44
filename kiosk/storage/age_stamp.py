"""The moment of a thing that is kept in a file, so that its age can be told without the wall clock.

In the same boot the boot clock tells the age. Over a restart of the machine the wall clock tells
it, if the kernel called it synchronised at both ends; else the age is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.clocks import (
    EARLIEST_VALID,
    boot_id,
    boot_seconds,
    format_wall,
    is_synchronised,
    parse_wall,
    wall_time,
)


def age_stamp() -> dict[str, Any]:
    """Return the moment now: ``boot``, ``uptime`` in seconds, and ``wall`` where it is certain."""
    wall = format_wall() if _is_certain() else None
    return {"boot": boot_id(), "uptime": round(boot_seconds(), 3), "wall": wall}


def age_seconds(stamp: object) -> float | None:
    """Return the seconds since :func:`age_stamp` gave ``stamp``; None: not known."""
    if not isinstance(stamp, Mapping):
        return None
    uptime = stamp.get("uptime")
    if stamp.get("boot") == boot_id():
        is_number = isinstance(uptime, int | float) and not isinstance(uptime, bool)
        age = boot_seconds() - float(uptime) if is_number else -1.0  # type: ignore[arg-type]
    else:
        wall = parse_wall(str(stamp.get("wall")))
        if wall is None or not _is_certain():
            return None
        age = (wall_time() - wall).total_seconds()
    return age if 0 <= age < float("inf") else None


def _is_certain() -> bool:
    return wall_time() >= EARLIEST_VALID and is_synchronised()
