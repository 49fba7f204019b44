"""The recorder keeps keys of unfinished filings and opens them for a secretary: wiring only."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError
from kiosk.hearing.room.errors import BadRequestError
from kiosk.storage.key_escrow import KeyGoneError, KeyKeeper

log = logging.getLogger(__name__)

TURN_S = 60.0


class FilingKeys:
    """Opens wrapped keys; a disk that refuses never stops the recorder.

    Args:
        folder: ``identity/keepers/``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keeper: KeyKeeper | None = None
        self._make()

    async def run(self) -> None:
        """Renew and destroy keys as their time comes."""
        while True:
            await asyncio.sleep(TURN_S)
            await asyncio.to_thread(self._turn)

    def open(self, body: dict[str, Any]) -> dict[str, str]:
        """Answer ``POST /v1/filing-keys/open``.

        Raises:
            BadRequestError: nothing that could be opened.
            KeyGoneError: its time is over.
        """
        try:
            wrapped = base64.b64decode(str(body["wrapped"]), validate=True)
        except (KeyError, binascii.Error) as error:
            raise BadRequestError("wrapped: base64 is needed") from error
        if self._keeper is None:
            raise KeyGoneError("no keys are kept: the disk refuses")
        return {"key": base64.b64encode(self._keeper.open(wrapped)).decode("ascii")}

    def _make(self) -> None:
        try:
            self._keeper = KeyKeeper(self._folder)
        except (StorageError, OSError, ValueError) as error:
            log.error("no keys of unfinished filings can be kept: %s", type(error).__name__)

    def _turn(self) -> None:
        if self._keeper is None:
            self._make()
            return
        try:
            self._keeper.turn()
        except (StorageError, OSError) as error:
            log.error("keys of unfinished filings: %s", type(error).__name__)
