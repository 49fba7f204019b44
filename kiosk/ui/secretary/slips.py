"""The slip for the parties: printed, or on the screen when it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image

from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.export.chain_receipt import Slip, draw_slip
from kiosk.hardware.receipt_printer import PrinterError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.locale import Translator


@dataclass(frozen=True)
class SlipState:
    """What became of the slip.

    Attributes:
        state: empty (none was asked for), ``printing``, ``printed``, ``failed``.
        code: what is wrong with the printer.
        picture: the slip as PNG, for the screen, when it could not be printed.
    """

    state: str = ""
    code: str = ""
    picture: bytes = b""


class Slips:
    """Prints slips.

    Args:
        settings: court, zone, width of the paper.
        recorder: the service, with the secretary's token.
        say: the translator of the screen: the slip is in the language that is spoken.
        print_image: prints a picture; raises ``PrinterError``.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        settings: Settings,
        recorder: LocalClient,
        say: Translator,
        print_image: Callable[[Image.Image], Awaitable[None]],
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._settings, self._recorder, self._say = settings, recorder, say
        self._print_image, self._changed, self._failed = print_image, on_change, on_error
        self.state = SlipState()

    def _set(self, state: SlipState) -> None:
        self.state = state
        self._changed()

    def clear(self) -> None:
        """Forget the last slip: the hearing goes on."""
        self._set(SlipState())

    async def print(self, hearing_id: str = "") -> None:
        """Print the slip of the open hearing, or of ``hearing_id``."""
        self._set(SlipState("printing"))
        try:
            path = f"/v1/hearing/slip?hearing_id={hearing_id}" if hearing_id else "/v1/hearing/slip"
            image = await asyncio.to_thread(self._draw, await self._recorder.get(path))
        except KioskError as error:
            refused = isinstance(error, ServiceRefusedError)
            self._failed(error.code if refused else "recorder_down")
            self.clear()
            return
        try:
            await self._print_image(image)
        except PrinterError as error:
            file = BytesIO()
            image.convert("L").save(file, "PNG")
            self._set(SlipState("failed", error.code, file.getvalue()))
            return
        self._set(SlipState("printed"))

    def _draw(self, answer: dict[str, Any]) -> Image.Image:
        slip = Slip(**{field.name: answer[field.name] for field in fields(Slip)})
        kiosk = self._settings.kiosk
        court = self._say.pick({str(k): v for k, v in kiosk.court.items()})
        return draw_slip(slip, self._say, court=court, zone=ZoneInfo(kiosk.timezone))
