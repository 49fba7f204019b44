"""Unfinished filings after a crash, and reprints of receipts: state and actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kiosk.errors import KioskError
from kiosk.filing.drafts.parked_filings import UnfinishedFiling
from kiosk.filing.service import FilingService, OpenFiling
from kiosk.hardware.receipt_printer import PrinterError
from kiosk.ipc import LocalClient
from kiosk.ui.actions.recorder_actions import RecorderActions


@dataclass(frozen=True)
class UnfinishedFilingsState:
    """Unfinished filings; ``to_delete``: id of the one whose deletion awaits confirmation.

    ``print_state`` is empty, ``printing``, ``printed`` or the code of a printing error.
    """

    rows: tuple[UnfinishedFiling, ...] = ()
    to_delete: str = ""
    print_state: str = ""


class UnfinishedFilingActions(RecorderActions):
    """Opens and deletes unfinished filings, and reprints receipts.

    Args:
        filing_service: opens, deletes and prints filings.
        recorder: opens keys for a secretary whose token it carries.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        filing_service: FilingService,
        recorder: LocalClient,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self._filing_service = filing_service
        self.state = UnfinishedFilingsState()

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()

    def refresh(self) -> None:
        """List the unfinished filings that have no parking ticket."""
        found = self._filing_service.list_unfinished()
        self.state = UnfinishedFilingsState(tuple(f for f in found if f.parked_until is None))
        self._notify_change()

    def ask_delete(self, filing_id: str) -> None:
        """Ask whether to delete ``filing_id``; empty: cancel the question."""
        self._set(to_delete=filing_id)

    def delete(self) -> None:
        """Delete the filing that was asked about."""
        try:
            self._filing_service.wipe_abandoned(self.state.to_delete)
        except KioskError as error:
            self._report_error(error.code)
        self.refresh()

    async def recover(self, filing_id: str) -> OpenFiling | None:
        """Return the opened filing; None: it cannot be opened, and the error is shown."""
        try:
            return await self._filing_service.recover(filing_id, self._recorder)
        except KioskError as error:
            self._report_error(error.code)
            self.refresh()
            return None

    async def reprint_receipt(self, reference: str) -> None:
        """Print the receipt whose QR code was read."""
        self._set(print_state="printing")
        try:
            filing = self._filing_service.find_by_reference(reference)
            await self._filing_service.print_receipt(filing)
        except PrinterError as error:
            self._set(print_state=error.code)
        except KioskError:
            self._set(print_state="not_found")
        else:
            self._set(print_state="printed")
