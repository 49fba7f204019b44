"""The filing could not be stored."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import FilingFailedPlace
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class FilingFailedView:
    """Consequence and remedy."""

    title: str
    text: str
    has_pages: bool


def view(app: AppState) -> FilingFailedView:
    """Return consequence and remedy."""
    alarm = alarm_of(app.visit.place_as(FilingFailedPlace).code)
    remedy = alarm.remedy(app.translate, staff=False)
    return FilingFailedView(alarm.say(app.translate), remedy, bool(app.visit.pages))


SAMPLES = {
    "filing_failed-disk-full": visit(FilingFailedPlace("disk_full"), 3),
    "filing_failed-too-large": visit(FilingFailedPlace("document_too_large"), 3),
}
