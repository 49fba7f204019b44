"""The minutes' screens: how they are opened, and what is scanned into them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from kiosk.ui.actions.receipt_actions import ReceiptActions, late_receipts_path
from kiosk.ui.actions.secretary_actions import SecretaryActions
from kiosk.ui.registry import MinutesPlace


class MinutesDesk:
    """Opens minutes, of a hearing that has ended or that runs, and keeps late receipts in them.

    Args:
        secretary: whose screen shows them.
        receipts: scans the receipts.
        running_hearing: returns the id of the hearing that runs; empty: none does.
        last_touch: returns when the screen was touched last.
        spawn: starts a background task.
    """

    def __init__(
        self,
        secretary: SecretaryActions,
        receipts: ReceiptActions,
        running_hearing: Callable[[], str],
        last_touch: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._secretary, self._minutes, self._receipts = secretary, secretary.minutes, receipts
        self._running_hearing, self._last_touch, self._spawn = running_hearing, last_touch, spawn

    def open(self, hearing_id: str = "") -> None:
        """Show the minutes of a hearing; without one, the list of hearings."""
        self._secretary.show(MinutesPlace())
        self._spawn(self._minutes.open(hearing_id))

    async def begin_full(self) -> None:
        """Keep full minutes of the hearing whose report is open, and show them (S18)."""
        quality = self._secretary.quality
        if await quality.begin_full_minutes():
            self.open(quality.state.hearing_id)

    def open_running(self) -> None:
        """Show the full minutes of the hearing that runs (S18)."""
        hearing_id = self._running_hearing()
        if hearing_id:
            self._spawn(self._open_running(hearing_id))

    async def _open_running(self, hearing_id: str) -> None:
        """Show them once they are read; whoever has touched something else meanwhile stays there.

        The journals of a long hearing take a moment, and the next mark must not fall on them.
        """
        touched = self._last_touch()
        await self._minutes.open_running(hearing_id)
        if self._last_touch() == touched:
            self._secretary.show(MinutesPlace())
        else:
            self._minutes.close()

    def close_running(self) -> None:
        """Go back to the hearing that runs."""
        self._minutes.close()
        self._secretary.show_today()

    def open_scan(self) -> None:
        """Show the step that scans a receipt into the minutes that are open (R47, R48)."""
        minutes = self._minutes.state.minutes
        if minutes is not None:
            self._receipts.open_late(minutes.hearing_id)
            self._minutes.show_scan()

    async def scan_receipt(self) -> None:
        """Scan a signed receipt into the minutes that are open."""
        minutes = self._minutes.state.minutes
        if minutes is not None:
            await self._receipts.scan(0, late_receipts_path(minutes.hearing_id))
            await self._minutes.refresh()

    async def withdraw_receipt(self) -> None:
        """Take the newest scan back."""
        self._receipts.reset()
        await self._minutes.withdraw_receipt()

    async def keep_receipt_as(self, mark: int) -> None:
        """Keep the scan that waits as the receipt of an event that somebody has chosen."""
        await self._receipts.keep_as(mark)
        await self._minutes.refresh()

    async def retry_receipt(self) -> None:
        """Hand the scan that waits to the minutes again."""
        await self._receipts.retry()
        await self._minutes.refresh()
