"""What the visitor's screens say: pure functions of what is known, without Kivy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import assert_never

from kiosk.alarms import alarm_of
from kiosk.filing.advice import ADVICE
from kiosk.filing.desk import HandedIn, PageChecked
from kiosk.filing.model import Page
from kiosk.filing.receipt import status_reference
from kiosk.ui.facts import FilingState, Schedule
from kiosk.ui.here import Here
from kiosk.ui.places import Feeding, Looking, Registered, Scanning, Stuck, Tracking
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.theme import Tone
from kiosk.ui.words import age_text

STAGES = ("sent", "registered", "accepted", "passed_to_judge")


@dataclass(frozen=True)
class TypeView:
    """Choosing the document type."""

    groups: tuple[tuple[str, str], ...]
    group: str
    types: tuple[tuple[str, str], ...]
    page: int


def type_view(labels: RuleLabels, group: str, page: int) -> TypeView:
    """Return groups and the types of the chosen group."""
    return TypeView(
        groups=tuple((g, labels.group(g)) for g in labels.groups()),
        group=group,
        types=tuple((t, labels.document_type(t)) for t in labels.types_of(group)),
        page=page,
    )


@dataclass(frozen=True)
class Thumb:
    """A page as a small picture; ``place`` counts from 1. ``stamp`` changes with the picture."""

    place: int
    picture: Path | None
    flagged: bool
    stamp: int = 0


@dataclass(frozen=True)
class FeedView:
    """Paper is awaited or arriving."""

    title: str
    lines: tuple[str, ...]
    thumbs: tuple[Thumb, ...]
    kept: int
    count: str
    scanning: bool
    glass: bool


def thumbs_of(pages: Sequence[Page], seen: dict[int, PageChecked]) -> tuple[Thumb, ...]:
    """Return the pages as small pictures."""
    found = []
    for place, page in enumerate(pages, start=1):
        looks = seen.get(page.number)
        picture = looks.thumbnail if looks else None
        flagged = bool(looks and any(_needs_eyes(code) for code in looks.advice))
        found.append(Thumb(place, picture, flagged, _stamp(picture)))
    return tuple(found)


def _needs_eyes(code: str) -> bool:
    advice = ADVICE.get(code)
    return advice is None or not advice.helped


def _stamp(picture: Path | None) -> int:
    try:
        return picture.stat().st_mtime_ns if picture else 0
    except OSError:
        return 0


def feed_view(here: Here, place: Feeding | Scanning, thumbs: tuple[Thumb, ...]) -> FeedView:
    """Return the screen while paper is awaited or passes."""
    _ = here.say.gettext
    count = here.say.ngettext("{n} page scanned", "{n} pages scanned", place.kept)
    match place:
        case Scanning():
            title = _("Scanning…")
            lines: tuple[str, ...] = (_("Wait until the last sheet is through."),)
        case Feeding(glass=True):
            title = _("Lay the sheet on the glass, face down")
            lines = (_("Then touch “Scan this sheet”."),)
        case Feeding(retake=int(number)):
            title = _("Put this one sheet in again")
            lines = (_("Scanning begins by itself."),)
            del number
        case Feeding(kept=0):
            title = _("Put your sheets into the scanner")
            lines = (
                _("Take out staples and paper clips first."),
                _("Text facing you, top edge down."),
                _("Scanning begins by itself."),
            )
        case Feeding():
            title = _("Put the next sheets in")
            lines = (_("Scanning begins by itself."),)
        case never:
            assert_never(never)
    scanning = isinstance(place, Scanning)
    glass = isinstance(place, Feeding) and place.glass
    return FeedView(title, lines, thumbs, place.kept, count if place.kept else "", scanning, glass)


@dataclass(frozen=True)
class FaultView:
    """Scanning stopped: consequence, what is safe, what to do, whom to call."""

    code: str
    title: str
    kept: str
    lines: tuple[str, ...]
    finish: str
    asks: bool
    can_finish: bool


def fault_view(here: Here, place: Stuck) -> FaultView:
    """Return the screen of a scanner fault; it leaves by itself once mended."""
    _, ngettext = here.say.gettext, here.say.ngettext
    alarm = alarm_of(place.code)
    lines = [alarm.remedy(here.say, staff=False)]
    if place.code in RELOADS:
        lines.append(_("Then put sheet {n} in again. It goes on by itself.", n=place.sheet))
    kept = (
        ngettext("{n} page is kept.", "{n} pages are kept.", place.kept)
        if place.kept
        else _("Nothing has been scanned yet.")
    )
    return FaultView(
        code=alarm.code,
        title=alarm.say(here.say),
        kept=kept,
        lines=tuple(line for line in lines if line),
        finish=ngettext("Finish with {n} page", "Finish with {n} pages", place.kept),
        asks=place.asks,
        can_finish=place.kept > 0,
    )


RELOADS = frozenset(
    {
        "scanner_jam",
        "scanner_double_feed",
        "scanner_cover_open",
        "scanner_stalled",
        "page_incomplete",
        "page_failed",
        "scanner_lost",
    }
)


@dataclass(frozen=True)
class Check:
    """One thing seen on a page, in words."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class PagesView:
    """Looking the pages over."""

    title: str
    picture: Path | None
    stamp: int
    checks: tuple[Check, ...]
    thumbs: tuple[Thumb, ...]
    chosen: int
    page: int | None
    count: str
    flagged: int
    can_undo: bool


