"""What the secretary's screens say: pure functions of the services' state, without Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from kiosk.alarms import Severity, alarm_of, gravest
from kiosk.locale import Translator
from kiosk.ui.facts import (
    Alarm,
    Delivery,
    Hearing,
    Microphone,
    Recorder,
    RunningHearing,
    Schedule,
    Sync,
    moment,
)
from kiosk.ui.theme import Tone
from kiosk.ui.words import age_text, clock_text, sentence_case, size_text

OVERRUN_MINUTES = 15
# Shorter gaps are in the ledger, but nobody can act on them.
SHORTEST_GAP_SECONDS = 0.5
# Said before the start; in a hearing nobody can act on them.
BEFORE_THE_START = frozenset({"clock_unsynchronised", "clock_unset", "schedule_stale"})
TYPED = frozenset({"case_number", "date"})
STALE_HOURS = 12


class Labels(Protocol):
    """Labels of the rules data in the language on the screen."""

    def event(self, event: str) -> str:
        """Return the label of an event type."""

    def role(self, role: str) -> str:
        """Return the label of a role."""

    def kind(self, kind: str) -> str:
        """Return the label of a case kind."""

    def kinds(self) -> tuple[str, ...]:
        """Return the ids of the case kinds."""

    def legal_bases(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return id and norm of each legal basis of a remote part."""

    def closure_grounds(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return id and label of each closure ground of a case kind."""

    def form(self, form: str) -> str:
        """Return the label of a format (``online``) or publicity (``closed``)."""

    def event_order(self) -> tuple[str, ...]:
        """Return the ids of the event types a person may mark, in the rules' order."""

    def frequent_events(self) -> tuple[str, ...]:
        """Return the ids of the event types that are needed at any time."""


@dataclass(frozen=True)
class Here:
    """Words and time zone of one screen."""

    say: Translator
    labels: Labels
    zone: ZoneInfo
    now: datetime

    def time(self, when: datetime | str | None, seconds: bool = False) -> str:
        """Return a time of day in the court's zone."""
        return clock_text(when, self.zone, seconds)


# -- today ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HearingRow:
    """One hearing of the list."""

    id: str
    time: str
    case_number: str
    title: str
    publicity: str
    closed: bool
    format: str
    chosen: bool
    over: str = ""


@dataclass(frozen=True)
class ReadyLine:
    """One sentence of readiness; it never blocks a start."""

    item: str
    tone: Tone
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class TodayView:
    """The secretary's first screen."""

    rows: tuple[HearingRow, ...]
    age: str
    age_tone: Tone
    ready: tuple[ReadyLine, ...]
    chosen: str | None
    start_case: str
    empty: str = ""


def next_hearing(hearings: tuple[Hearing, ...], now: datetime, done: set[str]) -> Hearing | None:
    """Return the hearing to be held next: the earliest not held whose time is not long past."""
    open_ones = [hearing for hearing in hearings if hearing.id not in done]
    due = [h for h in open_ones if h.begins is None or h.begins > now - _length(h)]
    return next(iter(due or open_ones), None)


def _length(hearing: Hearing) -> timedelta:
    return timedelta(minutes=hearing.duration_minutes or 60)


def today_view(
    here: Here,
    schedule: Schedule | None,
    chosen: str | None,
    recorder: Recorder | None,
    sync: Sync | None,
    deliveries: dict[str, Delivery],
) -> TodayView:
    """Return the list, the readiness and what the one large button starts."""
    hearings = schedule.hearings if schedule else ()
    picked = next((h for h in hearings if h.id == chosen), None) or next_hearing(
        hearings, here.now, set(deliveries)
    )
    _ = here.say.gettext
    age, tone = schedule_age(here, schedule)
    return TodayView(
        rows=tuple(_row(here, h, h is picked, deliveries.get(h.id)) for h in hearings),
        age=age,
        age_tone=tone,
        ready=readiness(here, recorder, sync),
        chosen=picked.id if picked else None,
        start_case=picked.case_number if picked else "",
        empty="" if hearings else _("No hearings on the list for today."),
    )


def _row(here: Here, hearing: Hearing, chosen: bool, delivery: Delivery | None) -> HearingRow:
    _ = here.say.gettext
    closed = hearing.publicity == "closed"
    title = _("Title not shown") if closed else hearing.title
    parts = [part for part in (title, here.labels.kind(hearing.kind)) if part]
    return HearingRow(
        id=hearing.id,
        time=here.time(hearing.begins),
        case_number=hearing.case_number or _("No case number"),
        title=" · ".join(parts),
        publicity=_("Closed") if closed else _("Open"),
        closed=closed,
        format=here.labels.form(hearing.format),
        chosen=chosen,
        over=delivery_word(here, delivery) if delivery else "",
    )


def delivery_word(here: Here, delivery: Delivery | None) -> str:
    """Return how far a finished hearing's delivery has come, in words."""
    _ = here.say.gettext
    match delivery.state if delivery else "":
        case "delivered":
            return _("ended, delivered")
        case "sending":
            return _("ended, being delivered")
        case _:
            return _("ended, waiting for delivery")


def schedule_age(here: Here, schedule: Schedule | None) -> tuple[str, Tone]:
    """Return the age of the list in words, and whether to worry."""
    _ = here.say.gettext
    pulled = moment(schedule.pulled_at) if schedule else None
    if pulled is None:
        return alarm_of("no_schedule").say(here.say), "caution"
    seconds = (here.now - pulled).total_seconds()
    text = _("List received {age} ago", age=age_text(seconds, here.say))
    if seconds < 90:
        text = _("List is up to date")
    return text, "caution" if seconds > STALE_HOURS * 3600 else "plain"


def readiness(here: Here, recorder: Recorder | None, sync: Sync | None) -> tuple[ReadyLine, ...]:
    """Return the readiness of link, camera, each microphone, disk and clock, in sentences."""
    if recorder is None:
        alarm = alarm_of("recorder_down")
        down = ReadyLine(
            "recorder", "fault", alarm.say(here.say), alarm.remedy(here.say, staff=True)
        )
        return (down, _link_line(here, sync))
    return (
        _camera_line(here, recorder),
        *(_microphone_line(here, microphone) for microphone in recorder.microphones),
        *(() if recorder.microphones else (_no_microphones(here),)),
        _link_line(here, sync),
        _disk_line(here, recorder),
        _clock_line(here, recorder),
    )


def _alarm_line(here: Here, item: str, code: str, source: str = "") -> ReadyLine:
    alarm = alarm_of(code)
    tone: Tone = "fault" if alarm.severity is Severity.FAULT else "caution"
    return ReadyLine(item, tone, alarm.say(here.say, source), alarm.remedy(here.say, staff=True))


def _no_microphones(here: Here) -> ReadyLine:
    return ReadyLine("mic", "fault", here.say.gettext("No microphone is set up on this kiosk."))


def _camera_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    match recorder.camera.state:
        case "ok":
            return ReadyLine("camera", "good", _("The camera sends a picture"))
        case "starting":
            return ReadyLine("camera", "plain", _("The camera is starting"))
        case "frozen":
            return _alarm_line(here, "camera", "camera_frozen")
        case "off":
            return ReadyLine("camera", "plain", _("The camera is switched on with the recording"))
        case _:
            return _alarm_line(here, "camera", "camera_absent")


def role_of(here: Here, microphone: Microphone) -> str:
    """Return what the microphone is called for people: its role's label."""
    return sentence_case(here.labels.role(microphone.role or microphone.name))


def _microphone_line(here: Here, microphone: Microphone) -> ReadyLine:
    _ = here.say.gettext
    item, name = f"mic.{microphone.name}", role_of(here, microphone)
    match microphone.state:
        case "absent":
            return _alarm_line(here, item, "microphone_absent", name)
        case "dead":
            return _alarm_line(here, item, "microphone_dead", name)
        case "clipping" | "quiet" | "muted" | "humming":
            return _alarm_line(here, item, f"microphone_{microphone.state}", name)
        case _:
            pass
    heard = here.time(microphone.heard)
    if heard:
        return ReadyLine(item, "good", _("{name}: heard {time}", name=name, time=heard))
    return ReadyLine(item, "plain", _("{name}: not yet heard", name=name))


def _link_line(here: Here, sync: Sync | None) -> ReadyLine:
    _ = here.say.gettext
    if sync is None:
        return _alarm_line(here, "link", "sync_down")
    match sync.link.state:
        case "up":
            return ReadyLine("link", "good", _("The central system answers"))
        case "down":
            return _alarm_line(here, "link", sync.link.problem or "central_unreachable")
        case _:
            return ReadyLine("link", "plain", _("The central system has not been asked yet"))


def _disk_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    storage = recorder.storage
    match storage.state:
        case "ok" if storage.hours_left is not None:
            hours = min(999, int(storage.hours_left))
            return ReadyLine("disk", "good", _("Disk: room for {n} h of recording", n=hours))
        case "ok":
            free = size_text(storage.free_bytes, here.say)
            return ReadyLine("disk", "good", _("Disk: {size} free", size=free))
        case "low":
            return _alarm_line(here, "disk", "disk_low")
        case "full":
            return _alarm_line(here, "disk", "disk_full")
        case "slow" | "read_only" | "gone":
            return _alarm_line(here, "disk", f"disk_{storage.state}")
        case _:
            return _alarm_line(here, "disk", "storage_failed")


def _clock_line(here: Here, recorder: Recorder) -> ReadyLine:
    _ = here.say.gettext
    match recorder.clock.state:
        case "ok":
            return ReadyLine("clock", "good", _("The clock is right"))
        case "unset":
            return _alarm_line(here, "clock", "clock_unset")
        case _:
            return _alarm_line(here, "clock", "clock_unsynchronised")


# -- recording -----------------------------------------------------------------------------------


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
    """An alarm: consequence, then remedy; ``more`` others are on."""

    code: str
    tone: Tone
    sentence: str
    remedy: str
    more: int = 0


@dataclass(frozen=True)
class Question:
    """One thing the rules want to know, asked after the start."""

    subject: str
    text: str
    choices: tuple[tuple[str, str], ...]
    typed: bool = False


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


def recording_view(
    here: Here,
    recorder: Recorder,
    *,
    stale: bool,
    schedule: Schedule | None,
    put_off: frozenset[str],
) -> RecordingView:
    """Return the running hearing's screen.

    Args:
        stale: the recorder has ceased to answer; this is the last that is known.
        put_off: subjects of questions that the secretary put off.
    """
    _ = here.say.gettext
    hearing = recorder.hearing or RunningHearing(id="")
    expected = hearing.expected[:2]
    others = tuple(e for e in here.labels.frequent_events() if e not in expected)
    return RecordingView(
        state=_("Recording"),
        stale=stale,
        proof=proof_view(here, recorder, stale=stale),
        levels=tuple(_level(here, m) for m in recorder.microphones),
        expected=_buttons(here, expected),
        others=_buttons(here, others),
        every=_buttons(here, here.labels.event_order()),
        course=course_of(here, hearing, recorder.microphones),
        can_undo=any(not mark.withdrawn for mark in hearing.marks),
        case=_case(here, hearing, schedule),
        question=_question(here, hearing, put_off),
        alarm=alarm_view(here, recorder, stale=stale),
        banner=_banner(here, recorder, hearing),
        camera_word=_camera_word(here, recorder),
    )


def _buttons(here: Here, events: tuple[str, ...]) -> tuple[EventButton, ...]:
    return tuple(EventButton(e, sentence_case(here.labels.event(e))) for e in events)


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
            return ProofView("fault", _("Could not be read back"))
        case _:
            return ProofView("dark", _("Not read back yet"))


def _level(here: Here, microphone: Microphone) -> LevelRow:
    _ = here.say.gettext
    label = role_of(here, microphone)
    since = moment(microphone.since)
    lasts = age_text((here.now - since).total_seconds(), here.say) if since else ""
    word, tone = "", "plain"
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
    return LevelRow(microphone.name, label, _tone(tone), word.strip(" ·"))


def _tone(name: str) -> Tone:
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
    closed = hearing.publicity == "closed"
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
    return AlarmView(code, tone, alarm.say(here.say, name), remedy, len(shown) - 1)


def _question(here: Here, hearing: RunningHearing, put_off: frozenset[str]) -> Question | None:
    for subject in hearing.open_questions:
        if subject not in put_off:
            return question_of(here, subject, hearing.kind)
    return None


def question_of(here: Here, subject: str, kind: str) -> Question:
    """Return the question about ``subject`` with the answers that a tap can give.

    Args:
        subject: as in ``open_questions``.
        kind: case kind of the hearing (grounds and norms depend on it).
    """
    _, labels = here.say.gettext, here.labels
    text, choices = "", tuple[tuple[str, str], ...]()
    match subject:
        case "format":
            text = _("In which format is the hearing held?")
            choices = tuple((f, labels.form(f)) for f in ("offline", "online", "mixed"))
        case "format_decided_by":
            text = _("Who decided on the format?")
            choices = (_by_role(here, "presiding"), ("court_ruling", _("The court, by a ruling")))
        case "override":
            text = _("The hearing began although not everything was ready. Who decided so?")
            choices = (_by_role(here, "presiding"), _by_role(here, "secretary"))
        case "legal_basis":
            text = _("Which norm allows taking part remotely?")
            choices = labels.legal_bases(kind)
        case "closure_ground":
            text = _("On which ground is the hearing closed?")
            choices = labels.closure_grounds(kind)
        case "kind":
            text = _("Which kind of case is it?")
            choices = tuple((k, sentence_case(labels.kind(k))) for k in labels.kinds())
        case "failure_reason":
            text = _("Why was there no recording for a while? It goes into the minutes.")
            choices = _failure_reasons(here)
        case "recess_reason":
            text = _("Why was there a recess?")
            choices = _recess_reasons(here)
        case "recovered":
            text = _("The recording was cut off and goes on. Is everything in order now?")
            choices = (("seen", _("Yes")),)
        case "case_number":
            return Question(subject, _("What is the case number?"), (), typed=True)
        case "date":
            return Question(subject, _("Which day is it today?"), (), typed=True)
        case _:
            text = _("Is it settled: {subject}?", subject=subject)
            choices = (("yes", _("Yes")),)
    return Question(subject, text, choices)


def _by_role(here: Here, role: str) -> tuple[str, str]:
    return role, sentence_case(here.labels.role(role))


def _failure_reasons(here: Here) -> tuple[tuple[str, str], ...]:
    _ = here.say.gettext
    return (
        ("power", _("Power failure")),
        ("device", _("A device failed")),
        ("software", _("The kiosk failed")),
        ("unknown", _("Not known")),
    )


def _recess_reasons(here: Here) -> tuple[tuple[str, str], ...]:
    _ = here.say.gettext
    return (
        ("rest", _("Rest")),
        ("documents", _("Documents")),
        ("participant", _("A participant is missing")),
        ("technical", _("Technical reason")),
    )


# -- stopped, sealing, delivered, locked ---------------------------------------------------------


@dataclass(frozen=True)
class StoppedView:
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


def stopped_view(here: Here, recorder: Recorder, put_off: frozenset[str]) -> StoppedView:
    """Return the screen between two parts."""
    _ = here.say.gettext
    hearing = recorder.hearing or RunningHearing(id="")
    retired = recorder.phase == "retired"
    reminder = any(alarm.code == "resume_reminder" for alarm in recorder.alarms)
    title = _("The court has retired") if retired else _("Recess")
    text = (
        _("Nothing is recorded until the act is announced. Resume when the court returns.")
        if retired
        else _("Nothing is recorded. Resume when the hearing goes on.")
    )
    return StoppedView(
        retired=retired,
        title=title,
        text=text,
        since="",
        case_number=hearing.case_number or _("No case number"),
        seconds=hearing.seconds,
        question=_question(here, hearing, put_off | TYPED),
        banner=alarm_of("resume_reminder").say(here.say) if reminder else "",
        reminder=reminder,
    )


@dataclass(frozen=True)
class SealedView:
    """After the end: sealing, then the way to the central system."""

    case_number: str
    sealing: bool
    sealed_text: str
    delivery_text: str
    delivery_tone: Tone
    done: bool
    fraction: float | None


def sealed_view(
    here: Here, case_number: str, *, sealing: bool, delivery: Delivery | None, online: bool
) -> SealedView:
    """Return the screen after the end of a hearing."""
    _ = here.say.gettext
    text, tone, fraction = _("Waiting for delivery"), "plain", None
    state = delivery.state if delivery else "queued"
    if state == "delivered" and delivery and delivery.central_sha256_match is False:
        text, tone = alarm_of("hash_mismatch").say(here.say), "fault"
    elif state == "delivered":
        text, tone = _("Delivered. The central system's own check matches."), "good"
    elif state == "failed":
        text, tone = alarm_of("delivery_failed").say(here.say), "caution"
    elif state == "sending" and delivery and delivery.bytes_total:
        fraction = min(1.0, delivery.bytes_done / delivery.bytes_total)
        done, total = (
            size_text(delivery.bytes_done, here.say),
            size_text(delivery.bytes_total, here.say),
        )
        text = _("Being delivered: {done} of {total}", done=done, total=total)
    elif not online:
        text, tone = _("No connection. It is delivered by itself as soon as it is back."), "caution"
    return SealedView(
        case_number=case_number or _("No case number"),
        sealing=sealing,
        sealed_text=_("The recording is being sealed…")
        if sealing
        else _("The recording is sealed."),
        delivery_text="" if sealing else text,
        delivery_tone="good" if tone == "good" else _tone(tone),
        done=not sealing,
        fraction=None if sealing else fraction,
    )


@dataclass(frozen=True)
class LockedView:
    """A hearing runs and nobody is signed in: what everybody in the room may see."""

    recording: bool
    state: str
    text: str
    proof: ProofView | None


def locked_view(here: Here, recorder: Recorder, *, stale: bool) -> LockedView:
    """Return the screen of a hearing that nobody is signed in to."""
    _ = here.say.gettext
    match recorder.phase:
        case "recording":
            state, recording = _("Recording"), True
        case "recess":
            state, recording = _("Recess"), False
        case "retired":
            state, recording = _("The court has retired"), False
        case _:
            state, recording = _("The recording is being sealed…"), False
    return LockedView(
        recording=recording,
        state=state,
        text=_("Secretary: hold your badge to the reader."),
        proof=proof_view(here, recorder, stale=stale) if recording else None,
    )
