"""The two copies at the start of the recorder: which is read, and what holds the start up."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.api.states import MirrorState
from kiosk.errors import StorageError
from kiosk.hearing.room.storage_monitor import StorageMonitor
from kiosk.storage.paths import Paths
from kiosk.storage.volume import ONLY_HERE, StorageVolume
from kiosk.storage.volume_marker import write_marker
from tests.hearing.courtroom_rig import KIOSK, courtroom_settings
from tests.support.identity import Court
from tests.support.waiting import wait_for

HEARING = "2f1c9a52-0000-4000-8000-000000000001"
NAME = f"hearings/{HEARING}/part-01/a.m4s"


class Start:
    """A recorder's storages at its start."""

    def __init__(self, folder: Path) -> None:
        settings = courtroom_settings(folder)
        self.own, self.mirror = settings.paths.data, folder / "mirror"
        paths = settings.paths.model_copy(update={"mirror": self.mirror})
        self._settings = settings.model_copy(update={"paths": paths})
        self.certificate = Court.make(folder / "court").device().certificate
        for root in (self.own, self.mirror):
            (root / NAME).parent.mkdir(parents=True)
        write_marker(self.mirror, KIOSK, "mirror")
        self.gates = {"data": threading.Event(), "mirror": threading.Event()}
        self.reading = {"data": threading.Event(), "mirror": threading.Event()}
        for gate in (*self.gates.values(), *self.reading.values()):
            gate.set()
        self.is_own_full = False
        self.found: tuple[set[str], set[str]] = set(), set()
        self.monitor: StorageMonitor | None = None

    def begin(self) -> StorageMonitor:
        """Open the storages as the recorder does, and prepare the recovery."""
        monitor = self.monitor = StorageMonitor(
            self._settings, Paths.from_settings(self._settings.paths)
        )
        self.found = monitor.prepare_recovery(self.certificate)
        return monitor

    def close(self) -> None:
        """End the test."""
        for gate in (*self.gates.values(), *self.reading.values()):
            gate.set()
        if self.monitor is not None:
            self.monitor.close(1)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    start = Start(tmp_path)
    append = StorageVolume.append

    def wait(volume: StorageVolume, relative: str, offset: int, data: bytes) -> None:
        start.gates[volume.role].wait(30)
        if start.is_own_full and volume.role == "data":
            raise OSError(errno.ENOSPC, "full")
        append(volume, relative, offset, data)

    read = StorageVolume.read

    def hang(volume: StorageVolume, relative: str, offset: int, length: int) -> bytes:
        start.reading[volume.role].wait(30)
        return read(volume, relative, offset, length)

    monkeypatch.setattr(StorageVolume, "append", wait)
    monkeypatch.setattr(StorageVolume, "read", hang)
    monkeypatch.setattr("kiosk.recording.repair.start_merge.HUNG_S", 0.5)
    yield start
    start.close()


def test_a_shorter_copy_of_before_is_not_read_while_the_own_disk_is_slow(start: Start) -> None:
    """The recovery would cut the own file to the length of the other copy."""
    (start.own / NAME).write_bytes(b"all of it")
    (start.mirror / NAME).write_bytes(b"all")
    store = start.begin().store
    start.gates["data"].clear()
    store.append(start.own / "hearings" / HEARING / "journal.jsonl", 0, b"line")
    wait_for(lambda: store.primary_state == "slow", "a slow disk")
    assert store.locate(start.own / NAME) == start.own / NAME


def test_a_mirror_that_hangs_while_it_is_read_does_not_hold_the_start_up(start: Start) -> None:
    """It is slow for as long as it hangs; what it gives late changes nothing any more."""
    (start.own / NAME).write_bytes(b"begin")
    (start.mirror / NAME).write_bytes(b"beginning")
    start.reading["mirror"].clear()
    monitor = start.begin()
    assert monitor.state(None, None)[1].state == MirrorState.SLOW
    assert monitor.store.locate(start.own / NAME) == start.own / NAME
    start.reading["mirror"].set()
    wait_for(lambda: monitor.state(None, None)[1].state == MirrorState.OK, "the mirror")
    wait_for(lambda: "copy-reader" not in {t.name for t in threading.enumerate()}, "its thread")
    assert (start.own / NAME).read_bytes() == b"begin"


def test_a_hearing_that_does_not_fit_on_the_own_disk_any_more_goes_on_on_the_mirror(
    start: Start,
) -> None:
    """There is room for the recovery, but not for all that only the mirror has."""
    (start.own / NAME).write_bytes(b"begin")
    (start.mirror / NAME).write_bytes(b"beginning")
    start.is_own_full = True
    monitor = start.begin()
    assert start.found == ({HEARING}, set())
    assert monitor.store.locate(start.own / NAME) == start.mirror / NAME
    start.is_own_full = False
    monitor.start_catch_up(lambda _hearing: None)
    wait_for(lambda: (start.own / NAME).read_bytes() == b"beginning", "the own copy")


def test_copies_that_each_have_something_wait_until_they_can_be_merged(start: Start) -> None:
    """Neither is cut, and nothing is set aside, while the own disk cannot take the rest."""
    (start.own / NAME).write_bytes(b"begin")
    (start.mirror / NAME).write_bytes(b"beginning")
    (start.own / NAME).with_name("b.m4s").write_bytes(b"only here")
    start.is_own_full = True
    monitor = start.begin()
    assert start.found == (set(), {HEARING})
    monitor.start_catch_up(lambda _hearing: None)
    with pytest.raises(StorageError, match="cannot be merged"):
        monitor.complete_copy(HEARING, start.certificate)
    assert (start.mirror / NAME).read_bytes() == b"beginning"
    start.is_own_full = False
    monitor.complete_copy(HEARING, start.certificate)
    assert (start.own / NAME).read_bytes() == b"beginning"
    other = (start.mirror / NAME).with_name("b.m4s")
    wait_for(lambda: other.exists() and other.read_bytes() == b"only here", "the mirror")
    assert not (start.mirror / ONLY_HERE).exists()
