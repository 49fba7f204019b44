"""Readiness: what is there and what is not. It informs, and never delays or blocks a recording.

What was missing at a start is written into the journal, and the court's override is asked for
while the recording runs (R67).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GOOD_CAMERA = ("ok", "off")
GOOD_MICROPHONE = ("ok", "muted", "quiet", "clipping", "humming")
"""Nobody need be speaking when a hearing starts."""
NOT_NEEDED = ("spare", "remote")
"""A hearing can begin without them."""
GOOD_STORAGE = ("ok", "low")


def check_readiness(
    sources: Mapping[str, Any], storages: Mapping[str, Any], clock: str, keys: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    """Return the state of each item, and the names of those that are not as they should be.

    Args:
        sources: ``camera`` and ``microphones`` of State.
        storages: ``storage`` and ``mirror`` of State. ``space`` is ``short`` when the planned
            hearing does not fit.
        clock: its state.
        keys: ``court_keys`` of State; they count as not ready only where they are needed today.
    """
    items = {
        "camera": str(sources["camera"]["state"]),
        "storage": str(storages["storage"]["state"]),
        "space": "ok" if storages["storage"]["planned"]["fits"] else "short",
        "mirror": str(storages["mirror"]["state"]),
        "clock": clock,
        "court_keys": str(keys["state"]),
    }
    good: dict[str, tuple[str, ...]] = {
        "camera": GOOD_CAMERA,
        "storage": GOOD_STORAGE,
        "space": ("ok",),
        "mirror": (items["mirror"],),  # a hearing needs no second copy; its state is noted
        "clock": ("ok", "unsynchronised"),
        "court_keys": ("ok",) if keys["needed"] else (items["court_keys"],),
    }
    for microphone in sources["microphones"]:
        if microphone.get("role") in NOT_NEEDED:
            continue
        items[str(microphone["name"])] = str(microphone["state"])
    failed = [name for name, state in items.items() if state not in good.get(name, GOOD_MICROPHONE)]
    return items, failed
