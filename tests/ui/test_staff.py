"""Signing in and out, notices, services that come and go, and the technician's run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.api.recorder_calls import ListedPerson, StaffSession
from kiosk.api.reports import SelfTestRun
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.selftest import (
    CHECKS,
    CheckFinished,
    CheckResult,
    CheckStarted,
    RunFinished,
    RunPlanned,
    SelfTestContext,
    SelfTestEvent,
)
from kiosk.ui import screenshots
from kiosk.ui.actions import self_test_runner
from kiosk.ui.actions.notice_board import SHOWN_S
from kiosk.ui.actions.people_actions import PersonSheet
from kiosk.ui.actions.self_test_runner import SelfTestState
from kiosk.ui.actions.side_panel_actions import ClosedSincePanel
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.app_state import NOTICE_REST_SECONDS, AppState
from kiosk.ui.registry import PeoplePlace, PinPlace, SelfTestPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.screen_loader import current_screen
from kiosk.ui.staff.people import view as people_view
from kiosk.ui.staff.pin import view as pin_view
from kiosk.ui.technician.home import TILES
from kiosk.ui.technician.self_test import DONE, self_test_view
from kiosk.ui.view_context import ViewContext
from tests.support.waiting import PATIENCE
from tests.ui.fake_services import FakeRecorder

RULES = load_rules()
TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, RULES), ZoneInfo("Asia/Almaty"), sample_data.NOW
)


class Clock:
    """Monotonic seconds that pass only when a test advances them."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def app_in(folder: Path, clock: Clock) -> AppState:
    """Return an application state over the services of ``folder``."""
    settings = screenshots.make_settings(folder, *screenshots.LARGE)
    return AppState(settings, now=clock, wall=lambda: sample_data.NOW, rules=RULES)


SECRETARY = ListedPerson(person="p-17", name="A. Secretary", roles=("secretary",))


@pytest.mark.usefixtures("recorder")
def test_roles_lead_to_their_screens(folder: Path) -> None:
    """A secretary sees today, a technician his first screen; out leads home."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        await app.sign_in.with_badge("badge-secretary")
        assert current_screen(app) == "secretary.today"
        app.sign_out()
        assert current_screen(app) == "visitor.home"
        await app.sign_in.with_badge("badge-technician")
        assert current_screen(app) == "technician.home"
        for tile in TILES:
            app.secretary.show(tile.place)
            assert current_screen(app) == f"technician.{tile.name}"
        app.sign_out()
        await app.sign_in.with_badge("badge-technician")
        assert current_screen(app) == "technician.home"
        await app.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("recorder")
def test_wrong_badge_and_pin_are_said(folder: Path) -> None:
    """A notice that goes by itself; the PIN pad stays, empty, and says so."""

    async def steps() -> None:
        clock = Clock()
        app = app_in(folder, clock)
        await app.sign_in.with_badge("badge-of-nobody")
        assert "not known" in notice_of(app)
        clock.seconds += SHOWN_S + 1
        app.tick()
        assert app.screen_chrome().notice == ""
        app.sign_in.open()
        assert current_screen(app) == "staff.people"
        await app.sign_in.load_people()
        place = app.sign_in.place
        assert isinstance(place, PeoplePlace)
        assert place.people is not None
        (person, *_) = place.people
        app.sign_in.choose(person)
        for digit in "9999":
            app.sign_in.type_digit(digit)
        assert current_screen(app) == "staff.pin"
        await app.sign_in.with_pin(person, "9999")
        assert app.sign_in.place == PinPlace(person, is_wrong=True)
        await app.close()

    asyncio.run(steps())


def test_the_list_of_names_comes_with_the_recorder(folder: Path) -> None:
    """It was opened while the recorder did not answer, as after a power cut."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        app.sign_in.open()
        while not app.notices.passing:
            await asyncio.sleep(0.01)
        assert app.sign_in.place == PeoplePlace()  # not an empty list, as if nobody had a PIN
        with FakeRecorder(folder / "run" / "recorder" / "recorder.sock"):
            async with asyncio.timeout(PATIENCE):
                while not people_view(app).rows:
                    await asyncio.sleep(0.01)
        await app.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("recorder")
