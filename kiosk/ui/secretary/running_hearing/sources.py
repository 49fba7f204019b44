"""View of what is captured: camera, microphones, and whether it was read back (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder import Microphone, RecorderState
from kiosk.api.states import LampState, MicrophoneState
from kiosk.clocks import parse_wall
from kiosk.locale import N_
from kiosk.ui.formatting import age_text
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

MICROPHONE_STATES: dict[MicrophoneState, tuple[str, Tone]] = {
    MicrophoneState.OK: ("", "plain"),
    MicrophoneState.STARTING: (N_("starting"), "plain"),
    MicrophoneState.ABSENT: (N_("not connected · {age}"), "fault"),
    MicrophoneState.REFUSED: ("{reason}", "fault"),
    MicrophoneState.DEAD: (N_("no signal · {age}"), "fault"),
    MicrophoneState.MUTED: (N_("muted · {age}"), "fault"),
    MicrophoneState.STUCK: (N_("stuck · {age}"), "fault"),
    MicrophoneState.QUIET: (N_("very quiet"), "caution"),
    MicrophoneState.CLIPPING: (N_("too loud"), "caution"),
    MicrophoneState.HUMMING: (N_("hums"), "caution"),
}
"""Text and tone of each state."""


@dataclass(frozen=True)
class ProofView:
    """The one light that says: what was recorded has been read back from the disk."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class MicrophoneRow:
    """One microphone; its level is drawn from the ``levels`` events, not from here."""

    name: str
    label: str
    tone: Tone
    text: str


def proof_view(context: ViewContext, recorder: RecorderState, *, stale: bool) -> ProofView:
    """Return the proof light: green only while the recording lamp is steady.

    So for something that was read back lately, and with every source heard.
    """
    _ = context.translate.gettext
    if stale:
        return ProofView("caution", _("No news from the recorder"))
    match recorder.proof.state:
        case "good":
            age = age_text(recorder.proof.age_seconds or 0, context.translate)
            tone: Tone = "good" if recorder.lamp is LampState.STEADY else "caution"
            return ProofView(tone, _("Read back from disk · {age}", age=age))
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
            name = context.role_label(found) if found else source
            return _("Not proven: {name}", name=name)


def microphone_row(context: ViewContext, microphone: Microphone) -> MicrophoneRow:
    """Return one microphone with its state in words; no words while it works."""
    _ = context.translate.gettext
    since = parse_wall(microphone.since)
    age = age_text((context.now - since).total_seconds(), context.translate) if since else ""
    text, tone = MICROPHONE_STATES[microphone.state]
    if microphone.switched_off and microphone.state is MicrophoneState.MUTED:
        text, tone = N_("switched off at the seat · {age}"), "caution"
    elif microphone.without:
        text, tone = N_("the hearing goes on without it"), "plain"
    elif microphone.is_spare:
        text, tone = N_("spare"), "plain"
    elif microphone.kind == "remote" and microphone.state.is_lost and not microphone.refusal:
        text, tone = N_("nothing comes · {age}"), "fault"
    elif not text and microphone.unclear:
        text, tone = N_("hard to make out"), "caution"
    elif not text and not microphone.heard:
        text = N_("not yet heard")
    words = _(text, age=age, reason=context.refusal_text(microphone)).strip(" ·") if text else ""
    return MicrophoneRow(microphone.name, context.microphone_label(microphone), tone, words)


def camera_text(context: ViewContext, recorder: RecorderState) -> str:
    """Return why there is no picture; empty while there is one."""
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


def repairable_microphones(recorder: RecorderState) -> tuple[Microphone, ...]:
    """Return the microphones something can be done about."""
    return tuple(m for m in recorder.microphones if m.remedies)
