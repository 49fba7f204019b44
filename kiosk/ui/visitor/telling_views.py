"""Views of the questions about the filing: pure functions, without Kivy."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.form.applicant import field_problems
from kiosk.filing.form.fee import PAYMENT_PROOF_SLOT, FeeOption, format_tenge
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Applicant, Filing
from kiosk.rules import Rules
from kiosk.ui.formatting import sentence_case
from kiosk.ui.registry import (
    ApplicantPlace,
    CaseNumberPlace,
    DocumentsPlace,
    FeePlace,
    ResumePlace,
    SheetCountPlace,
)
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext
from kiosk.ui.visitor.flow.filing_questions import APPLICANT_FIELDS


@dataclass(frozen=True)
class CaseView:
    """Whether a case exists already."""

    type_label: str
    kinds: tuple[tuple[str, str], ...]


def case_view(labels: RuleLabels, filing: Filing) -> CaseView:
    """Return the kinds that a new case may have."""
    row = labels.rules.document_types.get(filing.document_type)
    kinds = row.kinds if row else ()
    return CaseView(
        labels.document_type(filing.document_type),
        tuple((kind, labels.kind_title(kind)) for kind in kinds),
    )


@dataclass(frozen=True)
class CaseNumberView:
    """The typed case number, and what is known of the case."""

    typed: str
    key_page: int
    is_searching: bool
    answer: str
    detail: str
    tone: Tone


def case_number_view(
    context: ViewContext, labels: RuleLabels, place: CaseNumberPlace
) -> CaseNumberView:
    """Return what is known of the number; an unknown one is accepted too (R14)."""
    _ = context.translate.gettext
    answer, detail, tone = "", "", "plain"
    if place.is_searching:
        answer = _("Looking for the case…")
    elif place.found is not None:
        match place.found.state:
            case "known":
                answer, tone = _("This case is known."), "good"
                kind = labels.kind_title(place.found.kind) if place.found.kind else ""
                court = context.translate.pick(dict(place.found.court)) if place.found.court else ""
                detail = " · ".join(part for part in (kind, court) if part)
            case "unknown":
                answer, tone = _("The court's list does not have this number."), "caution"
                detail = _("Compare it with your paper. It is taken all the same.")
            case "unchecked":
                answer = _("The number cannot be checked now.")
                detail = _("It is taken as you typed it.")
    return CaseNumberView(
        place.typed, place.key_page, place.is_searching, answer, detail, _tone(tone)
    )


def _tone(tone: str) -> Tone:
    return "good" if tone == "good" else "caution" if tone == "caution" else "plain"


# -- who files -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ApplicantField:
    """One field of the applicant; ``advice`` says what looks wrong."""

    id: str
    label: str
    text: str
    advice: str
    fine: bool


@dataclass(frozen=True)
class ApplicantView:
    """The applicant."""

    kind: str
    fields: tuple[ApplicantField, ...]
    active_field: str
    key_page: int
    has_capitals: bool
    empty: bool


def applicant_view(context: ViewContext, rules: Rules, place: ApplicantPlace) -> ApplicantView:
    """Return the fields, with problems in words; nothing is refused."""
    found = field_problems(place.applicant, rules)
    fields = tuple(
        _applicant_field(context, rules, place.applicant, field, found.get(field))
        for field in APPLICANT_FIELDS[place.applicant.kind]
    )
    return ApplicantView(
        place.applicant.kind,
        fields,
        place.active_field,
        place.key_page,
        place.has_capitals,
        not any(field.text for field in fields),
    )


def _applicant_field(
    context: ViewContext, rules: Rules, applicant: Applicant, field: str, problem: str | None
) -> ApplicantField:
    _ = context.translate.gettext
    labels = {
        "iin": _("IIN"),
        "bin": _("BIN"),
        "name": _("Name"),
        "phone": _("Phone"),
        "organisation": _("Organisation"),
    }
    if field == "name" and applicant.kind == "entity":
        labels["name"] = _("Who acts for it")
    text = str(getattr(applicant, field))
    said, fine = "", False
    if text and problem in ("iin_length", "bin_length"):
        said = _("{n} of 12 digits", n=sum(c.isdigit() for c in text))
    elif text and problem in ("iin_check_digit", "bin_check_digit"):
        said = _("A digit is wrong. Compare it with your document.")
    elif text and problem in ("iin_date", "bin_form"):
        said = _("Such a number is not given. Compare it with your document.")
    elif text and field in ("iin", "bin"):
        said, fine = _("The number is complete."), True
    elif not text and field in rules.applicant_fields and problem is None:
        said = _("if you wish")
    return ApplicantField(field, labels[field], text, said, fine)


# -- documents in turn ---------------------------------------------------------------------------


@dataclass(frozen=True)
class DocumentRow:
    """One document of the filing: ``state`` in words, ``tone`` its colours."""

    id: str
    label: str
    state: str
    tone: Tone
    icon: str


@dataclass(frozen=True)
class DocumentsView:
    """The documents of the filing, and the chosen one."""

    rows: tuple[DocumentRow, ...]
    chosen: str
    label: str
    note: str
    pages: int
    skipped: bool
    many: bool
    fee: bool
    page: int
    progress: str
    originals: str


def documents_view(
    context: ViewContext,
    labels: RuleLabels,
    slots: tuple[SlotView, ...],
    filing: Filing,
    place: DocumentsPlace,
) -> DocumentsView:
    """Return the documents; the next one is neither present nor skipped."""
    _, ngettext = context.translate.gettext, context.translate.ngettext
    rows = tuple(_document_row(context, labels, view, slots) for view in slots)
    waiting = [view for view in slots if not view.pages and not view.slot.skipped]
    known = {view.slot.id: view for view in slots}
    view = known.get(place.chosen) or (waiting[0] if waiting else slots[-1])
    row = next(row for row in rows if row.id == view.slot.id)
    there = sum(bool(view.pages) for view in slots)
    note = row.state
    if not view.pages:
        note = (
            _("The court expects this document.")
            if view.slot.required
            else _("If you have it with you.")
        )
    if view.slot.skipped:
        note = _("Written down as missing. You may bring it later.")
    return DocumentsView(
        rows=rows,
        chosen=view.slot.id,
        label=row.label,
        note=note,
        pages=len(view.pages),
        skipped=view.slot.skipped,
        many=view.slot.many,
        fee=view.slot.type == PAYMENT_PROOF_SLOT,
        page=place.page,
        progress=_("{n} of {m} are there", n=there, m=len(slots)),
        originals=ngettext(
            "{n} original on paper", "{n} originals on paper", len(filing.not_scanned)
        )
        if filing.not_scanned
        else "",
    )


def _document_row(
    context: ViewContext, labels: RuleLabels, view: SlotView, slots: tuple[SlotView, ...]
) -> DocumentRow:
    _ = context.translate.gettext
    same = [other.slot.id for other in slots if other.slot.type == view.slot.type]
    label = labels.document_type(view.slot.type)
    if len(same) > 1:
        label = f"{label} {same.index(view.slot.id) + 1}"
    if view.pages:
        count = context.translate.ngettext("{n} page", "{n} pages", len(view.pages))
        if view.sheets.has_mismatch:
            return DocumentRow(view.slot.id, label, count, "caution", "alert-outline")
        return DocumentRow(view.slot.id, label, count, "good", "check")
    if view.slot.skipped:
        return DocumentRow(view.slot.id, label, _("missing"), "plain", "minus-circle-outline")
    return DocumentRow(view.slot.id, label, "", "plain", "file-document-outline")


# -- sheets --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SheetCountView:
    """How many sheets were inserted."""

    title: str
    text: str
    typed: str
    has_keypad: bool
    has_mismatch: bool
    has_missing_sheet: bool


def sheet_count_view(context: ViewContext, place: SheetCountPlace, scanned: int) -> SheetCountView:
    """Return the question, or the difference to the scanned number in words."""
    _, ngettext = context.translate.gettext, context.translate.ngettext
    if place.declared is None:
        return SheetCountView(
            _("How many sheets did you put in?"),
            _("Count sheets of paper, not pages. So no sheet is lost."),
            place.typed,
            place.has_keypad,
            has_mismatch=False,
            has_missing_sheet=False,
        )
    said = ngettext("You put in {n} sheet.", "You put in {n} sheets.", place.declared)
    came = ngettext("{n} sheet was scanned.", "{n} sheets were scanned.", scanned)
    has_missing_sheet = scanned < place.declared
    text = (
        _("Two sheets may have gone through together. Scan the missing one.")
        if has_missing_sheet
        else _("Perhaps a sheet went through twice. Look the pages over.")
    )
    return SheetCountView(
        f"{said} {came}",
        text,
        "",
        has_keypad=False,
        has_mismatch=True,
        has_missing_sheet=has_missing_sheet,
    )


# -- originals -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OriginalsView:
    """Originals that do not fit the scanner: key, name, icon, whether chosen."""

    choices: tuple[tuple[str, str, str, bool], ...]


def originals_view(context: ViewContext, filing: Filing) -> OriginalsView:
    """Return the kinds of originals that cannot be scanned."""
    _ = context.translate.gettext
    names = (
        ("disc", _("Disc or memory stick"), "disc"),
        ("passport", _("Passport or identity card"), "passport"),
        ("book", _("Bound book or thick file"), "book-open-page-variant-outline"),
        ("plan", _("Large plan or drawing"), "map-outline"),
        ("photo", _("Photographs"), "image-outline"),
        ("thing", _("Thing as evidence"), "package-variant"),
    )
    listed = set(filing.not_scanned)
    return OriginalsView(tuple((key, name, icon, name in listed) for key, name, icon in names))


# -- the state fee -------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeeView:
    """A hint about the state fee."""

    label: str
    figure: str
    text: str
    amount: str
    amount_asked: bool
    exempt: str
    code: str
    choosing: str
    choices: tuple[tuple[str, str], ...]
    chosen: str
    page: int
    several: bool


def fee_view(
    context: ViewContext,
    place: FeePlace,
    fees: tuple[FeeOption, ...],
    exemptions: tuple[FeeOption, ...],
) -> FeeView:
    """Return what may be due, and why there is no figure; never a reason to refuse (R14)."""
    _ = context.translate.gettext
    hint = place.hint
    problem = hint.problem if hint else "no_rate"
    figure = _("{n} tenge", n=grouped(format_tenge(hint.to_pay))) if hint and hint.to_pay else ""
    words = {
        "no_fee": _("No state fee is known for this document."),
        "choose_fee": _("Choose what you ask the court for."),
        "amount_needed": _("Type the amount of the claim in tenge."),
        "no_index": _("The fee of this day is not known here. Ask the secretary."),
        "no_rate": _("This fee is not known here. Ask the secretary."),
    }
    text = words[problem] if problem else _("A hint only. The court decides what is due.")
    if place.exemption is not None:
        text = _("Exemption named. The court decides about it.")
    names = {choice.id: choice.label for choice in exemptions}
    choices = fees if place.choosing == "fee" else exemptions
    labels = {choice.id: choice.label for choice in fees}
    return FeeView(
        label=sentence_case(labels.get(place.fee or "", "")),
        figure=figure,
        text=text,
        amount=grouped(place.amount),
        amount_asked=problem in (None, "amount_needed") or bool(place.amount),
        exempt=sentence_case(names.get(place.exemption or "", "")),
        code=hint.payment_text if hint and hint.to_pay else "",
        choosing=place.choosing,
        choices=tuple((choice.id, sentence_case(choice.label)) for choice in choices),
        chosen=(place.fee if place.choosing == "fee" else place.exemption) or "",
        page=place.page,
        several=len(fees) > 1,
    )


def grouped(digits: str) -> str:
    """Return an amount with its thousands apart: ``1 000 000``."""
    whole, mark, rest = digits.partition(".")
    try:
        return f"{int(whole):,}".replace(",", " ") + (f",{rest}" if mark else "")
    except ValueError:
        return digits


# -- going on with a ticket ----------------------------------------------------------------------


@dataclass(frozen=True)
class ResumeView:
    """The code of a ticket."""

    typed: str
    answer: str
    is_searching: bool


def resume_view(context: ViewContext, place: ResumePlace) -> ResumeView:
    """Return what was typed and what came of it."""
    _ = context.translate.gettext
    answer = ""
    if place.is_unknown:
        answer = _("No kept document belongs to this code. Perhaps its time is over.")
    elif place.is_searching:
        answer = _("Looking for your document…")
    groups = place.typed.replace("-", "")
    typed = "-".join(groups[at : at + 4] for at in range(0, len(groups), 4))
    return ResumeView(typed, answer, place.is_searching)
