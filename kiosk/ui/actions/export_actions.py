"""Export for the parties: state and actions (asyncio, no Kivy)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from kiosk.api.base import read_leniently
from kiosk.api.exports import (
    ExportEvent,
    RemovableDrive,
    RemovableDrives,
    SealedHearing,
    SealedHearings,
)
from kiosk.errors import KioskError
from kiosk.ui.actions.typing_actions import Typing, TypingActions

log = logging.getLogger(__name__)
DRIVE_POLL_SECONDS = 2.0
CALL_SECONDS = 30.0
MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class ExportState:
    """State of the export screen.

    Attributes:
        hearings: None: not asked yet.
        given_to: who takes the copy; empty: not said yet.
        typing: the name that is being typed.
        is_warned: the secretary said that they were warned.
        event: progress of the export that runs or has just ended.
    """

    hearings: tuple[SealedHearing, ...] | None = None
    drives: tuple[RemovableDrive, ...] = ()
    chosen: str | None = None
    drive: str | None = None
    language: str = "kk"
    page: int = 0
    event: ExportEvent | None = None
    given_to: str = ""
    typing: Typing | None = None
    is_warned: bool = False


class ExportActions(TypingActions):
    """Lists sealed hearings and drives, and runs one export at a time."""

    state = ExportState()

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()

    async def open(self, language: str) -> None:
        """Load the sealed hearings; an export that already runs is shown."""
        event = self.state.event
        if event is not None and event.state != "running":
            event = None
        spoken = language if language in ("kk", "ru") else "kk"
        self.state = ExportState(language=spoken, event=event)
        self._notify_change()
        answer = await self._call("GET", "/v1/hearings", None, CALL_SECONDS)
        if answer is not None:
            listed, problems = read_leniently(SealedHearings, answer)
            for problem in problems:
                log.error("the list of sealed hearings: %s", problem)
            self._set(hearings=listed.hearings)

    async def poll_drives(self, is_shown: Callable[[], bool]) -> None:
        """Refresh the drives regularly while ``is_shown()``; runs until cancelled."""
        while True:
            if is_shown() and self.state.event is None:
                await self.refresh_drives()
            await asyncio.sleep(DRIVE_POLL_SECONDS)

    async def refresh_drives(self) -> None:
        """List the drives once; a single drive is chosen automatically."""
        try:
            answer = await self._recorder.get("/v1/exports/media")
            drives = read_leniently(RemovableDrives, answer)[0].media
        except (KioskError, ValidationError):
            drives = ()
        if drives != self.state.drives:
            paths = [drive.path for drive in drives]
            kept = self.state.drive if self.state.drive in paths else None
            self._set(drives=drives, drive=kept or (paths[0] if len(paths) == 1 else None))

    def choose_hearing(self, hearing: SealedHearing) -> None:
        """Choose a hearing; a closed one is refused with the reason (S19)."""
        if hearing.closed == "all":
            self._report_error("export_closed")
        else:
            self._set(chosen=hearing.id, given_to="", is_warned=False, page=0)

    # -- who takes it ----------------------------------------------------------------------------
    def give_to(self, name: str) -> None:
        """Say who takes the copy."""
        self._set(given_to=name, typing=None)

    def confirm_warning(self) -> None:
        """Note that they were warned (АПК 282(4))."""
        self._set(is_warned=True)

    def type_name(self) -> None:
        """Show the keys for a name."""
        self._set(typing=Typing())

    @property
    def typing(self) -> Typing | None:
        """The name that is being typed."""
        return self.state.typing

    @property
    def _most_characters(self) -> int:
        return MAX_NAME_LENGTH

    @property
    def _word_ends(self) -> str:
        return " .-"

    def _keep_typing(self, typing: Typing) -> None:
        self._set(typing=typing)

    def keep_name(self) -> None:
        """Give the copy to the person whose name was typed."""
        typing = self.state.typing
        if typing is not None and typing.text.strip():
            self.give_to(typing.text.strip())

    def step_back(self) -> None:
        """Leave the keys, or the person, or the hearing."""
        if self.state.typing is not None:
            self._set(typing=None)
        elif self.state.given_to:
            self._set(given_to="", is_warned=False)
        else:
            self.show_list()

    def choose_drive(self, path: str) -> None:
        """Choose the drive."""
        self._set(drive=path)

    def choose_language(self, language: str) -> None:
        """Choose the language of the exported page and statement."""
        self._set(language=language)

    def show_page(self, page: int) -> None:
        """Show another page of the list."""
        self._set(page=page)

    def show_list(self) -> None:
        """Go back to the list of hearings."""
        event = self.state.event
        if event is None or event.state != "running":
            self._set(chosen=None, event=None, given_to="", is_warned=False, page=0)

    async def start(self) -> None:
        """Start the export."""
        state = self.state
        if state.chosen is None or state.drive is None:
            return
        body: dict[str, Any] = {
            "hearing_id": state.chosen,
            "medium": state.drive,
            "language": state.language,
            "given_to": state.given_to,
            "warned": state.is_warned,
        }
        answer = await self._call("POST", "/v1/exports", body, CALL_SECONDS)
        if answer is not None and self.state.event is None:
            started = {"id": answer.get("id", ""), "hearing_id": state.chosen}
            self._set(event=ExportEvent.model_validate(started))

    async def cancel(self) -> None:
        """Cancel the export."""
        if self.state.event is not None:
            await self._call("DELETE", f"/v1/exports/{self.state.event.id}", None, CALL_SECONDS)

    def apply_event(self, value: Any) -> None:
        """Apply an ``export`` event of the recorder; the end of an older export is ignored."""
        event = ExportEvent.model_validate(value)
        known = self.state.event
        if event.state == "running" or (known is not None and known.id in ("", event.id)):
            self._set(event=event, chosen=event.hearing_id or self.state.chosen)