def test_nothing_moves_between_two_taps_of_somebody_who_types_a_code(folder: Path) -> None:
    """A notice that went moved the pad: the finger met another digit."""

    async def steps() -> None:
        clock = Clock()
        app = app_in(folder, clock)
        app.show_notice("unreadable_badge")
        for _ in range(6):
            clock.seconds += 2
            app.record_touch()
            app.tick()
        assert "could not read" in notice_of(app)
        clock.seconds += NOTICE_REST_SECONDS + 1
        app.tick()
        assert app.screen_chrome().notice == ""
        app.show_notice("recorder_down")
        app.sign_in.open()
        await app.sign_in.load_people()
        assert app.screen_chrome().notice == ""
        await app.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("recorder")
def test_the_pad_says_how_long_to_wait_and_counts_down(folder: Path) -> None:
    """While it waits it takes no digits; afterwards it asks for the PIN again."""

    async def steps() -> None:
        clock = Clock()
        app = app_in(folder, clock)
        for _ in range(3):
            await app.sign_in.with_pin(SECRETARY, "9999")
        app.translate.switch_language("en")
        assert pin_view(app).wait_seconds == 40
        app.sign_in.type_digit("1")
        clock.seconds += 10.5
        app.tick()
        assert (pin_view(app).digits, pin_view(app).wait_seconds) == (0, 30)
        clock.seconds += 30
        app.record_touch()
        app.tick()
        assert app.sign_in.place == PinPlace(SECRETARY)
        app.sign_in.type_digit("1")
        assert pin_view(app).digits == 1
        await app.close()

    asyncio.run(steps())


@pytest.mark.parametrize("leave", ["close", "open", "choose"])
@pytest.mark.parametrize("pin", ["1234", "9999"])
def test_the_answer_to_a_pin_is_for_nobody_who_has_left_the_pad(
    folder: Path, recorder: FakeRecorder, leave: str, pin: str
) -> None:
    """Cancel while the recorder checks: nobody is signed in behind the visitor's back."""
    other = ListedPerson(person="p-2", name="B. Judge", roles=("judge",))

    async def steps() -> None:
        app = app_in(folder, Clock())
        app.sign_in.choose(SECRETARY)
        answer = asyncio.create_task(app.sign_in.with_pin(SECRETARY, pin))
        await asyncio.sleep(0)  # the call is on its way
        getattr(app.sign_in, leave)(*([other] if leave == "choose" else []))
        screen = current_screen(app)
        await answer
        assert [path for path, _ in recorder.calls].count("/v1/sign-in") == 1
        assert app.staff is None
        assert current_screen(app) == screen
        assert app.sign_in.place in (None, PinPlace(other)) or isinstance(
            app.sign_in.place, PeoplePlace
        )
        await app.close()

    asyncio.run(steps())


def test_a_pin_that_nobody_could_check_is_not_called_wrong(folder: Path) -> None:
    """The recorder is down: the notice says so, the pad is empty and takes the PIN again."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        app.sign_in.choose(SECRETARY)
        app.sign_in.type_digit("1")
        await app.sign_in.with_pin(SECRETARY, "1234")
        assert app.sign_in.place == PinPlace(SECRETARY)
        assert "recording service" in notice_of(app)
        await app.close()

    asyncio.run(steps())


@pytest.mark.parametrize("name", ["", "  "])
def test_somebody_without_a_name_is_not_called_the_first_technician(
    folder: Path, name: str
) -> None:
    """A row whose name cannot be read shows its id."""
    app = app_in(folder, Clock())
    people = (
        ListedPerson(person="p-17", name=name, roles=("judge",)),
        ListedPerson(person="first-technician", roles=("technician",)),
    )
    app.translate.switch_language("en")
    app.sign_in.place = PeoplePlace(people)
    rows = people_view(app).rows
    assert [row.name for row in rows] == ["p-17", "First technician (code of the set-up)"]
    assert [row.roles for row in rows] == ["judge", ""]


def notice_of(app: AppState) -> str:
    """Return the notice in English."""
    app.translate.switch_language("en")
    return app.screen_chrome().notice


def test_without_recorder_nobody_signs_in_but_it_is_said(folder: Path) -> None:
    """The recorder is down."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        await app.sign_in.with_badge("badge-secretary")
        assert app.staff is None
        assert "recording service" in notice_of(app)
        await app.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("recorder")
