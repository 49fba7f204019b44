"""Taps in any order: no event is lost, and there is always a way on (R46-R54, S10-S14, S25).

The steps of the courtroom as the API has them: events of anybody, oaths, people, decisions,
closing, recess, retirement, and crashes. Questions are answered with the answers of the screen.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kiosk.api.persons import SavePerson
from kiosk.api.recorder import RunningHearing
from kiosk.clocks import recording_ns, wall_time
from kiosk.evidence.chain import read_chain
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.locale import Translator
from kiosk.storage.hearing_folder import JOURNAL_FILE
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.secretary.running_hearing.questions import build_question
from kiosk.ui.view_context import ViewContext
from tests.hearing.courtroom_rig import RULES, CourtroomRig
from tests.support.court_keys import CourtSecrets

pytestmark = pytest.mark.slow
ENGLISH = Translator("en")
CONTEXT = ViewContext(ENGLISH, RuleLabels(ENGLISH, RULES), ZoneInfo("Asia/Almaty"), wall_time())
PEOPLE = ({"role": "accused_in_court", "name": "A."}, {"role": "witness", "name": "W."})
PERSONS = st.sampled_from(("", "p1", "p2", "p3"))
OPEN = ("recording", "recess", "retired")
SEQUENCES, STEPS = 15, 20
MOST_ANSWERS = 60
"""Answers after which nothing may be asked any more: some answers raise one question more."""


class Taps(RuleBasedStateMachine):
    """A hearing in which the secretary taps in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="taps-"))
        self._told: list[tuple[str, str]] = []

    @initialize(
        kind=st.sampled_from((*RULES.case_kinds, "")),
        format_=st.sampled_from(("offline", "online", "mixed", "")),
        flags=st.sampled_from(({}, {"liberty_at_stake": True}, {"session": "conciliation"})),
        listed=st.booleans(),
    )
    def begin(self, kind: str, format_: str, flags: dict[str, Any], listed: bool) -> None:
        self.rig = CourtroomRig(self._folder)
        CourtSecrets().pin(self.rig.paths)
        people = list(PEOPLE) if listed else []
        about = {"format": format_, "publicity": "open", "adhoc": not listed, **flags}
        self.id = self.rig.begin(kind=kind, participants=people, **about)

    # -- taps --------------------------------------------------------------------------------------
    @property
    def phase(self) -> str:
        return self.rig.phase()

    def tap(self, act: Any, *arguments: Any, **named: Any) -> Any:
        """Do a step that may be refused; it loses nothing then."""
        try:
            return act(*arguments, **named)
        except (BadRequestError, StepRefusedError):
            return None

    @rule(event=st.sampled_from(tuple(RULES.events)), person=PERSONS)
    def mark(self, event: str, person: str) -> None:
        answer = self.tap(self.rig.courtroom.add_mark, event, "s1", of=person)
        if answer is not None:
            self._told.append((event, answer.mark.of.id if answer.mark.of else ""))

    @rule(place=st.integers(0, 3))
    def mark_due(self, place: int) -> None:
        """Mark what is offered next."""
        for step in self.rig.hearing()["due"][place : place + 1]:
            self.mark_of(step["event"], step["of"])

    def mark_of(self, event: str, person: str) -> None:
        answer = self.rig.courtroom.add_mark(event, "s1", of=person)
        self._told.append((event, answer.mark.of.id if answer.mark.of else ""))

    @rule()
    def press_button(self) -> None:
        self.rig.courtroom.mark_from_button()
        self._told.append(("button", ""))

    @rule()
    def undo(self) -> None:
        self.tap(self.rig.courtroom.undo_mark, "s1")

    @rule()
    def end_oath(self) -> None:
        oaths = [mark["id"] for mark in self.rig.hearing()["marks"] if mark["type"] == "oath"]
        for number in oaths[-1:]:
            self.tap(self.rig.courtroom.end_oath, number, "s1")

    @rule(
        person=PERSONS,
        changes=st.sampled_from(
            (
                {"attendance": "absent"},
                {"attendance": "online", "institution": True},
                {"attendance": "hall"},
                {"minor": True},
                {"left": True},
                {"left": False},
                {"role": "interpreter", "name": "I."},
                {"role": "defender", "name": "D."},
            )
        ),
    )
    def save_person(self, person: str, changes: dict[str, Any]) -> None:
        self.tap(self.rig.courtroom.save_person, SavePerson(id=person, **changes), "s1")

    @rule(person=PERSONS)
    def remove_person(self, person: str) -> None:
        self.tap(self.rig.courtroom.remove_person, person, "s1")

    @rule(
        decision=st.sampled_from(
            (
                ("format", "offline"),
                ("format", "online"),
                ("format", "mixed"),
                ("session", "conciliation"),
                ("session", ""),
                ("permission", {"kind": "web_stream", "allowed": True, "opinions": "objected"}),
                ("kind", "criminal"),
                ("kind", "civil"),
            )
        )
    )
    def decide(self, decision: tuple[str, Any]) -> None:
        self.tap(self.rig.statement, *decision)

    @rule(ground=st.sampled_from((None, *RULES.closure_grounds)))
    def close(self, ground: str | None) -> None:
        self.rig.courtroom.change_publicity(True, "s1", recording_ns(), ground)

    @rule()
    def open(self) -> None:
        self.rig.courtroom.change_publicity(False, "s1", recording_ns())

    @precondition(lambda self: self.phase == "recording")
    @rule(retires=st.booleans())
    def pause(self, retires: bool) -> None:
        courtroom = self.rig.courtroom
        (courtroom.retire if retires else courtroom.recess)("s1")
        self._told.append(("retirement" if retires else "recess", ""))

    @precondition(lambda self: self.phase != "recording")
    @rule()
    def resume(self) -> None:
        self.rig.courtroom.resume("s1")
        self._told.append(("resumed", ""))

    @rule(answers=st.lists(st.integers(0, 4), min_size=1, max_size=4))
    def answer(self, answers: list[int]) -> None:
        """Answer what is asked, with any of the answers that the screen has."""
        for number in answers:
            asked = self.rig.hearing()["open_questions"]
            if asked:
                self.give_answer(asked[number % len(asked)], number)

    def give_answer(self, subject: str, number: int) -> None:
        """Answer one question; a name of somebody who was removed meanwhile is nobody's."""
        if subject.startswith(OF_WHOM_PREFIX):
            people = [person["id"] for person in self.rig.hearing()["persons"]]
            self.rig.statement(subject, [*people, ""][number % (len(people) + 1)])
            return
        running = RunningHearing.model_validate(self.rig.hearing())
        question = build_question(CONTEXT, subject, running)
        assert question.typed or question.choices, f"{subject} cannot be answered"
        value = "1" if question.typed else question.choices[number % len(question.choices)][0]
        if (subject, value) == ("publicity", "closed"):
            self.close(None)
        else:
            self.rig.statement(subject, value)

    @rule()
    def crash(self) -> None:
        before = self.kept(self.rig.hearing())
        self.rig.courtroom.current.settle(10)  # type: ignore[union-attr]
        self.rig.crash()
        self.rig.start()
        if self.phase not in OPEN:
            raise AssertionError(f"the hearing is gone: {self.phase}")
        after = self.kept(self.rig.hearing())
        assert after == before, "a crash changes nothing that was said"

    @staticmethod
    def kept(hearing: dict[str, Any]) -> dict[str, Any]:
        """Return what a crash must not change; it adds its own questions."""
        fields = ("marks", "persons", "due", "format", "session", "kind", "allowed", "formats")
        kept: dict[str, Any] = {name: hearing[name] for name in fields}
        own = ("recovered", "failure_reason", "recess_reason")
        return kept | {"asked": [name for name in hearing["open_questions"] if name not in own]}

    # -- what must be true -------------------------------------------------------------------------
    def teardown(self) -> None:
        try:
            if hasattr(self, "id"):
                self.finish()
        finally:
            if hasattr(self, "rig"):
                self.rig.crash()
            shutil.rmtree(self._folder, ignore_errors=True)

    def finish(self) -> None:
        """Go on from where the taps have led: answer what is asked, do what is due, and end."""
        for step in self.rig.hearing()["due"][:1]:
            self.mark_of(step["event"], step["of"])
        for _answer in range(MOST_ANSWERS):
            asked = self.rig.hearing()["open_questions"]
            if not asked:
                break
            self.give_answer(asked[0], 0)
        assert self.rig.hearing()["open_questions"] == [], "it is asked again and again"
        self.rig.courtroom.end("s1")
        self.rig.sealed(self.id)
        marked = [(e["type"], (e.get("of") or {}).get("id", "")) for e in self.written_marks()]
        told = list(marked)
        for mark in self._told:
            assert mark in told, f"{mark} is lost"
            told.remove(mark)

    def written_marks(self) -> list[dict[str, Any]]:
        folder = self.rig.folder(self.id)
        names = (folder / JOURNAL_FILE, *folder.glob(f"part-*/{JOURNAL_FILE}"))
        entries = [dict(entry) for name in names for entry in read_chain(name).entries]
        return [entry for entry in entries if entry["kind"] == "mark"]


TestAnyOrderOfTaps = Taps.TestCase
TestAnyOrderOfTaps.settings = settings(
    max_examples=SEQUENCES, stateful_step_count=STEPS, phases=(Phase.explicit, Phase.generate)
)
