"""The rehearsal before a hearing: view and samples (R29, R34, R35; no Kivy).

Whether a face is in the picture is asked of the person who sits there: the kiosk knows no faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kiosk.api.recorder import RecorderState
from kiosk.api.rehearsal import Rehearsal, RehearsalProgress, RehearsedMicrophone
from kiosk.api.states import MicrophoneState
from kiosk.api.sync import LinkCheckResult
from kiosk.hardware.camera.preview import HEIGHT, WIDTH
from kiosk.ui.actions.rehearsal_actions import SPEAK_SECONDS, RehearsalState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import RehearsalPlace
from kiosk.ui.samples import documents, service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.secretary.schedule.readiness import ReadinessLine, link_line
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

Step = Literal["ready", "waiting", "speak", "listen", "done"]


@dataclass(frozen=True)
class MicrophoneBar:
    """A microphone whose level is drawn from the ``levels`` events."""

    name: str
    label: str
    is_faulty: bool


@dataclass(frozen=True)
class RehearsalView:
    """The person's own picture and sound.

    Attributes:
        message: why there is no picture; empty: it is shown.
        question: asked of the person about the picture.
        title, text: what to do now.
        seconds_left: of the step; None: it has no end that is known.
        lines: what came of it.
        link: the measured line of the court, and what helps.
        advice: what whoever takes part from elsewhere may do.
    """

    message: str
    question: str
    bars: tuple[MicrophoneBar, ...]
    step: Step
    title: str
    text: str
    link: ReadinessLine
    advice: str
    seconds_left: int | None = None
    lines: tuple[ReadinessLine, ...] = ()
    can_begin: bool = True


def view(app: AppState) -> RehearsalView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.secretary.rehearsal.state
    recorder = None if app.is_recorder_stale else app.recorder_state
    sync = app.sync_state if app.sync_connection.is_up else None
    _ = context.translate.gettext
    message = _picture_message(context, recorder)
    step = _step(state)
    title, text = _words(context, step)
    can_begin = recorder is not None and bool(recorder.microphones)
    if recorder is not None and not can_begin:
        text = _("No microphone is set up on this kiosk.")
    progress = state.progress
    left = None if progress is None else max(0, round(progress.of_seconds - progress.seconds))
    return RehearsalView(
        message=message,
        question="" if message else _("Is your face in the picture?"),
        bars=_bars(context, recorder),
        step=step,
        title=title,
        text=text,
        link=link_line(context, sync),
        advice=_(
            "Whoever takes part from elsewhere and whose line is not good enough can take part "
            "from the court's kiosk."
        ),
        seconds_left=left,
        lines=tuple(_result_lines(context, recorder, state.answer)) if state.answer else (),
        can_begin=can_begin,
    )


def _step(state: RehearsalState) -> Step:
    if state.progress is not None and state.progress.phase != "over":
        return state.progress.phase
    if state.is_running:
        return "waiting"
    return "ready" if state.answer is None else "done"


def _words(context: ViewContext, step: Step) -> tuple[str, str]:
    _ = context.translate.gettext
    match step:
        case "ready":
            text = _(
                "Sit where you will take part. Speak for {n} seconds, then hear yourself. "
                "Nothing of it is kept.",
                n=round(SPEAK_SECONDS),
            )
            return _("Hear and see yourself"), text
        case "waiting":
            return _("One moment…"), ""
        case "speak":
            return _("Speak now"), _(
                "Say your name and a few sentences, as loudly as in the hearing."
            )
        case "listen":
            return _("Listen to yourself"), ""
        case "done":
            return _("Result"), ""


def _picture_message(context: ViewContext, recorder: RecorderState | None) -> str:
    _ = context.translate.gettext
    if recorder is None:
        return _("No news from the recorder")
    match recorder.camera.state:
        case "ok":
            return ""
        case "starting":
            return _("The camera is starting")
        case "frozen":
            return _("The picture stands still")
        case _:
            return _("No picture")


def _bars(context: ViewContext, recorder: RecorderState | None) -> tuple[MicrophoneBar, ...]:
    rows = recorder.microphones if recorder else ()
    return tuple(
        MicrophoneBar(row.name, context.role_label(row), row.state.is_failing) for row in rows
    )


# -- what came of it -----------------------------------------------------------------------------


def _result_lines(
    context: ViewContext, recorder: RecorderState | None, answer: Rehearsal
) -> Iterator[ReadinessLine]:
    """Yield who was heard where, what failed, and where it was played."""
    _ = context.translate.gettext
    known = {row.name: context.role_label(row) for row in recorder.microphones} if recorder else {}

    def names(rows: list[RehearsedMicrophone]) -> str:
        return ", ".join(known.get(row.name, row.name) for row in rows)

    silent = [row for row in answer.microphones if _is_silent(row)]
    sounding = [row for row in answer.microphones if not _is_silent(row)]
    clear = [row for row in sounding if row.heard and not row.unclear]
    unclear = [row for row in sounding if row.heard and row.unclear]
    unheard = [row for row in sounding if row.heard is False]
    unknown = [row for row in sounding if row.heard is None]
    if clear:
        yield _line("heard", "good", _("A voice was heard: {names}", names=names(clear)))
    if unclear:
        text = _("Heard, but hard to make out: {names}.", names=names(unclear))
        remedy = _("Sit closer to the microphone and speak louder.")
        yield ReadinessLine("unclear", "caution", text, remedy)
    if not clear and not unclear and unheard and not unknown:
        text = _("Nobody was heard. Sit closer to the microphone and try again.")
        yield _line("nobody", "caution", text)
    elif unheard:
        yield _line("unheard", "plain", _("Nobody spoke here: {names}", names=names(unheard)))
    if unknown:
        text = _("Sound came, but it is not known whether it was a voice: {names}",
                 names=names(unknown))  # fmt: skip
        yield _line("unknown", "plain", text)
    if silent:
        yield _line("silent", "fault", _("No sound came: {names}", names=names(silent)))
    yield from _played_lines(context, answer)


def _is_silent(row: RehearsedMicrophone) -> bool:
    return row.level_db is None or row.state.is_lost


def _played_lines(context: ViewContext, answer: Rehearsal) -> Iterator[ReadinessLine]:
    _ = context.translate.gettext
    if answer.played == "headset":
        yield _line("played", "good", _("It was played in the headset."))
    elif answer.played == "loudspeaker":
        yield _line("played", "good", _("It was played on the loudspeaker."))
    elif answer.problem:
        text = _("It could not be played. {why}", why=context.alarm_text(answer.problem))
        yield _line("played", "caution", text)


def _line(item: str, tone: Tone, text: str) -> ReadinessLine:
    return ReadinessLine(item, tone, text)


# -- samples -------------------------------------------------------------------------------------


def _shown(state: RehearsalState, recorder: dict[str, Any] | None = None) -> Prepare:
    def prepare(app: AppState) -> None:
        sentences = app.labels.rules
        result = LinkCheckResult(
            at=service_states.ago(180),
            verdict="borderline",
            call="gaps",
            sentence=sentences.call_verdicts["gaps"].label.as_map(),
            rate_sentence=sentences.link_verdicts["borderline"].label.as_map(),
        )
        check = {"running": False, "last": result.to_json(), "next": None}
        staff_at(RehearsalPlace(), recorder, sync=service_states.sync(link_check=check))(app)
        app.secretary.rehearsal.state = state
        known = app.recorder_state
        if known is not None and known.camera.state == "ok":
            path = documents.draw_courtroom(app.paths.preview)
            preview = {"path": str(path), "width": WIDTH, "height": HEIGHT}
            raw = {**known.to_json(), "preview": preview}
            app.recorder_state = RecorderState.model_validate(raw)

    return prepare


def _answer(**changes: Any) -> RehearsalState:
    rows = [
        RehearsedMicrophone(
            name=name, state=MicrophoneState.OK, level_db=-31.0, heard=name == "witness"
        )
        for name in ("judge", "witness", "plaintiff", "defendant")
    ]
    base = Rehearsal(seconds=8.0, microphones=tuple(rows), played="headset")
    return RehearsalState(answer=base.model_copy(update=changes))


def _microphones(*changes: dict[str, Any]) -> tuple[RehearsedMicrophone, ...]:
    """Return four microphones at which nobody was heard; ``changes`` of the first ones."""
    answer = _answer().answer
    assert answer is not None
    rows = [row.model_copy(update={"heard": False}) for row in answer.microphones]
    for number, change in enumerate(changes):
        rows[number] = rows[number].model_copy(update=change)
    return tuple(rows)


def _eight() -> list[dict[str, Any]]:
    rows = service_states.microphones(witness={"state": "absent"})
    return [*rows, *({**row, "name": f"{row['name']}-2"} for row in rows)]


_LOST = {"state": MicrophoneState.ABSENT, "level_db": None, "heard": None}
SAMPLES: dict[str, Prepare] = {
    "rehearsal": _shown(RehearsalState()),
    "rehearsal-eight": _shown(RehearsalState(), service_states.recorder(microphones=_eight())),
    "rehearsal-no_microphone": _shown(RehearsalState(), service_states.recorder(microphones=[])),
    "rehearsal-waiting": _shown(RehearsalState(is_running=True)),
    "rehearsal-speak": _shown(
        RehearsalState(True, RehearsalProgress(phase="speak", seconds=3, of_seconds=8))
    ),
    "rehearsal-listen": _shown(
        RehearsalState(True, RehearsalProgress(phase="listen", seconds=1, of_seconds=8))
    ),
    "rehearsal-heard": _shown(_answer()),
    "rehearsal-nobody": _shown(
        _answer(microphones=_microphones(), played="loudspeaker", problem="headset_absent")
    ),
    "rehearsal-faults": _shown(
        _answer(
            microphones=_microphones(
                {"heard": True, "unclear": "far"}, {"heard": True}, {"heard": None}, _LOST
            ),
            played=None,
            problem="headset_absent",
        )
    ),
    "rehearsal-no_camera": _shown(
        RehearsalState(),
        service_states.recorder(camera={"state": "absent", "back_end": "none"}),
    ),
}
