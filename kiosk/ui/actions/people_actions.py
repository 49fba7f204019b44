"""Actions about the people of a running hearing, and the secretary's notes: what is open, and taps.

A mark is made at once by its own tap; here it gets its name afterwards. What was typed stays while
a call is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kiosk.api.notes import MAX_NOTE_LENGTH
from kiosk.api.persons import HearingPerson
from kiosk.api.recorder_calls import MAX_ANSWER_LENGTH
from kiosk.ipc import LocalClient
from kiosk.ui.actions.typing_actions import Typing, TypingActions

SPEAKING_DB = -45.0
"""A level at or above it (dB of full scale) is somebody who speaks."""
MAX_NAME_LENGTH = 300
MEANS_FIELDS: dict[str, dict[str, bool]] = {
    "own": {"own_device": True, "institution": False},
    "court": {"own_device": False, "institution": False},
    "institution": {"own_device": False, "institution": True},
}
"""By whose means somebody takes part from afar: an institution takes the receipt (АПК 133-3(3))."""


@dataclass(frozen=True)
class PeopleSheet:
    """Who is there and where they sit; ``person``: whose line is open."""

    person: str = ""
    page: int = 0


@dataclass(frozen=True)
class PersonSheet:
    """Somebody new, or a correction: first the role, then the name.

    Attributes:
        person: id of whom is corrected; empty: somebody new.
        mark: the mark that gets the name; None: none.
        role: None: it is being chosen.
        is_act: what is typed is not a name, but the act by which the court withholds it.
    """

    person: str = ""
    mark: int | None = None
    role: str | None = None
    typing: Typing = field(default_factory=Typing)
    page: int = 0
    is_act: bool = False


@dataclass(frozen=True)
class NoteSheet:
    """A note that is being made.

    Attributes:
        began: monotonic seconds at which it was begun: the moment that it is about.
        mark: the mark that it belongs to; None: the moment.
        is_typing: the keys are shown; else templates are offered.
    """

    began: float = 0.0
    mark: int | None = None
    typing: Typing = field(default_factory=Typing)
    is_typing: bool = False
    page: int = 0


@dataclass(frozen=True)
class AnswerSheet:
    """The answer to a question of the rules that is a sentence (R77).

    Attributes:
        subject: of the question.
        question: its text.
    """

    subject: str
    question: str
    typing: Typing = field(default_factory=Typing)
    page: int = 0


Sheet = PeopleSheet | PersonSheet | NoteSheet | AnswerSheet


@dataclass(frozen=True)
class PeopleState:
    """What is open, and who spoke at the newest mark: microphones, the loudest first."""

    sheet: Sheet | None = None
    speaking: tuple[str, ...] = ()


class PeopleActions(TypingActions):
    """The open sheet, and what its taps do.

    Attributes:
        clock: monotonic seconds.
        levels: returns the newest levels by microphone.
        persons: returns the people of the hearing.
        speaking: microphones that were heard at the newest mark, the loudest first.
        open_receipt: opens the card of the receipt of a mark.
        open_minutes: opens the full minutes, which can be begun at any time (S18).
    """

    def __init__(
        self,
        recorder: LocalClient,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self.clock: Callable[[], float] = time.monotonic
        self.sheet: Sheet | None = None
        self.levels: Callable[[], Mapping[str, Any]] = dict
        self.persons: Callable[[], tuple[HearingPerson, ...]] = tuple
        self.speaking: tuple[str, ...] = ()
        self.open_receipt: Callable[[int], None] = lambda _mark: None
        self.open_minutes: Callable[[], None] = lambda: None

    @property
    def state(self) -> PeopleState:
        """What the view needs."""
        return PeopleState(self.sheet, self.speaking)

    def show(self, sheet: Sheet | None) -> None:
        """Show ``sheet``; None: close the open one."""
        self.sheet = sheet
        self._notify_change()

    def show_page(self, page: int) -> None:
        """Show another page of the sheet's choices."""
        if self.sheet is not None:
            self.show(replace(self.sheet, page=page))

    def note_speaking(self) -> None:
        """Remember who speaks now: they are offered first for the mark that is made now."""
        heard = {
            name: level["rms_db"]
            for name, level in self.levels().items()
            if isinstance(level, dict) and level.get("rms_db", -120.0) >= SPEAKING_DB
        }
        self.speaking = tuple(sorted(heard, key=lambda name: -heard[name]))

    def step_back(self) -> None:
        """Leave the sheet by one step; what was typed stays until the sheet is closed."""
        match self.sheet:
            case PeopleSheet(person=person) if person:
                self.show(PeopleSheet())
            case PersonSheet(person=person, mark=None) if person:
                self.show(PeopleSheet(person))
            case PersonSheet(role=str()) as sheet:
                self.show(replace(sheet, role=None))
            case PersonSheet(mark=None):
                self.show(PeopleSheet())
            case NoteSheet(is_typing=True) as sheet:
                self.show(replace(sheet, is_typing=False))
            case _:
                self.show(None)

    async def choose(self, choice: str, label: str = "") -> None:
        """Carry out a choice of the open sheet.

        Args:
            label: what the choice says; a template is kept as it was read.
        """
        what, _, value = choice.partition(":")
        match self.sheet:
            case PeopleSheet(person="") if what == "person":
                self.show(PeopleSheet(value))
            case PeopleSheet(person="") if what == "add":
                self.show(PersonSheet())
            case PeopleSheet(person=person) if person:
                await self._choose_for(person, what, value)
            case PersonSheet(person=person, mark=None) if what == "role" and person:
                await self.change(person, role=value)
            case PersonSheet() as sheet if what == "role":
                self.show(replace(sheet, role=value, page=0))
            case NoteSheet() if what == "type":
                self._type_note()
            case NoteSheet() if what == "template":
                self._type_note(label)
            case NoteSheet() if what == "minutes":
                self.show(None)
                self.open_minutes()
            case NoteSheet() if what == "withdraw":
                await self._call("DELETE", f"/v1/hearing/notes/{value}")

    async def _choose_for(self, person: str, what: str, value: str) -> None:
        """Carry out a choice for one of the people."""
        if what == "remove":
            if await self._call("DELETE", f"/v1/hearing/persons/{person}") is not None:
                self.show(PeopleSheet())
        elif what == "role":
            self.show(PersonSheet(person))
        elif what == "receipt":
            self.show(None)
            self.open_receipt(int(value))
        elif what == "act":
            acts = (row.act for row in self.persons() if row.id == person)
            self.show(PersonSheet(person, role="", typing=Typing(next(acts, "")), is_act=True))
        elif what == "name":
            names = (row.name for row in self.persons() if row.id == person)
            self.show(PersonSheet(person, role="", typing=Typing(next(names, ""))))
        else:
            is_text = what in ("seat", "attendance")
            changes = {what: value if is_text else bool(value)}
            await self.change(person, **(MEANS_FIELDS[value] if what == "means" else changes))

    # -- people --------------------------------------------------------------------------------
    async def change(self, person: str, **changes: Any) -> None:
        """Change a person, then show the list again."""
        if await self._post("/v1/hearing/persons", id=person, **changes):
            self.show(PeopleSheet(page=self.sheet.page if self.sheet else 0))

    async def save_typed(self) -> None:
        """Save whom the sheet describes; the mark that waits for a name gets it."""
        sheet = self.sheet
        if not isinstance(sheet, PersonSheet):
            return
        what = "act" if sheet.is_act else "name"
        body: dict[str, Any] = {"id": sheet.person, what: sheet.typing.text.strip()}
        if sheet.role:
            body["role"] = sheet.role
        answer = await self._call("POST", "/v1/hearing/persons", body)
        if answer is None:
            return
        if sheet.mark is None:
            self.show(PeopleSheet())
            return
        # from here on a second tap changes the one who is there already
        person = str(answer["person"]["id"])
        self.show(replace(sheet, person=person))
        if await self.name_mark(sheet.mark, person):
            self.show(None)

    async def name_mark(self, mark: int, person: str) -> bool:
        """Say of whom a mark is (empty: of nobody in particular)."""
        subject = f"of_whom:{mark}"
        return await self._post("/v1/hearing/statements", subject=subject, value=person or None)

    # -- notes ---------------------------------------------------------------------------------
    def begin_note(self) -> None:
        """Begin a note about this moment."""
        self.show(NoteSheet(self.clock()))

    def tie_note(self, mark: int | None) -> None:
        """Tie the note to a mark, or to the moment at which it was begun."""
        if isinstance(self.sheet, NoteSheet):
            self.show(replace(self.sheet, mark=mark))

    def _type_note(self, text: str = "") -> None:
        """Show the keys, with a template where one was chosen."""
        if isinstance(self.sheet, NoteSheet):
            typing = replace(self.sheet.typing, text=text) if text else self.sheet.typing
            self.show(replace(self.sheet, typing=typing, is_typing=True))

    async def keep_note(self) -> None:
        """Keep the note that was typed."""
        sheet = self.sheet
        if not isinstance(sheet, NoteSheet) or not sheet.typing.text.strip():
            return
        ago = 0.0 if sheet.mark is not None else self.clock() - sheet.began
        body = {"text": sheet.typing.text, "mark": sheet.mark, "ago_seconds": min(ago, 3600.0)}
        if await self._post("/v1/hearing/notes", **body):
            self.show(None)

    # -- keys ----------------------------------------------------------------------------------
    @property
    def typing(self) -> Typing | None:
        """What is being typed, if anything is."""
        match self.sheet:
            case PersonSheet(role=str()):
                return self.sheet.typing
            case NoteSheet(is_typing=True) | AnswerSheet():
                return self.sheet.typing
            case _:
                return None

    @property
    def _most_characters(self) -> int:
        match self.sheet:
            case NoteSheet():
                return MAX_NOTE_LENGTH
            case AnswerSheet():
                return MAX_ANSWER_LENGTH
            case _:
                return MAX_NAME_LENGTH

    @property
    def _word_ends(self) -> str:
        """Names have a capital at each word, notes and answers at the beginning."""
        return " -«" if isinstance(self.sheet, PersonSheet) else ""

    def _keep_typing(self, typing: Typing) -> None:
        if isinstance(self.sheet, PersonSheet | NoteSheet | AnswerSheet):
            self.show(replace(self.sheet, typing=typing))

    async def finish(self) -> None:
        """Keep what was typed, if anything was."""
        if self.typing is not None and self.typing.text.strip():
            match self.sheet:
                case NoteSheet():
                    await self.keep_note()
                case AnswerSheet():
                    await self.give_answer()
                case _:
                    await self.save_typed()

    async def give_answer(self) -> None:
        """Answer the question with what was typed."""
        sheet = self.sheet
        if isinstance(sheet, AnswerSheet):
            value = sheet.typing.text.strip()
            if await self._post("/v1/hearing/statements", subject=sheet.subject, value=value):
                self.show(None)
