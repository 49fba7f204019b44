"""View of the running hearing (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kiosk.alarms import Severity, alarm_of, most_severe
from kiosk.ui.actions.side_panel_actions import Panel
from kiosk.ui.formatting import age_text, sentence_case
from kiosk.ui.secretary.hearing.questions import Question, open_question
from kiosk.ui.secretary.hearing.side_panel import (
    PanelView,
    panel_view,
    playing_text,
    repairable_microphones,
)
from kiosk.ui.secretary.schedule.readiness import role_of
from kiosk.ui.service_models import (
    Microphone,
    RecorderState,
    RunningHearing,
    Schedule,
    parse_time,
)
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

OVERRUN_MINUTES = 15


# Shorter gaps are in the ledger, but nobody can act on them.
MIN_SHOWN_GAP_SECONDS = 0.5


# Said before the start; in a hearing nobody can act on them.
START_ONLY_ALARMS = frozenset({"clock_unsynchronised", "clock_unset", "schedule_stale"})


@dataclass(frozen=True)
class ProofView:
    """The one light that says: what was recorded has been read back from the disk."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class MicrophoneRow:
    """One microphone; its level is drawn from the ``microphones`` events, not from here."""

    name: str
    label: str
    tone: Tone
    word: str


@dataclass(frozen=True)
class EventButton:
    """One event that can be marked."""

    id: str
    label: str


@dataclass(frozen=True)
class EventLogEntry:
    """One entry of the hearing's event log."""

    time: str
    text: str
    fault: bool = False


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


@dataclass(frozen=True)
class ClosedView:
    """A closed part is running."""

    short: str
    text: str


@dataclass(frozen=True)
class CaseView:
    """Case, who takes part, when the next one is due."""

    case_number: str
    title: str
    people: str
    closed: bool
    publicity: str
    next_time: str


@dataclass(frozen=True)
class RecordingView:
    """The running hearing. The timer runs between two states from ``seconds`` and ``running``."""

    state: str
    stale: bool
    proof: ProofView
    microphones: tuple[MicrophoneRow, ...]
    expected: tuple[EventButton, ...]
    others: tuple[EventButton, ...]
    all_events: tuple[EventButton, ...]
    event_log: tuple[EventLogEntry, ...]
    can_undo: bool
    case: CaseView
    question: Question | None
    alarm: AlarmView | None
    banner: str
    camera_word: str
    closed: ClosedView | None = None
    panel: PanelView | None = None
    playing: str = ""
    repairable: tuple[str, ...] = ()


def recording_view(
    context: ViewContext,
    recorder: RecorderState,
    *,
    stale: bool,
    schedule: Schedule | None,
    postponed: frozenset[str],
    panel: Panel | None = None,
) -> RecordingView:
    """Return the running hearing's screen.

    Args:
        stale: this is the last State that is known, not the present one.
        put_off: subjects of questions that the secretary put off.
        panel: what is open beside the hearing.
    """
    _ = context.translate.gettext
    hearing = recorder.hearing or RunningHearing(id="")
    expected = hearing.expected[:2]
    others = tuple(e for e in context.labels.frequent_events() if e not in expected)
    return RecordingView(
        state=_("Closed part is recorded") if hearing.closed else _("Recording"),
        stale=stale,
        proof=proof_view(context, recorder, stale=stale),
        microphones=tuple(_microphone_row(context, m) for m in recorder.microphones),
        expected=_buttons(context, expected),
        others=_buttons(context, others),
        all_events=_buttons(context, context.labels.event_order()),
        event_log=build_event_log(context, hearing, recorder.microphones),
        can_undo=any(not mark.withdrawn for mark in hearing.marks),
        case=_case(context, hearing, schedule),
        question=open_question(context, hearing, postponed),
        alarm=alarm_view(context, recorder),
        banner=_banner(context, recorder, hearing),
        camera_word=_camera_word(context, recorder),
        closed=_closed(context, hearing),
        panel=panel_view(context, recorder, panel),
        playing=playing_text(context, recorder),
        repairable=tuple(microphone.name for microphone in repairable_microphones(recorder)),
    )


