"""Waiting for a hearing's bytes: for those of before, on the storage that has them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.errors import StorageError
from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import VolumeRole, write_marker
from tests.support.waiting import wait_for

KIOSK = "kiosk-0001"
HEARING = "2f1c9a52-0000-4000-8000-000000000001"


class GatedVolume(StorageVolume):
    """A disk whose appends wait until a test allows them."""

    def __init__(self, root: Path, role: VolumeRole) -> None:
        root.mkdir()
        write_marker(root, KIOSK, role)
        super().__init__(root, KIOSK, role)
        self.gate = threading.Event()
        self.gate.set()

    def append(self, relative: str, offset: int, data: bytes) -> None:
        """Wait, then append."""
        self.gate.wait(30)
        super().append(relative, offset, data)


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[tuple[GatedVolume, GatedVolume]]:
    own, mirror = GatedVolume(tmp_path / "own", "data"), GatedVolume(tmp_path / "mirror", "mirror")
    yield own, mirror
    own.gate.set()
    mirror.gate.set()


def test_what_is_written_meanwhile_is_not_waited_for(
    disks: tuple[GatedVolume, GatedVolume],
) -> None:
    store = MirroredStore(disks[0])
    folder = disks[0].root / "hearings" / HEARING
    stop = threading.Event()

    def record() -> None:
        """Let the next part always have something to be written."""
        at, tickets = 0, [store.append(folder / "part-02" / "a.m4s", 0, bytes(2000))]
        while not stop.is_set():
            at += 2000
            tickets.append(store.append(folder / "part-02" / "a.m4s", at, bytes(2000)))
            while len(tickets) > 50:
                wait_for(lambda: tickets[0].is_durable(0.1), "a block")
                tickets.pop(0)

    recording = threading.Thread(target=record)
    recording.start()
    try:
        wait_for(lambda: store.unwritten_bytes > 0, "the recording")
        store.append(folder / "part-01" / "journal.jsonl", 0, b"the last line\n")
        store.flush(folder / "part-01")
        assert (folder / "part-01" / "journal.jsonl").read_bytes() == b"the last line\n"
        assert store.unwritten_bytes > 0, "the recording goes on"
    finally:
        stop.set()
        recording.join()
        store.close()


@pytest.mark.parametrize("hung", [0, 1], ids=["own", "mirror"])
def test_a_storage_that_never_finishes_holds_up_nothing_that_the_other_has(
    disks: tuple[GatedVolume, GatedVolume], hung: int
) -> None:
    store = MirroredStore(*disks)
    path = disks[0].root / "hearings" / HEARING / "journal.jsonl"
    disks[hung].gate.clear()
    store.append(path, 0, b"line")
    store.flush(path.parent)
    assert store.locate(path) == disks[1 - hung].root / path.relative_to(disks[0].root)
    assert store.locate(path).read_bytes() == b"line"
    disks[hung].gate.set()
    store.close()


def test_the_own_disk_that_was_slow_is_read_while_the_mirror_hangs(
    disks: tuple[GatedVolume, GatedVolume],
) -> None:
    store = MirroredStore(*disks)
    path = disks[0].root / "hearings" / HEARING / "journal.jsonl"
    for disk in disks:
        disk.gate.clear()
    ticket = store.append(path, 0, b"line")
    wait_for(lambda: store.primary_state == "slow", "a slow disk")
    disks[0].gate.set()
    wait_for(lambda: ticket.is_durable(0.1), "the line")
    assert store.primary_state == "slow", "for a while"
    store.flush(path.parent)
    assert store.locate(path) == path
    disks[1].gate.set()
    store.close()


def test_a_mirror_that_lags_is_not_read_while_the_own_disk_is_slow_with_something_else(
    disks: tuple[GatedVolume, GatedVolume],
) -> None:
    """A seal would take the mirror's file for the end of the part, and journal it once more."""
    store = MirroredStore(*disks)
    folder = disks[0].root / "hearings" / HEARING
    path = folder / "part-01" / "a.m4s"
    disks[1].gate.clear()
    ticket = store.append(path, 0, b"media")
    wait_for(lambda: ticket.is_durable(0.1), "the own disk")
    disks[0].gate.clear()
    store.append(folder / "part-02" / "a.m4s", 0, b"more")
    wait_for(lambda: store.primary_state == "slow", "a slow disk")
    store.flush(path.parent)
    assert store.locate(path) == path
    for disk in disks:
        disk.gate.set()
    store.close()


def test_an_own_disk_that_lags_is_not_read_while_the_mirror_writes_something_else(
    disks: tuple[GatedVolume, GatedVolume],
) -> None:
    store = MirroredStore(*disks)
    folder = disks[0].root / "hearings" / HEARING
    path = folder / "part-01" / "a.m4s"
    disks[0].gate.clear()
    ticket = store.append(path, 0, b"media")
    wait_for(lambda: ticket.is_durable(0.1), "the mirror")
    disks[1].gate.clear()
    store.append(folder / "part-02" / "a.m4s", 0, b"more")
    assert store.locate(path) == disks[1].root / path.relative_to(disks[0].root)
    for disk in disks:
        disk.gate.set()
    store.close()


def test_what_no_storage_takes_is_told_in_time(disks: tuple[GatedVolume, GatedVolume]) -> None:
    store = MirroredStore(*disks)
    path = disks[0].root / "hearings" / HEARING / "journal.jsonl"
    for disk in disks:
        disk.gate.clear()
    store.append(path, 0, b"line")
    with pytest.raises(StorageError, match="not all of it"):
        store.flush(path.parent)
    for disk in disks:
        disk.gate.set()
    store.close()
