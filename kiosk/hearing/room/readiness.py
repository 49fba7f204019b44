"""Checks what is ready for a hearing. It informs, and never delays or blocks a recording.

What was missing at the start is journalled, and the court's override is asked for while the
recording runs (R67).
"""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.api.recorder import Camera, CourtKeys, Microphone, Mirror, Storage

GOOD_CAMERA = ("ok", "off")
NOT_NEEDED = ("spare", "remote")
"""A hearing can begin without them."""
GOOD_STORAGE = ("ok", "low")


def check_readiness(
    camera: Camera,
    microphones: Iterable[Microphone],
    storages: tuple[Storage, Mirror],
    clock: str,
    keys: CourtKeys,
) -> tuple[dict[str, str], list[str]]:
    """Return the state of each item, and the names of those that are not as they should be.

    ``space`` is ``short`` when the planned hearing does not fit. The court's keys count as not
    ready only where they are needed today. Nobody need be speaking when a hearing starts.
    """
    storage, mirror = storages
    items = {
        "camera": str(camera.state),
        "storage": str(storage.state),
        "space": "ok" if storage.planned.fits else "short",
        "mirror": str(mirror.state),
        "clock": clock,
        "court_keys": str(keys.state),
    }
    good: dict[str, tuple[str, ...]] = {
        "camera": GOOD_CAMERA,
        "storage": GOOD_STORAGE,
        "space": ("ok",),
        "mirror": (items["mirror"],),  # a hearing needs no second copy; its state is noted
        "clock": ("ok", "unsynchronised"),
        "court_keys": ("ok",) if keys.needed else (items["court_keys"],),
    }
    failed = [name for name, state in items.items() if state not in good[name]]
    for microphone in microphones:
        if microphone.role not in NOT_NEEDED:
            items[microphone.name] = str(microphone.state)
            if not microphone.state.is_delivering or microphone.state.is_broken:
                failed.append(microphone.name)
    return items, failed
