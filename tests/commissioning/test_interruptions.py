"""What interrupts the technician's work: a sign-out, a recorder that ends, another report."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kiosk.commissioning.record import STEPS, Record
from kiosk.room_profile import parse_profile
from kiosk.ui.technician.commissioning.commissioning import view
from kiosk.ui.technician.commissioning.taps import tap
from tests.support.room_rig import RoomRig, checked_record

pytestmark = pytest.mark.slow


def steps_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return the states of the steps that the recorder keeps."""
    record = Record.from_json(answer["record"])
    return {step: record.result(step).state for step in STEPS}


def test_who_signs_out_while_something_is_tested_loses_no_step(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            client = app.recorder_connection.client
            record = checked_record().to_json()
            await client.call("PUT", "/v1/commissioning", {"record": record})
            await app.commissioning.load()
            before = steps_of(await client.get("/v1/commissioning"))
            app.commissioning.show("network")
            for work in (
                app.commissioning.run_checks("network"),
                app.commissioning.finish("done"),
            ):
                running = asyncio.create_task(work)
                await asyncio.sleep(0)  # it has begun
                app.commissioning.reset()  # and the next one signs in with a good token
                await running
                assert steps_of(await client.get("/v1/commissioning")) == before

    asyncio.run(story())


def test_a_recorder_that_answers_again_is_not_called_silent_for_ever(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            actions = app.commissioning
            await actions.begin("p-1")
            actions.show("microphones")
            polling = asyncio.create_task(actions.poll(lambda: True))
            try:
                await asyncio.to_thread(room.recorder.kill)
                async with asyncio.timeout(30):
                    while not view(app).lines:
                        await asyncio.sleep(0.05)
                assert actions.state.problem == "service_down"
                await asyncio.to_thread(room.start_recorder)
                async with asyncio.timeout(30):
                    while view(app).lines:
                        await asyncio.sleep(0.05)
                assert (actions.state.problem, actions.state.step) == ("", "microphones")
            finally:
                polling.cancel()

    asyncio.run(story())


def test_what_another_screen_has_kept_meanwhile_is_not_overwritten(
    room: RoomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps were opened before the camera's screen kept its picture."""
    monkeypatch.setattr("kiosk.ui.actions.commissioning_actions.RESTART_S", 1.0)  # nobody does
    picture = {"focus": "fixed", "focus_dioptres": 0.5}

    async def story() -> None:
        async with room.screen() as app:
            actions, client = app.commissioning, app.recorder_connection.client
            record = checked_record(camera="passed").to_json()
            await client.call("PUT", "/v1/commissioning", {"record": record})
            await actions.load()
            actions.show("camera")
            tap(app, "camera")
            assert "camera" not in actions.state.record.checks
            await client.call("PUT", "/v1/room", {"profile": {"camera": {"picture": picture}}})
            actions.show("paper")
            await actions.choose_printer("/dev/usb/lp0")

    asyncio.run(story())
    kept = parse_profile((room.paths.room / "room.toml").read_text(encoding="utf-8"))
    assert kept == {"camera": {"picture": picture}, "printer": {"port": "/dev/usb/lp0"}}


def test_what_was_put_off_can_be_done_after_a_device_was_replaced(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            client, actions = app.recorder_connection.client, app.commissioning
            record = checked_record().with_result("network", "skipped", "later")
            record = record.begin("p-1", "camera")
            for step in record.plan:
                record = record.with_result(step, "done")
            await client.call("PUT", "/v1/commissioning", {"record": record.to_json()})
            await actions.load()
            shown = {choice.tap: choice.is_enabled for choice in view(app).choices}
            assert shown["show:network"]
            assert not shown["show:paper"]  # done, and nothing of it was replaced
            tap(app, "show:network")
            assert view(app).title == "7 of 9: Network"
            await actions.finish("done")
            assert steps_of(await client.get("/v1/commissioning"))["network"] == "done"
            tap(app, "show:walk")
            tap(app, "back")
            assert view(app).title == "The room, step by step"

    asyncio.run(story())


def test_paper_and_receipt_of_one_report_are_not_those_of_the_next(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            actions = app.commissioning
            actions.state = replace(actions.state, record=checked_record())
            actions.show("report")
            await actions.make_report()
            first = actions.report.state
            assert first.report is not None
            actions.report.state = replace(first, printing="printed", is_delivered=True)
            await actions.load()  # the same one
            assert actions.report.state.is_delivered
            await actions.make_report()
            assert not actions.report.state.is_delivered
            second = actions.report.state.report
            assert second is not None
            actions.report.state = replace(first, printing="printed", is_delivered=True)
            await actions.load()  # made meanwhile by a command
            shown = actions.report.state
            assert shown.report is not None
            assert shown.report["id"] == second["id"]
            assert (shown.printing, shown.is_delivered) == ("", False)

    asyncio.run(story())
