"""Signing in and out, notices, services that come and go, and the technician's run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.selftest import (
    CHECKS,
    Context,
    Event,
    Finished,
    Planned,
    Reported,
    Result,
    Started,
)
from kiosk.ui.catalogue import canned, pictures
from kiosk.ui.catalogue.technician_states import DONE
from kiosk.ui.desk import NOTICE_SECONDS, Desk
from kiosk.ui.here import Here
from kiosk.ui.places import PinPad
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.technician import bench
from kiosk.ui.technician.bench import BenchState
from kiosk.ui.technician.views import selftest_view
from kiosk.ui.views import current_screen
from tests.ui.doubles import FakeRecorder

RULES = load_rules()
SAY = Translator("en")
HERE = Here(SAY, RuleLabels(SAY, RULES), ZoneInfo("Asia/Almaty"), canned.NOW)


class Clock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def desk_in(folder: Path, clock: Clock) -> Desk:
    """Return a desk over the services of ``folder``."""
    settings = pictures.settings(folder, *pictures.LARGE)
    return Desk(settings, now=clock, wall=lambda: canned.NOW, rules=RULES)


@pytest.mark.usefixtures("recorder")
def test_roles_lead_to_their_screens(folder: Path) -> None:
    """A secretary sees today, a technician the self-test; out leads home."""

    async def steps() -> None:
        desk = desk_in(folder, Clock())
        await desk.sign_in({"badge": "badge-secretary"})
        assert current_screen(desk) == "secretary.today"
        desk.sign_out()
        assert current_screen(desk) == "visitor.home"
        await desk.sign_in({"badge": "badge-technician"})
        assert current_screen(desk) == "technician.tests"
        await desk.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("recorder")
def test_wrong_badge_and_pin_are_said(folder: Path) -> None:
    """A notice that goes by itself; the PIN pad stays, empty, and says so."""

    async def steps() -> None:
        clock = Clock()
        desk = desk_in(folder, clock)
        await desk.sign_in({"badge": "badge-of-nobody"})
        assert "not known" in notice_of(desk)
        clock.seconds += NOTICE_SECONDS + 1
        desk.tick()
        assert desk.frame().notice == ""
        desk.open_pin()
        for digit in "9999":
            desk.pin_key(digit)
        assert current_screen(desk) == "staff.pin"
        await desk.sign_in({"pin": "9999"})
        assert desk.pin == PinPad(wrong=True)
        await desk.close()

    asyncio.run(steps())


def notice_of(desk: Desk) -> str:
    """Return the notice in English."""
    desk.say.switch("en")
    return desk.frame().notice


def test_without_recorder_nobody_signs_in_but_it_is_said(folder: Path) -> None:
    """The recorder is down."""

    async def steps() -> None:
        desk = desk_in(folder, Clock())
        await desk.sign_in({"badge": "badge-secretary"})
        assert desk.staff is None
        assert "recording service" in notice_of(desk)
        await desk.close()

    asyncio.run(steps())


@pytest.mark.usefixtures("recorder")
def test_staff_are_signed_out_when_they_leave(folder: Path) -> None:
    """After ``ui.staff_idle_minutes``; the PIN pad closes as well."""

    async def steps() -> None:
        clock = Clock()
        desk = desk_in(folder, clock)
        await desk.sign_in({"pin": "1234"})
        clock.seconds += desk.settings.ui.staff_idle_minutes * 60 + 1
        desk.tick()
        assert desk.staff is None
        desk.open_pin()
        desk.touch()
        clock.seconds += desk.settings.ui.idle_seconds + 1
        desk.tick()
        assert desk.pin is None
        await desk.close()

    asyncio.run(steps())


def test_an_expired_token_signs_out(folder: Path) -> None:
    """And says so."""
    desk = desk_in(folder, Clock())
    desk.show_notice("token_expired")
    assert desk.staff is None
    assert desk.notice is not None


def test_lines_come_back_by_themselves(folder: Path, recorder: FakeRecorder) -> None:
    """The newest state at once; gone is said; back again without a restart."""

    async def until(condition: object, desk: Desk) -> None:
        assert callable(condition)
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.02)
        assert desk

    async def steps() -> None:
        desk = desk_in(folder, Clock())
        running = asyncio.create_task(desk.recorder_line.run())
        await until(lambda: desk.recorder is not None, desk)
        recorder.tell(**canned.recording())
        await until(lambda: current_screen(desk) == "secretary.locked", desk)
        await asyncio.to_thread(recorder.stop)
        await until(lambda: desk.recorder_stale, desk)
        assert current_screen(desk) == "secretary.locked"
        await asyncio.to_thread(recorder.start)
        await until(lambda: not desk.recorder_stale, desk)
        running.cancel()
        await desk.close()

    asyncio.run(steps())


def test_the_timer_runs_between_two_states(folder: Path) -> None:
    """It never runs on by itself for long, and stands in a recess."""
    clock = Clock()
    desk = desk_in(folder, clock)
    desk._from_recorder("state", canned.recording(hearing={"seconds": 10.0}))
    clock.seconds += 0.6
    assert desk.seconds_recorded == pytest.approx(10.6)
    clock.seconds += 60
    assert desk.seconds_recorded == pytest.approx(15.0)
    desk._from_recorder("state", {**canned.recording(hearing={"seconds": 10.0}), "phase": "recess"})
    clock.seconds += 3
    assert desk.seconds_recorded == pytest.approx(10.0)


# -- technician ----------------------------------------------------------------------------------


def test_never_tested_is_a_result() -> None:
    """Every check is listed, whatever is known."""
    view = selftest_view(HERE, BenchState(), None, ())
    assert [row.check for row in view.rows] == list(CHECKS)
    assert {row.word for row in view.rows} == {"Never tested"}


def test_results_in_words() -> None:
    """The failed one is shown large with its remedy; passed ones with their value."""
    view = selftest_view(HERE, BenchState(DONE, report="saved"), None, ())
    rows = {row.check: row for row in view.rows}
    assert rows["camera"].word == "Passed · 25.0 frames/s"
    assert rows["link"].word == "4.8 / 2.1 Mbit/s"
    assert (rows["receipt_printer"].tone, rows["panel"].tone) == ("fault", "plain")
    assert view.now.title == "Receipt printer"
    assert any("roll" in line for line in view.now.lines)
    assert view.report_tone == "good"


def test_a_report_that_was_not_saved_is_said() -> None:
    """With its remedy."""
    view = selftest_view(HERE, BenchState(DONE, report="disk_full"), None, ())
    assert view.report_tone == "fault"
    assert view.report


def test_a_run_is_shown_live_and_asks_the_person(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting, running, question, answer, result, report."""
    seen: list[str] = []

    async def fake_run(context: Context, only: Sequence[str] | None = None) -> AsyncIterator[Event]:
        del only
        yield Planned(("panel",))
        yield Started("panel")
        answer = await context.ask("lamp_seen", 5)
        yield Finished(Result("panel", "passed" if answer else "failed"))
        yield Reported(folder, {})

    monkeypatch.setattr(bench, "run_selftest", fake_run)

    async def steps() -> None:
        desk = desk_in(folder, Clock())

        def watch() -> None:
            state = desk.bench.state
            view = selftest_view(HERE, state, None, ())
            seen.append(next(row.word for row in view.rows if row.check == "panel"))
            if view.now.can_answer:
                assert view.now.question == "Did the recording lamp light up?"
                desk.bench.answer(True)

        desk.observe(watch)
        await desk.bench.run("p2")
        assert not desk.bench.runs
        assert desk.bench.state.report == "saved"
        await desk.close()

    asyncio.run(steps())
    assert seen[0] == "Waiting"
    assert "Running…" in seen
    assert seen[-1] == "Passed"


def test_the_next_badge_goes_to_the_self_test(folder: Path) -> None:
    """While it waits for one, a badge signs nobody in."""

    async def steps() -> None:
        desk = desk_in(folder, Clock())
        waiting = asyncio.create_task(desk.next_badge(5))
        await asyncio.sleep(0)
        desk.badge("badge-technician")
        assert await waiting == "badge-technician"
        assert await desk.next_badge(0.01) is None
        await desk.close()

    asyncio.run(steps())
