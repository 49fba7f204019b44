"""Another picture while the camera runs: at once, and without a gap in what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from kiosk.config import CameraPictureSettings, CameraSettings, Settings
from kiosk.hardware.camera.picture import Picture
from kiosk.hardware.camera.preview import PreviewReader
from kiosk.hardware.camera.sharpness import luma_of, measure_sharpness
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.sources import Sources
from tests.support.packet_list import PacketList
from tests.support.waiting import wait_for

PATIENCE = 30.0
UPSIDE_DOWN = CameraPictureSettings(rotation=180, focus="fixed", focus_dioptres=2.0)

pytestmark = pytest.mark.slow


@dataclass
class Rig:
    """A virtual camera and its live picture."""

    camera: CameraSource
    reader: PreviewReader

    def sharpness(self) -> float:
        """Return the sharpness of the live picture; the painted scene has no noise."""
        frame = self.reader.read()
        assert frame is not None
        luma = luma_of(frame.rgb, frame.width, frame.height)
        return measure_sharpness([luma, luma]) or 0.0

    def newer(self) -> None:
        """Wait for a live picture that is taken from now on."""

        def number() -> int:
            frame = self.reader.read()
            return 0 if frame is None else frame.number

        before = number()
        wait_for(lambda: number() > before + self.camera.fps, "newer live pictures", PATIENCE)

    def wait_holds(self, condition: Callable[[], bool], what: str) -> None:
        wait_for(condition, what, PATIENCE)
        self.newer()


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    picture = getattr(request, "param", CameraPictureSettings())
    camera = CameraSettings(back_end="virtual", width=640, height=360, fps=10, picture=picture)
    with Sources(Settings(camera=camera), tmp_path / "preview") as sources:
        assert sources.wait_ready(PATIENCE)
        assert sources.camera is not None
        reader = PreviewReader(sources.preview)
        yield Rig(sources.camera, reader)
        reader.close()


def test_focus_and_zoom_change_while_a_hearing_is_recorded(rig: Rig) -> None:
    """Nothing restarts: one session, no picture is missing, the process stays."""
    listener, camera, pid = PacketList(), rig.camera, rig.camera.pid
    camera.attach(listener)
    wait_for(lambda: listener.packets, "a packet", PATIENCE)
    rig.newer()
    sharp = rig.sharpness()
    camera.set_picture(Picture(focus="fixed", focus_dioptres=2.0))
    rig.wait_holds(lambda: camera.holds.focus_dioptres == 2.0, "the other focus")
    assert rig.sharpness() < sharp * 0.7
    camera.set_picture(Picture(zoom=2.0, centre_x=0.25))
    rig.wait_holds(lambda: camera.holds.zoom == 2.0, "the part of the view")
    camera.stop_encoder()
    camera.detach(listener)
    assert camera.pid == pid
    assert {packet.session for packet in listener.packets} == {1}
    assert camera.dropped == 0


def test_a_focus_that_is_asked_for_is_found_and_held(rig: Rig) -> None:
    rig.newer()
    sharp = rig.sharpness()
    rig.camera.set_picture(Picture(focus="fixed", focus_dioptres=3.0))
    rig.wait_holds(lambda: rig.camera.holds.focus_dioptres == 3.0, "the wrong focus")
    assert rig.sharpness() < sharp * 0.7
    rig.camera.focus_once()
    rig.wait_holds(lambda: rig.camera.holds.focus_dioptres == 0.5, "the right focus")
    assert rig.sharpness() > sharp * 0.9


def test_half_a_turn_restarts_the_camera_and_is_no_fault(rig: Rig) -> None:
    before = rig.reader.read()
    assert before is not None
    pid, states = rig.camera.pid, set()
    rig.camera.set_picture(Picture(rotation=180))

    def is_turned() -> bool:
        states.add(str(rig.camera.state))
        return rig.camera.holds.rotation == 180 and rig.camera.state == "ok"

    wait_for(is_turned, "the turned camera", PATIENCE)
    assert rig.camera.pid != pid
    assert "frozen" not in states
    rig.newer()
    after = rig.reader.read()
    assert after is not None
    first, turned = (
        luma_of(frame.rgb, frame.width, frame.height).astype(int) for frame in (before, after)
    )
    assert np.abs(first - turned[::-1, ::-1]).mean() < 5
    assert np.abs(first - turned).mean() > 20


@pytest.mark.parametrize("rig", [UPSIDE_DOWN], indirect=True)
def test_the_settings_hold_from_the_first_picture_and_after_a_restart(rig: Rig) -> None:
    camera = rig.camera
    assert camera.unmet == ()
    wait_for(lambda: camera.holds.rotation == 180, "the rotation", PATIENCE)
    assert camera.holds.focus_dioptres == 2.0
    camera.set_picture(Picture(rotation=180, zoom=3.0))
    wait_for(lambda: camera.holds.zoom == 3.0, "the zoom", PATIENCE)
    camera.set_picture(Picture(rotation=0, zoom=3.0))
    wait_for(lambda: camera.holds.rotation == 0, "another process", PATIENCE)
    assert camera.holds.zoom == 3.0


def test_a_screen_that_shows_the_picture_gets_it_as_often_as_a_recording(rig: Rig) -> None:
    """Two a second are made while nobody looks; ten while a technician aims the camera."""

    def step() -> int:
        """Return how many pictures of the camera lie between two live ones."""
        first = rig.reader.read()
        assert first is not None

        def later() -> int:
            frame = rig.reader.read()
            return 0 if frame is None else frame.number - first.number

        return wait_for(later, "another live picture", PATIENCE)

    wait_for(lambda: step() > 2, "few live pictures", PATIENCE)

    def is_often() -> bool:
        rig.camera.watch()
        return step() <= 2

    wait_for(is_often, "many live pictures", PATIENCE)
