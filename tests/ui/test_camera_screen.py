"""The technician's camera screen, tapped, with the real recorder and its virtual camera behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.camera import CameraDetails, CameraPicture, HeldPicture
from kiosk.api.states import CameraState
from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.ipc import LocalClient
from kiosk.room_profile import parse_profile
from kiosk.rules import load_rules
from kiosk.ui import screenshots
from kiosk.ui.actions.camera_actions import CameraActions, CameraScreenState
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import service_states
from kiosk.ui.technician.camera import CameraView, view
from tests.services.recorder_process import PEOPLE, RecorderProcess
from tests.support.waiting import wait_for
from tests.ui.touch_screen import TouchScreen


@pytest.fixture
def real_recorder(folder: Path) -> Iterator[RecorderProcess]:
    """A recorder with a virtual camera and no microphones."""
    made = RecorderProcess(folder)
    made.start()
    yield made
    made.close()


def details(recorder: RecorderProcess) -> dict[str, Any]:
    """Return what the recorder says of its camera."""
    return recorder.call("GET", "/v1/camera", token=recorder.sign_in("technician"))


def wait_picture(recorder: RecorderProcess, **values: Any) -> None:
    """Wait until the recorder wants the picture so."""

    def is_so() -> bool:
        picture = details(recorder)["picture"]
        return {name: picture[name] for name in values} == values

    wait_for(is_so, str(values))


@pytest.mark.slow
def test_a_technician_frames_the_room_and_keeps_it(
    folder: Path,
    display: Display,
    badge: VirtualBadgeReader,
    real_recorder: RecorderProcess,
) -> None:
    recorder = real_recorder
    with TouchScreen(folder, display, {"badge": {"port": badge.port}}) as screen:
        badge.scan(PEOPLE["technician"])
        screen.wait_screen("technician.home")
        screen.tap("tech.open.camera")
        screen.wait_screen("technician.camera")
        wait_for(lambda: "%" in screen.text("camera.text"), "the sharpness in words")
        screen.tap("camera.turn")
        wait_for(lambda: details(recorder)["holds"]["rotation"] == 180, "the turned picture")
        screen.tap("camera.hold")
        wait_picture(recorder, focus="fixed", focus_dioptres=0.5)
        screen.tap("camera.in")
        wait_picture(recorder, zoom=1.25)
        screen.tap("camera.left")
        wait_picture(recorder, centre_x=0.42)
        screen.tap("camera.brighter")
        wait_picture(recorder, brightness_ev=0.5)
        screen.tap("camera.flicker")
        wait_picture(recorder, flicker_hz=60)
        screen.tap("camera.keep")
        file = recorder.paths.room / "room.toml"
        wait_for(file.exists, "the profile")
        picture = parse_profile(file.read_text())["camera"]["picture"]
        assert (picture["rotation"], picture["zoom"], picture["focus"]) == (180, 1.25, "fixed")
        wait_for(lambda: not (screen.widget("camera.back") or {})["enabled"], "it is kept")
        screen.tap("camera.in")
        wait_picture(recorder, zoom=1.5)
        screen.tap("camera.back")
        wait_picture(recorder, zoom=1.25)


@pytest.mark.slow
def test_a_part_of_the_view_never_leaves_it(real_recorder: RecorderProcess) -> None:
    async def steps() -> None:
        token = await asyncio.to_thread(real_recorder.sign_in, "technician")
        client = LocalClient(real_recorder.paths.recorder_socket, token)
        errors: list[str] = []
        camera = CameraActions(client, lambda: None, errors.append)
        await camera.refresh()
        for _ in range(3):
            await camera.zoom(1)
        for _ in range(9):
            await camera.move(1, -1)
        picture = _picture(camera)
        assert (picture.zoom, picture.centre_x, picture.centre_y) == (2.0, 0.75, 0.25)
        await camera.zoom(-9)
        picture = _picture(camera)
        assert (picture.zoom, picture.centre_x, picture.centre_y) == (1.0, 0.5, 0.5)
        client.token = "no such"
        await camera.zoom(1)
        assert errors == ["token_expired"]
        assert _picture(camera).zoom == 1.0
        await client.close()

    asyncio.run(steps())


def _picture(camera: CameraActions) -> CameraPicture:
    assert camera.state.details is not None
    return camera.state.details.picture


def shown(folder: Path, **values: Any) -> CameraView:
    """Return what the screen shows of a camera."""
    app = AppState(
        screenshots.make_settings(folder, *screenshots.LARGE),
        wall=lambda: service_states.NOW,
        rules=load_rules(),
    )
    app.translate.switch_language("en")
    base = {"state": CameraState.OK, "picture": CameraPicture(), "holds": HeldPicture()}
    app.camera.state = CameraScreenState(CameraDetails(**{**base, **values}), CameraPicture())
    return view(app)


def test_what_a_camera_cannot_is_said_and_its_buttons_rest(folder: Path) -> None:
    cannot = ("focus", "flicker", "zoom", "rotation", "rate")
    web_cam = shown(folder, cannot=cannot, picture=CameraPicture(rotation=180), unmet=("rotation",))
    assert "This camera cannot set: the focus, the flicker of lamps" in web_cam.lines[1]
    assert web_cam.lines[2] == "It is asked for all the same: the rotation"
    assert web_cam.tone == "caution"
    buttons = (web_cam.can_focus, web_cam.can_hold, web_cam.can_zoom_in, web_cam.can_rotate)
    assert not any(buttons)
    assert web_cam.can_brighten
    assert web_cam.is_changed


def test_the_sharpness_stands_beside_its_limit_with_a_remedy(folder: Path) -> None:
    values = {"sharpness_then": 70.0, "sharpness_limit": 49.0}
    blurred = shown(folder, sharpness=30.0, **values)
    assert blurred.lines[0] == "Sharpness: 30 % (at least 49 %; at commissioning 70 %)"
    assert blurred.lines[1].startswith("Wipe the lens")
    assert (blurred.tone, shown(folder, sharpness=50.0, **values).tone) == ("caution", "plain")
