"""The technician's tests fail when the device fails, and name what is wrong."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpiozero import Device  # type: ignore[import-untyped]
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]

from kiosk.api import recorder
from kiosk.api.recorder import Camera, Level, Microphone
from kiosk.api.recorder_calls import DeviceTestAnswer
from kiosk.api.states import MirrorState
from kiosk.clocks import recording_ns, wall_time
from kiosk.config import CameraSettings, MicrophoneSettings, PanelSettings, PathSettings, Settings
from kiosk.errors import StorageError
from kiosk.hardware.camera.preview import HEIGHT, WIDTH, PreviewWriter
from kiosk.hardware.panel import Panel
from kiosk.selftest import recorder_checks
from kiosk.storage.paths import Paths
from kiosk.storage.space import DiskSpace, DiskSpeed
from kiosk.storage.volume_marker import write_marker
from kiosk.sync.transport.identity import load_identity
from tests.support.identity import Court
from tests.support.waiting import wait_for


class Sources:
    """States and levels as a test wants them."""

    def __init__(self, camera: str = "ok", **microphones: str) -> None:
        self.camera = None
        self.camera_state = camera
        self.microphones = microphones
        self.loud = -30.0
        self.polls = 0

    def describe_camera(self) -> Camera:
        return Camera.model_validate({"state": self.camera_state})

    def describe_microphones(self) -> list[Microphone]:
        heard = f"heard {self.polls}"
        rows = [
            {"name": name, "state": state, "heard": heard if state == "ok" else None}
            for name, state in self.microphones.items()
        ]
        return [Microphone.model_validate(row) for row in rows]

    def devices(self) -> list[recorder.Device]:
        opened = recorder.OpenedDevice(name="mic_judge", rate=48000, channels=1)
        return [recorder.Device(name="judge", opened=opened), recorder.Device(name="witness")]

    def levels(self) -> dict[str, Level]:
        self.polls += 1
        return {name: Level(rms_db=self.loud, peak_db=self.loud) for name in self.microphones}


def settings(tmp_path: Path) -> Settings:
    return Settings(
        paths=PathSettings(data=tmp_path, run=tmp_path),
        camera=CameraSettings(fps=10, preview_fps=10),
        microphones=tuple(
            MicrophoneSettings(name=name, role=name, device=name) for name in ("judge", "witness")
        ),
    )


def run(test: Coroutine[Any, Any, DeviceTestAnswer]) -> dict[str, Any]:
    return asyncio.run(test).to_json()


@contextmanager
def pictures(path: Path, paint: Any, numbers: Iterator[int] | None = None) -> Iterator[None]:
    """Write what ``paint(number)`` gives 20 times a second; ``numbers`` of the frames."""
    writer, stop = PreviewWriter(path), threading.Event()

    def write() -> None:
        for number in numbers or itertools.count(1):
            if stop.wait(0.05):
                break
            writer.write(paint(number).tobytes(), recording_ns(), number)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        writer.close()


def noise(number: int) -> Any:
    return np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)


def black(number: int) -> Any:
    return np.full((HEIGHT, WIDTH, 3), number % 2, np.uint8)


def still(_number: int) -> Any:
    return noise(7)


@pytest.mark.parametrize(
    ("paint", "code"), [(noise, None), (black, "camera_dark"), (still, "camera_frozen")]
)
def test_camera_by_its_pictures(tmp_path: Path, paint: Any, code: str | None) -> None:
    mine, paths = settings(tmp_path), Paths(tmp_path, tmp_path)
    paths.preview.parent.mkdir()
    with pictures(paths.preview, paint):
        answer = run(recorder_checks.check_camera(mine, Sources(), paths, 1.0))  # type: ignore[arg-type]
    assert answer.get("code") == code, answer
    assert answer["state"] == ("failed" if code else "passed")
    assert answer["measured"]["fps"] > 5


@pytest.mark.parametrize(
    ("numbers", "restarts", "code"),
    [
        (itertools.chain(range(500, 506), itertools.count(1)), 1, None),
        (itertools.count(10_000, -1), 2, "camera_frozen"),
    ],
    ids=["once", "again and again"],
)
def test_a_camera_that_restarts_is_measured_from_there_and_it_is_told(
    tmp_path: Path, numbers: Iterator[int], restarts: int, code: str | None
) -> None:
    """A new camera process counts from one: the difference was a negative number."""
    mine, paths = settings(tmp_path), Paths(tmp_path, tmp_path)
    paths.preview.parent.mkdir()
    with pictures(paths.preview, noise, numbers):
        answer = run(recorder_checks.check_camera(mine, Sources(), paths, 1.0))  # type: ignore[arg-type]
    assert answer.get("code") == code, answer
    assert answer["measured"]["restarts"] >= restarts
    assert min(answer["measured"]["frames"], answer["measured"]["fps"]) >= 0


@pytest.mark.parametrize(("state", "code"), [("absent", "camera_absent"), ("ok", "camera_frozen")])
def test_camera_without_pictures(tmp_path: Path, state: str, code: str) -> None:
    mine, paths = settings(tmp_path), Paths(tmp_path, tmp_path)
    paths.preview.parent.mkdir()
    writer = PreviewWriter(paths.preview)
    writer.write(noise(1).tobytes(), recording_ns(), 1)  # the last picture of a dead camera
    answer = run(recorder_checks.check_camera(mine, Sources(state), paths, 0.3))  # type: ignore[arg-type]
    assert (answer["state"], answer["code"]) == ("failed", code)


@pytest.mark.parametrize(
    ("witness", "code"),
    [
        ("ok", None),
        ("absent", "microphone_absent"),
        ("dead", "microphone_dead"),
        ("muted", "microphone_muted"),
        ("stuck", "microphone_stuck"),
        ("refused", "microphone_refused"),
        ("starting", "microphone_absent"),
    ],
)
def test_microphones(tmp_path: Path, witness: str, code: str | None) -> None:
    sources = Sources(judge="ok", witness=witness)
    answer = run(recorder_checks.check_microphones(settings(tmp_path), sources, 0.5))  # type: ignore[arg-type]
    assert answer.get("code") == code
    assert answer["measured"]["judge"] == {
        "state": "ok",
        "level_db": -30.0,
        "noise_db": -30.0,
        "heard": True,
        "device": "mic_judge, 48000 Hz, 1 ch",
    }
    assert answer["measured"]["witness"]["device"] == ""
    assert answer["measured"]["witness"]["heard"] is (witness == "ok")


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Gpiozero's mock pins."""
    before = Device.pin_factory
    Device.pin_factory = MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def test_panel_lamp_and_button(pins: MockFactory) -> None:
    chosen = PanelSettings()
    panel = Panel(chosen).open()
    truth: list[bool] = []

    def press() -> None:
        wait_for(lambda: panel.lamp, "the lit lamp")
        pins.pin(chosen.button_pin).drive_low()

    thread = threading.Thread(target=press)
    thread.start()
    answer = run(recorder_checks.check_panel(panel, lambda: False, lambda: truth.append(True), 10))
    thread.join()
    assert answer["state"] == "passed"
    assert answer["measured"] == {"lamp": True, "button_pressed": True}
    assert truth == [True], "the lamp says the truth again"
    panel.close()


