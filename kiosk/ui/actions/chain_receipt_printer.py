"""Prints the chain receipt for the parties, or shows it when the printer fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image

from kiosk.api.exports import ChainReceipt
from kiosk.config import Settings
from kiosk.export.chain_receipt import render_chain_receipt
from kiosk.hardware.receipt_printer import PrinterError
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.ui.actions.recorder_actions import RecorderActions


@dataclass(frozen=True)
class ChainReceiptState:
    """State of the last chain receipt.

    Attributes:
        state: empty (none requested), ``printing``, ``printed``, ``failed``.
        code: what is wrong with the printer.
        picture: the receipt as PNG, for the screen, when it could not be printed.
    """

    state: str = ""
    code: str = ""
    picture: bytes = b""


class ChainReceiptPrinter(RecorderActions):
    """Prints chain receipts.

    Args:
        settings: court, zone, width of the paper.
        recorder: the service, with the secretary's token.
        translate: the translator of the screen: the receipt is in the language of the screen.
        print_image: prints a picture; raises ``PrinterError``.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        settings: Settings,
        recorder: LocalClient,
        translate: Translator,
        print_image: Callable[[Image.Image], Awaitable[None]],
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self._settings, self._translate, self._print_image = settings, translate, print_image
        self.state = ChainReceiptState()

    def _set(self, state: ChainReceiptState) -> None:
        self.state = state
        self._notify_change()

    def clear(self) -> None:
        """Reset the state when the hearing continues."""
        self._set(ChainReceiptState())

    async def print(self, hearing_id: str = "") -> None:
        """Print the chain receipt of the open hearing, or of ``hearing_id``."""
        self._set(ChainReceiptState("printing"))
        query = f"?hearing_id={hearing_id}" if hearing_id else ""
        answer = await self._call("GET", f"/v1/hearing/slip{query}")
        if answer is None:
            self.clear()
            return
        image = await asyncio.to_thread(self._draw, answer)
        try:
            await self._print_image(image)
        except PrinterError as error:
            file = BytesIO()
            image.convert("L").save(file, "PNG")
            self._set(ChainReceiptState("failed", error.code, file.getvalue()))
            return
        self._set(ChainReceiptState("printed"))

    def _draw(self, answer: dict[str, Any]) -> Image.Image:
        receipt, kiosk = ChainReceipt.model_validate(answer), self._settings.kiosk
        court = self._translate.pick({str(k): v for k, v in kiosk.court.items()})
        zone = ZoneInfo(kiosk.timezone)
        return render_chain_receipt(receipt, self._translate, court=court, zone=zone)
