"""The summary of everything that goes to the court."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.form.fee import format_tenge
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import group_thousands
from kiosk.ui.registry import SummaryPlace
from kiosk.ui.samples.visit_states import ORGANISATION, PAGE_ADVICE, filing, visit
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.scan.thumbnails import make_thumbnails


@dataclass(frozen=True)
class SummaryLine:
    """One line of the summary; ``target`` is what a touch on it opens."""

    target: str
    label: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class SummaryView:
    """The summary before submission; only the title is spoken: the lines hold names."""

    title: str
    rows: tuple[SummaryLine, ...]


def view(app: AppState) -> SummaryView:
    """Return what will be submitted and what is missing; nothing is refused (R14)."""
    _, ngettext, labels = app.translate.gettext, app.translate.ngettext, app.labels
    visit, record = app.visit, app.visit.record
    pages = ngettext("{n} page", "{n} pages", len(record.kept_pages))
    there = [
        f"{labels.document_type(view.slot.type)} – "
        + ngettext("{n} page", "{n} pages", len(view.pages))
        for view in visit.slots
        if view.pages
    ]
    missing = [labels.document_type(view.slot.type) for view in visit.slots if view.is_missing]
    lines = [
        SummaryLine("type", _("What"), labels.document_type(record.document_type)),
        SummaryLine("case", _("Case"), _case_text(app)),
        SummaryLine("who", _("Who files"), _applicant_text(app)),
        SummaryLine("slots", pages, "; ".join(there)),
    ]
    flagged = sum(page.is_flagged for page in make_thumbnails(visit.pages, visit.checks))
    if flagged:
        note = ngettext(
            "{n} page may be hard to read. Look at it once more.",
            "{n} pages may be hard to read. Look at them once more.",
            flagged,
        )
        lines.append(SummaryLine("slots", _("Look here"), note, "caution"))
    if missing:
        lines.append(SummaryLine("slots", _("Missing"), "; ".join(missing)))
    if record.not_scanned:
        lines.append(SummaryLine("originals", _("On paper"), "; ".join(record.not_scanned)))
    if visit.fee.options or visit.fee.is_free:
        lines.append(SummaryLine("fee", _("State fee"), _fee_text(app)))
    return SummaryView(_("Hand in this document?"), tuple(lines))


def _case_text(app: AppState) -> str:
    _, record = app.translate.gettext, app.visit.record
    if record.case_number:
        return record.case_number
    if record.case_kind:
        return _("A new case: {kind}", kind=app.labels.kind(record.case_kind))
    return _("not said")


def _applicant_text(app: AppState) -> str:
    who = app.visit.record.applicant
    name = ", ".join(part for part in (who.organisation, who.name) if part)
    number = who.bin if who.kind == "entity" else who.iin
    known = " · ".join(part for part in (name, number) if part)
    return known or app.translate.gettext("not said")


def _fee_text(app: AppState) -> str:
    _, fee = app.translate.gettext, app.visit.record.fee
    if app.visit.fee.is_free:
        return _("Nobody pays a state fee for this document.")
    if fee is not None and fee.exemption in app.labels.deferrals():
        return _("Nothing is to be paid before the decision. The court decides about it.")
    if fee is not None and fee.exemption is not None:
        return _("Exemption named. The court decides about it.")
    if fee is not None and fee.hint is not None:
        return _("{n} tenge", n=group_thousands(format_tenge(fee.hint)))
    return _("Touch here to see what may be due")


SAMPLES = {
    "summary": filing(SummaryPlace()),
    "summary-flagged": visit(SummaryPlace(), 3, PAGE_ADVICE),
    "summary-full": filing(
        SummaryPlace(),
        declared=3,
        applicant=ORGANISATION,
        skipped=("fee_receipt",),
        originals=("Диск", "Паспорт"),
    ),
}
