"""View of the most severe alarm and of the banner over the running hearing (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kiosk.alarms import Severity, alarm_of, most_severe
from kiosk.api.recorder import RecorderState, RunningHearing
from kiosk.api.states import UnclearSpeech
from kiosk.ui.formatting import age_text
from kiosk.ui.secretary.running_hearing.people import whose_words
from kiosk.ui.secretary.running_hearing.sources import repairable_microphones
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

OVERRUN = timedelta(minutes=15)
# Shown before the start; during a hearing nobody can act on them.
START_ONLY_ALARMS = frozenset(
    {"clock_unsynchronised", "clock_unset", "schedule_stale", "filing_unprotected"}
)


@dataclass(frozen=True)
class AlarmView:
    """An alarm: consequence, then remedy; ``more`` others are on.

    ``repairable``: the microphone that has a remedy; empty: none.
    """

    code: str
    tone: Tone
    sentence: str
    remedy: str
    more: int = 0
    repairable: str = ""


def alarm_view(context: ViewContext, recorder: RecorderState) -> AlarmView | None:
    """Return the most severe alarm with its remedy, or None."""
    shown = [
        a
        for a in recorder.alarms
        if alarm_of(a.code).severity is not Severity.NOTICE and a.code not in START_ONLY_ALARMS
    ]
    code = most_severe([a.code for a in shown])
    if code is None:
        return None
    source = next(a.source or "" for a in shown if a.code == code)
    names = {m.name: context.role_label(m) for m in recorder.microphones}
    names["camera"] = context.translate.gettext("Camera")
    is_unclear = code in {cause.alarm for cause in UnclearSpeech}
    whose = whose_words(context, recorder, source) if is_unclear else ""
    alarm = alarm_of(code)
    return AlarmView(
        code,
        "fault" if alarm.severity is Severity.FAULT else "caution",
        alarm.say(context.translate, whose or names.get(source, source)),
        alarm.remedy(context.translate, staff=True),
        len(shown) - 1,
        next((m.name for m in repairable_microphones(recorder) if m.name == source), ""),
    )


def banner_text(context: ViewContext, recorder: RecorderState, hearing: RunningHearing) -> str:
    """Return the calm sentence over the hearing; empty: none."""
    _ = context.translate.gettext
    if recorder.recovered:
        gap = recorder.recovered.gap_seconds
        if gap is None:
            return _("The power was gone. Recording goes on by itself; the gap is not known.")
        age = age_text(gap, context.translate)
        return _("The power was gone. Recording goes on by itself; {age} are missing.", age=age)
    if hearing.replacing:
        return _("The open recording of the closed time is being encrypted. Go on as usual.")
    if hearing.starts_at and hearing.duration_minutes:
        planned = timedelta(minutes=hearing.duration_minutes)
        over = context.now - hearing.starts_at - planned
        if over > OVERRUN:
            age = age_text(over.total_seconds(), context.translate)
            return _("The hearing runs {age} longer than planned.", age=age)
    return ""
