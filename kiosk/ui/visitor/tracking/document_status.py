"""Where a document is, by the code of its receipt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.filing.submission.status import FilingStatus
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import age_text
from kiosk.ui.registry import DocumentStatusPlace
from kiosk.ui.samples.service_states import NOW
from kiosk.ui.samples.visit_states import REFERENCE, visit
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.printing import printer_line, stages_of


@dataclass(frozen=True)
class DocumentStatusView:
    """The answer; empty while the code of a receipt is awaited."""

    answer: str = ""
    number: str = ""
    detail: str = ""
    reason: str = ""
    tone: Tone = "plain"
    stages: tuple[tuple[str, bool], ...] = ()
    printer: str = ""
    printer_tone: Tone = "plain"
    can_print: bool = False


def view(app: AppState) -> DocumentStatusView:
    """Return where the document of the receipt is."""
    _, place = app.translate.gettext, app.visit.place_as(DocumentStatusPlace)
    status = place.status
    if place.error in ("filing_damaged", "not_found"):
        text = _("This receipt is not from this kiosk, or its document is gone.")
        return DocumentStatusView(text, detail=_("Ask the secretary."), tone="caution")
    if place.error:
        text = _("Where the document is cannot be asked now.")
        return DocumentStatusView(text, detail=_("Try again in a minute."), tone="caution")
    if status is None:
        return DocumentStatusView()
    age = age_text(status.age_seconds or 0.0, app.translate)
    printer, printer_tone = printer_line(app.translate, place)
    return DocumentStatusView(
        answer=status.label(app.translate),
        number=status.number or status.provisional or "",
        detail="" if status.age_seconds is None else _("known {age} ago", age=age),
        reason=_("Reason: {reason}", reason=status.reason) if status.reason else "",
        tone="caution" if status.stage == "returned" else "good",
        stages=stages_of(app.translate, status.reached),
        printer=printer,
        printer_tone=printer_tone,
        can_print=place.printing != "printing",
    )


NUMBER = "7514-26-00-4/1187"
ACCEPTED = FilingStatus(
    "accepted", ("received", "registered", "sent", "accepted"), NUMBER, None, None, NOW, 240.0
)
RETURNED = replace(
    ACCEPTED,
    stage="returned",
    reached=("received", "registered", "sent", "returned"),
    reason="Қол қойылмаған",
    age_seconds=86400.0 * 3,
)
NOT_PRINTED = DocumentStatusPlace(
    REFERENCE, RETURNED, printing="failed", printer_error="printer_no_paper"
)
SAMPLES = {
    "document_status": visit(DocumentStatusPlace()),
    "document_status-found": visit(DocumentStatusPlace(REFERENCE, ACCEPTED)),
    "document_status-returned": visit(NOT_PRINTED),
    "document_status-unknown": visit(DocumentStatusPlace(REFERENCE, error="not_found")),
    "document_status-offline": visit(DocumentStatusPlace(REFERENCE, error="sync_down")),
}
