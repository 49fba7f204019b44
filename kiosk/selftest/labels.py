"""Names and questions of the self-test, as message ids for the translator."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kiosk.locale import N_

CHECK_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "camera": N_("Camera"),
        "microphones": N_("Microphones"),
        "speaker": N_("Loudspeaker"),
        "speech_transmission": N_("Speech transmission"),
        "headset": N_("Headset"),
        "scanner": N_("Scanner"),
        "receipt_printer": N_("Receipt printer"),
        "badge_reader": N_("Badge reader"),
        "panel": N_("Lamp and button"),
        "touch": N_("Touch panel"),
        "storage": N_("Disk"),
        "mirror": N_("Second copy"),
        "clock": N_("Clock"),
        "certificate": N_("Certificate"),
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
        "picture_right": N_("Is the picture sharp and upright, and is the whole room in it?"),
        "loudspeaker_heard": N_("Do you hear a tone from the loudspeaker?"),
        "headphones_heard": N_("Do you hear a tone in the visitor’s headphones?"),
        "headset_heard": N_("Do you hear a tone in the secretary’s headset?"),
        "lamp_seen": N_("Did the recording lamp light up?"),
        "button_pressed": N_("Press the button of the kiosk now."),
        "receipt_readable": N_("Is the printed test receipt clear and straight?"),
        "badge_held": N_("Hold your badge to the reader."),
    }
)
"""Questions to the person at the kiosk."""

SAVE_AGAIN = N_("Save the report again?")
"""Question of the terminal after a report that could not be saved."""
