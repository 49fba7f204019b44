"""Whom a mark concerns, who sits where, and notes: what is offered, and what taps and keys call."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.persons import HearingPerson
from kiosk.api.recorder import RecorderState
from kiosk.api.recorder_calls import MAX_ANSWER_LENGTH
from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.people_actions import (
    AnswerSheet,
    NoteSheet,
    PeopleSheet,
    PeopleState,
    PersonSheet,
)
from kiosk.ui.actions.secretary_actions import SecretaryActions
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.secretary.running_hearing.panel_view import PanelView
from kiosk.ui.secretary.running_hearing.people import MAX_SHOWN_NAME, TypingView
from kiosk.ui.secretary.running_hearing.people_samples import LONG_NAMES, QUESTIONED
from kiosk.ui.secretary.running_hearing.recording import RecordingView, recording_view, with_people
from kiosk.ui.view_context import ViewContext
from tests.support.waiting import wait_for
from tests.ui.fake_services import FakeRecorder
from tests.ui.touch_screen import SECONDS, TouchScreen

TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), sample_data.NOW
)
ASKED: dict[str, Any] = {"marks": QUESTIONED, "open_questions": ["format", "of_whom:8"]}
PERSON = {"person": {"id": "p9", "role": "witness", "name": "Ли А."}}


def view_of(
    people: PeopleState | None = None, postponed: frozenset[str] = frozenset(), **hearing: Any
) -> RecordingView:
    state = RecorderState.model_validate(sample_data.recording(hearing=hearing))
    shown = recording_view(CONTEXT, state, stale=False, schedule=None, postponed=postponed)
    return with_people(CONTEXT, state, shown, people or PeopleState(), postponed)


def offered(view: RecordingView) -> list[str]:
    assert view.question is not None
    return [value for value, _label in view.question.choices]


# -- what is offered ---------------------------------------------------------------------------


def test_who_speaks_is_offered_first_and_who_is_absent_last() -> None:
    """Of the roles of the event; the judge speaks too, and is nobody who is questioned."""
    asked = view_of(PeopleState(speaking=("judge", "plaintiff")), **ASKED)
    assert offered(asked) == ["p1", "p3", "p2", "p4", "new", ""]
    assert offered(view_of(PeopleState(speaking=("witness",)), **ASKED))[0] == "p3"
    assert offered(view_of(**ASKED))[0] == "p3", "nobody speaks: by the roles of the event"
    assert asked.question is not None
    assert "09:52:02 Questioning" in asked.question.text
    assert asked.question.choices[0][1] == "Plaintiff: Ахметов А."


def test_the_newest_mark_is_asked_first_and_may_wait_for_the_others() -> None:
    later = frozenset({"of_whom:8"})
    assert view_of(postponed=later, **ASKED).question.subject == "format"  # type: ignore[union-attr]
    both = {**ASKED, "open_questions": ["of_whom:7", "of_whom:8"]}
    assert view_of(postponed=later, **both).question.subject == "of_whom:7"  # type: ignore[union-attr]
    assert view_of(postponed=later | {"of_whom:7"}, **both).question is None
    assert offered(view_of(persons=[], **ASKED)) == ["new", ""], "a hearing without a list"


def test_prosecutor_and_defender_are_not_offered_for_a_removal() -> None:
    """S7, УПК 346: the law does not let them be removed."""
    persons = [
        {"id": "p1", "role": "prosecutor", "name": "П."},
        {"id": "p2", "role": "defender", "name": "З."},
        {"id": "p3", "role": "expert", "name": "Э."},
    ]
    mark = {"id": 8, "type": "removal", "at": sample_data.at(9, 52), "seconds": 1.0}
    shown = view_of(persons=persons, **{**ASKED, "marks": [mark]})
    assert offered(shown) == ["p3", "new", ""], "an expert may be: another role can be named"


@pytest.mark.parametrize("remote", [True, False], ids=["online", "in the room"])
def test_by_whose_means_somebody_takes_part_is_asked_of_those_afar(remote: bool) -> None:
    """R28, АПК 133-3(3)."""
    person = {"id": "p1", "role": "witness", "name": "Е.", "institution": True}
    person["attendance"] = "online" if remote else "hall"
    sheet = view_of(PeopleState(PeopleSheet("p1")), persons=[person], format="online").sheet
    assert isinstance(sheet, PanelView)
    means = {c.id: c.style for c in sheet.choices if c.id.startswith("means:")}
    said = {"means:own": "plain", "means:court": "plain", "means:institution": "primary"}
    assert means == (said if remote else {})


def test_a_name_of_any_length_is_shortened_and_the_log_names_whom() -> None:
    many = view_of(persons=LONG_NAMES, **ASKED)
    assert many.question is not None
    assert len(many.question.choices) == len(LONG_NAMES) + 2
    assert max(len(label) for _, label in many.question.choices) <= MAX_SHOWN_NAME + len(
        "Witness: "
    )
    log = [entry.text for entry in view_of(**ASKED).event_log]
    assert log == ["Questioning", "Questioning: Ахметов А."]


def test_where_the_title_is_hidden_the_names_are_hidden_too() -> None:
    closed = {"publicity": "closed", "closed": {"since": sample_data.at(9, 41), "ground": None}}
    view = view_of(**{**ASKED, **closed})
    assert "Ахметов" not in view.case.people + view.case.title
    assert [entry.text for entry in view.event_log] == ["Questioning", "Questioning: plaintiff"]


def test_the_sheet_shows_seats_and_attendance() -> None:
    sheet = view_of(PeopleState(PeopleSheet())).sheet
    assert isinstance(sheet, PanelView)
    labels = {choice.id: choice.label for choice in sheet.choices}
    assert labels["person:p1"] == "Plaintiff: Ахметов А. · in the room"
    assert labels["person:p3"] == "Witness: Ержан Т. · Witness"
    one = view_of(PeopleState(PeopleSheet("p4"))).sheet
    assert isinstance(one, PanelView)
    chosen = [choice.id for choice in one.choices if choice.style == "primary"]
    assert chosen == ["attendance:absent"]
    gone = view_of(PeopleState(PeopleSheet("p77"))).sheet
    assert isinstance(gone, PanelView)
    assert gone.title == "People", "somebody who was removed meanwhile"


def test_the_roles_of_the_event_are_offered_first_for_somebody_else() -> None:
    sheet = view_of(PeopleState(PersonSheet(mark=8)), **ASKED).sheet
    assert isinstance(sheet, PanelView)
    ids = [choice.id for choice in sheet.choices]
    assert ids[0] == "role:witness"
    assert "role:observer" in ids[10:]
    typed = view_of(PeopleState(NoteSheet(typing=Typing("A"), is_typing=True, mark=8)), **ASKED)
    assert isinstance(typed.sheet, TypingView)
    assert typed.sheet.is_tied
    assert typed.sheet.tie == (8, "To: Questioning")


# -- what taps call ----------------------------------------------------------------------------


def run(
    recorder: FakeRecorder, steps: Callable[[SecretaryActions], Coroutine[Any, Any, None]]
) -> list[str]:
    """Run ``steps``; return the codes that were shown."""
    codes: list[str] = []

    async def go() -> None:
        client = LocalClient(recorder.socket)
        await steps(
            SecretaryActions(client, client, Path(), lambda: None, codes.append, CONTEXT.zone)
        )
        await client.close()

    recorder.publish(**sample_data.recording(hearing=ASKED))
    recorder.answers["/v1/hearing/persons"] = PERSON
    recorder.answers["/v1/hearing/persons/p2"] = PERSON
    recorder.answers["/v1/hearing/notes"] = {"note": {"id": 1}}
    asyncio.run(go())
    return codes


def said(recorder: FakeRecorder) -> list[tuple[str, dict[str, Any]]]:
    return [(path.removeprefix("/v1/hearing/"), body) for path, body in recorder.calls]


def test_a_name_is_one_tap_after_the_mark_which_is_made_at_once(recorder: FakeRecorder) -> None:
    async def steps(secretary: SecretaryActions) -> None:
        quiet, loud = {"rms_db": -60.0}, {"rms_db": -20.0}
        secretary.people.levels = lambda: {"judge": {"rms_db": -30.0}, "stand": loud, "dock": quiet}
        await secretary.mark_event("questioning")
        assert secretary.people.speaking == ("stand", "judge")
        secretary.people.levels = dict
        await secretary.answer_question("of_whom:9", "p3")
        assert secretary.people.speaking == ("stand", "judge"), "the order under a finger stays"
        await secretary.answer_question("of_whom:9", "")

    assert run(recorder, steps) == []
    assert said(recorder)[0][0] == "marks"
    assert said(recorder)[1:] == [
        ("statements", {"subject": "of_whom:9", "value": "p3"}),
        ("statements", {"subject": "of_whom:9", "value": None}),
    ]


def test_a_mark_of_somebody_who_was_removed_meanwhile_is_not_lost(recorder: FakeRecorder) -> None:
    async def steps(secretary: SecretaryActions) -> None:
        recorder.refusals["/v1/hearing/marks"] = "unknown_person"
        await secretary.mark_event("oath", "p2")

    assert run(recorder, steps) == ["unknown_person"], "this recorder refuses the second one, too"
    assert [body for _, body in said(recorder)] == [
        {"type": "oath", "of": "p2"},
        {"type": "oath", "of": ""},
    ]


def test_somebody_else_is_added_once_although_the_answer_was_refused(
    recorder: FakeRecorder,
) -> None:
    async def steps(secretary: SecretaryActions) -> None:
        people = secretary.people
        await secretary.answer_question("of_whom:8", "new")
        await people.choose("role:witness")
        for key in ("Л", "И", " ", "А", "."):
            people.type(key)
        assert people.typing == Typing("Ли А."), "a capital at each word"
        recorder.refusals["/v1/hearing/statements"] = "hearing_step_refused"
        await people.finish()
        assert people.typing == Typing("Ли А."), "what was typed stays"
        recorder.refusals.clear()
        await people.finish()
        assert people.sheet is None

    assert run(recorder, steps) == ["hearing_step_refused"]
    added = [body for path, body in said(recorder) if path == "persons"]
    assert added[0] == {"id": "", "name": "Ли А.", "role": "witness"}
    assert added[1]["id"] == "p9", "the second tap changes who is there already"
    assert said(recorder)[-1] == ("statements", {"subject": "of_whom:8", "value": "p9"})


def test_two_taps_move_somebody_to_a_seat(recorder: FakeRecorder) -> None:
    async def steps(secretary: SecretaryActions) -> None:
        people = secretary.people
        people.show(PeopleSheet())
        for one, other in (
            ("person:p2", "seat:witness"),
            ("person:p2", "attendance:online"),
            ("person:p2", "left:yes"),
            ("person:p2", "left:"),
            ("person:p2", "minor:yes"),
            ("person:p2", "means:own"),
            ("person:p2", "means:institution"),
            ("person:p2", "remove:"),
        ):
            await people.choose(one)
            await people.choose(other)
            assert people.sheet == PeopleSheet()
        await people.choose("person:p2")
        await people.choose("role:")
        await people.choose("role:expert")
        people.persons = lambda: tuple(HearingPerson.model_validate(p) for p in sample_data.PERSONS)
        await people.choose("person:p2")
        await people.choose("name:")
        assert people.typing == Typing("Ким О.")
        people.type_text("")
        await people.finish()

    assert run(recorder, steps) == []
    assert [body | {"path": path} for path, body in said(recorder)] == [
        {"path": "persons", "id": "p2", "seat": "witness"},
        {"path": "persons", "id": "p2", "attendance": "online"},
        {"path": "persons", "id": "p2", "left": True},
        {"path": "persons", "id": "p2", "left": False},
        {"path": "persons", "id": "p2", "minor": True},
        {"path": "persons", "id": "p2", "own_device": True, "institution": False},
        {"path": "persons", "id": "p2", "own_device": False, "institution": True},
        {"path": "persons/p2"},
        {"path": "persons", "id": "p2", "role": "expert"},
        {"path": "persons", "id": "p2", "name": "Ким О"},
    ]


def test_a_note_is_about_the_moment_at_which_it_was_begun(recorder: FakeRecorder) -> None:
    now = [100.0]

    async def steps(secretary: SecretaryActions) -> None:
        people = secretary.people
        people.clock = lambda: now[0]
        people.begin_note()
        await people.choose("template:noise", "Noise in the hall")
        now[0] += 12.5
        people.type_text(", тоқтатылды")
        people.step_back()
        await people.choose("type:")
        recorder.refusals["/v1/hearing/notes"] = "storage_failed"
        await people.finish()
        assert people.typing == Typing("Noise in the hall, тоқтатылды"), "nothing typed is lost"
        recorder.refusals.clear()
        await people.finish()
        assert people.sheet is None
        people.begin_note()
        await people.choose("type:")
        await people.finish()
        assert people.sheet is not None, "an empty note is none"
        people.tie_note(8)
        people.type("А")
        people.type("Б")
        await people.finish()

    assert run(recorder, steps) == ["storage_failed"]
    sent = [body for path, body in said(recorder) if path == "notes"]
    assert sent[0] == sent[1], "the refused one, again"
    assert sent[1:] == [
        {"text": "Noise in the hall, тоқтатылды", "mark": None, "ago_seconds": 12.5},
        {"text": "Аб", "mark": 8, "ago_seconds": 0.0},
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("sync")
def test_a_name_is_typed_on_the_screen_and_on_a_keyboard(
    folder: Path, display: Display, recorder: FakeRecorder, badge: VirtualBadgeReader
) -> None:
    """Real clicks and real keys; the screen's own keys have Kazakh letters."""
    recorder.publish(**sample_data.recording(hearing={**ASKED, "persons": []}))
    recorder.answers["/v1/hearing/persons"] = PERSON
    with TouchScreen(folder, display, {"badge": {"port": badge.port}}) as screen:
        badge.scan("badge-secretary")
        screen.wait_screen("secretary.recording")
        screen.tap("ask.of_whom:8.new")
        screen.tap("panel.role:witness")
        screen.tap("key.Ә")
        wait_for(lambda: screen.text("typing.text") == "Ә", "the letter", SECONDS)
        environment = {**os.environ, "DISPLAY": display.name}
        subprocess.run(["xdotool", "type", "--delay", "60", "li Ab"], check=True, env=environment)
        wait_for(lambda: screen.text("typing.text") == "Әli Ab", "the keyboard's", SECONDS)
        subprocess.run(["xdotool", "key", "BackSpace", "Return"], check=True, env=environment)
        path = "/v1/hearing/persons"
        wait_for(lambda: path in recorder.paths(), "the person", SECONDS)
        assert dict(recorder.calls)[path] == {"id": "", "name": "Әli A", "role": "witness"}
        wait_for(lambda: "/v1/hearing/statements" in recorder.paths(), "the name", SECONDS)


def test_an_answer_that_is_a_sentence_is_typed_with_letters_and_stays_if_refused(
    recorder: FakeRecorder,
) -> None:
    """R77: the circumstances that hinder an open hearing, bounded."""

    async def steps(secretary: SecretaryActions) -> None:
        people = secretary.people
        people.show(AnswerSheet("closure_text", "Which circumstances?"))
        await people.finish()
        assert people.sheet is not None, "nothing typed is no answer"
        people.type("Б")
        people.type("А")
        people.type_text("ла қатысады")
        recorder.refusals["/v1/hearing/statements"] = "storage_failed"
        await people.finish()
        assert people.typing == Typing("Бала қатысады")
        recorder.refusals.clear()
        await people.finish()
        assert people.sheet is None
        people.show(AnswerSheet("closure_text", "Which circumstances?", Typing("ә" * 499)))
        people.type_text("ққ")
        assert people.typing is not None
        assert len(people.typing.text) <= MAX_ANSWER_LENGTH

    assert run(recorder, steps) == ["storage_failed"]
    assert said(recorder)[-1] == (
        "statements",
        {"subject": "closure_text", "value": "Бала қатысады"},
    )