def _buttons(context: ViewContext, events: tuple[str, ...]) -> tuple[EventButton, ...]:
    return tuple(EventButton(e, sentence_case(context.labels.event(e))) for e in events)


def _closed(context: ViewContext, hearing: RunningHearing) -> ClosedView | None:
    _ = context.translate.gettext
    if hearing.closed is None:
        return None
    return ClosedView(
        _("Closed since {time}", time=context.clock_text(hearing.closed.since)),
        _("Recorded encrypted: it is not played here, and no copy of it is made."),
    )


def _camera_word(context: ViewContext, recorder: RecorderState) -> str:
    _ = context.translate.gettext
    match recorder.camera.state:
        case "ok":
            return ""
        case "starting":
            return _("The camera is starting")
        case "frozen":
            return _("The picture stands still")
        case _:
            return _("No picture – sound goes on")


def proof_view(context: ViewContext, recorder: RecorderState, *, stale: bool) -> ProofView:
    """Return the proof light: green only for something read back lately."""
    _ = context.translate.gettext
    proof = recorder.proof
    if stale:
        return ProofView("caution", _("No news from the recorder"))
    match proof.state:
        case "good":
            age = age_text(proof.age_seconds or 0, context.translate)
            return ProofView("good", _("Read back from disk · {age}", age=age))
        case "bad":
            return ProofView("fault", _proof_failure(context, recorder))
        case _:
            return ProofView("dark", _("Not read back yet"))


def _proof_failure(context: ViewContext, recorder: RecorderState) -> str:
    """Return what could not be read back, by name where the recorder names it."""
    _, source = context.translate.gettext, recorder.proof.source
    match source:
        case "":
            return _("Could not be read back")
        case "mix":
            return _("Not proven: the common sound")
        case "camera":
            return _("Not proven: the picture")
        case "storage":
            return _("Not proven: the disk cannot be read")
        case _:
            found = next((m for m in recorder.microphones if m.name == source), None)
            return _("Not proven: {name}", name=role_of(context, found) if found else source)


def _microphone_row(context: ViewContext, microphone: Microphone) -> MicrophoneRow:
    _ = context.translate.gettext
    label = microphone.name if microphone.is_spare else role_of(context, microphone)
    since = parse_time(microphone.since)
    lasts = age_text((context.now - since).total_seconds(), context.translate) if since else ""
    word, tone = "", "plain"
    if microphone.without:
        return MicrophoneRow(microphone.name, label, "plain", _("the hearing goes on without it"))
    if microphone.is_spare:
        return MicrophoneRow(microphone.name, label, "plain", _("spare"))
    if microphone.kind == "remote" and microphone.state in ("absent", "dead", "muted"):
        return MicrophoneRow(microphone.name, label, "fault", _("nothing comes · {age}", age=lasts))
    match microphone.state:
        case "absent":
            word, tone = _("not connected · {age}", age=lasts), "fault"
        case "dead":
            word, tone = _("no signal · {age}", age=lasts), "fault"
        case "muted":
            word, tone = _("muted · {age}", age=lasts), "fault"
        case "quiet":
            word, tone = _("very quiet"), "caution"
        case "clipping":
            word, tone = _("too loud"), "caution"
        case "humming":
            word, tone = _("hums"), "caution"
        case "starting":
            word = _("starting")
        case _:
            word = "" if microphone.heard else _("not yet heard")
    return MicrophoneRow(microphone.name, label, tone_of(tone), word.strip(" ·"))


def tone_of(name: str) -> Tone:
    match name:
        case "fault":
            return "fault"
        case "caution":
            return "caution"
        case _:
            return "plain"


