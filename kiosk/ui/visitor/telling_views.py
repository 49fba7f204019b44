"""What the screens say on which the visitor tells about the filing: pure functions, no Kivy."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.form.applicant import advice
from kiosk.filing.form.fee import PROOF, Choice, tenge
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Applicant, Filing
from kiosk.rules import Rules
from kiosk.ui.here import Here
from kiosk.ui.places import AskingFee, Counting, Gathering, Introducing, NamingCase, Resuming
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.flow.filing_questions import ENTRIES
from kiosk.ui.words import sentence_case


@dataclass(frozen=True)
class CaseView:
    """Is there a case already?"""

    type_label: str
    kinds: tuple[tuple[str, str], ...]


def case_view(labels: RuleLabels, filing: Filing) -> CaseView:
    """Return the kinds of which a new case may be."""
    row = labels.rules.document_types.get(filing.document_type)
    kinds = row.kinds if row else ()
    return CaseView(
        labels.document_type(filing.document_type),
        tuple((kind, labels.kind_title(kind)) for kind in kinds),
    )


@dataclass(frozen=True)
class NumberView:
    """The number of a case: what is typed, and what is known of it."""

    typed: str
    keys: int
    asking: bool
    answer: str
    detail: str
    tone: Tone


def number_view(here: Here, labels: RuleLabels, place: NamingCase) -> NumberView:
    """Return what is known of the number; an unknown one is taken all the same (R14)."""
    _ = here.say.gettext
    answer, detail, tone = "", "", "plain"
    if place.asking:
        answer = _("Looking for the case…")
    elif place.found is not None:
        match place.found.state:
            case "known":
                answer, tone = _("This case is known."), "good"
                kind = labels.kind_title(place.found.kind) if place.found.kind else ""
                court = here.say.pick(dict(place.found.court)) if place.found.court else ""
                detail = " · ".join(part for part in (kind, court) if part)
            case "unknown":
                answer, tone = _("The court's list does not have this number."), "caution"
                detail = _("Compare it with your paper. It is taken all the same.")
            case "unchecked":
                answer = _("The number cannot be checked now.")
                detail = _("It is taken as you typed it.")
    return NumberView(place.typed, place.keys, place.asking, answer, detail, _tone(tone))


def _tone(tone: str) -> Tone:
    return "good" if tone == "good" else "caution" if tone == "caution" else "plain"


# -- who files -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One entry about who files; ``advice`` says at once what looks wrong."""

    id: str
    label: str
    text: str
    advice: str
    fine: bool


@dataclass(frozen=True)
class WhoView:
    """Who files."""

    kind: str
    entries: tuple[Entry, ...]
    entry: str
    keys: int
    capitals: bool
    empty: bool


def who_view(here: Here, rules: Rules, place: Introducing) -> WhoView:
    """Return the entries, with what looks wrong in words; nothing refuses."""
    found = advice(place.applicant, rules)
    entries = tuple(
        _entry(here, rules, place.applicant, entry, found.get(entry))
        for entry in ENTRIES[place.applicant.kind]
    )
    return WhoView(
        place.applicant.kind,
        entries,
        place.entry,
        place.keys,
        place.capitals,
        not any(entry.text for entry in entries),
    )


def _entry(
    here: Here, rules: Rules, applicant: Applicant, entry: str, problem: str | None
) -> Entry:
    _ = here.say.gettext
    labels = {
        "iin": _("IIN"),
        "bin": _("BIN"),
        "name": _("Name"),
        "phone": _("Phone"),
        "organisation": _("Organisation"),
    }
    if entry == "name" and applicant.kind == "entity":
        labels["name"] = _("Who acts for it")
    text = str(getattr(applicant, entry))
    said, fine = "", False
    if text and problem in ("iin_length", "bin_length"):
        said = _("{n} of 12 digits", n=sum(c.isdigit() for c in text))
    elif text and problem in ("iin_check_digit", "bin_check_digit"):
        said = _("A digit is wrong. Compare it with your document.")
    elif text and problem in ("iin_date", "bin_form"):
        said = _("Such a number is not given. Compare it with your document.")
    elif text and entry in ("iin", "bin"):
        said, fine = _("The number is complete."), True
    elif not text and entry in rules.applicant_fields and problem is None:
        said = _("if you wish")
    return Entry(entry, labels[entry], text, said, fine)


# -- documents in turn ---------------------------------------------------------------------------


@dataclass(frozen=True)
class SlotRow:
    """One document of the filing: ``state`` in words, ``tone`` how it looks."""

    id: str
    label: str
    state: str
    tone: Tone
    icon: str


@dataclass(frozen=True)
class SlotsView:
    """The documents in turn, and the one that is next."""

    rows: tuple[SlotRow, ...]
    chosen: str
    label: str
    told: str
    pages: int
    skipped: bool
    many: bool
    fee: bool
    page: int
    progress: str
    originals: str


