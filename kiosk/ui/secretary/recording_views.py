"""What the screen of a running hearing says, without Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kiosk.alarms import Severity, alarm_of, gravest
from kiosk.ui.facts import (
    Alarm,
    Microphone,
    Recorder,
    RunningHearing,
    Schedule,
    moment,
)
from kiosk.ui.here import Here
from kiosk.ui.secretary.panel_views import PanelView, mendable, panel_view, playing_text
from kiosk.ui.secretary.panels import Panel
from kiosk.ui.secretary.questions import Question, open_question
from kiosk.ui.secretary.readiness import role_of
from kiosk.ui.theme import Tone
from kiosk.ui.words import age_text, sentence_case

OVERRUN_MINUTES = 15


# Shorter gaps are in the ledger, but nobody can act on them.
SHORTEST_GAP_SECONDS = 0.5


# Said before the start; in a hearing nobody can act on them.
BEFORE_THE_START = frozenset({"clock_unsynchronised", "clock_unset", "schedule_stale"})


@dataclass(frozen=True)
class ProofView:
    """The one light that says: what was recorded has been read back from the disk."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class LevelRow:
    """One microphone; its level is drawn from the ``levels`` events, not from here."""

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
class CourseLine:
    """One line of the hearing's course."""

    time: str
    text: str
    fault: bool = False


@dataclass(frozen=True)
class AlarmView:
    """An alarm: consequence, then remedy; ``more`` others are on.

    ``mends``: the microphone something can be done about at once.
    """

    code: str
    tone: Tone
    sentence: str
    remedy: str
    more: int = 0
    mends: str = ""


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
    levels: tuple[LevelRow, ...]
    expected: tuple[EventButton, ...]
    others: tuple[EventButton, ...]
    every: tuple[EventButton, ...]
    course: tuple[CourseLine, ...]
    can_undo: bool
    case: CaseView
    question: Question | None
    alarm: AlarmView | None
    banner: str
    camera_word: str
    closed: ClosedView | None = None
    panel: PanelView | None = None
    playing: str = ""
    mends: tuple[str, ...] = ()


def recording_view(
    here: Here,
    recorder: Recorder,
    *,
    stale: bool,
    schedule: Schedule | None,
    put_off: frozenset[str],
    panel: Panel | None = None,
) -> RecordingView:
    """Return the running hearing's screen.

    Args:
        stale: the recorder has ceased to answer; this is the last that is known.
        put_off: subjects of questions that the secretary put off.
        panel: what is open beside the hearing.
    """
    _ = here.say.gettext
    hearing = recorder.hearing or RunningHearing(id="")
    expected = hearing.expected[:2]
    others = tuple(e for e in here.labels.frequent_events() if e not in expected)
    return RecordingView(
        state=_("Closed part is recorded") if hearing.closed else _("Recording"),
        stale=stale,
        proof=proof_view(here, recorder, stale=stale),
        levels=tuple(_level(here, m) for m in recorder.microphones),
        expected=_buttons(here, expected),
        others=_buttons(here, others),
        every=_buttons(here, here.labels.event_order()),
        course=course_of(here, hearing, recorder.microphones),
        can_undo=any(not mark.withdrawn for mark in hearing.marks),
        case=_case(here, hearing, schedule),
        question=open_question(here, hearing, put_off),
        alarm=alarm_view(here, recorder, stale=stale),
        banner=_banner(here, recorder, hearing),
        camera_word=_camera_word(here, recorder),
        closed=_closed(here, hearing),
        panel=panel_view(here, recorder, panel),
        playing=playing_text(here, recorder),
        mends=tuple(microphone.name for microphone in mendable(recorder)),
    )


def _buttons(here: Here, events: tuple[str, ...]) -> tuple[EventButton, ...]:
    return tuple(EventButton(e, sentence_case(here.labels.event(e))) for e in events)


def _closed(here: Here, hearing: RunningHearing) -> ClosedView | None:
    _ = here.say.gettext
    if hearing.closed is None:
        return None
    return ClosedView(
        _("Closed since {time}", time=here.time(hearing.closed.since)),
        _("Recorded encrypted: it is not played here, and no copy of it is made."),
    )


def _camera_word(here: Here, recorder: Recorder) -> str:
    _ = here.say.gettext
    match recorder.camera.state:
        case "ok":
            return ""
        case "starting":
            return _("The camera is starting")
        case "frozen":
            return _("The picture stands still")
        case _:
            return _("No picture – sound goes on")


def proof_view(here: Here, recorder: Recorder, *, stale: bool) -> ProofView:
    """Return the proof light: green only for something read back lately."""
    _ = here.say.gettext
    proof = recorder.proof
    if stale:
        return ProofView("caution", _("No news from the recorder"))
    match proof.state:
        case "good":
            age = age_text(proof.age_seconds or 0, here.say)
            return ProofView("good", _("Read back from disk · {age}", age=age))
        case "bad":
            return ProofView("fault", _bad_proof(here, recorder))
        case _:
            return ProofView("dark", _("Not read back yet"))


def _bad_proof(here: Here, recorder: Recorder) -> str:
    """Return what could not be read back, by name where the recorder names it."""
    _, source = here.say.gettext, recorder.proof.source
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
            return _("Not proven: {name}", name=role_of(here, found) if found else source)


