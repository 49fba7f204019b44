"""What the system refused to the kiosk, as its journal tells."""

from __future__ import annotations

from typing import Any

REFUSALS = ("EPERM", "Operation not permitted", "Permission denied", "Traceback (most recent")
FOREIGN: tuple[tuple[str, str], ...] = ()
"""Unit and text of refusals that are not the kiosk's; each with a comment that says why."""


def refusals(outcome: dict[str, Any]) -> list[dict[str, str]]:
    """Return the entries of the journal that tell of something that was refused."""
    return [
        entry
        for entry in outcome["journal"]
        if any(word in entry["text"] for word in REFUSALS)
        and not any(entry["unit"] == unit and text in entry["text"] for unit, text in FOREIGN)
    ]
