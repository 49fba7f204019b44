"""The filing is being stored and registered."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import RegisteringPlace
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class RegisteringView:
    """One sentence."""

    title: str


def view(app: AppState) -> RegisteringView:
    """Return the sentence."""
    return RegisteringView(app.translate.gettext("Your document is being registered…"))


SAMPLES = {"registering": visit(RegisteringPlace(), 3)}
