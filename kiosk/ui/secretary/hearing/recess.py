"""Views of recess, delivery and lock screen (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.ui.secretary.hearing.questions import TYPED_SUBJECTS, Question, open_question
from kiosk.ui.service_models import (
    RecorderState,
    RunningHearing,
)
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class RecessView:
    """Recess or retirement: nothing is captured."""

    retired: bool
    title: str
    text: str
    since: str
    case_number: str
    seconds: float
    question: Question | None
    banner: str
    reminder: bool


def recess_view(
    context: ViewContext, recorder: RecorderState, postponed: frozenset[str]
) -> RecessView:
    """Return the view of a recess or retirement."""
    _ = context.translate.gettext
    hearing = recorder.hearing or RunningHearing(id="")
    retired = recorder.phase == "retired"
    reminder = any(alarm.code == "resume_reminder" for alarm in recorder.alarms)
    title = _("The court has retired") if retired else _("Recess")
    text = (
        _("Nothing is recorded until the act is announced. Resume when the court returns.")
        if retired
        else _("Nothing is recorded. Resume when the hearing goes on.")
    )
    return RecessView(
        retired=retired,
        title=title,
        text=text,
        since="",
        case_number=hearing.case_number or _("No case number"),
        seconds=hearing.seconds,
        question=open_question(context, hearing, postponed | TYPED_SUBJECTS),
        banner=alarm_of("resume_reminder").say(context.translate) if reminder else "",
        reminder=reminder,
    )