def pages_view(
    here: Here, place: Looking, pages: Sequence[Page], seen: dict[int, PageChecked]
) -> PagesView:
    """Return the page chosen, what was seen on it, and all thumbnails."""
    _ = here.say.gettext
    thumbs = thumbs_of(pages, seen)
    chosen = max(1, min(place.chosen, len(pages)))
    looks = seen.get(pages[chosen - 1].number) if pages else None
    picture = looks.preview if looks else None
    return PagesView(
        title=_("Page {n} of {m}", n=chosen, m=len(pages)) if pages else _("No pages"),
        picture=picture,
        stamp=_stamp(picture),
        checks=_checks(here, looks) if pages else (),
        thumbs=thumbs,
        chosen=chosen,
        page=place.page,
        count=here.say.ngettext("{n} page", "{n} pages", len(pages)),
        flagged=sum(thumb.flagged for thumb in thumbs),
        can_undo=place.deleted is not None,
    )


def _checks(here: Here, looks: PageChecked | None) -> tuple[Check, ...]:
    _ = here.say.gettext
    if looks is None:
        return (Check("plain", _("The page is being looked at…")),)
    found = []
    for code in looks.advice:
        advice = ADVICE.get(code)
        if advice is None:
            alarm = alarm_of(code)
            found.append(Check("fault", alarm.say(here.say)))
        elif advice.helped:
            found.append(Check("good", _(advice.sentence)))
        else:
            found.append(Check("caution", f"{_(advice.sentence)} {_(advice.remedy)}".strip()))
    if not any(check.tone != "good" for check in found):
        found.insert(0, Check("good", _("Sharp and complete")))
    return tuple(found)


@dataclass(frozen=True)
class ConfirmView:
    """Asked once more before the documents are handed in."""

    type_label: str
    count: str
    warning: str


def confirm_view(
    here: Here, labels: RuleLabels, document_type: str, thumbs: tuple[Thumb, ...]
) -> ConfirmView:
    """Return what is going to be handed in."""
    ngettext = here.say.ngettext
    flagged = sum(thumb.flagged for thumb in thumbs)
    warning = (
        ngettext(
            "{n} page may be hard to read. Look at it once more.",
            "{n} pages may be hard to read. Look at them once more.",
            flagged,
        )
        if flagged
        else ""
    )
    return ConfirmView(
        labels.document_type(document_type), ngettext("{n} page", "{n} pages", len(thumbs)), warning
    )


@dataclass(frozen=True)
class ReceiptView:
    """Handed in: the number is the largest thing."""

    number: str
    provisional: bool
    state: str
    label: str
    summary: str
    explained: str
    stages: tuple[tuple[str, bool], ...]
    reference: str
    printer: str
    printer_tone: Tone
    can_print: bool


def receipt_view(
    here: Here, labels: RuleLabels, place: Registered, handed_in: HandedIn
) -> ReceiptView:
    """Return the receipt screen."""
    _ = here.say.gettext
    registration, filing = handed_in.registration, handed_in.filing
    provisional = registration.state == "provisional"
    pages = sum(document.pages for document in filing.documents)
    day = here.now.astimezone(here.zone).strftime("%d.%m.%Y %H:%M")
    kind = labels.document_type(filing.document_type)
    parts = (day, kind, here.say.ngettext("{n} page", "{n} pages", pages))
    printer, tone = _printer_line(here, place)
    return ReceiptView(
        number=registration.number,
        provisional=provisional,
        state=_("Accepted, not yet registered") if provisional else _("Registered"),
        label=_("Provisional number") if provisional else _("Registration number"),
        summary=" · ".join(parts),
        explained=_(
            "There is no connection now. The document is kept here and is registered by itself; "
            "this number stays valid."
        )
        if provisional
        else _("Hold the code to this kiosk's reader later to see where the document is."),
        stages=stages_of(here, "queued" if provisional else "registered"),
        reference=status_reference(filing.id),
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
    )


