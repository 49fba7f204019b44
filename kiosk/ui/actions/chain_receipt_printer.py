"""Prints the chain receipt for the parties, or shows it when the printer fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image

from kiosk.api.exports import ChainReceipt
from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.export.chain_receipt import render_chain_receipt
from kiosk.hardware.receipt_printer import PrinterError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.locale import Translator


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


class ChainReceiptPrinter:
    """Prints chain receipts.

    Args:
        settings: court, zone, width of the paper.
        recorder: the service, with the secretary's token.
        say: the translator of the screen: the receipt is in the language of the screen.
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
        self._settings, self._recorder, self._translate = settings, recorder, translate
        self._print_image, self._notify_change, self._report_error = (
            print_image,
            on_change,
            on_error,
        )
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
        try:
            path = f"/v1/hearing/slip?hearing_id={hearing_id}" if hearing_id else "/v1/hearing/slip"
            image = await asyncio.to_thread(self._draw, await self._recorder.get(path))
        except KioskError as error:
            refused = isinstance(error, ServiceRefusedError)
            self._report_error(error.code if refused else "recorder_down")
            self.clear()
            return
        try:
            await self._print_image(image)
        except PrinterError as error:
            file = BytesIO()
            image.convert("L").save(file, "PNG")
            self._set(ChainReceiptState("failed", error.code, file.getvalue()))
            return
        self._set(ChainReceiptState("printed"))

    def _draw(self, answer: dict[str, Any]) -> Image.Image:
        slip = ChainReceipt(**{field.name: answer[field.name] for field in fields(ChainReceipt)})
        kiosk = self._settings.kiosk
        court = self._translate.pick({str(k): v for k, v in kiosk.court.items()})
        return render_chain_receipt(
            slip, self._translate, court=court, zone=ZoneInfo(kiosk.timezone)
        )
