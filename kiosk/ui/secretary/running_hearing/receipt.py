"""View of the card of a receipt: print, sign, scan (R47-R49; S13; АПК 133-3(3)); no Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from kiosk.api.persons import HearingPerson
from kiosk.api.receipts import Receipt, receipt_code
from kiosk.api.recorder import Mark, RunningHearing
from kiosk.clocks import parse_wall
from kiosk.export.signed_receipt import SignedReceipt
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.locale import N_, Translator
from kiosk.rules.explanations import RECEIPT_EVENTS, explanation_for
from kiosk.ui.actions.receipt_actions import ReceiptState
from kiosk.ui.formatting import sentence_case
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.secretary.running_hearing.panel_view import Choice, PanelView, Style
from kiosk.ui.view_context import ViewContext

STEPS = {
    "printing": N_("The receipt is being printed."),
    "paper": N_("Put the signed sheet into the scanner."),
    "glass": N_("Lay the signed sheet on the glass and tap “Scan from the glass”."),
    "moving": N_("The sheet is being scanned."),
    "reading": N_("The sheet is being read."),
}
BY_INSTITUTION = N_(
    "The institution takes this receipt and sends a certified copy by the next working day: scan "
    "that copy."
)
NONE_ONLINE = N_("No receipt is taken from somebody who takes part online.")
TO_SIGN = N_("Print the receipt and have it signed. Then scan the sheet: now or until the end.")
PRINTED = N_("Printed at {time}. When it is signed, scan the sheet: now or until the end.")
SCANNED = N_("Scanned at {time}. It is kept with the hearing.")
KEPT_ELSEWHERE = N_("The scan was kept at the receipt that its code names: {name}")


@dataclass(frozen=True)
class ReceiptCard:
    """The card of the receipt of a mark."""

    mark: int
    panel: PanelView


def receipt_mark(hearing: RunningHearing, state: ReceiptState) -> Mark | None:
    """Return the mark whose card is shown: the opened one, else the newest if it is a receipt's.

    Whom it concerns is asked first.
    """
    marks = {mark.id: mark for mark in hearing.marks if not mark.withdrawn}
    newest = hearing.newest_mark
    number = state.mark or (newest.id if newest is not None else 0)
    mark = marks.get(number)
    if mark is None or mark.type not in RECEIPT_EVENTS:
        return None
    is_unnamed = f"{OF_WHOM_PREFIX}{mark.id}" in hearing.open_questions
    return None if not state.mark and (mark.id == state.hidden or is_unnamed) else mark


def receipt_of(hearing: RunningHearing, mark: int) -> Receipt:
    """Return what became of the receipt of a mark."""
    return next((row for row in hearing.receipts if row.mark == mark), Receipt(mark=mark))


def receipt_view(
    context: ViewContext, hearing: RunningHearing, state: ReceiptState
) -> ReceiptCard | None:
    """Return the card of a receipt; None: none is open."""
    mark = receipt_mark(hearing, state)
    if mark is None:
        return None
    label = sentence_case(context.labels.event(mark.type))
    name = mark.of.name if mark.of is not None else ""
    title = f"{label}: {name}" if name else label
    receipt = receipt_of(hearing, mark.id)
    text = _text(context, hearing, state, mark, receipt)
    choices = _choices(context, hearing, state, mark, receipt)
    return ReceiptCard(mark.id, PanelView(title, text, choices))


def _text(
    context: ViewContext, hearing: RunningHearing, state: ReceiptState, mark: Mark, receipt: Receipt
) -> str:
    _ = context.translate.gettext
    if state.problem:
        return context.alarm_text(state.problem)
    if state.step:
        return _(STEPS[state.step])
    if state.kept and state.kept != mark.id:
        other = next((row for row in hearing.marks if row.id == state.kept), mark)
        name = other.of.name if other.of is not None else context.clock_text(other.at)
        return _(KEPT_ELSEWHERE, name=name)
    if receipt.scan:
        return _(SCANNED, time=context.clock_text(receipt.scanned))
    if _is_online(hearing, mark):
        return _(BY_INSTITUTION) if _is_of_institution(hearing, mark) else _(NONE_ONLINE)
    if receipt.printed:
        return _(PRINTED, time=context.clock_text(receipt.printed))
    return _(TO_SIGN)


def _choices(
    context: ViewContext, hearing: RunningHearing, state: ReceiptState, mark: Mark, receipt: Receipt
) -> tuple[Choice, ...]:
    _ = context.translate.gettext
    if state.is_scanning:
        glass = Choice("glass:", _("Scan from the glass"), "scanner")
        stop = Choice("stop:", _("Do not scan now"), "close")
        return (glass, stop) if state.step in ("paper", "glass") else ()
    if state.can_retry:
        return (Choice("retry:", _("Keep the scan again"), "check", "primary"),)
    if receipt.scan:
        again = _("Take the scan back: wrong sheet")
        return (Choice(f"withdraw:{receipt.scan}", again, "undo"),)
    is_online = _is_online(hearing, mark)
    scans = not is_online or _is_of_institution(hearing, mark)
    printing = () if is_online else (
        Choice("print:", _("Print again") if receipt.printed else _("Print the receipt"),
               "printer-outline", "plain" if receipt.printed else "primary"),
    )  # fmt: skip
    style: Style = "primary" if receipt.printed or is_online else "plain"
    scan = (Choice("scan:", _("Scan the signed sheet"), "scanner", style),) if scans else ()
    return (*printing, *scan)


def _is_online(hearing: RunningHearing, mark: Mark) -> bool:
    """Return whether the person takes part online: then no receipt is taken here (R49)."""
    person = _person(hearing, mark)
    return person is not None and person.attendance == "online"


def _is_of_institution(hearing: RunningHearing, mark: Mark) -> bool:
    person = _person(hearing, mark)
    return person is not None and person.institution


def _person(hearing: RunningHearing, mark: Mark) -> HearingPerson | None:
    return next((p for p in hearing.persons if mark.of is not None and p.id == mark.of.id), None)


def receipt_paper(
    labels: RuleLabels, translate: Translator, hearing: RunningHearing, number: int, zone: ZoneInfo
) -> SignedReceipt:
    """Return what is printed, in the language of ``translate`` and ``labels``, without the court.

    Args:
        number: of the mark.
    """
    mark = next(mark for mark in hearing.marks if mark.id == number)
    role, name = (mark.of.role, mark.of.name) if mark.of is not None else ("", "")
    person = _person(hearing, mark)
    found = explanation_for(
        labels.rules.explanations.values(),
        mark.type,
        str(hearing.kind or ""),
        role,
        minor=person is not None and person.minor,
    )
    law = found.law_text(translate.language) if found is not None else None
    moment = parse_wall(mark.at)
    return SignedReceipt(
        case_number=hearing.case_number or "",
        subject=sentence_case(labels.event(mark.type)),
        norm=law.norm if law else "",
        text=law.text if law else "",
        role=sentence_case(labels.role(role)) if role else "",
        name=name,
        day="" if moment is None else moment.astimezone(zone).strftime("%d.%m.%Y"),
        code=receipt_code(hearing.id, mark.id),
    )
