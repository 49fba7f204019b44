"""How printing a receipt or a ticket goes, and the stages of a document, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from kiosk.alarms import alarm_of
from kiosk.filing.printing.receipt import STAGES
from kiosk.filing.submission.status import STAGE_LABELS
from kiosk.locale import Translator
from kiosk.ui.registry import DocumentStatusPlace, ParkedPlace, ReceiptPlace
from kiosk.ui.theme import Tone


def printer_line(
    translate: Translator, place: ReceiptPlace | ParkedPlace | DocumentStatusPlace
) -> tuple[str, Tone]:
    """Return how printing goes, and the tone of the sentence; empty if nothing was printed."""
    _, is_ticket = translate.gettext, isinstance(place, ParkedPlace)
    match place.printing:
        case None:
            return "", "plain"
        case "printing":
            ticket, receipt = _("The ticket is being printed…"), _("The receipt is being printed…")
            return ticket if is_ticket else receipt, "plain"
        case "printed":
            ticket = _("The ticket is printed. Please take it.")
            receipt = _("The receipt is printed. Please take it.")
            return ticket if is_ticket else receipt, "good"
        case "failed":
            alarm = alarm_of(place.printer_error)
            return f"{alarm.say(translate)} {alarm.remedy(translate, staff=False)}", "caution"
        case never:
            assert_never(never)


def stages_of(translate: Translator, reached: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Return the stages of a document: label, and whether the stage is reached."""
    return tuple((translate(STAGE_LABELS[stage]), stage in reached) for stage in STAGES)