def test_panel_test_gives_way_to_a_hearing(pins: MockFactory) -> None:
    assert pins is not None
    panel = Panel(PanelSettings()).open()
    answer = run(recorder_checks.check_panel(panel, lambda: True, lambda: None, 300))
    assert answer["measured"]["button_pressed"] is False
    panel.close()


def test_panel_absent_or_not_fitted() -> None:
    off = Panel(PanelSettings(enabled=False))
    answer = run(recorder_checks.check_panel(off, lambda: False, lambda: None, 0))
    assert (answer["state"], answer["code"]) == ("skipped", "not_fitted")
    absent = Panel(PanelSettings()).open()
    absent.close()
    answer = run(recorder_checks.check_panel(absent, lambda: False, lambda: None, 0))
    assert (answer["state"], answer["code"]) == ("failed", "panel_absent")


def test_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, paths = settings(tmp_path), Paths(tmp_path, tmp_path)

    def check(space: DiskSpace, speed: DiskSpeed | StorageError) -> dict[str, Any]:
        def measure(_: Path) -> DiskSpeed:
            if isinstance(speed, StorageError):
                raise speed
            return speed

        monkeypatch.setattr(recorder_checks, "measure_space", lambda *_: space)
        monkeypatch.setattr(recorder_checks, "measure_speed", measure)
        return run(recorder_checks.check_storage(mine, paths))

    monkeypatch.setattr(recorder_checks, "swap_on_disk", list)
    good, fast = DiskSpace(10**12, 10**12, 500.0, "ok"), DiskSpeed(5e7, 1e8, 3.0)
    assert check(good, fast)["state"] == "passed"
    assert check(good, fast)["measured"]["swap_on_disk"] == "none"
    monkeypatch.setattr(recorder_checks, "swap_on_disk", lambda: ["/var/swap"])
    assert check(good, fast)["measured"]["swap_on_disk"] == "/var/swap"
    assert check(good, DiskSpeed(1e5, 1e8, 900.0))["code"] == "disk_slow"
    assert check(good, StorageError("other bytes"))["code"] == "storage_failed"
    assert check(DiskSpace(10, 100, 0.0, "full"), fast)["code"] == "disk_full"
    assert check(DiskSpace(10**9, 10**12, 2.0, "low"), fast)["code"] == "disk_low"


