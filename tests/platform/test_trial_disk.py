"""The trial disk forgets exactly what was not synced, and fails as ordered."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from faults.disk.mounted import MountedDisk, missing_requirement
from faults.disk.nodes import File
from faults.disk.volume import UnsyncedNames
from kiosk.storage.atomic_io import sync_folder, write_bytes


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[MountedDisk]:
    """A mounted trial disk."""
    if lack := missing_requirement():
        pytest.skip(lack)
    with MountedDisk(tmp_path / "disk") as mounted:
        yield mounted


def lose_power(
    disk: MountedDisk, seed: int = 1, names: UnsyncedNames = UnsyncedNames.UNDONE
) -> None:
    """Cut the power and mount what survived."""
    disk.cut_power(Random(seed), names)
    disk.remount()


def write(path: Path, data: bytes, *, sync: bool) -> None:
    """Write a file; sync its bytes (not its name)."""
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def test_what_was_synced_survives(disk: MountedDisk) -> None:
    write_bytes(disk.path / "kept", b"a" * 10_000)
    lose_power(disk)
    assert (disk.path / "kept").read_bytes() == b"a" * 10_000


def test_a_name_goes_whose_folder_was_not_synced(disk: MountedDisk) -> None:
    write_bytes(disk.path / "old", b"1")
    write(disk.path / "new", b"2", sync=True)
    (disk.path / "old").rename(disk.path / "moved")
    (disk.path / "deep").mkdir()
    write_bytes(disk.path / "deep" / "file", b"3")
    lose_power(disk)
    assert [path.name for path in disk.path.iterdir()] == ["old"]


def test_as_on_ext4_an_fsync_keeps_the_names_before_it(disk: MountedDisk) -> None:
    (disk.path / "first").touch()
    write(disk.path / "second", b"2", sync=True)
    lose_power(disk, names=UnsyncedNames.ORDERED)
    assert {path.name for path in disk.path.iterdir()} == {"first", "second"}


def test_unsynced_bytes_are_lost_kept_or_torn(disk: MountedDisk) -> None:
    write(disk.path / "file", b"a" * 5000, sync=True)
    sync_folder(disk.path)
    seen = set()
    for seed in range(12):
        write(disk.path / "file", b"b" * 20_000, sync=False)
        lose_power(disk, seed)
        data = (disk.path / "file").read_bytes()
        assert data[:5000] == b"a" * 5000, "synced bytes stay as they are"
        assert set(data[5000:]) <= set(b"b\0")
        seen.add("none" if len(data) == 5000 else "all" if data[5000:] == b"b" * 20_000 else "torn")
        os.truncate(disk.path / "file", 5000)
        with (disk.path / "file").open("rb+") as file:
            os.fsync(file.fileno())
    assert seen == {"none", "all", "torn"}


def test_until_it_is_mounted_again_nothing_works(disk: MountedDisk) -> None:
    with (disk.path / "open").open("wb", buffering=0) as file:
        disk.cut_power(Random(1))
        for attempt in (lambda: file.write(b"x"), lambda: os.fsync(file.fileno())):
            with pytest.raises(OSError, match=os.strerror(errno.EIO)):
                attempt()


@pytest.mark.parametrize(
    ("how", "number"), [("full", errno.ENOSPC), ("read_only", errno.EROFS), ("gone", errno.EIO)]
)
def test_it_fails_as_told_and_is_well_again(disk: MountedDisk, how: str, number: int) -> None:
    write_bytes(disk.path / "file", b"1")
    disk.fail(how)  # type: ignore[arg-type]
    with pytest.raises(OSError, match=os.strerror(number)):
        write(disk.path / "file", b"2", sync=True)
    disk.fail("ok")
    write(disk.path / "file", b"2", sync=True)
    assert (disk.path / "file").read_bytes() == b"12"


def test_full_says_so(disk: MountedDisk) -> None:
    assert os.statvfs(disk.path).f_bavail > 0
    disk.fail("full")
    assert os.statvfs(disk.path).f_bavail == 0


def test_overwritten_and_cut_bytes_come_back() -> None:
    for fate, wanted in (("none", b"abcdefgh"), ("all", b"aXXd")):
        file = File(0o644)
        file.write(b"abcdefgh", 0)
        file.sync()
        file.write(b"XX", 1)
        file.truncate(4)
        file.lose_unsynced(Random(1), fate)  # type: ignore[arg-type]
        assert (bytes(file.data), file.is_unsynced) == (wanted, False)
