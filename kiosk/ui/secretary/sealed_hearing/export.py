"""View of the export screen (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.alarms import alarm_of
from kiosk.ui.actions.export_actions import Drive, ExportEvent, ExportState, SealedHearing
from kiosk.ui.formatting import size_text, timer_text
from kiosk.ui.service_models import parse_time
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

ExportStep = Literal["list", "medium", "running", "ended"]


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


def export_view(context: ViewContext, state: ExportState) -> ExportView:
    """Return the view of the current step: hearing, drive, progress or result."""
    _ = context.translate.gettext
    if state.event is not None:
        return _event_view(context, state, state.event)
    chosen = next((h for h in state.hearings or () if h.id == state.chosen), None)
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
    started = parse_time(hearing.started)
    when = started.astimezone(context.zone).strftime("%d.%m.%Y %H:%M") if started else ""
    note = ""
    if hearing.closed == "all":
        note = _("closed: no copy")
    elif hearing.closed == "some":
        note = _("without the closed parts")
    elif hearing.damaged:
        note = _("damaged")
    details = " · ".join(part for part in (when, timer_text(hearing.seconds)) if part)
    return SealedHearingRow(
        hearing, hearing.case_number or _("No case number"), details, note, hearing.closed == "all"
    )


def _drive_view(context: ViewContext, state: ExportState, hearing: SealedHearing) -> ExportView:
    _ = context.translate.gettext
    drives = tuple(_drive_row(context, drive, state.drive) for drive in state.drives)
    text = _("Put a stick into the kiosk.") if not drives else _("On which stick?")
    notes = (_("The closed parts are left out: the law allows no copy of them."),)
    return ExportView(
        "medium",
        hearing.case_number or _("No case number"),
        text,
        drives=drives,
        language=state.language,
        can_start=state.drive is not None,
        notes=notes if hearing.closed == "some" else (),
    )


def _drive_row(context: ViewContext, drive: Drive, chosen: str | None) -> DriveRow:
    free = context.translate.gettext(
        "{size} free", size=size_text(drive.free_bytes, context.translate)
    )
    return DriveRow(drive.path, drive.name or drive.path, free, drive.path == chosen)


def _event_view(context: ViewContext, state: ExportState, event: ExportEvent) -> ExportView:
    _ = context.translate.gettext
    case = next((h.case_number for h in state.hearings or () if h.id == event.hearing_id), "")
    title = case or _("Copy for the parties")
    if event.state == "running":
        fraction = min(1.0, event.done / event.total) if event.total else 0.0
        return ExportView(
            "running", title, stage_word(context, event.stage), "accent", fraction=fraction
        )
    if event.state == "done":
        notes = [_("Take the stick out and hand it over."), _("Files on it: {n}", n=event.files)]
        if event.left_out:
            notes.append(_("The closed parts are left out: the law allows no copy of them."))
        text = _("The copy is ready, read back and compared.")
        return ExportView("ended", title, text, "good", notes=tuple(notes))
    alarm = alarm_of(event.code or "export_failed")
    tone: Tone = "plain" if event.state == "cancelled" else "fault"
    remedy = alarm.remedy(context.translate, staff=True)
    return ExportView("ended", title, alarm.say(context.translate), tone, notes=(remedy,))


def stage_word(context: ViewContext, stage: str) -> str:
    """Return what is being done now, in words."""
    _ = context.translate.gettext
    match stage:
        case "checking":
            return _("The recording is being checked…")
        case "original":
            return _("The originals are being copied…")
        case "video":
            return _("The videos are being written…")
        case "reading_back":
            return _("The copy is being read back and compared…")
        case _:
            return _("Almost ready…")
