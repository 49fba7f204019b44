"""What a tap on the technician's screen of the receipt printer does (no Kivy)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kiosk.config import Settings
from kiosk.hardware.receipt_printer import (
    PrinterError,
    PrinterStatus,
    PrinterUnconfirmedError,
    ReceiptPrinter,
)
from kiosk.selftest.receipt import render_test_receipt


@dataclass(frozen=True)
class PaperState:
    """What the screen of the receipt printer shows.

    Attributes:
        is_asked: whether the printer has answered on this visit of the screen.
        status: what it said last; None: nothing.
        problem: code of why; empty: none.
        printing: whether a test is being printed; None: none was.
    """

    is_asked: bool = False
    status: PrinterStatus | None = None
    problem: str = ""
    printing: bool | None = None


class PaperActions:
    """The receipt printer: its paper, and a test print.

    Args:
        settings: of this kiosk.
        on_change: called after every change.
    """

    def __init__(self, settings: Settings, on_change: Callable[[], None]) -> None:
        self._settings, self._notify_change = settings, on_change
        self._printer = ReceiptPrinter(settings.printer)
        self._line = asyncio.Lock()
        self.state = PaperState()

    @property
    def is_fitted(self) -> bool:
        """Whether the settings have a printer."""
        return bool(self._settings.printer.port)

    @property
    def answers(self) -> bool:
        """Whether it answers, by its settings."""
        return self._settings.printer.answers

    def forget(self) -> None:
        """Forget what was done."""
        self.state = PaperState()

    async def refresh(self) -> None:
        """Ask the printer, unless it prints."""
        if not self.is_fitted or not self.answers or self._line.locked():
            return
        async with self._line:
            await self._exchange(self._printer.status)

    async def print_test(self) -> None:
        """Print the test receipt of the self-test."""
        if not self.is_fitted or self.state.printing:
            return
        self._set(printing=True)
        async with self._line:
            image = await asyncio.to_thread(render_test_receipt, self._settings)
            await self._exchange(lambda: self._printer.print_image(image))
        self._set(printing=False)

    async def _exchange(self, call: Callable[[], PrinterStatus]) -> None:
        try:
            status, problem = await asyncio.to_thread(call), ""
        except PrinterUnconfirmedError as error:
            status, problem = None, error.code
        except PrinterError as error:
            status, problem = None, error.code
        if (self.state.is_asked, self.state.status, self.state.problem) != (True, status, problem):
            self._set(is_asked=True, status=status, problem=problem)

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()