def test_staff_are_signed_out_when_they_leave(folder: Path) -> None:
    """After ``ui.staff_idle_minutes``; the PIN pad closes as well."""

    async def steps() -> None:
        clock = Clock()
        app = app_in(folder, clock)
        await app.sign_in.with_pin(SECRETARY, "1234")
        clock.seconds += app.settings.ui.staff_idle_minutes * 60 + 1
        app.tick()
        assert app.staff is None
        app.sign_in.open()
        app.record_touch()
        clock.seconds += app.settings.ui.idle_seconds + 1
        app.tick()
        assert app.sign_in.place is None
        await app.close()

    asyncio.run(steps())


def test_an_expired_token_signs_out(folder: Path) -> None:
    """And says so."""
    app = app_in(folder, Clock())
    app.show_notice("token_expired")
    assert app.staff is None
    assert app.notices.passing is not None


def test_lines_come_back_by_themselves(folder: Path, recorder: FakeRecorder) -> None:
    """The newest state at once; gone is said; back again without a restart."""

    async def until(condition: object, app: AppState) -> None:
        assert callable(condition)
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.02)
        assert app

    async def steps() -> None:
        app = app_in(folder, Clock())
        running = asyncio.create_task(app.recorder_connection.run())
        await until(lambda: app.recorder_state is not None, app)
        recorder.publish(**sample_data.recording())
        await until(lambda: current_screen(app) == "secretary.lock", app)
        await asyncio.to_thread(recorder.stop)
        await until(lambda: app.is_recorder_stale, app)
        assert current_screen(app) == "secretary.lock"
        await asyncio.to_thread(recorder.start)
        await until(lambda: not app.is_recorder_stale, app)
        running.cancel()
        await app.close()

    asyncio.run(steps())


def test_the_timer_runs_between_two_states(folder: Path) -> None:
    """It never runs on by itself for long, and stands in a recess."""
    clock = Clock()
    app = app_in(folder, clock)
    app.handle_recorder_event("state", sample_data.recording(hearing={"seconds": 10.0}))
    clock.seconds += 0.6
    assert app.recorded_seconds == pytest.approx(10.6)
    clock.seconds += 60
    assert app.recorded_seconds == pytest.approx(15.0)
    app.handle_recorder_event(
        "state", {**sample_data.recording(hearing={"seconds": 10.0}), "phase": "recess"}
    )
    clock.seconds += 3
    assert app.recorded_seconds == pytest.approx(10.0)


@pytest.mark.parametrize("is_seen_idle", [True, False], ids=["idle between", "at once"])
def test_nothing_of_a_hearing_is_open_in_the_next_one(folder: Path, is_seen_idle: bool) -> None:
    """Marks count from 1 in each: what was hidden or chosen for one would be another's."""
    app = app_in(folder, Clock())
    secretary = app.secretary
    app.handle_recorder_event("state", sample_data.recording())
    secretary.people.show(PersonSheet(mark=3, typing=Typing("Ахметов")))
    secretary.side_panel.show(ClosedSincePanel("mark:3"))
    secretary.hide_oath(3)
    secretary.postpone_question("closure_ground")
    secretary.show_answer_keys(True)
    app.handle_recorder_event("state", sample_data.recording(hearing={"seconds": 11.0}))
    is_open = secretary.people.sheet is not None
    assert is_open, "it is the same hearing"
    if is_seen_idle:
        app.handle_recorder_event("state", sample_data.recorder())
    app.handle_recorder_event("state", sample_data.recording(hearing={"id": "another"}))
    assert secretary.people.state.sheet is None
    assert secretary.side_panel.panel is None
    assert (secretary.hidden_oath, secretary.typed_answer) == (0, None)
    assert secretary.postponed == frozenset()


# -- technician ----------------------------------------------------------------------------------


def test_never_tested_is_a_result() -> None:
    """Every check is listed, whatever is known."""
    view = self_test_view(CONTEXT, SelfTestState(), SelfTestPlace(), ())
    assert [row.check for row in view.rows] == list(CHECKS)
    assert {row.status for row in view.rows} == {"Never tested"}


def test_results_in_words() -> None:
    """The failed one is shown large with its remedy; passed ones with their value."""
    view = self_test_view(CONTEXT, SelfTestState(DONE, report="saved"), SelfTestPlace(), ())
    rows = {row.check: row for row in view.rows}
    assert rows["camera"].status == "Passed · 25.0 frames/s"
    assert rows["link"].status == "Passed · 4.8 Mbit/s / 2.1 Mbit/s"
    assert (rows["receipt_printer"].tone, rows["panel"].tone) == ("fault", "plain")
    assert view.current_check.title == "Receipt printer"
    assert any("roll" in line for line in view.current_check.lines)
    assert view.report_tone == "good"


