"""The sealing of a hearing, on the screen of its delivery: samples (no Kivy)."""

from __future__ import annotations

from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import hearing_runs
from kiosk.ui.secretary.sealed_hearing.delivery import view

__all__ = ["SAMPLES", "view"]

SAMPLES: dict[str, Prepare] = {"sealing": hearing_runs("sealing")}
