"""The sign that calls the secretary."""

from __future__ import annotations

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SecretaryCallPlace
from kiosk.ui.samples.visit_states import visit


def view(_app: AppState) -> None:
    """Return nothing: the sign is always the same."""


SAMPLES = {"secretary_call": visit(SecretaryCallPlace())}
