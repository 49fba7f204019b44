"""Names and questions of the self-test, as message ids for the translator."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kiosk.locale import N_

CHECK_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "camera": N_("Camera"),
        "microphones": N_("Microphones"),
        "scanner": N_("Scanner"),
        "receipt_printer": N_("Receipt printer"),
        "badge_reader": N_("Badge reader"),
        "panel": N_("Lamp and button"),
        "storage": N_("Disk"),
        "clock": N_("Clock"),
        "machine": N_("The machine itself"),
        "court_keys": N_("The court's keys"),
        "link": N_("Network"),
        "delivery": N_("Delivery"),
    }
)
"""Name of each check."""

STATE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "passed": N_("Passed"),
        "failed": N_("Failed"),
        "skipped": N_("Skipped"),
        "never_tested": N_("Never tested"),
    }
)
"""Name of each state of a result."""

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "lamp_seen": N_("Did the recording lamp light up?"),
        "button_pressed": N_("Press the button of the kiosk now."),
        "receipt_readable": N_("Is the printed test receipt clear and straight?"),
        "badge_held": N_("Hold your badge to the reader."),
    }
)
"""Questions to the person at the kiosk."""

SAVE_AGAIN = N_("Save the report again?")
"""Question of the terminal after a report that could not be saved."""
