"""Views of the last screens: summary, receipt, ticket, document status, hearings. No Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from kiosk.alarms import alarm_of
from kiosk.filing.form.fee import format_tenge
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Filing
from kiosk.filing.printing.receipt import STAGES, status_reference
from kiosk.filing.printing.ticket import format_code, normalise_code
from kiosk.filing.service import Submission
from kiosk.filing.submission.status import STAGE_LABELS
from kiosk.ui.formatting import age_text
from kiosk.ui.registry import DocumentStatusPlace, ParkedPlace, PrintState, ReceiptPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.service_models import Schedule
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext
from kiosk.ui.visitor.telling_views import grouped


@dataclass(frozen=True)
class SummaryLine:
    """One line of the summary; ``target`` is what a touch on it opens."""

    target: str
    label: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class SummaryView:
    """The summary before submission."""

    lines: tuple[SummaryLine, ...]
    count: str


def summary_view(
    context: ViewContext,
    labels: RuleLabels,
    filing: Filing,
    slots: tuple[SlotView, ...],
    flagged: int,
    fees: int,
) -> SummaryView:
    """Return what will be submitted and what is missing; nothing is refused (R14)."""
    _, ngettext = context.translate.gettext, context.translate.ngettext
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
    there = [_slot_text(context, labels, view) for view in slots if view.pages]
    missing = [labels.document_type(view.slot.type) for view in slots if view.is_missing]
    lines = [
        SummaryLine("type", _("What"), labels.document_type(filing.document_type)),
        SummaryLine("case", _("Case"), case),
        SummaryLine("who", _("Who files"), applicant),
        SummaryLine("slots", pages, "; ".join(there)),
    ]
    if flagged:
        note = ngettext(
            "{n} page may be hard to read. Look at it once more.",
            "{n} pages may be hard to read. Look at them once more.",
            flagged,
        )
        lines.append(SummaryLine("slots", _("Look here"), note, "caution"))
    if missing:
        lines.append(SummaryLine("slots", _("Missing"), "; ".join(missing)))
    if filing.not_scanned:
        lines.append(SummaryLine("originals", _("On paper"), "; ".join(filing.not_scanned)))
    if fees:
        lines.append(SummaryLine("fee", _("State fee"), _fee_text(context, filing)))
    return SummaryView(tuple(lines), pages)


def _slot_text(context: ViewContext, labels: RuleLabels, view: SlotView) -> str:
    count = context.translate.ngettext("{n} page", "{n} pages", len(view.pages))
    return f"{labels.document_type(view.slot.type)} – {count}"


def _fee_text(context: ViewContext, filing: Filing) -> str:
    _ = context.translate.gettext
    fee = filing.fee
    if fee is None or (fee.hint is None and fee.exemption is None):
        return _("Touch here to see what may be due")
    if fee.exemption is not None:
        return _("Exemption named. The court decides about it.")
    return _("{n} tenge", n=grouped(format_tenge(fee.hint))) if fee.hint is not None else ""


@dataclass(frozen=True)
class ReceiptView:
    """The receipt of a submitted filing."""

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
    context: ViewContext, labels: RuleLabels, place: ReceiptPlace, handed_in: Submission
) -> ReceiptView:
    """Return the receipt screen."""
    _ = context.translate.gettext
    registration, filing = handed_in.registration, handed_in.filing
    provisional = registration.state == "provisional"
    pages = sum(document.pages for document in filing.documents)
    day = context.now.astimezone(context.zone).strftime("%d.%m.%Y %H:%M")
    kind = labels.document_type(filing.document_type)
    parts = (day, kind, context.translate.ngettext("{n} page", "{n} pages", pages))
    printer, tone = _printer_line(context, place.printing, place.printer_error)
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
        stages=stages_of(context, ("received",) if provisional else ("received", "registered")),
        reference=status_reference(filing.id),
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
        originals=_("Hand in on paper: {things}", things="; ".join(filing.not_scanned))
        if filing.not_scanned
        else "",
    )


def _printer_line(
    context: ViewContext, printing: PrintState | None, code: str, *, ticket: bool = False
) -> tuple[str, Tone]:
    _ = context.translate.gettext
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
            return (
                f"{alarm.say(context.translate)} {alarm.remedy(context.translate, staff=False)}",
                "caution",
            )
        case never:
            assert_never(never)


def stages_of(context: ViewContext, reached: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """Return the stages of a document: label, and whether the stage is reached."""
    return tuple((context.translate(STAGE_LABELS[stage]), stage in reached) for stage in STAGES)


@dataclass(frozen=True)
class ParkedView:
    """The ticket of the parked filing."""

    title: str
    code: str
    until: str
    reference: str
    printer: str
    printer_tone: Tone
    can_print: bool
    shows_code: bool


def parked_view(context: ViewContext, place: ParkedPlace) -> ParkedView:
    """Return the ticket; its code is shown if printing failed."""
    _ = context.translate.gettext
    printer, tone = _printer_line(context, place.printing, place.printer_error, ticket=True)
    title = (
        _("A hearing begins. Your papers are kept.")
        if place.hearing_started
        else _("Your papers are kept. Go on later.")
    )
    code = format_code(normalise_code(place.ticket.code) or place.ticket.code)
    return ParkedView(
        title=title,
        code=code,
        until=_("Kept until {time}", time=f"{place.ticket.expires_at:%d.%m.%Y %H:%M}"),
        reference=f"KIOSK-TICKET:{code.replace('-', '')}",
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
        shows_code=place.printing == "failed",
    )


@dataclass(frozen=True)
class DocumentStatusView:
    """Where a document is."""

    answer: str
    number: str
    detail: str
    reason: str
    tone: Tone
    stages: tuple[tuple[str, bool], ...]
    printer: str
    printer_tone: Tone
    can_print: bool


def document_status_view(context: ViewContext, place: DocumentStatusPlace) -> DocumentStatusView:
    """Return where the document of the receipt is."""
    _ = context.translate.gettext
    printer, printer_tone = _printer_line(context, place.printing, place.printer_error)
    if place.error:
        unknown = place.error in ("filing_damaged", "not_found")
        text = (
            _("This receipt is not from this kiosk, or its document is gone.")
            if unknown
            else _("Where the document is cannot be asked now.")
        )
        detail = _("Ask the secretary.") if unknown else _("Try again in a minute.")
        return DocumentStatusView(text, "", detail, "", "caution", (), "", "plain", can_print=False)
    if place.status is None:
        return DocumentStatusView("", "", "", "", "plain", (), "", "plain", can_print=False)
    answer = place.status
    age = (
        _("known {age} ago", age=age_text(answer.age_seconds, context.translate))
        if answer.age_seconds is not None
        else ""
    )
    reason = _("Reason: {reason}", reason=answer.reason) if answer.reason else ""
    return DocumentStatusView(
        answer.label(context.translate),
        answer.number or answer.provisional or "",
        age,
        reason,
        "caution" if answer.stage == "returned" else "good",
        stages_of(context, answer.reached),
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


def hearings_view(
    context: ViewContext, schedule: Schedule | None, page: int, age: str
) -> HearingsView:
    """Return the list; of closed hearings only time and number are shown."""
    _ = context.translate.gettext
    rows = []
    for hearing in schedule.hearings if schedule else ():
        closed = hearing.publicity == "closed"
        rows.append(
            ListedHearing(
                context.clock_text(hearing.starts_at),
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
class FilingFailedView:
    """The filing could not be stored."""

    title: str
    text: str
    pages_kept: bool


def filing_failed_view(context: ViewContext, code: str, kept: int) -> FilingFailedView:
    """Return consequence and remedy."""
    alarm = alarm_of(code)
    return FilingFailedView(
        alarm.say(context.translate), alarm.remedy(context.translate, staff=False), kept > 0
    )
