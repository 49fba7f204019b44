"""Words of replacements and seats, as message ids for the translator."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.locale import N_

REPLACEMENTS: Mapping[str, str] = {
    "microphones": N_("New microphone"),
    "camera": N_("New camera"),
    "paper": N_("New printer or scanner"),
}
FURTHER_SEATS: Mapping[str, str] = {
    "remote": N_("Video conference"),
    "spare": N_("Spare microphone"),
}
"""Seats that are no role of the law."""
