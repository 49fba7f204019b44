"""Asks whether to leave, because scanned pages would be lost."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PageReviewPlace
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class LeaveConfirmationView:
    """What is lost; only ``text`` is spoken."""

    consequence: str
    text: str


def view(app: AppState) -> LeaveConfirmationView:
    """Return what is lost."""
    consequence = app.translate.ngettext(
        "{n} scanned page will be deleted.",
        "{n} scanned pages will be deleted.",
        len(app.visit.pages),
    )
    return LeaveConfirmationView(
        consequence, app.translate.gettext("Nothing has been handed in yet.")
    )


SAMPLES = {"leave_confirmation": visit(PageReviewPlace(), 3, is_leaving=True)}
