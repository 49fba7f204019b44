"""Whether memory can come onto a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.storage.swap import swap_on_disk

HEAD = "Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
ZRAM = "/dev/zram0 partition 1000 0 100\n"


@pytest.mark.parametrize(
    ("lines", "backing", "on_disk"),
    [
        ("", None, []),
        (ZRAM, None, []),  # a kernel without write-back
        (ZRAM, "none\n", []),
        (ZRAM, "/dev/loop0\n", ["/dev/loop0"]),  # as Raspberry Pi OS sets it up
        ("/var/swap file 1000 0 -2\n", None, ["/var/swap"]),
        ("/dev/mmcblk0p3 partition 1000 0 -2\n" + ZRAM, "none\n", ["/dev/mmcblk0p3"]),
    ],
)
def test_swap_on_a_disk_is_named(
    tmp_path: Path, lines: str, backing: str | None, on_disk: list[str]
) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(HEAD + lines)
    (tmp_path / "zram0").mkdir()
    if backing is not None:
        (tmp_path / "zram0/backing_dev").write_text(backing)
    assert swap_on_disk(swaps, tmp_path) == on_disk


def test_this_machine_can_be_asked() -> None:
    assert all(name.startswith("/") for name in swap_on_disk())
