"""The minutes on the screen: what is open, and what the taps do (asyncio, no Kivy).

The draft belongs to the recorder: every change is a call, and here is only what is being typed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import ValidationError

from kiosk.api.base import read_leniently
from kiosk.api.minutes import (
    MAX_LINE_LENGTH,
    MinutesList,
    MinutesRow,
    MinutesSummary,
    ShortMinutes,
)
from kiosk.errors import KioskError
from kiosk.ui.actions.typing_actions import Typing, TypingActions

log = logging.getLogger(__name__)
CALL_SECONDS = 60.0
"""Filling in reads the journals of a whole hearing; sealing makes a PDF."""
NEW_LINE = -1


@dataclass(frozen=True)
class MinutesState:
    """What is open.

    Attributes:
        hearings: None: not asked yet.
        minutes: None: the list is shown.
        opened: id of the field whose lines are shown; empty: all fields.
        line: number of the line that is typed, :data:`NEW_LINE` for one more; None: none is.
        page: of the list, the fields or the lines.
        is_confirm_asked: whether to confirm is being asked.
        is_scanning: the step that scans a receipt is shown.
        is_signing: the steps of the secretary's own signature are shown.
    """

    hearings: tuple[MinutesSummary, ...] | None = None
    minutes: ShortMinutes | None = None
    opened: str = ""
    line: int | None = None
    typing: Typing = field(default_factory=Typing)
    page: int = 0
    is_confirm_asked: bool = False
    is_signing: bool = False
    is_scanning: bool = False

    @property
    def row(self) -> MinutesRow | None:
        """The field whose lines are shown."""
        rows = self.minutes.fields if self.minutes else ()
        return next((row for row in rows if row.id == self.opened), None)

    @property
    def lines(self) -> list[str]:
        """The lines of that field."""
        return [line.text for line in self.row.lines] if self.row else []


class MinutesActions(TypingActions):
    """Lists hearings, opens minutes, and sends each change to the recorder."""

    state = MinutesState()
    listed: tuple[MinutesSummary, ...] = ()
    """The hearings when they were listed last: their terms are on the secretary's first screen."""

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()

    # -- what is open --------------------------------------------------------------------------
    async def open(self, hearing_id: str = "") -> None:
        """Show the minutes of a hearing; without one, the list of hearings."""
        self.state = MinutesState()
        if hearing_id:
            await self.open_minutes(hearing_id)
        if self.state.minutes is None:
            await self._load_list()

    async def refresh(self) -> None:
        """Read again what is shown: somebody has signed in. What is being typed stays."""
        if self.state.minutes is None:
            await self.open()
        else:
            await self._step("")

    async def look(self) -> None:
        """List the hearings for their terms; a recorder that is silent has an alarm of its own."""
        try:
            answer = await self._recorder.get("/v1/minutes", CALL_SECONDS)
            self.listed = read_leniently(MinutesList, answer)[0].hearings
        except (KioskError, ValidationError) as error:
            log.warning("the terms of minutes are not known: %s", type(error).__name__)
        self._notify_change()

    async def _load_list(self) -> None:
        answer = await self._call("GET", "/v1/minutes", None, CALL_SECONDS)
        if answer is not None:
            listed, problems = read_leniently(MinutesList, answer)
            for problem in problems:
                log.error("the list of minutes: %s", problem)
            self.listed = listed.hearings
            self._set(hearings=listed.hearings)

    async def open_minutes(self, hearing_id: str) -> None:
        """Open the minutes of a hearing; the first time the recorder fills them in."""
        await self._change(hearing_id, "")

    async def open_running(self, hearing_id: str) -> None:
        """Open the full minutes of a hearing that runs; the first time they are begun (S18)."""
        self.state = MinutesState()
        await self._change(hearing_id, "/form", form="full")

    def close(self) -> None:
        """Show nothing of any minutes."""
        self._set(minutes=None)

    async def step_back(self) -> None:
        """Leave what is open by one step; the last one leads to the list of hearings."""
        state = self.state
        if state.line is not None:
            self._set(line=None)
        elif state.is_confirm_asked:
            self._set(is_confirm_asked=False)
        elif state.is_signing:
            self._set(is_signing=False)
        elif state.is_scanning:
            self._set(is_scanning=False)
        elif state.opened:
            self._set(opened="", page=0)
        else:
            self.state = MinutesState()
            await self._load_list()

    def show_page(self, page: int) -> None:
        """Show another page of what is listed."""
        self._set(page=page)

    def show_field(self, field: str) -> None:
        """Show the lines of a field."""
        self._set(opened=field, page=0)

    # -- changes -------------------------------------------------------------------------------
    async def _change(self, hearing_id: str, step: str, /, **body: Any) -> bool:
        """Take a step; show what the minutes are then, and return whether it was taken."""
        answer = await self._call("POST", f"/v1/minutes/{hearing_id}{step}", body, CALL_SECONDS)
        if answer is None:
            return False
        try:
            minutes = read_leniently(ShortMinutes, answer)[0]
        except ValidationError as error:
            log.error("minutes that cannot be read: %s problems", error.error_count())
            self._report_error("recorder_state_unreadable")
            return False
        self._set(minutes=minutes)
        return True

    async def _step(self, step: str, /, **body: Any) -> bool:
        minutes = self.state.minutes
        return minutes is not None and await self._change(minutes.hearing_id, step, **body)

    async def choose_language(self, language: Literal["kk", "ru"]) -> None:
        """Keep the minutes in this language."""
        await self._step("/language", language=language)

    async def toggle_form(self) -> None:
        """Keep full minutes in place of short ones, or short ones again."""
        minutes = self.state.minutes
        if minutes is not None:
            form = "short" if minutes.form == "full" else "full"
            await self._step("/form", form=form)

    async def toggle_term(self) -> None:
        """Let the longer term count, or the usual one again."""
        minutes = self.state.minutes
        if minutes is not None:
            await self._step("/term", is_complex=not minutes.is_complex)

    async def undo(self) -> None:
        """Take the newest change back."""
        await self._step("/undo")

    async def begin_version(self) -> None:
        """Begin a new version of confirmed minutes."""
        await self._step("/versions")

    def show_scan(self) -> None:
        """Show the step that scans a receipt which was signed after the hearing."""
        self._set(is_scanning=True)

    async def withdraw_receipt(self) -> None:
        """Take the newest scan of a receipt back: it is the wrong sheet."""
        minutes = self.state.minutes
        if minutes is not None and minutes.late_receipts:
            scan = max(row.scan for row in minutes.late_receipts)
            path = f"/v1/minutes/{minutes.hearing_id}/receipts/{scan}"
            await self._call("DELETE", path, None, CALL_SECONDS)
            await self._step("")

    def show_signature(self) -> None:
        """Show how the secretary signs with her own key, and whether she has."""
        self._set(is_signing=True)

    async def hand_out(self) -> None:
        """Write what the secretary signs to her drive."""
        await self._step("/signature/file")

    async def take_signature(self) -> None:
        """Take her signature back from the drive."""
        await self._step("/signature")

    def ask_confirm(self) -> None:
        """Ask whether to confirm."""
        self._set(is_confirm_asked=True)

    async def confirm(self) -> None:
        """Confirm what is shown."""
        minutes = self.state.minutes
        if minutes is not None:
            await self._step("/confirm", revision=minutes.revision)
            self._set(is_confirm_asked=False)

    # -- keys ----------------------------------------------------------------------------------
    def edit_line(self, number: int) -> None:
        """Show the keys for a line of the field, or for one more."""
        lines = self.state.lines
        text = lines[number] if 0 <= number < len(lines) else ""
        self._set(line=number, typing=Typing(text))

    @property
    def typing(self) -> Typing | None:
        """The line that is being typed."""
        return None if self.state.line is None else self.state.typing

    @property
    def _most_characters(self) -> int:
        return MAX_LINE_LENGTH

    def _keep_typing(self, typing: Typing) -> None:
        self._set(typing=typing)

    async def keep_line(self) -> None:
        """Keep the line that was typed; without any text it is removed."""
        state = self.state
        if state.line is None:
            return
        lines, text = state.lines, state.typing.text.strip()
        if state.line == NEW_LINE or state.line >= len(lines):
            lines.append(text)
        else:
            lines[state.line] = text
        if await self._step("/fields", field=state.opened, lines=[line for line in lines if line]):
            self._set(line=None)
