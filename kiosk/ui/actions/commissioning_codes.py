"""Codes that a technician types: the one that enrols the kiosk, and the answers of key holders.

A code is kept in memory while it is typed, and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.api.base import read_leniently
from kiosk.api.court_keys import (
    ANSWER_CHALLENGE,
    GET_COURT_KEYS,
    WRITE_CHALLENGES,
    Challenges,
    CourtKeyStatus,
)
from kiosk.api.enrolment import ENROL, Enrolled
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient

log = logging.getLogger(__name__)
Purpose = Literal["", "enrol", "court_key"]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Base32 (RFC 4648): no digit that looks like a letter."""
LENGTHS = {"enrol": 28, "court_key": 16}
_ENROL_S, _STICK_S = 60.0, 30.0


@dataclass(frozen=True)
class CodeState:
    """What the screen shows.

    Attributes:
        purpose: for what a code is typed now; empty: none is.
        typed: what was typed so far.
        is_sent: a service works on it.
        problem: alarm code of what did not work.
        enrolled: what the court's certificate says, after an enrolment on this screen.
        keys: the court's keys as the recorder knows them; None: not asked yet.
        files: names of the texts that were written onto the stick.
    """

    purpose: Purpose = ""
    typed: str = field(default="", repr=False)
    is_sent: bool = False
    problem: str = ""
    enrolled: Enrolled | None = None
    keys: CourtKeyStatus | None = None
    files: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether so much was typed that it can be a code."""
        return len(self.typed) == LENGTHS.get(self.purpose)


class CommissioningCodes:
    """Takes codes and hands them to the service that knows what they mean.

    Args:
        recorder, sync: the services; the recorder's client holds the technician's token.
        on_change: called after every change.
    """

    def __init__(
        self, recorder: LocalClient, sync: LocalClient, on_change: Callable[[], None]
    ) -> None:
        self._recorder, self._sync, self._notify_change = recorder, sync, on_change
        self.state = CodeState()

    def reset(self) -> None:
        """Forget all: what one technician has done is not said to the next as if it were new."""
        self.state = CodeState()

    def start(self, purpose: Purpose) -> None:
        """Begin to type a code; empty: stop typing, and forget it."""
        self._set(purpose=purpose, typed="", problem="")

    def type_key(self, key: str) -> None:
        """Add a character, or take the last one away (``key`` is empty)."""
        state = self.state
        if not key:
            self._set(typed=state.typed[:-1], problem="")
        elif key in ALPHABET and len(state.typed) < LENGTHS.get(state.purpose, 0):
            self._set(typed=state.typed + key, problem="")

    async def send(self) -> bool:
        """Hand the code to its service; return whether it was right."""
        state = self.state
        if not state.is_complete or state.is_sent:
            return False
        work = self._enrol if state.purpose == "enrol" else self._answer
        self._set(is_sent=True, problem="")
        try:
            await work(state.typed)
        except (KioskError, ValueError) as error:
            self._fail(error)
            return False
        self._set(is_sent=False, purpose="", typed="")
        return True

    async def _enrol(self, code: str) -> None:
        self._sync.token = self._recorder.token
        try:
            answer = await self._sync.post(ENROL.path, {"code": code}, _ENROL_S)
        finally:
            self._sync.token = None
        self._set(enrolled=Enrolled.model_validate(answer))

    async def _answer(self, code: str) -> None:
        answer = await self._recorder.post(ANSWER_CHALLENGE.path, {"answer": code})
        self._set(keys=CourtKeyStatus.model_validate(answer))

    async def write_challenges(self) -> None:
        """Have a text for each key holder written onto the stick."""
        if self.state.is_sent:
            return
        self._set(is_sent=True, problem="", files=())
        try:
            answer = await self._recorder.post(WRITE_CHALLENGES.path, {}, _STICK_S)
            self._set(is_sent=False, files=Challenges.model_validate(answer).files)
        except (KioskError, ValueError) as error:
            self._fail(error)

    async def refresh_keys(self) -> None:
        """Ask what is pinned and proven; nothing changes where the recorder does not answer."""
        try:
            answer = await self._recorder.get(GET_COURT_KEYS.path)
            keys = read_leniently(CourtKeyStatus, answer)[0]
        except (KioskError, ValueError):
            return
        if keys != self.state.keys:
            self._set(keys=keys)

    def _fail(self, error: Exception) -> None:
        code = getattr(error, "code", "error")
        log.warning("a code was not taken: %s", code)
        self._set(is_sent=False, problem=code)

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()
