"""What the screens at the end say: summary, receipt, ticket, where a document is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from kiosk.alarms import alarm_of
from kiosk.filing.form.fee import tenge
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Filing
from kiosk.filing.printing.receipt import STAGES, status_reference
from kiosk.filing.printing.ticket import normal_code, shown_code
from kiosk.filing.service import HandedIn
from kiosk.filing.submission.status import WORDS
from kiosk.ui.facts import Schedule
from kiosk.ui.here import Here
from kiosk.ui.places import Parked, Printing, Registered, Tracking
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.telling_views import grouped
from kiosk.ui.words import age_text


@dataclass(frozen=True)
class Line:
    """One line of the summary; ``go`` is what a touch on it opens."""

    go: str
    label: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class ConfirmView:
    """The summary: asked once more before the documents are handed in."""

    lines: tuple[Line, ...]
    count: str


def confirm_view(
    here: Here,
    labels: RuleLabels,
    filing: Filing,
    slots: tuple[SlotView, ...],
    flagged: int,
    fees: int,
) -> ConfirmView:
    """Return what is going to be handed in, and what is missing; nothing refuses (R14)."""
    _, ngettext = here.say.gettext, here.say.ngettext
    pages = ngettext("{n} page", "{n} pages", len(filing.kept_pages))
    case = filing.case_number or (
        _("A new case: {kind}", kind=labels.kind(filing.case_kind))
        if filing.case_kind
        else _("not said")
    )
    who = filing.applicant
    name = ", ".join(part for part in (who.organisation, who.name) if part)
    number = who.bin if who.kind == "entity" else who.iin
    applicant = " · ".join(part for part in (name, number) if part) or _("not said")
    there = [_slot_text(here, labels, view) for view in slots if view.pages]
    missing = [labels.document_type(view.slot.type) for view in slots if view.missing]
    lines = [
        Line("type", _("What"), labels.document_type(filing.document_type)),
        Line("case", _("Case"), case),
        Line("who", _("Who files"), applicant),
        Line("slots", pages, "; ".join(there)),
    ]
    if flagged:
        told = ngettext(
            "{n} page may be hard to read. Look at it once more.",
            "{n} pages may be hard to read. Look at them once more.",
            flagged,
        )
        lines.append(Line("slots", _("Look here"), told, "caution"))
    if missing:
        lines.append(Line("slots", _("Missing"), "; ".join(missing)))
    if filing.not_scanned:
        lines.append(Line("originals", _("On paper"), "; ".join(filing.not_scanned)))
    if fees:
        lines.append(Line("fee", _("State fee"), _fee_text(here, filing)))
    return ConfirmView(tuple(lines), pages)


def _slot_text(here: Here, labels: RuleLabels, view: SlotView) -> str:
    count = here.say.ngettext("{n} page", "{n} pages", len(view.pages))
    return f"{labels.document_type(view.slot.type)} – {count}"


def _fee_text(here: Here, filing: Filing) -> str:
    _ = here.say.gettext
    fee = filing.fee
    if fee is None or (fee.hint is None and fee.exemption is None):
        return _("Touch here to see what may be due")
    if fee.exemption is not None:
        return _("Exemption named. The court decides about it.")
    return _("{n} tenge", n=grouped(tenge(fee.hint))) if fee.hint is not None else ""


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
    originals: str = ""


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
    printer, tone = _printer_line(here, place.printing, place.printer)
    return ReceiptView(
        number=registration.number,
        provisional=provisional,
        state=_("Received, not yet registered") if provisional else _("Registered"),
        label=_("Provisional number") if provisional else _("Registration number"),
        summary=" · ".join(parts),
        explained=_(
            "There is no connection now. The document is kept here and is registered by itself; "
            "this number stays valid."
        )
        if provisional
        else _("Hold the code to this kiosk's reader later to see where the document is."),
        stages=stages_of(here, ("received",) if provisional else ("received", "registered")),
        reference=status_reference(filing.id),
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
        originals=_("Hand in on paper: {things}", things="; ".join(filing.not_scanned))
        if filing.not_scanned
        else "",
    )


def _printer_line(
    here: Here, printing: Printing | None, code: str, *, ticket: bool = False
) -> tuple[str, Tone]:
    _ = here.say.gettext
    match printing:
        case None:
            return "", "plain"
        case "printing":
            said = (
                _("The ticket is being printed…") if ticket else _("The receipt is being printed…")
            )
            return said, "plain"
        case "printed":
            said = (
                _("The ticket is printed. Please take it.")
                if ticket
                else _("The receipt is printed. Please take it.")
            )
            return said, "good"
        case "failed":
            alarm = alarm_of(code)
            return f"{alarm.say(here.say)} {alarm.remedy(here.say, staff=False)}", "caution"
        case never:
            assert_never(never)


def stages_of(here: Here, reached: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """Return the document's way: each stage by its own word, and whether it is reached."""
    return tuple((here.say(WORDS[stage]), stage in reached) for stage in STAGES)


@dataclass(frozen=True)
class ParkedView:
    """The filing is kept; the ticket alone opens it."""

    title: str
    code: str
    until: str
    reference: str
    printer: str
    printer_tone: Tone
    can_print: bool
    shows_code: bool


def parked_view(here: Here, place: Parked) -> ParkedView:
    """Return the ticket; the code is shown where the printer failed."""
    _ = here.say.gettext
    printer, tone = _printer_line(here, place.printing, place.printer, ticket=True)
    title = (
        _("A hearing begins. Your papers are kept.")
        if place.because
        else _("Your papers are kept. Go on later.")
    )
    code = shown_code(normal_code(place.ticket.code) or place.ticket.code)
    return ParkedView(
        title=title,
        code=code,
        until=_("Kept until {time}", time=f"{place.ticket.until:%d.%m.%Y %H:%M}"),
        reference=f"KIOSK-TICKET:{code.replace('-', '')}",
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
        shows_code=place.printing == "failed",
    )


@dataclass(frozen=True)
class TrackView:
    """Where is my document."""

    answer: str
    number: str
    detail: str
    reason: str
    tone: Tone
    stages: tuple[tuple[str, bool], ...]
    printer: str
    printer_tone: Tone
    can_print: bool


def track_view(here: Here, place: Tracking) -> TrackView:
    """Return where the document of the receipt that was held to the reader stands."""
    _ = here.say.gettext
    printer, printer_tone = _printer_line(here, place.printing, place.printer)
    if place.problem:
        unknown = place.problem in ("filing_damaged", "not_found")
        text = (
            _("This receipt is not from this kiosk, or its document is gone.")
            if unknown
            else _("Where the document is cannot be asked now.")
        )
        detail = _("Ask the secretary.") if unknown else _("Try again in a minute.")
        return TrackView(text, "", detail, "", "caution", (), "", "plain", can_print=False)
    if place.answer is None:
        return TrackView("", "", "", "", "plain", (), "", "plain", can_print=False)
    answer = place.answer
    age = (
        _("known {age} ago", age=age_text(answer.age_seconds, here.say))
        if answer.age_seconds is not None
        else ""
    )
    reason = _("Reason: {reason}", reason=answer.reason) if answer.reason else ""
    return TrackView(
        answer.word(here.say),
        answer.number or answer.provisional or "",
        age,
        reason,
        "caution" if answer.state == "returned" else "good",
        stages_of(here, answer.reached),
        printer,
        printer_tone,
        can_print=place.printing != "printing",
    )


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
