"""The camera's check compares sharpness with commissioning, with limit, by the running camera."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import CameraSettings, PathSettings, Settings
from kiosk.hardware.camera.picture import Picture
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.sources import Sources
from kiosk.selftest import recorder_checks
from kiosk.selftest.camera_checks import load_camera_baseline, measure_view, view_of
from kiosk.storage.paths import Paths
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@dataclass
class Room:
    """A room with a virtual camera."""

    settings: Settings
    paths: Paths
    sources: Sources

    @property
    def camera(self) -> CameraSource:
        assert self.sources.camera is not None
        return self.sources.camera

    def check(self, *, is_baseline: bool = False) -> dict[str, Any]:
        """Return the answer of the camera's check."""
        answer = recorder_checks.check_camera(
            self.settings, self.sources, self.paths, 1.5, is_baseline=is_baseline
        )
        return asyncio.run(answer).to_json()

    def set_picture(self, picture: Picture) -> None:
        """Take the picture so, and wait until it holds."""
        self.camera.set_picture(picture)
        dioptres = picture.focus_dioptres if picture.focus == "fixed" else 0.5
        wait_for(lambda: self.camera.holds.focus_dioptres == dioptres, "the focus", 20)
        wait_for(lambda: self.camera.holds.zoom == picture.zoom, "the zoom", 20)

    def commission(self, sequence: int, answer: dict[str, Any]) -> None:
        """Keep ``answer`` as the report of a commissioning."""
        row: dict[str, Any] = {
            "check": "camera",
            "code": None,
            "seconds": 1.5,
            "at": "",
            "deviations": {},
        }
        report = {
            "kind": "selftest",
            "sequence": sequence,
            "commissioning": True,
            "ran": ["camera"],
            "results": [row | {name: answer.get(name) for name in ("state", "code", "measured")}],
        }
        folder = self.paths.reports / str(sequence)
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(report))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    camera = CameraSettings(back_end="virtual", width=640, height=360, fps=5)
    settings = Settings(camera=camera, paths=PathSettings(data=tmp_path, run=tmp_path))
    paths = Paths.from_settings(settings.paths)
    with Sources(settings, paths.preview) as sources:
        assert sources.wait_ready(30)
        yield Room(settings, paths, sources)


def test_a_lens_that_lost_its_focus_fails_with_number_limit_and_remedy(room: Room) -> None:
    first = room.check(is_baseline=True)
    assert (first["state"], first.get("code")) == ("passed", None)
    assert first["measured"]["can"] == dict.fromkeys(first["measured"]["can"], True)
    room.commission(1, first)
    baseline = load_camera_baseline(room.paths)
    assert baseline is not None
    again = room.check()
    assert again["state"] == "passed", again
    assert again["limits"]["sharpness"] == {"least": baseline.limit}
    room.set_picture(Picture(focus="fixed", focus_dioptres=1.5))
    blurred = room.check()
    assert (blurred["state"], blurred["code"]) == ("failed", "camera_unsharp")
    assert blurred["measured"]["sharpness"] < blurred["limits"]["sharpness"]["least"]
    # A new baseline is not measured by the old one: else nobody could ever store it.
    assert room.check(is_baseline=True)["state"] == "passed"


def test_another_part_of_the_view_is_not_compared(room: Room) -> None:
    room.commission(1, room.check(is_baseline=True))
    room.set_picture(Picture(zoom=3.0))
    answer = room.check()
    assert answer["state"] == "passed", answer
    assert "sharpness" not in answer["limits"]


def test_the_newest_commissioning_that_passed_is_the_baseline(room: Room) -> None:
    first = room.check(is_baseline=True)
    assert load_camera_baseline(room.paths) is None
    room.commission(1, first)
    sharper = {**first, "measured": {**first["measured"], "sharpness": 200.0}}
    room.commission(2, sharper)
    room.commission(3, {**sharper, "state": "failed", "code": "camera_dark"})
    baseline = load_camera_baseline(room.paths)
    assert baseline is not None
    assert (baseline.sharpness, baseline.limit) == (200.0, 140.0)
    assert baseline.view == view_of(room.settings.camera, Picture())


def test_what_is_wanted_of_a_camera_that_cannot_fails_and_names_it(room: Room) -> None:
    """The virtual camera can do everything: this one says that it cannot."""

    class WebCam(CameraSource):
        @property
        def cannot(self) -> tuple[str, ...]:
            return ("focus", "flicker", "rotation")

    camera = room.settings.camera
    picture = Picture(focus="fixed")
    answers = [
        measure_view(camera, cam, [], None)[:2]
        for cam in (
            WebCam(_config(room, picture)),
            WebCam(_config(room, Picture(flicker_hz=50))),
        )
    ]
    assert [code for code, _ in answers] == ["camera_cannot", None]
    assert answers[0][1]["can"]["focus"] is False
    assert answers[0][1]["can"]["exposure"] is True


def _config(room: Room, picture: Picture) -> Any:
    from kiosk.hardware.camera.back_end import CameraConfig

    preview = str(room.paths.preview)
    return CameraConfig("virtual", 1280, 720, 10, 2_000_000, 2.0, 10, preview, picture=picture)
