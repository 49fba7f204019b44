"""Export for the parties: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.alarms import alarm_of
from kiosk.api.exports import ClosedParts, ExportEvent, RemovableDrive, SealedHearing
from kiosk.clocks import parse_set_wall
from kiosk.locale import N_
from kiosk.ui.actions.export_actions import ExportState
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import size_text, timer_text
from kiosk.ui.registry import ExportPlace
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

ExportStep = Literal["list", "person", "typing", "warning", "medium", "running", "ended"]
STAGES = {
    "checking": N_("The recording is being checked…"),
    "original": N_("The originals are being copied…"),
    "video": N_("The videos are being written…"),
    "reading_back": N_("The copy is being read back and compared…"),
}
LAST_STAGE = N_("Almost ready…")


@dataclass(frozen=True)
class SealedHearingRow:
    """A sealed hearing in the list."""

    hearing: SealedHearing
    case_number: str
    details: str
    note: str
    closed: bool


@dataclass(frozen=True)
class DriveRow:
    """A removable drive."""

    path: str
    name: str
    free: str
    chosen: bool


@dataclass(frozen=True)
class ExportView:
    """The export screen."""

    step: ExportStep
    title: str
    text: str
    tone: Tone = "plain"
    rows: tuple[SealedHearingRow, ...] = ()
    page: int = 0
    drives: tuple[DriveRow, ...] = ()
    language: str = "kk"
    can_start: bool = False
    fraction: float | None = None
    notes: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    typing: Typing | None = None


def view(app: AppState) -> ExportView:
    """Return what the screen shows."""
    return export_view(app.view_context(), app.secretary.export.state)


def export_view(context: ViewContext, state: ExportState) -> ExportView:
    """Return the view of the current step: hearing, drive, progress or result."""
    _ = context.translate.gettext
    if state.event is not None:
        return _event_view(context, state, state.event)
    chosen = next((h for h in state.hearings or () if h.id == state.chosen), None)
    if chosen is not None and (step := _recipient_view(context, state, chosen)) is not None:
        return step
    if chosen is not None:
        return _drive_view(context, state, chosen)
    text = _("Which hearing is to be copied?")
    if state.hearings is None:
        text = _("One moment…")
    elif not state.hearings:
        text = _("No sealed hearing lies on this kiosk.")
    rows = tuple(_row(context, hearing) for hearing in state.hearings or ())
    return ExportView("list", _("Copy for the parties"), text, rows=rows, page=state.page)


def _row(context: ViewContext, hearing: SealedHearing) -> SealedHearingRow:
    _ = context.translate.gettext
    started = parse_set_wall(hearing.started)
    when = started.astimezone(context.zone).strftime("%d.%m.%Y %H:%M") if started else ""
    notes = {"all": _("closed: no copy"), "some": _("without the closed parts")}
    note = notes.get(hearing.closed, _("damaged") if hearing.damaged else "")
    details = " · ".join(part for part in (when, timer_text(hearing.seconds)) if part)
    number = hearing.case_number or _("No case number")
    return SealedHearingRow(hearing, number, details, note, hearing.closed == "all")


def _recipient_view(
    context: ViewContext, state: ExportState, hearing: SealedHearing
) -> ExportView | None:
    """Return the step that asks who takes the copy, or has them warned; None: both is done."""
    _ = context.translate.gettext
    title = hearing.case_number or _("No case number")
    if state.typing is not None:
        return ExportView("typing", title, _("Name of who takes the copy"), typing=state.typing)
    if not state.given_to:
        text = _("Who takes the copy?")
        return ExportView("person", title, text, people=hearing.people, page=state.page)
    if hearing.needs_warning and not state.is_warned:
        notes = (
            _("Of liability under the law on personal data, and of permitted use (АПК 282(4))."),
            _(
                "Permitted (АПК 282(5)): in proceedings, and to establish facts in civil, "
                "criminal, administrative-offence and disciplinary cases."
            ),
        )
        text = _("Warn: {name}", name=state.given_to)
        return ExportView("warning", title, text, notes=notes)
    return None


def _drive_view(context: ViewContext, state: ExportState, hearing: SealedHearing) -> ExportView:
    _ = context.translate.gettext
    drives = tuple(_drive_row(context, drive, state.drive) for drive in state.drives)
    text = _("Put a stick into the kiosk.") if not drives else _("On which stick?")
    notes = [_("Taken by: {name}", name=state.given_to)]
    if hearing.closed == "some":
        notes.append(_("The closed parts are left out: the law allows no copy of them."))
    return ExportView(
        "medium",
        hearing.case_number or _("No case number"),
        text,
        drives=drives,
        language=state.language,
        can_start=state.drive is not None,
        notes=tuple(notes),
    )


def _drive_row(context: ViewContext, drive: RemovableDrive, chosen: str | None) -> DriveRow:
    size = size_text(drive.free_bytes, context.translate)
    free = context.translate.gettext("{size} free", size=size)
    return DriveRow(drive.path, drive.name or drive.path, free, drive.path == chosen)


def _event_view(context: ViewContext, state: ExportState, event: ExportEvent) -> ExportView:
    _ = context.translate.gettext
    case = next((h.case_number for h in state.hearings or () if h.id == event.hearing_id), None)
    title = case or _("Copy for the parties")
    if event.state == "running":
        fraction = min(1.0, event.done / event.total) if event.total else 0.0
        text = _(STAGES.get(event.stage, LAST_STAGE))
        return ExportView("running", title, text, "accent", fraction=fraction)
    if event.state == "done":
        notes = [_("Take the stick out and hand it over."), _("Files on it: {n}", n=event.files)]
        if event.left_out:
            notes.append(_("The closed parts are left out: the law allows no copy of them."))
        if event.withheld:
            notes.append(_("Left out: what a protected person says, and the seals that name them."))
        text = _("The copy is ready, read back and compared.")
        return ExportView("ended", title, text, "good", notes=tuple(notes))
    alarm = alarm_of(event.code or "export_failed")
    tone: Tone = "plain" if event.state == "cancelled" else "fault"
    remedy = alarm.remedy(context.translate, staff=True)
    return ExportView("ended", title, alarm.say(context.translate), tone, notes=(remedy,))


# -- samples -------------------------------------------------------------------------------------

CLOSED: tuple[ClosedParts, ...] = ("none", "some", "all", "none", "none")
SEALED = tuple(
    SealedHearing(
        id=str(n),
        case_number=f"7514-26-00-2/{4490 + n}",
        started=at(8 + n, 0),
        seconds=3600.0 * n,
        parts=n,
        closed=closed,
        people=("Омаров С.", "Ли В.", "Байтұрсынова-Қожахметова Г."),
        needs_warning=True,
    )
    for n, closed in enumerate(CLOSED, 1)
)
STICK = RemovableDrive(path="/m/1", name="KINGSTON", free_bytes=14 * 10**9, total_bytes=16 * 10**9)
RUNNING = ExportEvent(hearing_id="1", stage="reading_back", done=7, total=10)
WITHHELD = ExportEvent(hearing_id="2", state="done", files=7, withheld=1)
DONE = ExportEvent(hearing_id="2", state="done", files=9, left_out=(2,))
TAKER = "Байтұрсынова-Қожахметова Г."
FAULTS = ("export_no_space", "export_medium_failed", "export_differs")


def _export(state: ExportState) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(ExportPlace())(app)
        app.secretary.export.state = state

    return prepare


def _failed(code: str) -> Prepare:
    return _export(
        ExportState(SEALED, event=ExportEvent(hearing_id="1", state="failed", code=code))
    )


SAMPLES: dict[str, Prepare] = {
    "export": _export(ExportState(SEALED)),
    "export-none": _export(ExportState(())),
    "export-person": _export(ExportState(SEALED, chosen="1")),
    "export-person-typing": _export(ExportState(SEALED, chosen="1", typing=Typing("Ахметова"))),
    "export-warning": _export(ExportState(SEALED, chosen="1", given_to=TAKER)),
    "export-no-stick": _export(
        ExportState(SEALED, chosen="2", given_to="Омаров С.", is_warned=True)
    ),
    "export-stick": _export(
        ExportState(
            SEALED, (STICK,), chosen="2", drive="/m/1", given_to="Омаров С.", is_warned=True
        )
    ),
    "export-running": _export(ExportState(SEALED, event=RUNNING)),
    "export-done-protected": _export(ExportState(SEALED, event=WITHHELD)),
    "export-done": _export(ExportState(SEALED, event=DONE)),
    **{f"export-{code}": _failed(code) for code in FAULTS},
}
