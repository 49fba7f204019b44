"""Today's hearings as the public may see them."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.published import Schedule
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import HearingsPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.visit_states import visit
from kiosk.ui.schedule_age import schedule_age


@dataclass(frozen=True)
class ListedHearing:
    """One of today's hearings; of a closed one only time and number are shown (R54)."""

    time: str
    case_number: str
    title: str
    closed: bool
    publicity: str


@dataclass(frozen=True)
class HearingsView:
    """Today's hearings for visitors."""

    rows: tuple[ListedHearing, ...]
    age: str
    empty: str
    page: int


def view(app: AppState) -> HearingsView:
    """Return the list; of closed hearings only time and number are shown.

    No title is shown while nobody knows which hearings were closed here: the recorder is silent.
    """
    context, _, schedule = app.view_context(), app.translate.gettext, app.secretary.schedule
    recorder = None if app.recorder_problem else app.recorder_state
    closed_here = recorder.closed_hearings if recorder else ()
    rows = []
    for hearing in schedule.hearings if schedule else ():
        closed = hearing.hides_title or hearing.id in closed_here
        rows.append(
            ListedHearing(
                context.clock_text(hearing.starts_at),
                hearing.case_number,
                hearing.title if recorder and not closed else "",
                closed,
                _("Closed hearing") if closed else _("Open hearing"),
            )
        )
    return HearingsView(
        rows=tuple(rows),
        age=schedule_age(context, schedule)[0],
        empty="" if rows else _("No hearings on the list for today."),
        page=app.visit.place_as(HearingsPlace).page,
    )


def _no_hearings(app: AppState) -> None:
    visit(HearingsPlace())(app)
    app.secretary.schedule = Schedule.model_validate(service_states.schedule([]))


SAMPLES = {"hearings": visit(HearingsPlace()), "hearings-none": _no_hearings}
