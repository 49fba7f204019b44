"""Today's hearings as the public may see them."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.hall import public_case
from kiosk.api.published import Schedule
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import HearingsPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.visit_states import visit
from kiosk.ui.schedule_age import schedule_age


@dataclass(frozen=True)
class ListedHearing:
    """One of today's hearings; of a hidden one only the time is shown (R54)."""

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
    """Return the list; a hidden hearing has neither number nor title, as on the hall's display.

    None has them while nobody knows which hearings were closed here: the recorder is silent.
    """
    context, _, schedule = app.view_context(), app.translate.gettext, app.secretary.schedule
    recorder = None if app.recorder_problem else app.recorder_state
    closed_here = recorder.closed_hearings if recorder else ()
    rows = []
    for hearing in schedule.hearings if schedule else ():
        case = public_case(hearing, closed_here)
        closed, shown = case is None, case if recorder else None
        rows.append(
            ListedHearing(
                context.clock_text(hearing.starts_at),
                (shown.number or _("No case number")) if shown else "",
                shown.title if shown else "",
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
