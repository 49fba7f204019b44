"""The question whether to end the hearing."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.widgets.widget_kit import WidgetKit


def end_question(kit: WidgetKit, app: AppState, cancel: str) -> list[Widget]:
    """Return the question with its two answers.

    Args:
        cancel: text of the button that goes on.
    """
    _, secretary = kit.translate.gettext, app.secretary
    text = _("End the hearing? It is sealed; nothing can be added after that.")
    running = app.recorder_state.hearing if app.recorder_state else None
    if running and any(row.printed and not row.scan for row in running.receipts):
        text = _(
            "A receipt is not scanned yet. End the hearing? It is sealed; nothing can be added "
            "after that."
        )

    def end() -> None:
        hearing = app.recorder_state.hearing if app.recorder_state else None
        if hearing:
            app.spawn(secretary.end_hearing(hearing.id, hearing.case_number or ""))

    most = 420 if kit.theme.text_size < 3 else 330  # larger answers wrap: the question has room
    return [
        kit.fitted_text(text, "body", wid="rec.end.text", weight="semibold"),
        kit.button("rec.end.cancel", cancel, lambda: secretary.ask_end(False), style="primary",
                   max_width=most),
        kit.button("rec.end.confirm", _("End and seal"), end, icon="stop", style="danger",
                   once=True, max_width=most),
    ]  # fmt: skip
