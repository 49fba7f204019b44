"""The receipt of a submitted filing."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.printing.receipt import status_reference
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import ReceiptPlace
from kiosk.ui.samples.visit_states import submitted
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.printing import printer_line, stages_of


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


def view(app: AppState) -> ReceiptView:
    """Return the receipt; a provisional number stays valid."""
    _, context, place = app.translate.gettext, app.view_context(), app.visit.place_as(ReceiptPlace)
    assert app.visit.submission is not None
    registration, filing = app.visit.submission.registration, app.visit.submission.filing
    if registration.state == "provisional":
        state, label = _("Received, not yet registered"), _("Provisional number")
        reached = ["received"]
        explained = _(
            "There is no connection now. The document is kept here and is registered by itself; "
            "this number stays valid."
        )
    else:
        state, label = _("Registered"), _("Registration number")
        reached = ["received", "registered"]
        explained = _("Hold the code to this kiosk's reader later to see where the document is.")
    pages = sum(document.pages for document in filing.documents)
    summary = (
        context.now.astimezone(context.zone).strftime("%d.%m.%Y %H:%M"),
        app.labels.document_type(filing.document_type),
        app.translate.ngettext("{n} page", "{n} pages", pages),
    )
    originals = _("Hand in on paper: {things}", things="; ".join(filing.not_scanned))
    printer, tone = printer_line(app.translate, place)
    return ReceiptView(
        number=registration.number,
        provisional=registration.state == "provisional",
        state=state,
        label=label,
        summary=" · ".join(summary),
        explained=explained,
        stages=stages_of(app.translate, reached),
        reference=status_reference(filing.id),
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
        originals=originals if filing.not_scanned else "",
    )


SAMPLES = {
    "receipt": submitted(ReceiptPlace(1088.0, "printed")),
    "receipt-printing": submitted(ReceiptPlace(1088.0)),
    "receipt-provisional": submitted(ReceiptPlace(1061.0, "printed"), provisional=True),
    "receipt-printer-silent": submitted(ReceiptPlace(1041.0, "failed", "printer_silent")),
    "receipt-no-paper": submitted(ReceiptPlace(1001.0, "failed", "printer_no_paper")),
}
