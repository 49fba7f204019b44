"""What a tap on the technician's screen of the court's keys does (no Kivy)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kiosk.api.base import Model, read_leniently
from kiosk.api.court_keys import (
    ANSWER_CHALLENGE,
    GET_COURT_KEYS,
    TEST_ENCRYPTION,
    WRITE_CHALLENGES,
    Challenges,
    CourtKeyStatus,
    EncryptionTest,
)
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError

ANSWER_LENGTH, TEST_S = 16, 30.0


@dataclass(frozen=True)
class CourtKeyState:
    """What the screen of the court's keys shows.

    Attributes:
        keys: as the recorder has them; None: not known yet.
        is_working: whether a call runs.
        tested: the last try of the keys on this visit of the screen.
        files: names of the challenges that were written onto the stick.
        typed: the answer that is being typed; None: nothing is.
        problem: code of why the last call failed; empty: it did not.
    """

    keys: CourtKeyStatus | None = None
    is_working: bool = False
    tested: EncryptionTest | None = None
    files: tuple[str, ...] = ()
    typed: str | None = None
    problem: str = ""


class CourtKeyActions:
    """The court's keys: shown, tried, proven.

    Args:
        recorder: the recorder; its client holds the technician's token.
        on_change: called after every change.
    """

    def __init__(self, recorder: LocalClient, on_change: Callable[[], None]) -> None:
        self._recorder, self._notify_change = recorder, on_change
        self.state = CourtKeyState()

    async def refresh(self) -> None:
        """Ask the recorder for the keys."""
        try:
            answer = await self._recorder.get(GET_COURT_KEYS.path, 3.0)
            keys = read_leniently(CourtKeyStatus, answer)[0]
        except (KioskError, ValueError):
            keys = None
        if keys != self.state.keys:
            self._set(keys=keys)

    def forget(self) -> None:
        """Forget what was done: somebody else may come to the screen next."""
        self.state = CourtKeyState()

    async def test(self) -> None:
        """Encrypt something to both keys now."""
        if (found := await self._call(TEST_ENCRYPTION.path, EncryptionTest)) is not None:
            self._set(tested=found)

    async def challenge(self) -> None:
        """Write a challenge for each key onto the stick."""
        if (found := await self._call(WRITE_CHALLENGES.path, Challenges)) is not None:
            self._set(files=found.files)

    def type_answer(self, key: str | None) -> None:
        """Type one character of the answer (``""``: delete the last); None: stop typing."""
        typed = self.state.typed or ""
        if key is None:
            self._set(typed=None, problem="")
        else:
            self._set(typed=(typed + key)[:ANSWER_LENGTH] if key else typed[:-1], problem="")

    def begin_answer(self) -> None:
        """Show the keys for an answer."""
        self._set(typed="", problem="")

    async def answer(self) -> None:
        """Have the typed answer checked."""
        body = {"answer": self.state.typed or ""}
        found = await self._call(ANSWER_CHALLENGE.path, CourtKeyStatus, **body)
        if found is not None:
            self._set(keys=found, typed=None)

    async def _call(self, path: str, model: type[Model], **body: str) -> Any:
        """Return the recorder's answer; None: it refused, which is shown."""
        if self.state.is_working:
            return None
        self._set(is_working=True, problem="", tested=None)
        problem, found = "", None
        try:
            found = model.model_validate(await self._recorder.post(path, body, TEST_S))
        except ServiceRefusedError as error:
            problem = error.code
        except (KioskError, ValueError):
            problem = "recorder_down"
        self._set(is_working=False, problem=problem)
        return found

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()
