"""View of the case and of what has happened in the hearing so far (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.published import Schedule
from kiosk.api.recorder import LineTrouble, Mark, RecorderState, RunningHearing
from kiosk.hearing.session.line_ledger import REMOTE_FORMATS
from kiosk.hearing.session.publicity import CLOSED_EVENT, OPENED_EVENT
from kiosk.ui.formatting import age_text, sentence_case
from kiosk.ui.view_context import ViewContext

# Shorter gaps are in the ledger, but nobody can act on them.
MIN_SHOWN_GAP_SECONDS = 0.5


@dataclass(frozen=True)
class EventLogEntry:
    """One entry of the hearing's event log."""

    time: str
    text: str
    fault: bool = False


@dataclass(frozen=True)
class CaseView:
    """Case, who takes part, when the next one is due."""

    case_number: str
    title: str
    people: str
    publicity: str
    next_time: str


def undoable_mark(context: ViewContext, hearing: RunningHearing) -> int:
    """Return the number of the mark that can be taken back, the newest by hand; 0: none."""
    events = context.labels.rules.events
    for mark in reversed(hearing.marks):
        row = events.get(mark.type)
        by_hand = row is None or row.made_by == "secretary"
        if by_hand and not mark.withdrawn and mark.type not in (CLOSED_EVENT, OPENED_EVENT):
            return mark.id
    return 0


def event_log(context: ViewContext, recorder: RecorderState) -> tuple[EventLogEntry, ...]:
    """Return marks that are not withdrawn and interruptions, newest first."""
    _, hearing = context.translate.gettext, recorder.hearing
    if hearing is None:
        return ()
    hides = not _shows_title(hearing)
    entries = [
        (
            mark.at,
            EventLogEntry(context.clock_text(mark.at, True), _mark_text(context, mark, hides)),
        )
        for mark in hearing.marks
        if not mark.withdrawn
    ]
    entries += [
        (note.at, EventLogEntry(context.clock_text(note.at, True), note.text))
        for note in hearing.notes
        if not note.withdrawn
    ]
    names = {m.name: context.role_label(m) for m in recorder.microphones}
    for gap in hearing.interruptions:
        if gap.seconds is not None and gap.seconds < MIN_SHOWN_GAP_SECONDS:
            continue
        text = _("{name}: not recorded", name=names.get(gap.source) or _source(context, gap.source))
        if gap.seconds is not None:
            text += " · " + age_text(max(1.0, gap.seconds), context.translate)
        entries.append((gap.at, EventLogEntry(context.clock_text(gap.at, True), text, fault=True)))
    entries += [(row.at, _line_entry(context, row)) for row in _shown_troubles(hearing)]
    return tuple(entry for _at, entry in sorted(entries, key=lambda pair: pair[0], reverse=True))


def _mark_text(context: ViewContext, mark: Mark, hides_name: bool) -> str:
    label = sentence_case(context.labels.event(mark.type))
    if mark.of is not None:
        name = "" if hides_name else mark.of.name
        whom = name or context.labels.role(mark.of.role)
        label = f"{label}: {whom}" if whom else label
    return f"{label}: {mark.note}" if mark.note else label


def _shown_troubles(hearing: RunningHearing) -> list[LineTrouble]:
    """Return when the line was silent or poor, where somebody takes part over it."""
    return list(hearing.line) if hearing.format in REMOTE_FORMATS else []


def _line_entry(context: ViewContext, row: LineTrouble) -> EventLogEntry:
    _ = context.translate.gettext
    text = _("Line: no answer") if row.kind == "silent" else _("Line: gaps or late")
    if row.seconds is not None:
        text += " · " + age_text(max(1.0, row.seconds), context.translate)
    return EventLogEntry(context.clock_text(row.at, True), text, fault=True)


def _source(context: ViewContext, source: str) -> str:
    _ = context.translate.gettext
    if source in ("recorder", ""):
        return _("Recording as a whole")
    if source in ("camera", "video"):
        return _("Camera")
    return sentence_case(context.labels.role(source))


def _shows_title(hearing: RunningHearing) -> bool:
    """Return whether title and names may be read by whoever sees the screen."""
    return hearing.closed is None and hearing.publicity in ("open", None)


def case_view(context: ViewContext, hearing: RunningHearing, schedule: Schedule | None) -> CaseView:
    """Return the case; the title of a closed hearing is hidden."""
    _ = context.translate.gettext
    shows_title = _shows_title(hearing)
    people = (
        f"{sentence_case(context.labels.role(p.role))}: {p.name}"
        for p in hearing.persons
        if shows_title and p.role and p.name
    )
    later = (
        context.clock_text(h.starts_at)
        for h in (schedule.hearings if schedule else ())
        if h.starts_at and h.id != hearing.id and h.starts_at > context.now
    )
    next_time = next(later, "")
    closed = hearing.publicity == "closed" or hearing.closed is not None
    return CaseView(
        case_number=hearing.case_number or _("No case number"),
        title=hearing.title or "" if shows_title else _("Title not shown"),
        people=" · ".join(people),
        publicity=_("Closed") if closed else _("Open") if shows_title else _("Not known"),
        next_time=_("Next hearing at {time}", time=next_time) if next_time else "",
    )
