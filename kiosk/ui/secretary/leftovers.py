"""Visitors' papers in the secretary's hands: what a crash left unfinished, and receipts again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.errors import KioskError
from kiosk.filing.drafts.parking import Unfinished
from kiosk.filing.service import FilingDesk, OpenFiling
from kiosk.hardware.receipt_printer import PrinterError
from kiosk.ipc import LocalClient
from kiosk.ui.facts import moment
from kiosk.ui.here import Here
from kiosk.ui.theme import Tone


@dataclass(frozen=True)
class LeftoversState:
    """What lies there; ``asks``: the one whose deletion is to be confirmed.

    ``printed`` is ``printing``, ``printed`` or the code of what went wrong with a receipt.
    """

    rows: tuple[Unfinished, ...] = ()
    asks: str = ""
    printed: str = ""


@dataclass(frozen=True)
class LeftoverRow:
    """An unfinished filing: nothing about anybody."""

    filing_id: str
    text: str
    pages: str
    can_open: bool


@dataclass(frozen=True)
class LeftoversView:
    """The screen."""

    text: str
    rows: tuple[LeftoverRow, ...]
    asks: str
    told: str
    told_tone: Tone


class Leftovers:
    """Opens, deletes and prints again.

    Args:
        desk: the filing room.
        recorder: opens keys for a secretary whose token it carries.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        desk: FilingDesk,
        recorder: LocalClient,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._desk, self._recorder = desk, recorder
        self._changed, self._failed = on_change, on_error
        self.state = LeftoversState()

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._changed()

    def look(self) -> None:
        """Look what lies there; parked filings belong to their tickets."""
        rows = tuple(one for one in self._desk.unfinished() if one.parked_until is None)
        self.state = LeftoversState(rows)
        self._changed()

    def ask(self, filing_id: str) -> None:
        """Ask whether to delete; empty: leave it."""
        self._set(asks=filing_id)

    def wipe(self) -> None:
        """Delete the one that was asked about."""
        try:
            self._desk.wipe_left_behind(self.state.asks)
        except KioskError as error:
            self._failed(error.code)
        self.look()

    async def recover(self, filing_id: str) -> OpenFiling | None:
        """Return the opened filing; None: it cannot be opened, which is said."""
        try:
            return await self._desk.recover(filing_id, self._recorder)
        except KioskError as error:
            self._failed(error.code)
            self.look()
            return None

    async def print_again(self, reference: str) -> None:
        """Print the receipt whose QR code was read."""
        self._set(printed="printing")
        try:
            await self._desk.print_receipt(self._desk.by_reference(reference))
        except PrinterError as error:
            self._set(printed=error.code)
        except KioskError:
            self._set(printed="not_found")
        else:
            self._set(printed="printed")


def leftovers_view(here: Here, state: LeftoversState) -> LeftoversView:
    """Return what is said of them."""
    _ = here.say.gettext
    text = (
        _(
            "These documents were not finished when the kiosk stopped. "
            "They are deleted by themselves."
        )
        if state.rows
        else _("No unfinished document lies here.")
    )
    told, tone = _told(here, state.printed)
    rows = tuple(_row(here, one) for one in state.rows)
    return LeftoversView(text, rows, state.asks, told, tone)


def _row(here: Here, one: Unfinished) -> LeftoverRow:
    begun = moment(one.created_at)
    time = begun.astimezone(here.zone).strftime("%d.%m. %H:%M") if begun else ""
    return LeftoverRow(
        one.filing_id,
        here.say.gettext("Begun {time}", time=time),
        here.say.ngettext("{n} page", "{n} pages", one.pages),
        one.recoverable,
    )


def _told(here: Here, printed: str) -> tuple[str, Tone]:
    _ = here.say.gettext
    match printed:
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
            return f"{alarm.say(here.say)} {alarm.remedy(here.say, staff=True)}", "caution"
