"""Recess or retirement: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.recorder import RunningHearing
from kiosk.clocks import format_wall, parse_wall
from kiosk.ui.actions.chain_receipt_printer import ChainReceiptState
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import documents, service_states
from kiosk.ui.samples.screen_sample import Prepare, alarm
from kiosk.ui.samples.staff_states import hearing_runs
from kiosk.ui.secretary.running_hearing.questions import Question, open_question, typed_subjects
from kiosk.ui.secretary.running_hearing.recording import CLOSED

OFFERED_MINUTES = (10, 20, 30, 60)


@dataclass(frozen=True)
class RecessView:
    """Recess or retirement: nothing is captured."""

    retired: bool
    title: str
    text: str
    case_number: str
    seconds: float
    question: Question | None
    banner: str
    until: str = ""
    ends: tuple[tuple[str, str], ...] = ()
    """Ends of the recess that are offered: RFC 3339, and the time of day."""
    keeps_minutes: bool = True


def view(app: AppState) -> RecessView:
    """Return what the screen shows."""
    context, recorder = app.view_context(), app.shown_recorder_state
    _, hearing = context.translate.gettext, recorder.hearing or RunningHearing(id="")
    until, end = context.clock_text(hearing.recess_until), parse_wall(hearing.recess_until)
    is_end_asked = app.is_clock_known and (end is None or end <= context.now)
    title, text = _("Recess"), _("Nothing is recorded. Resume when the hearing goes on.")
    retired = recorder.phase == "retired"
    if retired:
        title = _("The court has retired")
        text = _("Nothing is recorded until the act is announced. Resume when the court returns.")
    reminder = alarm_of("resume_reminder").say(context.translate)
    return RecessView(
        retired=retired,
        title=title,
        text=text,
        case_number=hearing.case_number or _("No case number"),
        seconds=hearing.seconds,
        question=open_question(context, hearing, app.secretary.postponed | typed_subjects(context)),
        banner=reminder if any(a.code == "resume_reminder" for a in recorder.alarms) else "",
        until=_("Until {time}", time=until) if until else "",
        ends=offered_ends(context.now, context.zone) if is_end_asked else (),
        keeps_minutes=hearing.keeps_minutes,
    )


def offered_ends(now: datetime, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """Return round times of day at which the court may go on."""
    base = now.replace(second=0, microsecond=0)
    found = []
    for minutes in OFFERED_MINUTES:
        end = base + timedelta(minutes=minutes)
        end += timedelta(minutes=-end.minute % 5)
        found.append((format_wall(end), end.astimezone(zone).strftime("%H:%M")))
    return tuple(found)


# -- samples -------------------------------------------------------------------------------------


def _receipt_printed(app: AppState) -> None:
    hearing_runs("recess")(app)
    app.chain_receipt.state = ChainReceiptState("printed")


def _receipt_shown(app: AppState) -> None:
    hearing_runs("recess")(app)
    picture = documents.chain_receipt()
    app.chain_receipt.state = ChainReceiptState("failed", "printer_no_paper", picture)


SAMPLES: dict[str, Prepare] = {
    "recess": hearing_runs("recess", proof={"state": "none"}),
    "recess-reminder": hearing_runs(
        "recess",
        alarms=[alarm("resume_reminder")],
        hearing={"open_questions": ["recess_reason"]},
    ),
    "recess-end": hearing_runs("recess", is_end_asked=True),
    "recess-until": hearing_runs("recess", hearing={"recess_until": service_states.at(10, 15)}),
    "recess-over": hearing_runs("recess", hearing={"recess_until": service_states.at(9, 50)}),
    "retired": hearing_runs("retired"),
    "recess-no-minutes": hearing_runs("recess", hearing={"keeps_minutes": False}),
    "closed-no-keys": hearing_runs(
        "recess",
        alarms=[alarm("court_key_missing")],
        court_keys={"state": "missing", "needed": True},
        hearing={**CLOSED, "open_questions": ["failure_reason"]},
    ),
    "slip-printed": _receipt_printed,
    "slip-no-paper": _receipt_shown,
}
