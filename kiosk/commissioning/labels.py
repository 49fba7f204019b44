"""Words of the steps and of what became of them, as message ids for the translator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.commissioning.record import STEPS
from kiosk.locale import N_, Translator

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


def state_word(state: str, reason: str) -> str:
    """Return what says a step's result: its reason if it was skipped, else its state."""
    word = reason if state == "skipped" else state
    return STATES.get(word, STATES["open"])


def unfinished_lines(report: Mapping[str, Any], translate: Translator) -> list[str]:
    """Return a line for each step of a commissioning's report that is not done, with the reason.

    Args:
        report: content of ``report.json``; one of an older kiosk has no steps.
    """
    steps = report.get("steps")
    known = steps if isinstance(steps, Mapping) else {}
    rows = [(name, row) for name in STEPS if isinstance(row := known.get(name), Mapping)]
    return [
        f"{translate(STEP_NAMES[name])}: "
        f"{translate(state_word(str(row.get('state')), str(row.get('reason'))))}"
        for name, row in rows
        if row.get("state") != "done"
    ]
