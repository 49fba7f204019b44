"""The screen of the rehearsal: what it says, and what its buttons call (R29, R34, R35)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.published import Schedule
from kiosk.api.recorder import RecorderState
from kiosk.api.rehearsal import Rehearsal, RehearsedMicrophone
from kiosk.api.states import MicrophoneState, UnclearSpeech
from kiosk.api.sync import LinkCheckResult, SyncState
from kiosk.ipc import LocalClient
from kiosk.ui.actions.rehearsal_actions import RehearsalActions, RehearsalState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import TodayPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import prepare_staff
from kiosk.ui.secretary.schedule.rehearsal import RehearsalView, view
from tests.ui.app_without_services import Clock, app_in
from tests.ui.fake_services import FakeRecorder

PATH = "/v1/rehearsal"
ANSWER = Rehearsal(
    seconds=8.0,
    microphones=(RehearsedMicrophone(name="witness", state=MicrophoneState.OK, level_db=-30.0),),
    played="headset",
)


@pytest.fixture
def app(folder: Path) -> AppState:
    """A secretary at the rehearsal's screen."""
    made = app_in(folder, Clock())
    prepare_staff(made)
    made.translate.switch_language("en")
    made.open_rehearsal()
    return made


def shown(app: AppState, **changes: Any) -> RehearsalView:
    """Return what the screen says of an answer."""
    answer = ANSWER.model_copy(update=changes)
    app.secretary.rehearsal.state = RehearsalState(answer=answer)
    return view(app)


def row(name: str, **changes: Any) -> RehearsedMicrophone:
    """Return a microphone from which sound came, and at which nobody was heard."""
    values = {"name": name, "state": MicrophoneState.OK, "level_db": -40.0, "heard": False}
    return RehearsedMicrophone.model_validate({**values, **changes})


# -- what is said --------------------------------------------------------------------------------


def test_who_was_heard_and_who_was_not_is_said_by_name(app: AppState) -> None:
    lines = shown(
        app,
        microphones=(
            row("judge", heard=True, unclear=UnclearSpeech.FAR),
            row("witness", heard=True),
            row("plaintiff"),
            row("defendant", level_db=None, state=MicrophoneState.ABSENT, heard=None),
        ),
    ).lines
    assert [(line.item, line.tone) for line in lines] == [
        ("heard", "good"),
        ("unclear", "caution"),
        ("unheard", "plain"),
        ("silent", "fault"),
        ("played", "good"),
    ]
    assert lines[0].text == "A voice was heard: Witness"
    assert "Presiding judge" in lines[1].text
    assert lines[1].remedy.startswith("Sit closer")
    assert lines[3].text == "No sound came: Defendant"


def test_that_nobody_was_heard_is_claimed_only_where_it_is_known(app: AppState) -> None:
    nobody = shown(app, microphones=(row("judge"), row("witness"))).lines[0]
    assert nobody.text.startswith("Nobody was heard.")
    unknown = shown(app, microphones=(row("judge"), row("witness", heard=None))).lines
    assert [line.item for line in unknown] == ["unheard", "unknown", "played"]
    assert "not known whether it was a voice: Witness" in unknown[1].text


@pytest.mark.parametrize(
    ("played", "problem", "words"),
    [
        ("headset", None, "played in the headset"),
        ("loudspeaker", "headset_absent", "played on the loudspeaker"),
        (None, "headset_absent", "could not be played. There is no headset"),
        (None, "speaker_absent", "could not be played. The kiosk cannot speak"),
    ],
)
def test_where_it_was_played_is_said(
    app: AppState, played: str | None, problem: str | None, words: str
) -> None:
    line = shown(app, played=played, problem=problem).lines[-1]
    assert words in line.text
    assert (line.tone == "good") is (played is not None)


def test_the_face_is_asked_of_the_person_and_only_beside_a_picture(app: AppState) -> None:
    assert view(app).question == "Is your face in the picture?"
    app.recorder_state = RecorderState.model_validate(
        service_states.recorder(camera={"state": "absent", "back_end": "none"})
    )
    assert (view(app).question, view(app).message) == ("", "No picture")
    app.recorder_connection.is_up = False
    assert view(app).message == "No news from the recorder"
    assert not view(app).can_begin


def test_without_a_microphone_it_cannot_begin(app: AppState) -> None:
    app.recorder_state = RecorderState.model_validate(service_states.recorder(microphones=[]))
    assert not view(app).can_begin
    assert view(app).text == "No microphone is set up on this kiosk."


def test_the_measured_line_stands_beside_the_way_out(app: AppState) -> None:
    result = LinkCheckResult(
        at=service_states.ago(180), verdict="below", sentence={"en": "You will not be heard."}
    )
    check = {"running": False, "last": result.to_json(), "next": None}
    app.sync_state = SyncState.model_validate(service_states.sync(link_check=check))
    seen = view(app)
    assert seen.link.text == "3 min ago · You will not be heard."
    assert seen.link.tone == "caution"
    assert "can take part from the court's kiosk" in seen.advice


