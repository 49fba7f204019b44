"""A State that cannot be read, wholly or in a row, is said and never looks like an idle room."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder_calls import StaffSession
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.screen_loader import current_screen, view_of
from tests.support.waiting import PATIENCE
from tests.ui.app_without_services import Clock, app_in, run
from tests.ui.fake_services import FakeRecorder

UNREADABLE = [{"phase": "dreaming"}, {"hearing": {"title": "no id"}}, {"storage": "full"}]


@pytest.fixture
def app(folder: Path) -> AppState:
    return app_in(folder, Clock())


async def until(condition: Any, what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(what) from None


def staff_view(app: AppState) -> Any:
    """Sign a secretary in; return what the screen shows."""
    app.staff = StaffSession.model_validate(sample_data.SECRETARY)
    return view_of(current_screen(app), app)


@pytest.mark.parametrize("change", UNREADABLE, ids=lambda change: next(iter(change)))
def test_the_last_known_state_stays_marked_stale(
    app: AppState, recorder: FakeRecorder, change: dict[str, Any]
) -> None:
    async def steps() -> None:
        running = asyncio.create_task(app.recorder_connection.run())
        recorder.publish(**sample_data.recording())
        await until(lambda: app.recorder_state and app.recorder_state.hearing, "the hearing")
        recorder.publish(**change)
        await until(lambda: app.is_recorder_stale, "stale")
        view = staff_view(app)
        assert current_screen(app) == "secretary.recording"
        assert (view.stale, view.alarm.code) == (True, "recorder_state_unreadable")
        assert view.proof.tone != "good"
        app.sign_out()
        assert current_screen(app) == "secretary.lock"
        recorder.publish(**sample_data.recording())
        await until(lambda: not app.is_recorder_stale, "readable again")
        running.cancel()
        await app.close()

    run(steps())


def test_a_state_that_was_never_readable_is_said(app: AppState, recorder: FakeRecorder) -> None:
    async def steps() -> None:
        running = asyncio.create_task(app.recorder_connection.run())
        recorder.publish(phase=None)
        await until(lambda: app.recorder_problem == "recorder_state_unreadable", "unreadable")
        view = staff_view(app)
        assert current_screen(app) == "secretary.today"
        assert view.ready[0].tone == "fault"
        assert view.ready[0].text.startswith(app.notice_text("recorder_state_unreadable")[:30])
        running.cancel()
        await app.close()

    run(steps())


def test_a_recess_says_that_its_state_is_old(app: AppState) -> None:
    recess = {**sample_data.recording(), "phase": "recess"}
    app.recorder_connection.is_up = True
    app.handle_recorder_event("state", recess)
    assert app.screen_chrome().notice == ""
    app.handle_recorder_event("state", {**recess, "phase": 7})
    staff_view(app)
    assert current_screen(app) == "secretary.recess"
    assert app.screen_chrome().notice == app.notice_text("recorder_state_unreadable")


def test_an_odd_row_hides_no_other_and_is_said(app: AppState) -> None:
    state = sample_data.recording(alarms=[{"code": "disk_low", "source": "storage", "since": "x"}])
    state["microphones"][1]["state"] = "whistling"
    state["alarms"] += [None, {"code": 5}]
    state["brand_new"] = {"of": "a newer recorder"}
    app.recorder_connection.is_up = True
    app.handle_recorder_event("state", state)
    assert not app.is_recorder_stale
    assert app.recorder_state is not None
    names = [row.name for row in app.recorder_state.microphones]
    assert names == ["judge", "plaintiff", "defendant"]
    codes = [alarm.code for alarm in app.recorder_state.alarms]
    assert codes == ["disk_low", "recorder_state_partial"]
    assert staff_view(app).alarm.code in codes


def test_a_newer_state_of_a_running_recorder_is_read(app: AppState) -> None:
    app.recorder_connection.is_up = True
    app.handle_recorder_event("state", {**sample_data.recording(), "newer": 1})
    assert not app.is_recorder_stale
    assert staff_view(app).alarm is None


@pytest.mark.parametrize("key", sorted(sample_data.recording()))
@pytest.mark.parametrize("suffix", ["", "x"], ids=["missing", "misspelt"])
def test_a_missing_key_is_said_and_hides_no_hearing(app: AppState, key: str, suffix: str) -> None:
    """A default would say that the disk is well, or that no hearing runs."""
    app.recorder_connection.is_up = True
    state = sample_data.recording()
    app.handle_recorder_event("state", state)
    value = state.pop(key)
    app.handle_recorder_event("state", state | ({key + suffix: value} if suffix else {}))
    view = staff_view(app)
    assert current_screen(app) == "secretary.recording"
    expected = ("recorder_state_unreadable", "recorder_state_partial")
    assert view.alarm.code == expected[key not in ("hearing", "phase")]
    app.sign_out()
    assert current_screen(app) == "secretary.lock"


@pytest.mark.parametrize("key", sorted(sample_data.recording()["hearing"]))
def test_a_missing_key_of_the_hearing_is_said(app: AppState, key: str) -> None:
    """Without ``closed``, a closed hearing would look open."""
    app.recorder_connection.is_up = True
    state = sample_data.recording()
    app.handle_recorder_event("state", state)
    del state["hearing"][key]
    app.handle_recorder_event("state", state)
    assert staff_view(app).alarm is not None
    assert current_screen(app) == "secretary.recording"


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_no_other_zone_can_show_breaks_no_screen(app: AppState, at: str) -> None:
    app.recorder_connection.is_up = True
    state = sample_data.recording()
    state["hearing"]["marks"][0]["at"] = state["microphones"][0]["since"] = at
    app.handle_recorder_event("state", state)
    assert staff_view(app).alarm is None


def test_numbers_that_are_none_break_no_screen(app: AppState, recorder: FakeRecorder) -> None:
    async def steps() -> None:
        running = asyncio.create_task(app.recorder_connection.run())
        nan, endless = float("nan"), float("inf")
        playing = {"source": None, "seconds": nan, "of_seconds": endless}
        recorder.publish(**sample_data.recording())
        await until(lambda: app.recorder_state and app.recorder_state.hearing, "the hearing")
        recorder.publish(listening=playing)
        await until(lambda: app.is_recorder_stale, "stale")
        assert staff_view(app).alarm.code == "recorder_state_unreadable"
        recorder.publish(listening=None, storage=recorder.state["storage"] | {"hours_left": nan})
        await until(lambda: not app.is_recorder_stale, "no hours are known")
        staff_view(app)
        running.cancel()
        await app.close()

    run(steps())


def test_half_a_surrogate_pair_ends_no_stream(app: AppState, recorder: FakeRecorder) -> None:
    async def steps() -> None:
        running = asyncio.create_task(app.recorder_connection.run())
        recorder.publish(**sample_data.recording(hearing={"title": "\ud800"}))
        await until(lambda: app.recorder_state and app.recorder_state.hearing, "the hearing")
        running.cancel()
        await app.close()

    run(steps())
