"""Sends level and proof of a room that records to the court's IT, every few seconds.

Some ten bytes a second, and nothing of a hearing that must not leave by network. What is not taken
is not kept: the next word is newer. Names, cases and ids are not in it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.errors import KioskError
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.manifest import is_courier_only
from kiosk.sync.transport.central_client import POLL_TIMEOUT, CentralClient
from kiosk.sync.transport.connection import Connection
from kiosk.sync.transport.worker import Worker

log = logging.getLogger(__name__)
EVERY_S = 5.0
FIRST_REVISION = 7
ASK_AGAIN_S = 600.0
"""A central system of an earlier revision is asked again after so long."""


def live_room(recorder: RecorderState, levels: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is sent: phase, loudness of each microphone in dB of full scale, and the proof.

    A level that is no number is left out.
    """
    found = {}
    for name, level in levels.items():
        loudness = level.get("rms_db") if isinstance(level, Mapping) else None
        if isinstance(loudness, int | float) and not isinstance(loudness, bool):
            found[str(name)] = round(max(-120.0, min(0.0, loudness)))
    body: dict[str, Any] = {"phase": str(recorder.phase), "levels": found}
    body["proof"] = str(recorder.proof.state)
    if recorder.proof.age_seconds is not None:
        body["proof_age"] = round(recorder.proof.age_seconds)
    return body


class LiveRoomSender(Worker):
    """One thread that sends while a part is being recorded.

    Attributes:
        word: the newest State and levels; None: nothing is recorded.
    """

    def __init__(self, context: SyncContext) -> None:
        super().__init__("live", Connection(context.paths, context.settings.central.url))
        self._context = context
        self._asked_at = -ASK_AGAIN_S
        self.word: tuple[RecorderState, Mapping[str, Any]] | None = None

    def step(self) -> float:
        """Send the newest word, if there is one and it may leave; return the seconds to wait."""
        word = self.word
        if word is not None and self._may_leave(word[0]) and self._context.link.is_up:
            try:
                self._send(self.connection.client(), live_room(*word))
            except KioskError as error:
                log.debug("live: %s", error.code)
            except Exception:  # the thread must survive any error
                log.exception("live")
        return EVERY_S

    def _may_leave(self, recorder: RecorderState) -> bool:
        hearing = recorder.hearing
        if recorder.phase is not Phase.RECORDING or hearing is None:
            return False
        return not is_courier_only(self._context.paths.hearings / hearing.id)

    def _send(self, client: CentralClient, body: dict[str, Any]) -> None:
        if client.revision < FIRST_REVISION:
            if time.monotonic() - self._asked_at < ASK_AGAIN_S:
                return
            self._asked_at = time.monotonic()
            client.check_contract()
            if client.revision < FIRST_REVISION:
                return
        client.call("PUT", "/v1/live", body, POLL_TIMEOUT)