# -- what is called ------------------------------------------------------------------------------


class Rig:
    """The actions, beside a recorder that answers when a test lets it."""

    def __init__(self, app: AppState, recorder: FakeRecorder) -> None:
        self.app, self.recorder = app, recorder
        self.errors: list[str] = []
        self.client = LocalClient(recorder.socket)
        self.actions = RehearsalActions(self.client, lambda: None, self.errors.append)
        app.secretary.rehearsal = self.actions
        recorder.answers[PATH] = ANSWER.to_json()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)

    def step(self) -> str:
        """Return the step that the screen shows."""
        return view(self.app).step

    def is_asked(self) -> bool:
        """Return whether the recorder was called."""
        return PATH in self.recorder.paths()


def test_what_the_recorder_does_is_shown_and_then_what_came_of_it(
    app: AppState, recorder: FakeRecorder
) -> None:
    async def steps() -> None:
        rig = Rig(app, recorder)
        recorder.held.add(PATH)
        running = asyncio.create_task(rig.actions.begin())
        await rig.until(rig.is_asked)
        assert rig.step() == "waiting"
        app.handle_recorder_event("rehearsal", {"phase": "speak", "seconds": 3, "of_seconds": 8})
        assert (rig.step(), view(app).seconds_left) == ("speak", 5)
        await rig.actions.begin()  # a second tap
        app.handle_recorder_event("rehearsal", {"phase": "listen", "seconds": 0, "of_seconds": 8})
        assert (rig.step(), view(app).seconds_left) == ("listen", 8)
        app.handle_recorder_event("rehearsal", {"phase": "over", "seconds": 0, "of_seconds": 0})
        assert rig.step() == "waiting"
        recorder.held.clear()
        await running
        assert (rig.step(), rig.actions.state.answer) == ("done", ANSWER)
        assert recorder.paths().count(PATH) == 1
        assert recorder.calls[-1][1] == {"seconds": 8.0, "source": None}
        app.open_rehearsal()
        assert rig.step() == "ready", "what came of it is not kept"
        app.handle_recorder_event("rehearsal", {"phase": "speak", "seconds": 0, "of_seconds": 8})
        assert rig.step() == "ready", "somebody else's"
        await rig.client.close()

    asyncio.run(steps())


@pytest.mark.parametrize("leave", ["stop", "sign_out"])
def test_who_leaves_breaks_it_off(app: AppState, recorder: FakeRecorder, leave: str) -> None:
    async def steps() -> None:
        rig = Rig(app, recorder)
        recorder.held.add(PATH)
        running = asyncio.create_task(rig.actions.begin())
        await rig.until(rig.is_asked)
        if leave == "stop":
            rig.actions.stop()
        else:
            app.sign_out()
            assert app.secretary.place == TodayPlace()
        await running
        await rig.until(lambda: PATH in recorder.abandoned)
        assert rig.actions.state == RehearsalState()
        assert rig.errors == []
        recorder.held.clear()
        await rig.actions.begin()
        assert rig.actions.state.answer == ANSWER
        await rig.client.close()

    asyncio.run(steps())


@pytest.mark.parametrize(
    ("code", "told"),
    [("already_recording", []), ("token_expired", ["token_expired"])],
    ids=["a hearing has its own screen", "signed out"],
)
def test_why_it_was_refused_is_said(
    app: AppState, recorder: FakeRecorder, code: str, told: list[str]
) -> None:
    async def steps() -> None:
        rig = Rig(app, recorder)
        recorder.refusals[PATH] = code
        await rig.actions.begin()
        assert (rig.errors, rig.actions.state) == (told, RehearsalState())
        recorder.stop()
        await rig.actions.begin()
        assert rig.errors == [*told, "recorder_down"]
        await rig.client.close()

    asyncio.run(steps())


def speak_in_the_room(app: AppState, clock: Clock) -> None:
    """Let the recorder hear somebody for eight seconds."""
    for _ in range(8):
        clock.seconds += 1
        heard = service_states.microphones(judge={"heard": service_states.ago(0.5)})
        app.handle_recorder_event("state", service_states.recorder(microphones=heard))
        app.reminder_desk.tick()


@pytest.mark.parametrize("is_running", [False, True])
def test_whoever_rehearses_is_not_reminded_of_a_hearing(folder: Path, is_running: bool) -> None:
    clock = Clock()
    app = app_in(folder, clock)
    prepare_staff(app)
    listed = [service_states.hearing(1, scheduled_at=service_states.at(9, 50))]
    app.secretary.schedule = Schedule.model_validate(service_states.schedule(listed))
    app.secretary.rehearsal.state = RehearsalState(is_running=is_running)
    speak_in_the_room(app, clock)
    assert (app.screen_chrome().notice == "") is is_running
