"""All sources at once as the recorder opens them: picamera2, and microphones through PyAudio."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config import Settings
from kiosk.hardware.camera.preview import PreviewReader
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.support.waiting import wait_for

NAMES = ("judge", "witness")


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    """Camera and two microphones, all delivering."""
    with tempfile.TemporaryDirectory(prefix="kp-") as name:
        folder = Path(name)
        with VirtualMicrophones(folder / "mics", NAMES) as microphones:
            for key, value in microphones.environment.items():
                monkeypatch.setenv(key, value)
            monkeypatch.setenv("CAMSHIM_FREEZE", str(folder / "freeze"))
            settings = Settings.model_validate(
                {
                    "camera": {"back_end": "picamera2"},
                    "microphones": microphones.settings(NAMES, {}),
                }
            )
            with Sources(settings, folder / "preview") as opened:
                assert opened.wait_ready(40), opened.describe_microphones()
                yield opened


def test_every_source_delivers_through_the_real_libraries(sources: Sources) -> None:
    assert sources.describe_camera().state == "ok"
    assert {microphone.name for microphone in sources.describe_microphones()} == set(NAMES)
    libraries = {device.name: device.library for device in sources.devices()}
    assert libraries == {"camera": "picamera2", "judge": "PyAudio", "witness": "PyAudio"}


def test_a_picture_that_moves_does_not_stand_still(sources: Sources) -> None:
    """Libcamera's own pattern, through picamera2's low-resolution stream, for ten seconds."""
    camera, reader = sources.camera, PreviewReader(sources.preview)
    assert camera is not None

    def number() -> int:
        frame = reader.read()
        return 0 if frame is None else frame.number

    first = number()
    wait_for(lambda: number() > first + 10 * camera.fps, "ten seconds of pictures", 60)
    reader.close()
    assert camera.still_since_ns is None


def test_a_camera_that_hangs_is_noticed_and_comes_back(sources: Sources) -> None:
    """Libcamera stops delivering pictures, and delivers again after the child restarted."""
    freeze = Path(os.environ["CAMSHIM_FREEZE"])
    freeze.touch()
    wait_for(lambda: sources.describe_camera().state == "frozen", "the frozen camera", 10)
    assert all(microphone.state != "dead" for microphone in sources.describe_microphones())
    freeze.unlink()
    wait_for(lambda: sources.describe_camera().state == "ok", "the camera's return", 40)
