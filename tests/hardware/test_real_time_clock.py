"""What the kernel tells of the real-time clock, on folders as machines show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.api.states import RtcState
from kiosk.hardware import wall_clock
from kiosk.hardware.real_time_clock import RealTimeClock, read_real_time_clock
from kiosk.hardware.wall_clock import is_clock_trusted

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
RIGHT = str(int(NOW.timestamp()))
PI5 = {"hctosys": "1", "since_epoch": RIGHT, "battery_voltage": "2998000", "charging_voltage": "0"}


def chip_at(folder: Path, **files: str) -> RealTimeClock:
    """Return what is read of a clock with ``files``."""
    write_chip(folder / "rtc0", **files)
    return read_real_time_clock(folder, lambda: NOW)


def write_chip(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")


def test_a_machine_without_a_clock_has_none(tmp_path: Path) -> None:
    assert read_real_time_clock(tmp_path / "none") == RealTimeClock()
    assert read_real_time_clock(tmp_path).state is RtcState.ABSENT


def test_a_clock_with_its_battery_is_kept(tmp_path: Path) -> None:
    assert chip_at(tmp_path, **PI5) == RealTimeClock(
        state=RtcState.KEPT, battery_v=3.0, charging_v=0.0, apart_s=0.0, has_set_clock=True
    )


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({**PI5, "battery_voltage": "350000"}, RtcState.UNKEPT),
        ({**PI5, "battery_voltage": "350000", "hctosys": "0"}, RtcState.UNKEPT),
        ({**PI5, "since_epoch": "120"}, RtcState.UNKEPT),
        ({"hctosys": "1"}, RtcState.UNKEPT),
        ({"hctosys": "1", "since_epoch": "noise"}, RtcState.UNKEPT),
        ({"hctosys": "1", "since_epoch": RIGHT}, RtcState.KEPT),
        ({**PI5, "battery_voltage": "?"}, RtcState.KEPT),
        ({**PI5, "since_epoch": str(int(RIGHT) + 60)}, RtcState.DIFFERS),
        ({**PI5, "since_epoch": str(int(RIGHT) - 60)}, RtcState.DIFFERS),
        ({**PI5, "since_epoch": str(int(RIGHT) + 4)}, RtcState.KEPT),
    ],
    ids=[
        "no battery on a Pi 5",
        "no battery, no time at the boot",
        "began again in 1970",
        "tells no time",
        "tells noise",
        "a module without a voltage",
        "a voltage that is none",
        "ahead",
        "behind",
        "whole seconds",
    ],
)
def test_whether_a_battery_keeps_it(tmp_path: Path, files: dict[str, str], state: RtcState) -> None:
    assert chip_at(tmp_path, **files).state is state


def test_of_two_clocks_the_one_that_set_the_time_counts(tmp_path: Path) -> None:
    write_chip(tmp_path / "rtc0", hctosys="0", since_epoch="120")
    write_chip(tmp_path / "rtc1", hctosys="1", since_epoch=RIGHT)
    assert read_real_time_clock(tmp_path, lambda: NOW).state is RtcState.KEPT


@pytest.mark.parametrize(
    ("change", "trusted"),
    [
        ({}, True),
        ({"hctosys": "0"}, False),
        ({"battery_voltage": "0"}, False),
        ({"since_epoch": str(int(RIGHT) + 3600)}, False),
    ],
    ids=["kept", "it did not set the time", "no battery", "moved by hand since"],
)
def test_the_time_is_trusted_only_where_a_battery_kept_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], trusted: bool
) -> None:
    """``hctosys`` alone is no witness: a Pi 5 has it without a battery too."""
    monkeypatch.setattr(wall_clock, "is_synchronised", lambda: False)
    real = datetime.now(UTC)
    write_chip(tmp_path / "rtc0", **{**PI5, "since_epoch": str(int(real.timestamp())), **change})
    if "since_epoch" in change:
        apart = int((real + timedelta(hours=1)).timestamp())
        (tmp_path / "rtc0" / "since_epoch").write_text(str(apart))
    assert is_clock_trusted(tmp_path) is trusted
