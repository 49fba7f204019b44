"""Words of the steps, as message ids for the translator."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.locale import N_

STEP_NAMES: Mapping[str, str] = {
    "language": N_("Language of this kiosk"),
    "room": N_("Number of the room"),
    "microphones": N_("Microphones and seats"),
    "walk": N_("Walk round the room"),
    "camera": N_("Camera"),
    "paper": N_("Printer and scanner"),
    "network": N_("Network"),
    "court_keys": N_("The court's keys"),
    "report": N_("Report"),
}
STATES: Mapping[str, str] = {
    "open": N_("Not done yet"),
    "done": N_("Done"),
    "failed": N_("Something is wrong"),
    "later": N_("Later"),
    "not_there": N_("Not there yet"),
    "not_needed": N_("Not needed here"),
}
"""States of a step, and reasons why it was skipped."""
REPLACEMENTS: Mapping[str, str] = {
    "microphones": N_("Replace a microphone"),
    "camera": N_("Replace the camera"),
    "paper": N_("Replace printer or scanner"),
}
FURTHER_SEATS: Mapping[str, str] = {
    "remote": N_("Video conference"),
    "spare": N_("Spare microphone"),
}
"""Seats that are no role of the law."""