def _printer_line(here: Here, place: Registered) -> tuple[str, Tone]:
    _ = here.say.gettext
    match place.printing:
        case "printing":
            return _("The receipt is being printed…"), "plain"
        case "printed":
            return _("The receipt is printed. Please take it."), "good"
        case "failed":
            alarm = alarm_of(place.printer)
            return f"{alarm.say(here.say)} {alarm.remedy(here.say, staff=False)}", "caution"
        case never:
            assert_never(never)


def stages_of(here: Here, state: str) -> tuple[tuple[str, bool], ...]:
    """Return the document's way: each stage, and whether it is reached."""
    _ = here.say.gettext
    names = (_("Handed in"), _("Registered"), _("Accepted"), _("Passed to the judge"))
    reached = {"registered": 2, "accepted": 3, "returned": 2, "passed_to_judge": 4}.get(state, 1)
    return tuple((name, place < reached) for place, name in enumerate(names))


@dataclass(frozen=True)
class TrackView:
    """Where is my document."""

    typed: str
    answer: str
    detail: str
    tone: Tone
    stages: tuple[tuple[str, bool], ...]


def track_view(here: Here, place: Tracking) -> TrackView:
    """Return the number typed and where that document stands; nothing of anybody else."""
    _ = here.say.gettext
    if place.unknown:
        text = _("There is no document with this number here.")
        return TrackView(place.typed, text, _("Compare it with your receipt."), "caution", ())
    if place.answer is None:
        return TrackView(place.typed, "", "", "plain", ())
    answer = place.answer
    numbers = [n for n in (answer.number, answer.provisional) if n]
    detail = numbers[0] if numbers else ""
    since = _as_of(here, answer)
    tone: Tone = "caution" if answer.state == "returned" else "good"
    return TrackView(
        place.typed,
        state_word(here, answer.state),
        " · ".join(part for part in (detail, since) if part),
        tone,
        stages_of(here, answer.state),
    )


def _as_of(here: Here, answer: FilingState) -> str:
    if not answer.as_of:
        return ""
    try:
        when = datetime.fromisoformat(answer.as_of.replace("Z", "+00:00"))
    except ValueError:
        return ""
    age = age_text((here.now - when).total_seconds(), here.say)
    return here.say.gettext("known {age} ago", age=age)


def state_word(here: Here, state: str) -> str:
    """Return where a filing stands, in one word; each state has its own."""
    _ = here.say.gettext
    words: dict[str, str] = {
        "queued": _("Queued for delivery"),
        "sent": _("Sent"),
        "registered": _("Registered"),
        "accepted": _("Accepted"),
        "returned": _("Returned"),
        "passed_to_judge": _("Passed to the judge"),
    }
    return words.get(state, _("Queued for delivery"))


@dataclass(frozen=True)
class ListedHearing:
    """One of today's hearings as the public may see it."""

    time: str
    case_number: str
    title: str
    closed: bool
    publicity: str


@dataclass(frozen=True)
class HearingsView:
    """Today's hearings for visitors."""

    rows: tuple[ListedHearing, ...]
    age: str
    empty: str
    page: int


def hearings_view(here: Here, schedule: Schedule | None, page: int, age: str) -> HearingsView:
    """Return the list; of closed hearings only time and number are shown."""
    _ = here.say.gettext
    rows = []
    for hearing in schedule.hearings if schedule else ():
        closed = hearing.publicity == "closed"
        rows.append(
            ListedHearing(
                here.time(hearing.begins),
                hearing.case_number,
                "" if closed else hearing.title,
                closed,
                _("Closed hearing") if closed else _("Open hearing"),
            )
        )
    return HearingsView(
        tuple(rows), age, "" if rows else _("No hearings on the list for today."), page
    )


@dataclass(frozen=True)
class RefusedView:
    """The filing could not be kept."""

    title: str
    text: str
    pages_kept: bool


def refused_view(here: Here, code: str, kept: int) -> RefusedView:
    """Return consequence and what to do."""
    alarm = alarm_of(code)
    return RefusedView(alarm.say(here.say), alarm.remedy(here.say, staff=False), kept > 0)
