"""Which loudspeaker and scanner on the screen, and the way to the camera and back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kiosk.hardware.audio.outputs import FoundOutput
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.ui.actions.commissioning_devices import DevicesState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CameraPlace, CommissioningPlace
from kiosk.ui.technician.camera import view as camera_view
from kiosk.ui.technician.commissioning.commissioning import view
from kiosk.ui.technician.commissioning.taps import tap
from tests.support.room_rig import RoomRig, checked_record

pytestmark = pytest.mark.slow


async def at(app: AppState, step: str) -> None:
    """Show ``step`` of a room of which the rest is done."""
    app.commissioning.state = replace(app.commissioning.state, record=checked_record())
    app.commissioning.show(step)
    app.secretary.show(CommissioningPlace())


def test_the_camera_is_set_and_the_steps_go_on_where_they_were(room: RoomRig) -> None:
    async def story() -> None:
        async with room.screen() as app:
            await at(app, "camera")
            assert "camera" in [choice.tap for choice in view(app).choices]
            tap(app, "camera")
            assert app.secretary.place == CameraPlace(is_in_steps=True)
            assert camera_view(app).is_in_steps
            app.secretary.show(CommissioningPlace())  # “Steps”
            assert app.commissioning.state.step == "camera"
            app.secretary.show(CameraPlace())  # from the first screen
            assert not camera_view(app).is_in_steps

    asyncio.run(story())


def test_the_scanner_that_is_tapped_is_the_rooms(room: RoomRig) -> None:
    async def story(scanner: VirtualScanner) -> None:
        async with room.screen() as app:
            await at(app, "paper")
            settings = app.commissioning.settings()
            scanner_settings = settings.scanner.model_copy(
                update={"sane_config_dir": scanner.config_dir}
            )
            searched = settings.model_copy(update={"scanner": scanner_settings})
            search = asyncio.ensure_future(app.commissioning.devices.choose_scanner(searched))
            await asyncio.sleep(0)
            assert view(app).text == "Scanners are being looked for. This takes half a minute."
            await search
            assert f"scanner:{scanner.device}" in [choice.tap for choice in view(app).choices]
            await app.commissioning.keep_scanner(scanner.device)
            room_now = await app.recorder_connection.client.get("/v1/room")
            assert room_now["profile"]["scanner"]["device"] == scanner.device
            assert app.commissioning.devices.state == DevicesState()

    with VirtualScanner() as scanner:
        asyncio.run(story(scanner))


def test_a_loudspeaker_is_kept_only_after_it_was_heard_and_back_takes_the_old_one(
    room: RoomRig,
) -> None:
    async def story() -> None:
        async with room.screen() as app:
            await at(app, "walk")
            devices = app.commissioning.devices
            used: list[tuple[str, bool]] = []
            devices.use = lambda address, is_silent: used.append((address, is_silent))
            await devices.choose_output()
            outputs = (FoundOutput("usb:1f00200000.usb/1.1", "A"), FoundOutput("id:B", "B"))
            devices.state = replace(devices.state, outputs=outputs)
            assert view(app).primary_tap == ""
            tap(app, "output:id:B")
            assert (used, view(app).primary_tap) == ([("id:B", False)], "keep_output")
            app.commissioning.back()
            assert used[-1] == ("", True)
            assert app.commissioning.state.step == "walk"
            assert "voice" not in app.commissioning.state.record.draft
            devices.state = DevicesState("outputs", outputs)
            tap(app, "output:id:B")
            await app.commissioning.keep_output()
            room_now = await app.recorder_connection.client.get("/v1/room")
            assert room_now["profile"]["voice"] == {"loudspeaker": "id:B"}

    asyncio.run(story())
