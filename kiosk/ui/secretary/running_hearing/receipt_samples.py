"""Sample states of the card of a receipt, for the screen's pictures."""

from __future__ import annotations

from typing import Any

from kiosk.config import PrinterSettings
from kiosk.ui.actions.people_actions import AnswerSheet
from kiosk.ui.actions.receipt_actions import ReceiptState
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.app_state import AppState
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import hearing_runs

TAKEN = {
    "id": 7,
    "type": "receipt_taken",
    "at": at(9, 50, 2),
    "of": {"id": "p3", "role": "witness", "name": "Ержан Т."},
}
PRINTED = {"mark": 7, "printed": at(9, 51)}
SCANNED = {**PRINTED, "scan": 1, "scanned": at(9, 53), "pages": 1, "by_code": True}
WARNED = {**TAKEN, "type": "warning_false_testimony"}
NOT_EXPLAINED = {**WARNED, "ended": at(9, 50, 40), "heard": False}
EXPLAINED_SHORT = {**NOT_EXPLAINED, "heard": True, "said_seconds": 0.9, "is_short": True}
EXPLAINED_OVER = {**EXPLAINED_SHORT, "is_short": False, "also": ["witness"]}
RIGHTS = {**TAKEN, "type": "rights_explained"}
EXPERT = {
    **TAKEN,
    "type": "expert_warned",
    "of": {"id": "p4", "role": "expert", "name": "Цой В."},
}
LATER = {"id": 8, "type": "questioning", "at": at(9, 55), "of": TAKEN["of"]}


def _receipt(state: ReceiptState | None = None, **hearing: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        hearing_runs(hearing={"marks": [TAKEN], "kind": "criminal", **hearing})(app)
        printer = PrinterSettings(port="127.0.0.1:9100")
        app.settings = app.settings.model_copy(update={"printer": printer})
        app.receipts.state = state or ReceiptState()

    return prepare


def _typed_answer(app: AppState) -> None:
    hearing_runs(hearing={"publicity": "closed", "open_questions": ["closure_text"]})(app)
    question = app.translate.gettext("Which circumstances hinder an open hearing?")
    app.secretary.people.sheet = AnswerSheet("closure_text", question, Typing("Бала қатысады"))


RECEIPT_SAMPLES: dict[str, Prepare] = {
    "signed-receipt": _receipt(),
    "signed-receipt-printed": _receipt(receipts=[PRINTED]),
    "signed-receipt-no-paper": _receipt(ReceiptState(problem="printer_no_paper")),
    "signed-receipt-scanning": _receipt(ReceiptState(step="paper"), receipts=[PRINTED]),
    "signed-receipt-jam": _receipt(
        ReceiptState(step="paper", problem="scanner_jam"), receipts=[PRINTED]
    ),
    "signed-receipt-other-hearing": _receipt(
        ReceiptState(problem="receipt_other_hearing"), receipts=[PRINTED]
    ),
    "signed-receipt-in-memory": _receipt(
        ReceiptState(problem="recorder_down", can_retry=True), receipts=[PRINTED]
    ),
    "signed-receipt-scanned": _receipt(receipts=[SCANNED]),
    "signed-receipt-question": _receipt(
        marks=[TAKEN, LATER], receipts=[PRINTED], open_questions=["receipt:7"]
    ),
    "explained-warning": _receipt(marks=[WARNED]),
    "explained-expert": _receipt(marks=[EXPERT], language="kk"),
    "explained-rights": _receipt(marks=[RIGHTS], language="ru"),
    "explained-not-heard": _receipt(marks=[NOT_EXPLAINED]),
    "explained-short": _receipt(marks=[EXPLAINED_SHORT]),
    "explained-others-spoke": _receipt(marks=[EXPLAINED_OVER]),
    "recording-question-typed": _typed_answer,
}
