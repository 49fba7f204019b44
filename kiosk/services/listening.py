"""Plays in the headset for whoever asked; it ends with that person's sign-in, or with the screen.

What is heard was said in a courtroom: nobody hears the rest of it who may not ask for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
from collections.abc import Callable
from dataclasses import dataclass, replace

from kiosk.api import recorder_calls as calls
from kiosk.api import recorder_operations as operations
from kiosk.api.base import Model
from kiosk.auth.person import Person, TokenError
from kiosk.errors import SignInError
from kiosk.hearing.courtroom import Courtroom
from kiosk.services.local_api import Call, Route, bearer_token
from kiosk.services.peers import peer_of
from kiosk.services.step_runner import StepRunner

log = logging.getLogger(__name__)
LOOK_S = 0.25
"""Seconds between two looks at whether the listener is still there, while something plays."""


@dataclass(frozen=True)
class Listener:
    """Who listens.

    Attributes:
        token: of the sign-in.
        process: pidfd of the screen that asked (``pidfd_open(2)``); it ends with that process.
    """

    person: str
    token: str
    process: int


class ListeningService:
    """The calls of the headset.

    Args:
        check: returns whose token it is, if its person may listen now; that is no use of it.
        mark_changed: publishes the state again, soon.
    """

    def __init__(
        self,
        courtroom: Courtroom,
        steps: StepRunner,
        check: Callable[[str, tuple[str, ...]], Person],
        mark_changed: Callable[[], None],
    ) -> None:
        self._courtroom, self._steps = courtroom, steps
        self._check, self._mark_changed = check, mark_changed
        self._listen_back = courtroom.monitor.listen_back
        self._listener: Listener | None = None
        self._watching: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (operations.START_LISTENING, self._start),
            (operations.STOP_LISTENING, self._stop),
        ]

    async def sign_in(self, person: Person, token: str) -> None:
        """End the playback, unless who signs in at the screen is its listener."""
        listener = self._listener
        if listener is not None and listener.person == person.id:
            self._listener = replace(listener, token=token)
        else:
            await self._end()

    async def look(self) -> None:
        """End the playback whose listener has signed out, may not listen any more, or is gone."""
        if self._listener is not None and not self._is_there(self._listener):
            log.info("nobody listens any more: the headset is silent")
            await self._end()

    async def _start(self, call: Call) -> Model:
        request = await call.read(calls.ListenBack)
        process = _open_process(peer_of(call.http)[0])
        try:
            await self._steps.run(lambda: self._courtroom.start_listen_back(request))
        except BaseException:
            os.close(process)
            raise
        self._forget()
        self._listener = listener = Listener(call.person.id, bearer_token(call.http), process)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        await self.look()  # who has signed out since the call
        if self._listener is not listener:
            raise TokenError("the sign-in has ended")
        playback = await asyncio.to_thread(self._listen_back.wait_started)
        self._mark_changed()
        return calls.ListenBackAnswer(listening=playback)

    async def _stop(self, _call: Call) -> Model:
        await self._end()
        return calls.ListenBackAnswer(listening=None)

    async def _watch(self) -> None:
        """Look at the listener until nothing plays."""
        while self._listener is not None:
            await asyncio.sleep(LOOK_S)
            try:
                if not self._listen_back.is_running:
                    self._forget()
                await self.look()
            except Exception:  # the next look tries again
                log.exception("who listens cannot be watched")

    def _is_there(self, listener: Listener) -> bool:
        ended = select.poll()  # no select(2), which takes no large number of a file
        ended.register(listener.process, select.POLLIN)
        if ended.poll(0):
            return False
        try:
            self._check(listener.token, operations.START_LISTENING.roles)
        except SignInError:
            return False
        return True

    async def _end(self) -> None:
        """Silence the headset; not one of the steps, which may wait for a disk."""
        self._forget()
        await asyncio.to_thread(self._listen_back.stop)
        self._mark_changed()

    def _forget(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            os.close(listener.process)


def _open_process(number: int) -> int:
    """Return a pidfd of a caller.

    Raises:
        TokenError: it has ended.
    """
    try:
        return os.pidfd_open(number)
    except ProcessLookupError:
        raise TokenError("the caller is gone") from None