def slots_view(
    here: Here, labels: RuleLabels, slots: tuple[SlotView, ...], filing: Filing, place: Gathering
) -> SlotsView:
    """Return the documents; the next one is that which is neither there nor skipped."""
    _, ngettext = here.say.gettext, here.say.ngettext
    rows = tuple(_slot_row(here, labels, view, slots) for view in slots)
    waiting = [view for view in slots if not view.pages and not view.slot.skipped]
    known = {view.slot.id: view for view in slots}
    view = known.get(place.chosen) or (waiting[0] if waiting else slots[-1])
    row = next(row for row in rows if row.id == view.slot.id)
    there = sum(bool(view.pages) for view in slots)
    told = row.state
    if not view.pages:
        told = (
            _("The court expects this document.")
            if view.slot.required
            else _("If you have it with you.")
        )
    if view.slot.skipped:
        told = _("Written down as missing. You may bring it later.")
    return SlotsView(
        rows=rows,
        chosen=view.slot.id,
        label=row.label,
        told=told,
        pages=len(view.pages),
        skipped=view.slot.skipped,
        many=view.slot.many,
        fee=view.slot.type == PROOF,
        page=place.page,
        progress=_("{n} of {m} are there", n=there, m=len(slots)),
        originals=ngettext(
            "{n} original on paper", "{n} originals on paper", len(filing.not_scanned)
        )
        if filing.not_scanned
        else "",
    )


def _slot_row(
    here: Here, labels: RuleLabels, view: SlotView, slots: tuple[SlotView, ...]
) -> SlotRow:
    _ = here.say.gettext
    same = [other.slot.id for other in slots if other.slot.type == view.slot.type]
    label = labels.document_type(view.slot.type)
    if len(same) > 1:
        label = f"{label} {same.index(view.slot.id) + 1}"
    if view.pages:
        count = here.say.ngettext("{n} page", "{n} pages", len(view.pages))
        if view.sheets.differs:
            return SlotRow(view.slot.id, label, count, "caution", "alert-outline")
        return SlotRow(view.slot.id, label, count, "good", "check")
    if view.slot.skipped:
        return SlotRow(view.slot.id, label, _("missing"), "plain", "minus-circle-outline")
    return SlotRow(view.slot.id, label, "", "plain", "file-document-outline")


# -- sheets --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SheetsView:
    """How many sheets were put in."""

    title: str
    text: str
    typed: str
    pad: bool
    differs: bool
    fewer: bool


def sheets_view(here: Here, place: Counting, scanned: int) -> SheetsView:
    """Return the question, or in words that another number was scanned."""
    _, ngettext = here.say.gettext, here.say.ngettext
    if place.said is None:
        return SheetsView(
            _("How many sheets did you put in?"),
            _("Count sheets of paper, not pages. So no sheet is lost."),
            place.typed,
            place.pad,
            differs=False,
            fewer=False,
        )
    said = ngettext("You put in {n} sheet.", "You put in {n} sheets.", place.said)
    came = ngettext("{n} sheet was scanned.", "{n} sheets were scanned.", scanned)
    fewer = scanned < place.said
    text = (
        _("Two sheets may have gone through together. Scan the missing one.")
        if fewer
        else _("Perhaps a sheet went through twice. Look the pages over.")
    )
    return SheetsView(f"{said} {came}", text, "", pad=False, differs=True, fewer=fewer)


# -- originals -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OriginalsView:
    """What does not fit the scanner; each with an icon, and whether it is on the list."""

    choices: tuple[tuple[str, str, str, bool], ...]


def originals_view(here: Here, filing: Filing) -> OriginalsView:
    """Return what visitors bring that cannot be scanned."""
    _ = here.say.gettext
    names = (
        ("disc", _("Disc or memory stick"), "disc"),
        ("passport", _("Passport or identity card"), "passport"),
        ("book", _("Bound book or thick file"), "book-open-page-variant-outline"),
        ("plan", _("Large plan or drawing"), "map-outline"),
        ("photo", _("Photographs"), "image-outline"),
        ("thing", _("Thing as evidence"), "package-variant"),
    )
    listed = set(filing.not_scanned)
    return OriginalsView(tuple((one, name, icon, name in listed) for one, name, icon in names))


# -- the state fee -------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeeView:
    """A hint about the state fee; no row, no figure."""

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
    here: Here, place: AskingFee, fees: tuple[Choice, ...], exemptions: tuple[Choice, ...]
) -> FeeView:
    """Return what may be due, and why there is no figure; never a reason to refuse (R14)."""
    _ = here.say.gettext
    hint = place.hint
    problem = hint.problem if hint else "no_rate"
    figure = _("{n} tenge", n=grouped(tenge(hint.to_pay))) if hint and hint.to_pay else ""
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
    """A ticket's code."""

    typed: str
    answer: str
    working: bool


def resume_view(here: Here, place: Resuming) -> ResumeView:
    """Return what was typed and what came of it."""
    _ = here.say.gettext
    answer = ""
    if place.wrong:
        answer = _("No kept document belongs to this code. Perhaps its time is over.")
    elif place.working:
        answer = _("Looking for your document…")
    groups = place.typed.replace("-", "")
    typed = "-".join(groups[at : at + 4] for at in range(0, len(groups), 4))
    return ResumeView(typed, answer, place.working)