def _level(here: Here, microphone: Microphone) -> LevelRow:
    _ = here.say.gettext
    label = microphone.name if microphone.is_spare else role_of(here, microphone)
    since = moment(microphone.since)
    lasts = age_text((here.now - since).total_seconds(), here.say) if since else ""
    word, tone = "", "plain"
    if microphone.without:
        return LevelRow(microphone.name, label, "plain", _("the hearing goes on without it"))
    if microphone.is_spare:
        return LevelRow(microphone.name, label, "plain", _("spare"))
    if microphone.kind == "remote" and microphone.state in ("absent", "dead", "muted"):
        return LevelRow(microphone.name, label, "fault", _("nothing comes · {age}", age=lasts))
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
    return LevelRow(microphone.name, label, tone_of(tone), word.strip(" ·"))


def tone_of(name: str) -> Tone:
    match name:
        case "fault":
            return "fault"
        case "caution":
            return "caution"
        case _:
            return "plain"


def course_of(
    here: Here, hearing: RunningHearing, microphones: tuple[Microphone, ...] = ()
) -> tuple[CourseLine, ...]:
    """Return the course, newest first: marks that stand, and interruptions."""
    _ = here.say.gettext
    names = {m.name: role_of(here, m) for m in microphones}
    lines = [
        (mark.at, CourseLine(here.time(mark.at, True), _mark_text(here, mark.type, mark.note)))
        for mark in hearing.marks
        if not mark.withdrawn
    ]
    for gap in hearing.interruptions:
        if gap.seconds is not None and gap.seconds < SHORTEST_GAP_SECONDS:
            continue
        lost = "" if gap.seconds is None else " · " + age_text(max(1.0, gap.seconds), here.say)
        name = names.get(gap.source) or _source_name(here, gap.source)
        text = _("{name}: not recorded", name=name) + lost
        lines.append((gap.at, CourseLine(here.time(gap.at, True), text, fault=True)))
    return tuple(line for _at, line in sorted(lines, key=lambda pair: pair[0], reverse=True))


def _mark_text(here: Here, event: str, note: str | None) -> str:
    label = sentence_case(here.labels.event(event))
    return f"{label}: {note}" if note else label


def _source_name(here: Here, source: str) -> str:
    _ = here.say.gettext
    if source in ("recorder", ""):
        return _("Recording as a whole")
    return _("Camera") if source in ("camera", "video") else sentence_case(here.labels.role(source))


def _case(here: Here, hearing: RunningHearing, schedule: Schedule | None) -> CaseView:
    _ = here.say.gettext
    names = [f"{sentence_case(here.labels.role(p.role))}: {p.name}" for p in hearing.participants]
    later = [
        h
        for h in (schedule.hearings if schedule else ())
        if h.begins and h.id != hearing.id and h.begins > here.now
    ]
    closed = hearing.publicity == "closed" or hearing.closed is not None
    return CaseView(
        case_number=hearing.case_number or _("No case number"),
        title=_("Title not shown") if closed else hearing.title,
        people=" · ".join(names),
        closed=closed,
        publicity=_("Closed") if closed else _("Open"),
        next_time=_("Next hearing at {time}", time=here.time(later[0].begins)) if later else "",
    )


def _banner(here: Here, recorder: Recorder, hearing: RunningHearing) -> str:
    _ = here.say.gettext
    if recorder.recovered:
        gap = recorder.recovered.gap_seconds
        if gap is None:
            return _("The power was gone. Recording goes on by itself; the gap is not known.")
        age = age_text(gap, here.say)
        return _("The power was gone. Recording goes on by itself; {age} are missing.", age=age)
    begins = hearing.begins
    if hearing.replacing:
        return _("The open recording of the closed time is being encrypted. Go on as usual.")
    if begins and hearing.duration_minutes:
        over = here.now - begins - timedelta(minutes=hearing.duration_minutes)
        if over > timedelta(minutes=OVERRUN_MINUTES):
            age = age_text(over.total_seconds(), here.say)
            return _("The hearing runs {age} longer than planned.", age=age)
    return ""


def alarm_view(here: Here, recorder: Recorder, *, stale: bool) -> AlarmView | None:
    """Return the gravest alarm with its remedy, or None."""
    alarms = (Alarm(code="recorder_down"), *recorder.alarms) if stale else tuple(recorder.alarms)
    shown = [
        a
        for a in alarms
        if alarm_of(a.code).severity is not Severity.NOTICE and a.code not in BEFORE_THE_START
    ]
    code = gravest([a.code for a in shown])
    if code is None:
        return None
    first = next(a for a in shown if a.code == code)
    roles = {m.name: role_of(here, m) for m in recorder.microphones}
    alarm = alarm_of(code)
    name = roles.get(first.source or "", first.source or "")
    tone: Tone = "fault" if alarm.severity is Severity.FAULT else "caution"
    remedy = alarm.remedy(here.say, staff=True)
    mends = next((m.name for m in mendable(recorder) if m.name == first.source), "")
    return AlarmView(code, tone, alarm.say(here.say, name), remedy, len(shown) - 1, mends)
