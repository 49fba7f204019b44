"""View of the unfinished filings (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.filing.drafts.parked_filings import UnfinishedFiling
from kiosk.ui.actions.unfinished_filing_actions import UnfinishedFilingsState
from kiosk.ui.service_models import parse_time
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
    """The screen."""

    text: str
    rows: tuple[UnfinishedFilingRow, ...]
    to_delete: str
    receipt_text: str
    receipt_tone: Tone


def unfinished_filings_view(
    context: ViewContext, state: UnfinishedFilingsState
) -> UnfinishedFilingsView:
    """Return the view of the unfinished filings."""
    _ = context.translate.gettext
    text = (
        _(
            "These documents were not finished when the kiosk stopped. "
            "They are deleted by themselves."
        )
        if state.rows
        else _("No unfinished document lies here.")
    )
    receipt_text, tone = _receipt_text(context, state.print_state)
    rows = tuple(_row(context, filing) for filing in state.rows)
    return UnfinishedFilingsView(text, rows, state.to_delete, receipt_text, tone)


def _row(context: ViewContext, filing: UnfinishedFiling) -> UnfinishedFilingRow:
    started_at = parse_time(filing.created_at)
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
            alarm = alarm_of(code)
            return (
                f"{alarm.say(context.translate)} {alarm.remedy(context.translate, staff=True)}",
                "caution",
            )
