"""The calls by which a technician has the court's keys proven (:mod:`key_challenge`)."""

from __future__ import annotations

import asyncio
import logging

from kiosk.api.base import Model
from kiosk.api.court_keys import (
    ANSWER_CHALLENGE,
    GET_COURT_KEYS,
    WRITE_CHALLENGES,
    ChallengeAnswer,
    Challenges,
    CourtKeyStatus,
)
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.recording.encryption.key_challenge import create_challenges, verify_answer
from kiosk.services.local_api import Call, Route
from kiosk.services.stick import find_stick, stick_error
from kiosk.storage.court_keys import COURT, ESCROW, CourtKeyError, load_court_keys, proof_times
from kiosk.storage.paths import Paths
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)


class CourtKeyService:
    """Answers for the court's keys; what is proven is only what a key holder has decrypted."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._paths = settings, Paths.from_settings(settings.paths)
        self._lock = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (GET_COURT_KEYS, self._get),
            (WRITE_CHALLENGES, self._write),
            (ANSWER_CHALLENGE, self._answer),
        ]

    async def _get(self, _call: Call) -> Model:
        return await asyncio.to_thread(self.status)

    async def _write(self, call: Call) -> Model:
        async with self._lock:
            files = await asyncio.to_thread(self._write_onto_stick)
        log.info("%s writes challenges to the court's keys onto a stick", call.person.id)
        return Challenges(files=files)

    async def _answer(self, call: Call) -> Model:
        answer = (await call.read(ChallengeAnswer)).answer
        async with self._lock:
            name = await asyncio.to_thread(verify_answer, self._paths, answer)
        log.info("%s has the key of the %s proven", call.person.id, name)
        return await asyncio.to_thread(self.status)

    def status(self) -> CourtKeyStatus:
        """Return what is pinned and proven, as the disk has it."""
        try:
            load_court_keys(self._paths)
        except CourtKeyError:
            return CourtKeyStatus(is_pinned=False)
        times = proof_times(self._paths)
        return CourtKeyStatus(is_pinned=True, court=times.get(COURT), escrow=times.get(ESCROW))

    def _write_onto_stick(self) -> tuple[str, ...]:
        load_court_keys(self._paths)
        stick = find_stick(self._settings)
        try:
            files = create_challenges(self._paths, self._settings.kiosk.id, stick)
        except (StorageError, *STORAGE_ERRORS) as error:
            raise stick_error(error) from error
        return tuple(path.name for path in files)