def build_event_log(
    context: ViewContext, hearing: RunningHearing, microphones: tuple[Microphone, ...] = ()
) -> tuple[EventLogEntry, ...]:
    """Return marks that are not withdrawn and interruptions, newest first."""
    _ = context.translate.gettext
    names = {m.name: role_of(context, m) for m in microphones}
    lines = [
        (
            mark.at,
            EventLogEntry(
                context.clock_text(mark.at, True), _mark_text(context, mark.type, mark.note)
            ),
        )
        for mark in hearing.marks
        if not mark.withdrawn
    ]
    for gap in hearing.interruptions:
        if gap.seconds is not None and gap.seconds < MIN_SHOWN_GAP_SECONDS:
            continue
        lost = (
            ""
            if gap.seconds is None
            else " · " + age_text(max(1.0, gap.seconds), context.translate)
        )
        name = names.get(gap.source) or _source_name(context, gap.source)
        text = _("{name}: not recorded", name=name) + lost
        lines.append((gap.at, EventLogEntry(context.clock_text(gap.at, True), text, fault=True)))
    return tuple(line for _at, line in sorted(lines, key=lambda pair: pair[0], reverse=True))


def _mark_text(context: ViewContext, event: str, note: str | None) -> str:
    label = sentence_case(context.labels.event(event))
    return f"{label}: {note}" if note else label


def _source_name(context: ViewContext, source: str) -> str:
    _ = context.translate.gettext
    if source in ("recorder", ""):
        return _("Recording as a whole")
    return (
        _("Camera") if source in ("camera", "video") else sentence_case(context.labels.role(source))
    )


def _case(context: ViewContext, hearing: RunningHearing, schedule: Schedule | None) -> CaseView:
    _ = context.translate.gettext
    names = [
        f"{sentence_case(context.labels.role(p.role))}: {p.name}"
        for p in hearing.participants or ()
    ]
    later = [
        h
        for h in (schedule.hearings if schedule else ())
        if h.starts_at and h.id != hearing.id and h.starts_at > context.now
    ]
    closed = hearing.publicity == "closed" or hearing.closed is not None
    return CaseView(
        case_number=hearing.case_number or _("No case number"),
        title=_("Title not shown") if closed else hearing.title or "",
        people=" · ".join(names),
        closed=closed,
        publicity=_("Closed") if closed else _("Open"),
        next_time=_("Next hearing at {time}", time=context.clock_text(later[0].starts_at))
        if later
        else "",
    )


def _banner(context: ViewContext, recorder: RecorderState, hearing: RunningHearing) -> str:
    _ = context.translate.gettext
    if recorder.recovered:
        gap = recorder.recovered.gap_seconds
        if gap is None:
            return _("The power was gone. Recording goes on by itself; the gap is not known.")
        age = age_text(gap, context.translate)
        return _("The power was gone. Recording goes on by itself; {age} are missing.", age=age)
    begins = hearing.starts_at
    if hearing.replacing:
        return _("The open recording of the closed time is being encrypted. Go on as usual.")
    if begins and hearing.duration_minutes:
        over = context.now - begins - timedelta(minutes=hearing.duration_minutes)
        if over > timedelta(minutes=OVERRUN_MINUTES):
            age = age_text(over.total_seconds(), context.translate)
            return _("The hearing runs {age} longer than planned.", age=age)
    return ""


def alarm_view(context: ViewContext, recorder: RecorderState) -> AlarmView | None:
    """Return the gravest alarm with its remedy, or None."""
    shown = [
        a
        for a in recorder.alarms
        if alarm_of(a.code).severity is not Severity.NOTICE and a.code not in START_ONLY_ALARMS
    ]
    code = most_severe([a.code for a in shown])
    if code is None:
        return None
    first = next(a for a in shown if a.code == code)
    roles = {m.name: role_of(context, m) for m in recorder.microphones}
    alarm = alarm_of(code)
    name = roles.get(first.source or "", first.source or "")
    tone: Tone = "fault" if alarm.severity is Severity.FAULT else "caution"
    remedy = alarm.remedy(context.translate, staff=True)
    repairable = next(
        (m.name for m in repairable_microphones(recorder) if m.name == first.source), ""
    )
    return AlarmView(
        code, tone, alarm.say(context.translate, name), remedy, len(shown) - 1, repairable
    )