def test_a_report_that_was_not_saved_is_said() -> None:
    """With its remedy."""
    view = self_test_view(CONTEXT, SelfTestState(DONE, report="disk_full"), SelfTestPlace(), ())
    assert view.report_tone == "fault"
    assert view.report


def test_a_run_is_shown_live_and_asks_the_person(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting, running, question, answer, result, report."""
    seen: list[str] = []

    async def fake_run(
        context: SelfTestContext, only: Sequence[str] | None = None
    ) -> AsyncIterator[SelfTestEvent]:
        del only
        yield RunPlanned(("panel",))
        yield CheckStarted("panel")
        answer = await context.ask("lamp_seen", 5)
        yield CheckFinished(CheckResult("panel", "passed" if answer else "failed"))
        run = SelfTestRun(started="", ended="", results=())
        yield RunFinished(run, folder, {})

    monkeypatch.setattr(self_test_runner, "run_selftest", fake_run)

    async def steps() -> None:
        app = app_in(folder, Clock())

        def watch() -> None:
            state = app.self_test.state
            view = self_test_view(CONTEXT, state, SelfTestPlace(), ())
            seen.append(next(row.status for row in view.rows if row.check == "panel"))
            if view.current_check.can_answer:
                assert view.current_check.question == "Did the recording lamp light up?"
                app.self_test.answer(True)

        app.add_observer(watch)
        await app.self_test.run()
        assert not app.self_test.is_running
        assert app.self_test.state.report == "saved"
        await app.close()

    asyncio.run(steps())
    assert seen[0] == "Waiting"
    assert "Running…" in seen
    assert seen[-1] == "Passed"


def test_data_in_memory_is_a_banner_on_every_screen_of_the_staff(folder: Path) -> None:
    """Not for visitors, and not over a recording, which shows the alarm itself."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        storage = {"state": "ok", "volatile": "yes"}
        app.recorder_state = RecorderState.model_validate(sample_data.recorder(storage=storage))
        assert app.screen_chrome().notice == ""
        app.staff = StaffSession.model_validate(sample_data.SECRETARY)
        assert app.screen_chrome().notice == app.notice_text("data_volatile")
        running = sample_data.recording(storage=storage)
        app.recorder_state = RecorderState.model_validate(running)
        assert app.screen_chrome().notice == ""
        await app.close()

    asyncio.run(steps())


def test_the_next_badge_goes_to_the_self_test(folder: Path) -> None:
    """While it waits for one, a badge signs nobody in."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        waiting = asyncio.create_task(app.wait_for_badge(5))
        await asyncio.sleep(0)
        app.handle_badge("badge-technician")
        assert await waiting == "badge-technician"
        assert await app.wait_for_badge(0.01) is None
        await app.close()

    asyncio.run(steps())


@pytest.mark.parametrize("how", ["out", "another person", "time"])
def test_whoever_signs_out_hears_no_more(folder: Path, recorder: FakeRecorder, how: str) -> None:
    """The recorder is told whose sign-in has ended; it alone stops what plays."""

    async def steps() -> None:
        clock = Clock()
        app = app_in(folder, clock)
        await app.sign_in.with_badge("badge-secretary")
        recorder.publish(listening={"source": None, "seconds": 1.0, "of_seconds": 60.0})
        if how == "out":
            app.sign_out()
        elif how == "time":
            clock.seconds += app.settings.ui.staff_idle_minutes * 60 + 1
            app.tick()
        else:
            await app.sign_in.with_badge("badge-technician")
        async with asyncio.timeout(30):
            while recorder.state["listening"] is not None:
                await asyncio.sleep(0.01)
        assert recorder.calls[-1] == ("/v1/sign-in", {})
        await app.close()

    asyncio.run(steps())


def test_a_sign_out_that_was_not_heard_is_said_again(folder: Path, recorder: FakeRecorder) -> None:
    async def steps() -> None:
        app = app_in(folder, Clock())
        await app.sign_in.with_badge("badge-secretary")
        recorder.stop()
        app.sign_out()
        await asyncio.sleep(0)
        recorder.start()
        async with asyncio.timeout(30):
            while recorder.calls[-1] != ("/v1/sign-in", {}):
                await asyncio.sleep(0.01)
        await app.close()

    asyncio.run(steps())
