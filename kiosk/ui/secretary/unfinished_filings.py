"""Unfinished filings after a crash: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.clocks import parse_wall
from kiosk.filing.drafts.parked_filings import UnfinishedFiling
from kiosk.ui.actions.unfinished_filing_actions import UnfinishedFilingsState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import UnfinishedFilingsPlace
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class UnfinishedFilingRow:
    """An unfinished filing, without personal data."""

    filing_id: str
    text: str
    pages: str
    can_open: bool


@dataclass(frozen=True)
class UnfinishedFilingsView:
    """Unfinished filings, and the state of a receipt's reprint."""

    text: str
    rows: tuple[UnfinishedFilingRow, ...]
    to_delete: str
    receipt_text: str
    receipt_tone: Tone


def view(app: AppState) -> UnfinishedFilingsView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.unfinished_filings.state
    _ = context.translate.gettext
    text = _("No unfinished document lies here.")
    if state.rows:
        text = _(
            "These documents were not finished when the kiosk stopped. "
            "They are deleted by themselves."
        )
    receipt_text, tone = _receipt_text(context, state.print_state)
    rows = tuple(_row(context, filing) for filing in state.rows)
    return UnfinishedFilingsView(text, rows, state.to_delete, receipt_text, tone)


def _row(context: ViewContext, filing: UnfinishedFiling) -> UnfinishedFilingRow:
    started_at = parse_wall(filing.created_at)
    time = started_at.astimezone(context.zone).strftime("%d.%m. %H:%M") if started_at else ""
    return UnfinishedFilingRow(
        filing.filing_id,
        context.translate.gettext("Begun {time}", time=time),
        context.translate.ngettext("{n} page", "{n} pages", filing.page_count),
        filing.is_recoverable,
    )


def _receipt_text(context: ViewContext, print_state: str) -> tuple[str, Tone]:
    _ = context.translate.gettext
    match print_state:
        case "":
            return _("To print a receipt again, hold its code to the reader."), "plain"
        case "printing":
            return _("The receipt is being printed…"), "plain"
        case "printed":
            return _("The receipt is printed."), "good"
        case "not_found":
            return _("This is not the code of a receipt of this kiosk."), "caution"
        case code:
            return context.alarm_text(code), "caution"


# -- samples -------------------------------------------------------------------------------------


def _with(state: UnfinishedFilingsState) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(UnfinishedFilingsPlace())(app)
        app.unfinished_filings.state = state

    return prepare


FOUND = (
    UnfinishedFiling("f1", at(9, 21), 4, None, is_recoverable=True),
    UnfinishedFiling("f2", at(9, 2), 1, None, is_recoverable=False),
)
SAMPLES: dict[str, Prepare] = {
    "unfinished_filings": _with(UnfinishedFilingsState(FOUND)),
    "unfinished_filings-ask": _with(UnfinishedFilingsState(FOUND, to_delete="f1")),
    "unfinished_filings-none": _with(UnfinishedFilingsState(print_state="printed")),
}
