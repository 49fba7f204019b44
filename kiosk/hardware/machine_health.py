"""Reads from the kernel whether the machine itself is well: heat, power, file systems, wear.

A value that this machine does not have is None: it raises no alarm and is shown as not measured.
Sources: the Raspberry Pi's firmware (``get_throttled``: bits 0 to 3 now, 16 to 19 since the start),
hwmon, thermal zones, ext4's ``errors_count``, the life time that eMMC reports (JESD84-B51, 7.4.47).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path("/")
_LIFE_TIME = "class/block/mmcblk*/device/life_time"
_UNDER_VOLTAGE, _THROTTLED = 0x1, 0x4 | 0x8
_SINCE_START = 16
WORN_PERCENT = 90
SLOWED_C = 80.0
"""A Pi lowers its clock from here on."""
FULL_SUPPLY_MA = 5000
"""With less a Pi 5 gives its USB sockets 600 mA for all microphones, scanner and sticks."""


@dataclass(frozen=True, kw_only=True)
class MachineHealth:
    """What the kernel says now.

    Attributes:
        temperature_c: of the processor.
        is_under_voltage: the supply's voltage is too low now; ``was_under_voltage``: since the
            start.
        is_throttled: the processor is slowed down by heat now; ``was_throttled``: since the start.
        file_system_errors: that ext4 has counted on all its file systems.
        wear_percent: used part of the life of the most worn flash disk, at most.
        supply_ma: current that the supply of a Pi 5 has promised.
    """

    temperature_c: float | None = None
    is_under_voltage: bool | None = None
    was_under_voltage: bool | None = None
    is_throttled: bool | None = None
    was_throttled: bool | None = None
    file_system_errors: int | None = None
    wear_percent: int | None = None
    supply_ma: int | None = None

    @property
    def alarms(self) -> tuple[str, ...]:
        """Codes of what is wrong, the worst first."""
        return tuple(
            code
            for code, is_wrong in (
                ("file_system_damaged", bool(self.file_system_errors)),
                ("power_low", self.is_under_voltage),
                ("machine_hot", self.is_throttled),
                ("power_was_low", self.was_under_voltage and not self.is_under_voltage),
                ("disk_worn", (self.wear_percent or 0) >= WORN_PERCENT),
                ("supply_weak", self.supply_ma is not None and self.supply_ma < FULL_SUPPLY_MA),
            )
            if is_wrong
        )

    def as_json(self) -> dict[str, float | bool | None]:
        """Return the values as the self-test reports them."""
        return asdict(self)


def read_machine_health(root: Path = ROOT) -> MachineHealth:
    """Read all values; what cannot be read is None.

    Args:
        root: folder that has ``sys``.
    """
    sys = root / "sys"
    firmware = _first(_numbers(sys, "devices/platform/soc*/soc*:firmware/get_throttled", 16))
    sensor = _first(_numbers(sys, "class/hwmon/hwmon*/in0_lcrit_alarm"))
    temperature = _first(_numbers(sys, "class/thermal/thermal_zone*/temp"))
    errors = list(_numbers(sys, "fs/ext4/*/errors_count"))
    wear = [part * 10 for path in sys.glob(_LIFE_TIME) for part in _life_time(path)]
    is_low = None if sensor is None else bool(sensor)
    if firmware is not None:
        is_low = bool(firmware & _UNDER_VOLTAGE)
    return MachineHealth(
        temperature_c=None if temperature is None else temperature / 1000,
        is_under_voltage=is_low,
        was_under_voltage=_bit(firmware, _UNDER_VOLTAGE << _SINCE_START),
        is_throttled=_bit(firmware, _THROTTLED),
        was_throttled=_bit(firmware, _THROTTLED << _SINCE_START),
        file_system_errors=sum(errors) if errors else None,
        wear_percent=max(wear, default=None),
        supply_ma=_supply_ma(sys / "firmware/devicetree/base/chosen/power/max_current"),
    )


def _numbers(folder: Path, pattern: str, base: int = 10) -> Iterator[int]:
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(OSError, ValueError):
            yield int(path.read_text(encoding="ascii").strip(), base)


def _first(numbers: Iterator[int]) -> int | None:
    return next(numbers, None)


def _bit(value: int | None, mask: int) -> bool | None:
    return None if value is None else bool(value & mask)


def _life_time(path: Path) -> Iterator[int]:
    """Yield the tenths of its life that each part of a disk has used; 0: not told."""
    with contextlib.suppress(OSError, ValueError):
        yield from (int(part, 16) for part in path.read_text(encoding="ascii").split())


def _supply_ma(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        if len(data := path.read_bytes()) == 4:
            return int.from_bytes(data, "big")
    return None
