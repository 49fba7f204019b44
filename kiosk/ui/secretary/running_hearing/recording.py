"""The running hearing: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.api.published import Schedule
from kiosk.api.recorder import RecorderState, RunningHearing
from kiosk.api.states import UnclearSpeech
from kiosk.locale import N_
from kiosk.ui.actions.people_actions import PeopleState
from kiosk.ui.actions.receipt_actions import OF_HEARING, ReceiptState
from kiosk.ui.actions.side_panel_actions import (
    ClosedSincePanel,
    DecisionPanel,
    ListenPanel,
    Panel,
    RemedyPanel,
)
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import sentence_case
from kiosk.ui.samples.screen_sample import Prepare, alarm
from kiosk.ui.samples.service_states import ago, at, microphones
from kiosk.ui.samples.staff_states import hearing_runs
from kiosk.ui.secretary.running_hearing.admission import must_leave
from kiosk.ui.secretary.running_hearing.event_log import (
    CaseView,
    EventLogEntry,
    case_view,
    event_log,
    undoable_mark,
)
from kiosk.ui.secretary.running_hearing.notices import AlarmView, alarm_view, banner_text
from kiosk.ui.secretary.running_hearing.oath import OathView, oath_hint, oath_view
from kiosk.ui.secretary.running_hearing.panel_view import PanelView
from kiosk.ui.secretary.running_hearing.people import (
    SheetView,
    sheet_view,
    shown_name,
    whom_question,
)
from kiosk.ui.secretary.running_hearing.people_samples import PEOPLE_SAMPLES
from kiosk.ui.secretary.running_hearing.questions import (
    Question,
    left_out_text,
    open_question,
)
from kiosk.ui.secretary.running_hearing.receipt import ReceiptCard, receipt_view
from kiosk.ui.secretary.running_hearing.receipt_samples import RECEIPT_SAMPLES
from kiosk.ui.secretary.running_hearing.side_panel import panel_view, playing_text
from kiosk.ui.secretary.running_hearing.sources import (
    MicrophoneRow,
    ProofView,
    camera_text,
    microphone_row,
    proof_view,
    repairable_microphones,
)
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class EventButton:
    """One event that can be marked; ``of``: id of the person whom it concerns, if it is known."""

    id: str
    label: str
    of: str = ""


@dataclass(frozen=True)
class ClosedView:
    """A closed part is running."""

    short: str
    text: str


@dataclass(frozen=True)
class RecordingView:
    """The running hearing; the timer is drawn from :attr:`AppState.recorded_seconds`.

    Attributes:
        due: what is due next, each of its person.
        is_reminder: the banner can be dismissed.
        undoable: number of the mark that can be taken back; 0: none.
        hint: quiet line about what was left out or how far an announcement is open; empty: none.
    """

    state: str
    stale: bool
    proof: ProofView
    microphones: tuple[MicrophoneRow, ...]
    due: tuple[EventButton, ...]
    hint: str
    others: tuple[EventButton, ...]
    all_events: tuple[EventButton, ...]
    event_log: tuple[EventLogEntry, ...]
    undoable: int
    case: CaseView
    question: Question | None
    alarm: AlarmView | None
    banner: str
    camera_text: str
    closed: ClosedView | None = None
    panel: PanelView | None = None
    oath: OathView | None = None
    receipt: ReceiptCard | None = None
    sheet: SheetView | None = None
    playing: str = ""
    repairable: tuple[str, ...] = ()
    is_reminder: bool = False

    @property
    def is_card_open(self) -> bool:
        """Whether an oath, a receipt, a panel or a sheet takes the place of the events."""
        return bool(self.oath or self.receipt or self.panel or self.sheet)


def view(app: AppState) -> RecordingView:
    """Return what the screen shows."""
    shown = recording_view(
        app.view_context(),
        app.shown_recorder_state,
        stale=app.is_recorder_stale,
        schedule=app.secretary.schedule,
        postponed=app.secretary.postponed,
        panel=app.secretary.side_panel.panel,
        hidden_oath=app.secretary.hidden_oath,
    )
    if _has_paper(app):
        shown = with_receipt(
            app.view_context(), app.shown_recorder_state, shown, app.receipts.state_of(OF_HEARING)
        )
    secretary = app.secretary
    shown = with_people(
        app.view_context(),
        app.shown_recorder_state,
        shown,
        secretary.people.state,
        secretary.postponed,
    )
    is_busy = shown.banner or shown.alarm or shown.question or shown.hint or shown.is_card_open
    # what is asked or chosen now needs the room: the reminder comes after it
    reminder = None if is_busy or secretary.events_shown != "usual" else app.reminder_desk.due()
    if reminder is None:
        return shown
    text = app.notice_text(reminder.code, reminder.source)
    return replace(shown, banner=text, is_reminder=True)


def _has_paper(app: AppState) -> bool:
    """Return whether receipts can be printed or scanned here."""
    return bool(app.settings.printer.port) or app.settings.scanner.fitted


def recording_view(
    context: ViewContext,
    recorder: RecorderState,
    *,
    stale: bool,
    schedule: Schedule | None,
    postponed: frozenset[str],
    panel: Panel | None = None,
    hidden_oath: int = 0,
) -> RecordingView:
    """Return the running hearing's screen.

    Args:
        stale: this is the last known State, not the present one.
        postponed: subjects of the questions that the secretary postponed.
        panel: what is open beside the hearing.
        hidden_oath: number of the mark of the oath whose text is hidden.
    """
    _ = context.translate.gettext
    hearing = recorder.hearing or RunningHearing(id="")
    due = due_buttons(context, hearing)
    others = tuple(
        event
        for event in context.labels.frequent_events(hearing.kind)
        if event not in {button.id for button in due[:DUE_SHOWN]}
    )
    return RecordingView(
        state=_("Closed part is recorded") if hearing.closed else _("Recording"),
        stale=stale,
        proof=proof_view(context, recorder, stale=stale),
        microphones=tuple(microphone_row(context, m) for m in recorder.microphones),
        due=due,
        hint=order_hint(context, hearing),
        others=_buttons(context, others) if hearing.keeps_minutes else (),
        all_events=_buttons(context, context.labels.event_order(hearing.kind)),
        event_log=event_log(context, recorder),
        undoable=undoable_mark(context, hearing),
        case=case_view(context, hearing, schedule),
        question=open_question(context, hearing, postponed),
        alarm=alarm_view(context, recorder),
        banner=banner_text(context, recorder, hearing),
        camera_text=camera_text(context, recorder),
        closed=_closed(context, hearing),
        panel=panel_view(context, recorder, panel),
        oath=oath_view(context, hearing, hidden_oath) if panel is None else None,
        playing=playing_text(context, recorder),
        repairable=tuple(microphone.name for microphone in repairable_microphones(recorder)),
    )


def with_receipt(
    context: ViewContext, recorder: RecorderState, shown: RecordingView, receipts: ReceiptState
) -> RecordingView:
    """Return the view with the card of a receipt; an open panel goes before it."""
    hearing = recorder.hearing or RunningHearing(id="")
    receipt = None if shown.panel else receipt_view(context, hearing, receipts)
    return replace(shown, receipt=receipt)


def with_people(
    context: ViewContext,
    recorder: RecorderState,
    shown: RecordingView,
    people: PeopleState,
    postponed: frozenset[str],
) -> RecordingView:
    """Return the view with the open sheet, and with whom a mark concerns.

    Whom the newest mark concerns is asked before all other questions, of older ones after them.
    """

    def whom(*, newest: bool) -> Question | None:
        return whom_question(context, recorder, postponed, people.speaking, newest=newest)

    sheet = sheet_view(context, recorder, people.sheet)
    question = whom(newest=True) or shown.question or whom(newest=False)
    if sheet:
        shown = replace(shown, oath=None, receipt=None)
    return replace(shown, sheet=sheet, question=question)


def _buttons(context: ViewContext, events: tuple[str, ...]) -> tuple[EventButton, ...]:
    return tuple(EventButton(e, sentence_case(context.labels.event(e))) for e in events)


DUE_SHOWN = 2
"""So many stand among the usual events; one tap leads to all."""
ANNOUNCED_PARTS = {
    "introductory_and_operative": N_(
        "Announce in open session the introductory and the operative part only."
    ),
    "operative": N_("Only the operative part is announced."),
    "none": N_("The act is announced in closed session."),
}


def due_buttons(context: ViewContext, hearing: RunningHearing) -> tuple[EventButton, ...]:
    """Return what is due next, with the name of the person whom it concerns."""
    buttons = []
    for step in hearing.due:
        label, name = sentence_case(context.labels.event(step.event)), hearing.name_of(step.of)
        label = f"{label}: {shown_name(name)}" if name else label
        buttons.append(EventButton(step.event, label, step.of))
    return tuple(buttons)


def order_hint(context: ViewContext, hearing: RunningHearing) -> str:
    """Return the quiet line below what is due; empty: nothing is to be said."""
    _ = context.translate.gettext
    if not hearing.keeps_minutes:
        return _("No minutes are kept of this hearing: there are no events to mark.")
    if hearing.due and hearing.due[0].event == "announcement" and hearing.announced_part:
        return _(ANNOUNCED_PARTS[hearing.announced_part])
    if silent := oath_hint(context, hearing):
        return silent
    newest = hearing.newest_mark
    if newest is None or not newest.left_out:
        return ""
    names = ", ".join(left_out_text(context, missing, hearing) for missing in newest.left_out)
    return _("Not marked before this: {event}", event=names)


def _closed(context: ViewContext, hearing: RunningHearing) -> ClosedView | None:
    _ = context.translate.gettext
    if hearing.closed is None:
        return None
    text = _("Recorded encrypted: it is not played here, and no copy of it is made.")
    if any(must_leave(context.labels.rules, hearing, person) for person in hearing.persons):
        # no names: whoever stands at the screen may read it
        text = _("Somebody who may only watch is still there. Ask them to leave: see “People”.")
    return ClosedView(_("Closed since {time}", time=context.clock_text(hearing.closed.since)), text)


# -- samples -------------------------------------------------------------------------------------

SPEECH = [
    {
        "source": source,
        "turns": 3,
        "seconds": 20.0,
        "unclear_seconds": 0.0,
        "latest": {"part": 1, "part_seconds": begin, "seconds": seconds},
    }
    for source, begin, seconds in (("judge", 31.0, 2.0), ("witness", 40.0, 6.2))
]
CLOSED = {
    "publicity": "closed",
    "closed": {"since": at(9, 41, 30), "ground": None},
    "closed_parts": [2],
    "part": 2,
    "parts": 2,
}
LONG_NAMED = {
    "id": "p1",
    "role": "witness",
    "name": "Нұрмұхамбетова-Сейтқалиева Гүлбаршын Әбдірахманқызы",
    "seat": "witness",
}
SICK = microphones(
    defendant={
        "state": "absent",
        "heard": None,
        "roles": ["defendant_civil"],
        "remedies": ["spare", "move", "without"],
        "remedy_targets": {"spare": ["extra"], "move": ["judge", "witness"]},
    },
    plaintiff={"state": "quiet", "roles": ["plaintiff"], "remedies": ["without"]},
)
SPARE = {"name": "extra", "role": "spare", "roles": [], "state": "ok", "kind": "room"}
REMOTE = {
    "name": "remote",
    "role": "remote",
    "roles": ["remote"],
    "kind": "remote",
    "state": "muted",
    "since": ago(20),
}
WITHOUT = microphones(
    defendant={"state": "absent", "without": True, "roles": ["x"], "remedies": ["back"]}
)
LOST = microphones(
    defendant={"state": "absent", "heard": None},
    plaintiff={"state": "refused", "refusal": {"reason": "rate", "offered": [32000, 44100]}},
    witness={"state": "quiet"},
)
GAP = {"source": "defendant", "kind": "lost", "at": at(9, 42, 11), "seconds": 14.0}
SILENT_LINE = {"kind": "silent", "at": at(9, 45, 2), "part": 1, "part_seconds": 1803.0}
POOR_LINE = {"kind": "poor", "at": at(9, 48, 40), "part": 1, "part_seconds": 2021.0}
BUTTON = {"id": 9, "type": "button", "at": at(9, 50, 2), "seconds": 2400.0, "note": ""}
NO_DEFENDANT = alarm("microphone_absent", "defendant")
FIRST_MINUTE = {
    "seconds": 4.0,
    "marks": [],
    "due": [{"event": "opening"}, {"event": "case_announced"}],
    "open_questions": ["format", "format_decided_by"],
}
RECOVERED = {"open_questions": ["failure_reason"], "part": 2, "parts": 2}
WATCHERS = [
    {"id": "p1", "role": "plaintiff", "name": "Ахметов А.", "attendance": "hall"},
    {"id": "p2", "role": "observer", "name": "Ким О.", "attendance": "hall"},
]
BAD_PROOF = {"state": "bad", "age_seconds": 9.0, "detail": ""}
LEFT_OUT = {
    "id": 7,
    "type": "questioning",
    "at": at(9, 50, 2),
    "of": {"id": "p3", "role": "witness", "name": "Ержан Т."},
    "left_out": ["oath:p3", "receipt_taken:p3"],
}
SWEARS = {**LEFT_OUT, "type": "oath", "left_out": []}
NOT_HEARD = {**SWEARS, "ended": at(9, 50, 40), "heard": False}
HEARD = {**NOT_HEARD, "heard": True, "said_seconds": 6.2, "is_short": False}
OTHERS_SPOKE = {**HEARD, "also": ["plaintiff", "defendant_civil"]}
SHORT_OATH = {**HEARD, "said_seconds": 1.1, "is_short": True}
ASKED = ["left_out:oath:p3", "left_out:receipt_taken:p3"]
ANNOUNCEMENT = {
    "due": [{"event": "announcement"}, {"event": "appeal_explained"}],
    "announced_part": "introductory_and_operative",
}
CHILD = {
    "due": [
        {"event": event, "of": "p3"}
        for event in ("truth_explained", "questioning", "minor_leaves", "documents_examined")
    ]
}
ALARMS = (
    "recording_on_mirror",
    "mirror_absent",
    "mirror_behind",
    "disk_slow",
    "space_short",
    "clock_stepped",
)


def _typing(app: AppState) -> None:
    hearing_runs(hearing={"case_number": "", "open_questions": ["case_number"]})(app)
    app.secretary.typed_answer = "7514-26"


def _all_events(app: AppState) -> None:
    hearing_runs()(app)
    app.secretary.events_shown = "all"


def _due_events(app: AppState) -> None:
    hearing_runs(hearing=CHILD)(app)
    app.secretary.events_shown = "due"


SAMPLES: dict[str, Prepare] = {
    **PEOPLE_SAMPLES,
    **RECEIPT_SAMPLES,
    "recording": hearing_runs(),
    "recording-missing": hearing_runs(
        hearing={
            "persons": [
                {"id": "p1", "role": "plaintiff", "name": "Ахметов А.", "attendance": "hall"},
                {"id": "p2", "role": "witness", "name": "Ким О.", "attendance": "absent"},
                {"id": "p3", "role": "representative", "name": "Серікбаева Г.Қ."},
            ]
        }
    ),
    "recording-first-minute": hearing_runs(
        hearing=FIRST_MINUTE, proof={"state": "none", "age_seconds": None}
    ),
    "recording-question-and-alarm": hearing_runs(
        hearing={"open_questions": ["recess_reason"]}, microphones=LOST, alarms=[NO_DEFENDANT]
    ),
    "recording-question-left-out": hearing_runs(
        hearing={"open_questions": ["left_out:rights_explained"]}
    ),
    "oath": hearing_runs(hearing={"marks": [SWEARS], "language": "kk"}),
    "oath-russian": hearing_runs(hearing={"marks": [SWEARS], "language": "ru"}),
    "oath-not-heard": hearing_runs(hearing={"marks": [NOT_HEARD]}),
    "oath-others-spoke": hearing_runs(hearing={"marks": [OTHERS_SPOKE]}),
    "oath-short": hearing_runs(hearing={"marks": [SHORT_OATH]}),
    "recording-left-out": hearing_runs(hearing={"marks": [LEFT_OUT], "open_questions": ASKED}),
    "recording-announcement": hearing_runs(hearing={**ANNOUNCEMENT, **CLOSED}),
    "recording-no-minutes": hearing_runs(hearing={"keeps_minutes": False, "due": []}),
    "recording-question-liberty": hearing_runs(hearing={"open_questions": ["format_confirmed"]}),
    "recording-question-nobody-came": hearing_runs(hearing={"open_questions": ["nobody_came"]}),
    "recording-question-no-minutes": hearing_runs(
        hearing={"keeps_minutes": False, "due": [], "open_questions": ["without_minutes"]}
    ),
    "recording-question-who": hearing_runs(hearing={"open_questions": ["format_decided_by"]}),
    "recording-question-ground": hearing_runs(
        hearing={"publicity": "closed", "open_questions": ["closure_ground"]}
    ),
    "recording-question-number": _typing,
    "recording-microphone-lost": hearing_runs(
        microphones=LOST,
        alarms=[NO_DEFENDANT, alarm("microphone_quiet", "witness")],
        hearing={"interruptions": [GAP]},
    ),
    **{
        f"recording-unclear-{cause}": hearing_runs(
            microphones=microphones(witness={"unclear": cause}),
            alarms=[alarm(cause.alarm, "witness")],
        )
        for cause in UnclearSpeech
    },
    "recording-unclear-long-name": hearing_runs(
        microphones=microphones(witness={"unclear": "quiet"}),
        alarms=[alarm("unclear_quiet", "witness")],
        hearing={"persons": [LONG_NAMED]},
    ),
    "recording-no-camera": hearing_runs(
        camera={"state": "absent"}, alarms=[alarm("camera_absent", "camera")]
    ),
    "recording-disk-low": hearing_runs(alarms=[alarm("disk_low")]),
    "recording-steps-owed": hearing_runs(
        alarms=[alarm("steps_owed"), alarm("microphone_stuck", "witness")],
        microphones=microphones(witness={"state": "stuck", "since": ago(20)}),
    ),
    "recording-proof-bad": hearing_runs(proof=BAD_PROOF, alarms=[alarm("proof_failed")]),
    "recording-recorder-gone": hearing_runs(is_up=False),
    "recording-recovered": hearing_runs(
        recovered={"hearing_id": "h1", "gap_seconds": 12.0}, hearing=RECOVERED
    ),
    "recording-overrun": hearing_runs(hearing={"scheduled_at": at(7, 30), "seconds": 8412.0}),
    "recording-closed-case": hearing_runs(hearing={"publicity": "closed", "seconds": 36010.0}),
    "recording-end": hearing_runs(is_end_asked=True),
    "recording-all-events": _all_events,
    "recording-due-more": hearing_runs(hearing=CHILD),
    "recording-due-more-question": hearing_runs(hearing={**CHILD, "open_questions": ["format"]}),
    "recording-due-all": _due_events,
    "recording-second-start": hearing_runs(notice="already_recording"),
    "closed-part": hearing_runs(hearing=CLOSED),
    "closed-ground": hearing_runs(hearing={**CLOSED, "open_questions": ["closure_ground"]}),
    "closed-replacing": hearing_runs(hearing={**CLOSED, "replacing": True}),
    "closed-must-leave": hearing_runs(hearing={**CLOSED, "persons": WATCHERS}),
    "closed-admitted": hearing_runs(hearing={**CLOSED, "open_questions": ["closure_admitted"]}),
    "closed-decisions": hearing_runs(panel=DecisionPanel(), hearing=CLOSED),
    "decisions": hearing_runs(panel=DecisionPanel(), hearing={"allowed": ["radio_tv"]}),
    "decisions-format": hearing_runs(panel=DecisionPanel("format")),
    "decisions-opinions": hearing_runs(
        panel=DecisionPanel("film_photo"), hearing={"kind": "criminal"}
    ),
    "decisions-permission": hearing_runs(
        panel=DecisionPanel("film_photo", "objected"), hearing={"kind": "criminal"}
    ),
    "recording-question-opinions": hearing_runs(hearing={"open_questions": ["format_opinions"]}),
    "recording-question-act": hearing_runs(hearing={**CLOSED, "open_questions": ["closure_act"]}),
    "closed-since": hearing_runs(panel=ClosedSincePanel(), hearing=CLOSED),
    "closed-since-confirm": hearing_runs(panel=ClosedSincePanel("mark:3"), hearing=CLOSED),
    "closed-listen": hearing_runs(panel=ListenPanel(), hearing=CLOSED),
    "listen": hearing_runs(panel=ListenPanel()),
    "listen-said": hearing_runs(panel=ListenPanel(), hearing={"speech": SPEECH}),
    "listen-one": hearing_runs(panel=ListenPanel(choosing=True)),
    "listen-source": hearing_runs(panel=ListenPanel("witness")),
    "listening": hearing_runs(listening={"source": None, "seconds": 12.4, "of_seconds": 60.0}),
    "listen-no-headset": hearing_runs(notice="headset_absent"),
    "microphone-ill": hearing_runs(microphones=[*SICK, SPARE], alarms=[NO_DEFENDANT]),
    "microphone-remedies": hearing_runs(
        panel=RemedyPanel("defendant"), microphones=[*SICK, SPARE], alarms=[NO_DEFENDANT]
    ),
    "microphone-which": hearing_runs(panel=RemedyPanel(), microphones=[*SICK, SPARE]),
    "microphone-without": hearing_runs(microphones=WITHOUT),
    "remote-lost": hearing_runs(
        microphones=[*microphones(), REMOTE], alarms=[alarm("remote_link_lost", "remote")]
    ),
    "line-silent": hearing_runs(
        alarms=[alarm("line_silent", "line")],
        hearing={"format": "mixed", "line": [SILENT_LINE]},
    ),
    "line-poor": hearing_runs(
        alarms=[alarm("line_poor", "line")],
        hearing={"format": "online", "line": [{**SILENT_LINE, "seconds": 48.0}, POOR_LINE]},
    ),
    "microphone-switched-off": hearing_runs(
        microphones=microphones(
            witness={"state": "muted", "switched_off": True, "since": ago(130)},
        ),
        alarms=[alarm("microphone_switched_off", "witness")],
    ),
    "secretary-called": hearing_runs(alarms=[alarm("secretary_called", "panel")]),
    "secretary-called-and-alarm": hearing_runs(
        microphones=[*SICK, SPARE], alarms=[NO_DEFENDANT, alarm("secretary_called", "panel")]
    ),
    "button-pressed": hearing_runs(hearing={"marks": [BUTTON]}),
    "proof-camera-bad": hearing_runs(
        proof={**BAD_PROOF, "source": "camera"}, alarms=[alarm("proof_failed", "camera")]
    ),
    **{f"recording-{code}": hearing_runs(alarms=[alarm(code)]) for code in ALARMS},
}
