"""The calls by which a technician has the court's keys proven (:mod:`key_challenge`)."""

from __future__ import annotations

import asyncio
import logging
import os
import time

from kiosk.api.base import Model
from kiosk.api.court_keys import (
    ANSWER_CHALLENGE,
    GET_COURT_KEYS,
    TEST_ENCRYPTION,
    WRITE_CHALLENGES,
    ChallengeAnswer,
    Challenges,
    CourtKeyStatus,
    EncryptionTest,
)
from kiosk.config import Settings
from kiosk.errors import RecordingError, StorageError
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.encryption.key_challenge import create_challenges, verify_answer
from kiosk.services.local_api import Call, Route
from kiosk.services.stick import find_stick, stick_error
from kiosk.storage.court_keys import COURT, ESCROW, CourtKeyError, load_court_keys, proof_times
from kiosk.storage.hearing_folder import INIT
from kiosk.storage.paths import Paths
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)
TEST_BYTES = 256 * 1024
"""About what half a second of all sources takes."""


class EncryptionFailedError(RecordingError):
    """What was encrypted could not be read back."""

    code = "encryption_failed"
    status = 409


class CourtKeyService:
    """Answers for the court's keys; what is proven is only what a key holder has decrypted."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._paths = settings, Paths.from_settings(settings.paths)
        self._lock = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (GET_COURT_KEYS, self._get),
            (TEST_ENCRYPTION, self._test),
            (WRITE_CHALLENGES, self._write),
            (ANSWER_CHALLENGE, self._answer),
        ]

    async def _get(self, _call: Call) -> Model:
        return await asyncio.to_thread(self.status)

    async def _test(self, call: Call) -> Model:
        result = await asyncio.to_thread(self._encrypt)
        log.info("%s tries the court's keys: %.0f ms", call.person.id, result.milliseconds)
        return result

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
            keys = load_court_keys(self._paths)
        except CourtKeyError:
            return CourtKeyStatus(is_pinned=False)
        times = proof_times(self._paths)
        return CourtKeyStatus(
            is_pinned=True,
            court=times.get(COURT),
            escrow=times.get(ESCROW),
            court_key=keys.court,
            escrow_key=keys.escrow,
        )

    def _encrypt(self) -> EncryptionTest:
        """Encrypt random bytes as a fragment of a closed part, and read them back.

        Raises:
            CourtKeyError: the keys are not pinned.
            EncryptionFailedError: they cannot be read back, as when no memory can be locked.
        """
        plain, begun = os.urandom(TEST_BYTES), time.perf_counter()
        codec = AgeFragmentCodec(load_court_keys(self._paths))
        try:
            member = codec.encode(INIT, plain, 0, 1, ("test",))
            if codec.decode_init(INIT, member) != plain:
                raise EncryptionFailedError("other bytes were read back")
        except ValueError as error:
            raise EncryptionFailedError(f"it cannot be read back: {error}") from error
        finally:
            codec.close()
        seconds = time.perf_counter() - begun
        return EncryptionTest(bytes=TEST_BYTES, milliseconds=round(seconds * 1000, 1))

    def _write_onto_stick(self) -> tuple[str, ...]:
        load_court_keys(self._paths)
        stick = find_stick(self._settings)
        try:
            files = create_challenges(self._paths, self._settings.kiosk.id, stick)
        except (StorageError, *STORAGE_ERRORS) as error:
            raise stick_error(error) from error
        return tuple(path.name for path in files)
