"""What the kernel says of the machine, on folders as a Raspberry Pi shows them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kiosk.alarms import ALARMS
from kiosk.api.recorder import AlarmKey
from kiosk.hardware.machine_health import MachineHealth, read_machine_health
from kiosk.services.machine_watch import MachineWatch
from tests.support.waiting import wait_for

FIRMWARE = "devices/platform/soc/soc:firmware/get_throttled"
SENSOR = "class/hwmon/hwmon1/in0_lcrit_alarm"
TEMPERATURE = "class/thermal/thermal_zone0/temp"
LIFE_TIME = "class/block/mmcblk0/device/life_time"
SUPPLY = "firmware/devicetree/base/chosen/power/max_current"
WELL = {
    FIRMWARE: b"0\n",
    TEMPERATURE: b"61350\n",
    "fs/ext4/mmcblk0p2/errors_count": b"0\n",
    LIFE_TIME: b"0x02 0x01\n",
    SUPPLY: (5000).to_bytes(4, "big"),
}


def health_of(root: Path, files: dict[str, bytes]) -> MachineHealth:
    """Return the health of a machine that shows ``files`` below ``sys``."""
    for name, data in files.items():
        (root / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sys" / name).write_bytes(data)
    return read_machine_health(root)


def test_a_machine_that_is_well_raises_no_alarm(tmp_path: Path) -> None:
    health = health_of(tmp_path, WELL)
    assert health.alarms == ()
    assert health.temperature_c == 61.35
    assert (health.is_under_voltage, health.was_throttled) == (False, False)
    assert (health.file_system_errors, health.wear_percent, health.supply_ma) == (0, 20, 5000)


@pytest.mark.parametrize(
    ("file", "data", "alarm"),
    [
        (FIRMWARE, b"50005\n", "power_low"),
        (FIRMWARE, b"50000\n", "power_was_low"),
        (FIRMWARE, b"e0008\n", "machine_hot"),
        ("fs/ext4/sda1/errors_count", b"3\n", "file_system_damaged"),
        (LIFE_TIME, b"0x03 0x0a\n", "disk_worn"),
        (SUPPLY, (3000).to_bytes(4, "big"), "supply_weak"),
    ],
)
def test_what_is_wrong_is_an_alarm(tmp_path: Path, file: str, data: bytes, alarm: str) -> None:
    assert health_of(tmp_path, {**WELL, file: data}).alarms[0] == alarm
    assert alarm in ALARMS


def test_a_sensor_tells_low_voltage_where_the_firmware_does_not(tmp_path: Path) -> None:
    assert health_of(tmp_path, {SENSOR: b"1\n"}).alarms == ("power_low",)


def test_what_a_machine_does_not_tell_is_unknown_and_no_alarm(tmp_path: Path) -> None:
    health = health_of(tmp_path, {TEMPERATURE: b"hot\n", LIFE_TIME: b"\n", SUPPLY: b""})
    assert health == MachineHealth()
    assert health.alarms == ()


def test_this_machine_is_read_without_an_error() -> None:
    assert set(read_machine_health().alarms) <= set(ALARMS)


def test_a_change_is_told_once_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.services.machine_watch.INTERVAL_S", 0.001)
    health = [MachineHealth(is_throttled=True)]
    changes: list[list[AlarmKey]] = []
    watch = MachineWatch(lambda: changes.append(watch.alarms()), lambda: health[0])

    async def run() -> None:
        task = asyncio.create_task(watch.run())
        hot = [[("machine_hot", "machine")]]
        await asyncio.to_thread(wait_for, lambda: changes == hot, "the alarm")
        health[0] = MachineHealth()
        await asyncio.to_thread(wait_for, lambda: changes == [*hot, []], "its end")
        task.cancel()

    asyncio.run(run())
