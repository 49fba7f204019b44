"""Copies for the parties: what the taps do, and how far the copy is. Plain asyncio, no Kivy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.ui.facts import Fact

LOOK_SECONDS = 2.0


class SealedHearing(Fact):
    """A sealed hearing on this kiosk."""

    id: str
    case_number: str = ""
    title: str = ""
    started: str = ""
    seconds: float = 0.0
    parts: int = 1
    closed: str = "none"
    damaged: bool = False


class Medium(Fact):
    """A stick that is plugged in."""

    path: str
    name: str = ""
    free_bytes: int = 0
    total_bytes: int = 0


class CopyEvent(Fact):
    """How far the copy is; ``state``: running, done, failed, cancelled."""

    id: str = ""
    hearing_id: str = ""
    state: str = "running"
    stage: str = "checking"
    done: int = 0
    total: int = 0
    folder: str = ""
    files: int = 0
    left_out: tuple[int, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class CopiesState:
    """What is known and chosen.

    Attributes:
        hearings: None: not asked yet.
        event: of the copy that runs or has just ended.
    """

    hearings: tuple[SealedHearing, ...] | None = None
    media: tuple[Medium, ...] = ()
    chosen: str | None = None
    medium: str | None = None
    language: str = "kk"
    page: int = 0
    event: CopyEvent | None = None


class Copies:
    """Makes copies for the parties.

    Args:
        recorder: the service, with the secretary's token.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        recorder: LocalClient,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._recorder, self._changed, self._failed = recorder, on_change, on_error
        self.state = CopiesState()

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._changed()

    async def begin(self, language: str) -> None:
        """Ask for the sealed hearings; a copy that runs already is shown."""
        event = self.state.event
        if event is not None and event.state != "running":
            event = None
        spoken = language if language in ("kk", "ru") else "kk"
        self.state = CopiesState(language=spoken, event=event)
        self._changed()
        answer = await self._ask("GET", "/v1/hearings")
        if answer is not None:
            rows = [SealedHearing.model_validate(one) for one in answer.get("hearings", ())]
            self._set(hearings=tuple(rows))

    async def watch(self, here: Callable[[], bool]) -> None:
        """Look which sticks are plugged in while ``here()``; for ever."""
        while True:
            if here() and self.state.event is None:
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask once which sticks are plugged in; the only one is chosen by itself."""
        try:
            answer = await self._recorder.get("/v1/exports/media")
            media = tuple(Medium.model_validate(one) for one in answer.get("media", ()))
        except (KioskError, ValidationError):
            media = ()
        if media != self.state.media:
            paths = [one.path for one in media]
            kept = self.state.medium if self.state.medium in paths else None
            self._set(media=media, medium=kept or (paths[0] if len(paths) == 1 else None))

    def choose(self, hearing: SealedHearing) -> None:
        """Choose a hearing; a closed one is refused with the reason (S19)."""
        if hearing.closed == "all":
            self._failed("export_closed")
        else:
            self._set(chosen=hearing.id)

    def choose_medium(self, path: str) -> None:
        """Choose the stick."""
        self._set(medium=path)

    def choose_language(self, language: str) -> None:
        """Choose the language of page and statement."""
        self._set(language=language)

    def turn(self, page: int) -> None:
        """Show another page of the list."""
        self._set(page=page)

    def back(self) -> None:
        """Go back to the list."""
        event = self.state.event
        if event is None or event.state != "running":
            self._set(chosen=None, event=None)

    async def start(self) -> None:
        """Start the copy."""
        state = self.state
        if state.chosen is None or state.medium is None:
            return
        body = {
            "hearing_id": state.chosen,
            "medium": state.medium,
            "language": state.language,
        }
        answer = await self._ask("POST", "/v1/exports", body)
        if answer is not None and self.state.event is None:
            told = {"id": answer.get("id", ""), "hearing_id": state.chosen}
            self._set(event=CopyEvent.model_validate(told))

    async def cancel(self) -> None:
        """Break the copy off."""
        if self.state.event is not None:
            await self._ask("DELETE", f"/v1/exports/{self.state.event.id}")

    def take(self, value: Any) -> None:
        """Take an ``export`` event of the recorder; an old end is nobody's news."""
        event = CopyEvent.model_validate(value)
        known = self.state.event
        if event.state == "running" or (known is not None and known.id in ("", event.id)):
            self._set(event=event, chosen=event.hearing_id or self.state.chosen)

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any] | None:
        try:
            return await self._recorder.call(method, path, body, 30.0)
        except ServiceRefusedError as error:
            self._failed(error.code)
        except KioskError:
            self._failed("recorder_down")
        return None
