"""Warns that the screen is wiped soon, because nobody has touched it."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PageReviewPlace
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class IdleWarningView:
    """The question, and the seconds that are left."""

    title: str
    seconds: int


def view(app: AppState) -> IdleWarningView:
    """Return the question, and the seconds that are left."""
    return IdleWarningView(app.translate.gettext("Are you still here?"), app.idle_seconds_left or 0)


def _untouched(app: AppState) -> None:
    visit(PageReviewPlace(), 3)(app)
    now = app.now()
    app.now = lambda: now + 95.0


SAMPLES = {"idle_warning": _untouched}
