"""What is said between two parts, after the end, and to who is not signed in. No Kivy."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.ui.facts import (
    Delivery,
    Recorder,
    RunningHearing,
)
from kiosk.ui.here import Here
from kiosk.ui.secretary.questions import TYPED, Question, open_question
from kiosk.ui.secretary.recording_views import ProofView, proof_view, tone_of
from kiosk.ui.theme import Tone
from kiosk.ui.words import size_text


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
        question=open_question(here, hearing, put_off | TYPED),
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
    hearing_id: str = ""


def sealed_view(
    here: Here,
    case_number: str,
    *,
    sealing: bool,
    delivery: Delivery | None,
    online: bool,
    hearing_id: str = "",
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
        delivery_tone="good" if tone == "good" else tone_of(tone),
        done=not sealing,
        fraction=None if sealing else fraction,
        hearing_id=hearing_id,
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
