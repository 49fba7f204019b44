"""A file or folder is reported durable only after its folder was synced, also at a second try."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.store import DIRECT, append_durably


class Disk:
    """Counts the syncs of folders that succeed; refuses the first syncs of a kind."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.synced: list[str] = []
        self.refused_files = self.refused_folders = 0
        self._fsync, self._fdatasync = os.fsync, os.fdatasync
        patch.setattr(os, "fsync", self.fsync)
        patch.setattr(os, "fdatasync", self.fdatasync)

    def fsync(self, descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return self._fsync(descriptor)
        if self.refused_folders:
            self.refused_folders -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._fsync(descriptor)
        self.synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        return None

    def fdatasync(self, descriptor: int) -> None:
        if self.refused_files:
            self.refused_files -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._fdatasync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.mark.parametrize("refused", ["refused_files", "refused_folders"])
def test_after_a_failed_first_write_the_folder_is_synced_again(
    disk: Disk, refused: str, tmp_path: Path
) -> None:
    run = make_folder(tmp_path / "run-01")
    disk.synced.clear()
    setattr(disk, refused, 2)
    path = run / "000001.m4s"
    ticket = DIRECT.append(path, 0, b"media")
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            ticket.is_durable()
        assert path.read_bytes() == b""  # a failure leaves nothing
    assert disk.synced == []
    assert ticket.is_durable()
    assert disk.synced == ["run-01"]
    assert path.read_bytes() == b"media"


def test_a_log_that_has_bytes_costs_no_sync_of_its_folder(disk: Disk, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_durably(path, 0, b"one")
    disk.synced.clear()
    append_durably(path, 3, b"two")
    assert disk.synced == []


def test_a_folder_whose_entry_is_not_synced_is_made_again(disk: Disk, tmp_path: Path) -> None:
    disk.refused_folders = 1
    with pytest.raises(StorageError):
        make_folder(tmp_path / "main" / "run-01")
    assert list(tmp_path.iterdir()) == []
    make_folder(tmp_path / "main" / "run-01")
    assert disk.synced == [tmp_path.name, "main"]


def test_a_folder_that_another_has_made_is_never_removed(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "main"
    folder.mkdir()
    monkeypatch.setattr(Path, "exists", lambda path: path != folder)  # it looked just before
    disk.refused_folders = 1
    with pytest.raises(StorageError):
        make_folder(folder)
    assert folder.is_dir()
