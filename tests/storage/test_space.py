"""Free space in hours of recording, and the speed of durable writes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiosk.config import CameraSettings, MicrophoneSettings, RecordingSettings, Settings
from kiosk.errors import StorageError
from kiosk.storage.space import FULL_BYTES, bytes_per_hour, measure_space, measure_speed

SETTINGS = Settings(
    camera=CameraSettings(bitrate=2_000_000),
    microphones=tuple(
        MicrophoneSettings(name=name, role="judge", device=f"mic_{name}") for name in ("a", "b")
    ),
    recording=RecordingSettings(low_space_hours=4),
)


def fake_statvfs(free: int, read_only: bool = False) -> SimpleNamespace:
    flag = os.ST_RDONLY if read_only else 0
    return SimpleNamespace(f_bavail=free, f_frsize=1, f_blocks=10**12, f_flag=flag)


def test_an_hour_is_what_the_bit_rates_say() -> None:
    flac = 2 * 48000 * 16 * 0.6
    assert bytes_per_hour(SETTINGS) == pytest.approx((2_000_000 + 96_000 + flac) * 450)


@pytest.mark.parametrize(
    ("hours", "read_only", "state"),
    [(5.0, False, "ok"), (3.0, False, "low"), (-0.1, False, "full"), (5.0, True, "failed")],
)
def test_states(
    hours: float, read_only: bool, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = int(FULL_BYTES + hours * bytes_per_hour(SETTINGS)) if hours > 0 else FULL_BYTES - 1
    monkeypatch.setattr(os, "statvfs", lambda _: fake_statvfs(free, read_only))
    space = measure_space(tmp_path, SETTINGS)
    assert space.state == state
    assert space.hours_left == pytest.approx(max(0.0, hours), abs=0.06)


def test_absent_disk_is_failed(tmp_path: Path) -> None:
    assert measure_space(tmp_path / "gone", SETTINGS).state == "failed"


def test_speed_is_measured_and_leaves_nothing(tmp_path: Path) -> None:
    speed = measure_speed(tmp_path, 2 << 20)
    assert speed.write_bytes_s > 0
    assert speed.read_bytes_s > 0
    assert speed.sync_ms >= 0
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError):
        measure_speed(tmp_path / "gone")


def test_disk_that_gives_back_other_bytes_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.storage.space._time_read", lambda *_: (1.0, "00"))
    with pytest.raises(StorageError, match="not what was written"):
        measure_speed(tmp_path, 1 << 20)