@pytest.mark.parametrize(
    ("state", "code"),
    [("ok", None), ("unset", "clock_unset"), ("unsynchronised", "clock_unsynchronised")],
)
def test_clock(
    state: str, code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_checks, "clock_state", lambda: state)
    answer = run(recorder_checks.check_clock(tmp_path))
    assert answer.get("code") == code
    assert (answer["measured"]["state"], answer["measured"]["rtc"]) == (state, "absent")


@pytest.mark.parametrize(
    ("battery", "apart_s", "code"),
    [("3000000", 0, None), ("200000", 0, "rtc_unkept"), ("3000000", 90, "rtc_differs")],
)
def test_real_time_clock(
    battery: str, apart_s: int, code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_checks, "clock_state", lambda: "ok")
    chip = tmp_path / "rtc0"
    chip.mkdir()
    (chip / "battery_voltage").write_text(battery)
    (chip / "since_epoch").write_text(str(int(wall_time().timestamp()) + apart_s))
    answer = run(recorder_checks.check_clock(tmp_path))
    assert answer.get("code") == code
    assert answer["measured"]["battery_v"] == int(battery) / 1e6
    assert answer["limits"]["battery_v"]["least"] == 2.0
    assert abs(answer["measured"]["apart_s"] - apart_s) < 3


@pytest.mark.parametrize(
    ("days", "trusted", "state", "code"),
    [
        (20, True, "passed", None),
        (5, True, "failed", "certificate_ends_soon"),
        (-1, True, "failed", "certificate_invalid"),
        (-1, False, "skipped", "clock_unsynchronised"),
    ],
)
def test_certificate_by_a_clock_that_is_trusted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    trusted: bool,
    state: str,
    code: str | None,
) -> None:
    """Days are never judged by a clock that nobody has set."""
    court, paths, mine = (
        Court.make(tmp_path / "court"),
        Paths(tmp_path, tmp_path),
        settings(tmp_path),
    )
    paths.device_key.parent.mkdir()
    court.issue(mine.kiosk.id, paths.device_key, paths.device_certificate)
    paths.court_ca.write_bytes(court.ca.read_bytes())
    end = load_identity(paths).not_after
    monkeypatch.setattr(recorder_checks, "wall_time", lambda: end - timedelta(days=days, hours=1))
    monkeypatch.setattr(recorder_checks, "is_clock_trusted", lambda: trusted)
    answer = run(recorder_checks.check_certificate(mine, paths))
    assert (answer["state"], answer.get("code")) == (state, code)
    assert ("days_left" in answer["measured"]) is trusted


def test_mirror_is_written_to_and_read_back(tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    mine = settings(tmp_path)
    mine = mine.model_copy(
        update={"paths": PathSettings(data=tmp_path, run=tmp_path, mirror=second)}
    )

    def check(state: MirrorState) -> dict[str, Any]:
        mirror = recorder.Mirror(state=state, free_bytes=10**9)
        return run(recorder_checks.check_mirror(mine, mirror))

    assert check(MirrorState.OFF)["code"] == "not_fitted"
    assert check(MirrorState.FOREIGN)["code"] == "mirror_foreign"
    assert check(MirrorState.OK)["code"] == "mirror_failed", "the folder is not adopted"
    write_marker(second, mine.kiosk.id, "mirror")
    good = check(MirrorState.OK)
    assert good["measured"]["write_mb_s"] > 0
    assert good.get("code") in (None, "mirror_slow")
    assert [path.name for path in second.iterdir()] == ["kiosk-storage.json"], "nothing stays"
