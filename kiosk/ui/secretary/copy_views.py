"""What the screen for the parties' copies says. No Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.alarms import alarm_of
from kiosk.ui.facts import moment
from kiosk.ui.here import Here
from kiosk.ui.secretary.copies import CopiesState, CopyEvent, Medium, SealedHearing
from kiosk.ui.theme import Tone
from kiosk.ui.words import size_text, timer_text

Step = Literal["list", "medium", "running", "ended"]


@dataclass(frozen=True)
class CopyRow:
    """A sealed hearing in the list."""

    hearing: SealedHearing
    case_number: str
    about: str
    word: str
    closed: bool


@dataclass(frozen=True)
class MediumRow:
    """A stick."""

    path: str
    name: str
    free: str
    chosen: bool


@dataclass(frozen=True)
class CopiesView:
    """The screen for copies."""

    step: Step
    title: str
    text: str
    tone: Tone = "plain"
    rows: tuple[CopyRow, ...] = ()
    page: int = 0
    media: tuple[MediumRow, ...] = ()
    language: str = "kk"
    can_start: bool = False
    fraction: float | None = None
    notes: tuple[str, ...] = ()


def copies_view(here: Here, state: CopiesState) -> CopiesView:
    """Return what is shown: the list, the stick, how far it is, or what came of it."""
    _ = here.say.gettext
    if state.event is not None:
        return _event_view(here, state, state.event)
    chosen = next((h for h in state.hearings or () if h.id == state.chosen), None)
    if chosen is not None:
        return _medium_view(here, state, chosen)
    text = _("Which hearing is to be copied?")
    if state.hearings is None:
        text = _("One moment…")
    elif not state.hearings:
        text = _("No sealed hearing lies on this kiosk.")
    rows = tuple(_row(here, one) for one in state.hearings or ())
    return CopiesView("list", _("Copy for the parties"), text, rows=rows, page=state.page)


def _row(here: Here, one: SealedHearing) -> CopyRow:
    _ = here.say.gettext
    started = moment(one.started)
    when = started.astimezone(here.zone).strftime("%d.%m.%Y %H:%M") if started else ""
    word = ""
    if one.closed == "all":
        word = _("closed: no copy")
    elif one.closed == "some":
        word = _("without the closed parts")
    elif one.damaged:
        word = _("damaged")
    about = " · ".join(part for part in (when, timer_text(one.seconds)) if part)
    return CopyRow(one, one.case_number or _("No case number"), about, word, one.closed == "all")


def _medium_view(here: Here, state: CopiesState, one: SealedHearing) -> CopiesView:
    _ = here.say.gettext
    media = tuple(_medium(here, medium, state.medium) for medium in state.media)
    text = _("Put a stick into the kiosk.") if not media else _("On which stick?")
    notes = (_("The closed parts are left out: the law allows no copy of them."),)
    return CopiesView(
        "medium",
        one.case_number or _("No case number"),
        text,
        media=media,
        language=state.language,
        can_start=state.medium is not None,
        notes=notes if one.closed == "some" else (),
    )


def _medium(here: Here, medium: Medium, chosen: str | None) -> MediumRow:
    free = here.say.gettext("{size} free", size=size_text(medium.free_bytes, here.say))
    return MediumRow(medium.path, medium.name or medium.path, free, medium.path == chosen)


def _event_view(here: Here, state: CopiesState, event: CopyEvent) -> CopiesView:
    _ = here.say.gettext
    case = next((h.case_number for h in state.hearings or () if h.id == event.hearing_id), "")
    title = case or _("Copy for the parties")
    if event.state == "running":
        fraction = min(1.0, event.done / event.total) if event.total else 0.0
        return CopiesView(
            "running", title, stage_word(here, event.stage), "accent", fraction=fraction
        )
    if event.state == "done":
        notes = [_("Take the stick out and hand it over."), _("Files on it: {n}", n=event.files)]
        if event.left_out:
            notes.append(_("The closed parts are left out: the law allows no copy of them."))
        text = _("The copy is ready, read back and compared.")
        return CopiesView("ended", title, text, "good", notes=tuple(notes))
    alarm = alarm_of(event.code or "export_failed")
    tone: Tone = "plain" if event.state == "cancelled" else "fault"
    remedy = alarm.remedy(here.say, staff=True)
    return CopiesView("ended", title, alarm.say(here.say), tone, notes=(remedy,))


def stage_word(here: Here, stage: str) -> str:
    """Return what is being done now, in words."""
    _ = here.say.gettext
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
