"""Text of the step that scans a receipt after the hearing's end, into its minutes (R47, R48)."""

from __future__ import annotations

from kiosk.api.minutes import ShortMinutes
from kiosk.ui.actions.receipt_actions import ReceiptState
from kiosk.ui.secretary.running_hearing.receipt import STEPS
from kiosk.ui.view_context import ViewContext


def late_receipt_text(context: ViewContext, minutes: ShortMinutes, state: ReceiptState) -> str:
    """Return what goes on: a fault, a step of the scanner, what was kept, or what to do."""
    _ = context.translate.gettext
    if state.choices:
        return _("The sheet does not say whose receipt it is. Read it and choose the event.")
    if state.problem == "receipt_unknown":
        return _("The scan was not kept: no receipt of this hearing waits for one.")
    if state.problem:
        return context.alarm_text(state.problem)
    if state.step:
        return _(STEPS[state.step])
    if state.kept:
        return _("The scan is kept with these minutes, and they say so.")
    if minutes.late_receipts:
        return _("Receipts scanned after the hearing: {n}.", n=len(minutes.late_receipts))
    return _("For a receipt that was signed after the hearing. The code on the sheet says whose.")
