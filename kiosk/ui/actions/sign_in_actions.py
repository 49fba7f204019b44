"""Sign-in of the staff at the screen: a name and a PIN, or a badge at the reader."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

from kiosk.api.base import read_leniently
from kiosk.api.recorder_calls import ListedPeople, ListedPerson, StaffSession
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.ui.registry import PeoplePlace, PinPlace

LONGEST_PIN = 12
RETRY_S = 1.0
SIGN_OUT_TRIES = 30
"""A recorder that does not answer for so many has ended, and its headset with it."""


class SignInActions:
    """What a tap on the sign-in screens does.

    Args:
        recorder: client of the recorder.
        spawn: runs a coroutine in the background.
        notify: called after each change.
        show_notice: shows the sentence of a code at the top of the screen.
        on_success: called with the session of who has signed in.
        now: seconds that never jump.

    Attributes:
        place: which of the two screens is open; None: neither.
        on_answer: called when the recorder answers with the names.
    """

    def __init__(
        self,
        recorder: LocalClient,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        notify: Callable[[], None],
        show_notice: Callable[[str], None],
        on_success: Callable[[StaffSession], None],
        now: Callable[[], float],
    ) -> None:
        self._recorder, self._spawn = recorder, spawn
        self._notify, self._show_notice = notify, show_notice
        self._on_success, self._now = on_success, now
        self.place: PeoplePlace | PinPlace | None = None
        self.on_answer: Callable[[], None] = lambda: None
        self._turn = 0  # who left the pad has nothing to do with the answer to her PIN

    def open(self) -> None:
        """Open the list of names."""
        self._turn += 1
        self._show(PeoplePlace())
        self._spawn(self.load_people())

    def close(self) -> None:
        """Close the screens of the sign-in."""
        self._turn += 1
        self._show(None)

    def show_page(self, page: int) -> None:
        """Show another page of the list."""
        if isinstance(self.place, PeoplePlace):
            self._show(PeoplePlace(self.place.people, page))

    def choose(self, person: ListedPerson) -> None:
        """Open the PIN pad of ``person``."""
        self._turn += 1
        self._show(PinPlace(person))

    def type_digit(self, key: str) -> None:
        """Type one digit of the PIN (``""``: delete the last)."""
        place = self.place
        if isinstance(place, PinPlace) and place.wait_until is None:
            digits = (place.digits + key)[:LONGEST_PIN] if key else place.digits[:-1]
            self._show(PinPlace(place.person, digits))

    def submit(self) -> None:
        """Sign in with the PIN that was typed."""
        if isinstance(self.place, PinPlace) and self.place.digits:
            self._spawn(self.with_pin(self.place.person, self.place.digits))

    def tick(self) -> None:
        """Count a wait down; the pad takes digits again when it is over."""
        place = self.place
        if isinstance(place, PinPlace) and place.wait_until is not None:
            self._show(PinPlace(place.person) if self.wait_seconds(place) == 0 else place)

    def wait_seconds(self, place: PinPlace) -> int:
        """Return the seconds until the next try is possible."""
        return 0 if place.wait_until is None else max(0, math.ceil(place.wait_until - self._now()))

    async def load_people(self) -> None:
        """Ask the recorder who may sign in here, again while it does not answer."""
        turn = self._turn
        while turn == self._turn:
            try:
                answer = await self._recorder.get("/v1/staff")
                people = read_leniently(ListedPeople, answer)[0].people
            except (KioskError, ValueError):
                self._show_notice("recorder_down")
                await asyncio.sleep(RETRY_S)
                continue
            self.on_answer()
            if isinstance(self.place, PeoplePlace):
                self._show(PeoplePlace(people, self.place.page))
            return

    async def with_badge(self, badge: str) -> None:
        """Sign in with a badge."""
        try:
            session = await self._sign_in({"badge": badge})
        except KioskError as error:
            self._show_notice(_code(error))
        else:
            self._let_in(session)

    async def with_pin(self, person: ListedPerson, pin: str) -> None:
        """Sign in as ``person`` with a PIN; nothing happens if she leaves the pad meanwhile."""
        turn = self._turn
        try:
            session = await self._sign_in({"person": person.person, "pin": pin})
        except KioskError as error:
            if turn == self._turn:
                self._show_refusal(person, error)
        else:
            if turn == self._turn:
                self._let_in(session)

    async def end(self, token: str) -> None:
        """Tell the recorder that the person of ``token`` has signed out."""
        for _ in range(SIGN_OUT_TRIES):
            try:
                await self._recorder.call("DELETE", "/v1/sign-in", token=token)
            except ServiceRefusedError:
                return  # it had ended
            except KioskError:
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _sign_in(self, proof: dict[str, str]) -> StaffSession:
        """Return the session that the recorder gives.

        Raises:
            ServiceRefusedError: it refuses; KioskError: it does not answer.
        """
        return StaffSession.model_validate(await self._recorder.post("/v1/sign-in", proof))

    def _let_in(self, session: StaffSession) -> None:
        self._turn += 1
        self.place = None
        self._on_success(session)

    def _show_refusal(self, person: ListedPerson, error: KioskError) -> None:
        """Say on the pad what is wrong with the PIN; what has another reason is a notice."""
        body = error.body if isinstance(error, ServiceRefusedError) else {}
        seconds = body.get("wait_seconds")
        until = self._now() + seconds if isinstance(seconds, int) and seconds else None
        is_wrong = _code(error) == "unknown_pin" or until is not None
        if not is_wrong:
            self._show_notice(_code(error))
        self._show(PinPlace(person, is_wrong=is_wrong, wait_until=until))

    def _show(self, place: PeoplePlace | PinPlace | None) -> None:
        self.place = place
        self._notify()


def _code(error: KioskError) -> str:
    """Return the code of what is said; a recorder that does not answer is down."""
    return error.code if isinstance(error, ServiceRefusedError) else "recorder_down"
