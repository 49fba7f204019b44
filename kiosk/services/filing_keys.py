"""Opens the escrowed keys of unfinished filings for a secretary (wiring only)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from pathlib import Path

from kiosk.api.recorder import AlarmKey
from kiosk.api.recorder_calls import FilingKey, WrappedKey
from kiosk.errors import RequestError, StorageError
from kiosk.storage.key_escrow import KeyEscrow, KeyExpiredError

log = logging.getLogger(__name__)

ROTATE_INTERVAL_S = 60.0
LOOK_INTERVAL_S = 2.0


class FilingKeyService:
    """Opens wrapped keys; a disk that refuses never stops the recorder.

    Args:
        folder: private keys, ``identity/keepers/``.
        public: public keys, ``public/``.
    """

    def __init__(self, folder: Path, public: Path) -> None:
        self._folder, self._public = folder, public
        self._escrow: KeyEscrow | None = None
        self._open_escrow()
        self._is_published = self._look()

    async def run(self) -> None:
        """Renew and destroy keys as their time comes; see whether they can be read."""
        next_rotation = time.monotonic() + ROTATE_INTERVAL_S
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            if time.monotonic() >= next_rotation:
                await asyncio.to_thread(self._rotate)
                next_rotation = time.monotonic() + ROTATE_INTERVAL_S
            self._is_published = await asyncio.to_thread(self._look)

    def alarms(self) -> list[AlarmKey]:
        """Return the alarm that unfinished filings are not protected, as it was seen last."""
        return [] if self._is_published else [("filing_unprotected", "recorder")]

    def open(self, request: WrappedKey) -> FilingKey:
        """Answer ``POST /v1/filing-keys/open``.

        Raises:
            RequestError: nothing that could be opened.
            KeyExpiredError: its time is over.
        """
        try:
            wrapped = base64.b64decode(request.wrapped, validate=True)
        except (ValueError, binascii.Error) as error:
            raise RequestError("wrapped: base64 is needed") from error
        if self._escrow is None:
            raise KeyExpiredError("no keys are kept: the disk refuses")
        return FilingKey(key=base64.b64encode(self._escrow.unwrap(wrapped)).decode("ascii"))

    def _open_escrow(self) -> None:
        try:
            self._escrow = KeyEscrow(self._folder, self._public)
        except (StorageError, OSError, ValueError) as error:
            log.error("no keys of unfinished filings can be kept: %s", type(error).__name__)

    def _look(self) -> bool:
        """Return whether the screen can read the newest key. A hung disk holds this thread only."""
        return self._escrow is not None and self._escrow.is_published()

    def _rotate(self) -> None:
        if self._escrow is None:
            self._open_escrow()
            return
        try:
            self._escrow.rotate()
        except (StorageError, OSError) as error:
            log.error("keys of unfinished filings: %s", type(error).__name__)
