"""Each storage takes for a while what the other one refuses: nothing is dropped in between."""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.errors import StorageError
from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.store import WriteTicket
from kiosk.storage.volume import ONLY_HERE, StorageVolume
from kiosk.storage.volume_marker import VolumeRole, write_marker
from tests.support.waiting import wait_for

KIOSK = "kiosk-0001"
HEARING = "2f1c9a52-0000-4000-8000-000000000001"
BLOCK = 1000


class FaultyVolume(StorageVolume):
    """A disk that a test fills, holds up or takes out."""

    def __init__(self, root: Path, role: VolumeRole) -> None:
        (root / "hearings").mkdir(parents=True)
        write_marker(root, KIOSK, role)
        super().__init__(root, KIOSK, role)
        self.is_full = self.is_out = False
        self.refused_patches = 0
        self.gate = threading.Event()
        self.gate.set()

    def identity(self, root: Path | None = None) -> tuple[str, str]:
        """Return that it is absent while it is out."""
        return ("absent", "") if self.is_out else super().identity(root)

    def append(self, relative: str, offset: int, data: bytes) -> None:
        """Wait, refuse or append."""
        self.gate.wait(30)
        self._refuse()
        super().append(relative, offset, data)

    def patch(self, relative: str, offset: int, data: bytes) -> None:
        """Refuse or write."""
        self.refused_patches += self.is_full
        self._refuse()
        super().patch(relative, offset, data)

    def _refuse(self) -> None:
        if self.is_out:
            raise OSError(errno.ENODEV, "out")
        if self.is_full:
            raise OSError(errno.ENOSPC, "full")


class Pair:
    """Two storages, and logs that are written to them."""

    def __init__(self, folder: Path) -> None:
        self.own = FaultyVolume(folder / "own", "data")
        self.mirror = FaultyVolume(folder / "mirror", "mirror")
        self.store = MirroredStore(self.own, self.mirror)
        self.store.start_catch_up()
        self.logs: dict[str, bytes] = {}
        self.tickets: list[WriteTicket] = []

    def append(self, blocks: int = 1, name: str = "part-01/journal.jsonl") -> None:
        """Append blocks to a log."""
        path = self.own.root / "hearings" / HEARING / name
        for _ in range(blocks):
            data = bytes([1 + len(self.tickets) % 255]) * BLOCK
            log = self.logs.get(name, b"")
            self.tickets.append(self.store.append(path, len(log), data))
            self.logs[name] = log + data

    def is_durable(self) -> bool:
        """Return whether everything is."""
        try:
            return all(ticket.is_durable() for ticket in self.tickets)
        except (OSError, StorageError):
            return False

    def read(self, volume: StorageVolume) -> dict[str, bytes]:
        """Return the logs on one storage."""
        folder = f"hearings/{HEARING}"
        names = {name: f"{folder}/{name}" for name in self.logs}
        return {
            name: volume.read(path, 0, volume.size(path)) if volume.exists(path) else b""
            for name, path in names.items()
        }

    def are_equal(self) -> bool:
        """Return whether both storages have everything."""
        return self.read(self.own) == self.logs == self.read(self.mirror)

    def wait_until_whole(self) -> None:
        """Wait until everything is durable and on both, with nothing set aside."""
        wait_for(self.is_durable, "what was written")
        wait_for(self.are_equal, "two whole copies")
        for volume in (self.own, self.mirror):
            assert volume.list_files(ONLY_HERE) == []

    def leave_own_behind(self, name: str = "part-01/journal.jsonl") -> None:
        """Fill the own disk until it is left behind; the mirror goes on alone."""
        self.own.is_full = True
        self.append(30, name)
        wait_for(self.is_durable, "the mirror's copy")
        wait_for(lambda: self.store.queued_bytes == 0, "the memory")

    def take_mirror_out_while_it_writes(self, *names: str) -> None:
        """Take the mirror out while what the own disk was not given is under way to it."""
        self.mirror.gate.clear()
        for name in names:
            self.append(2, name)
        self.mirror.is_out = True
        self.mirror.gate.set()
        wait_for(lambda: self.store.mirror_status().state == "absent", "no mirror")


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr("kiosk.storage.volume_worker.MAX_QUEUE_BYTES", 20 * BLOCK)
    pair = Pair(tmp_path)
    yield pair
    pair.mirror.gate.set()
    pair.store.close(1)


def test_what_was_under_way_to_a_mirror_that_goes_waits_for_the_own_disk(pair: Pair) -> None:
    pair.append()
    pair.leave_own_behind()
    pair.take_mirror_out_while_it_writes("part-01/journal.jsonl")
    pair.append()
    pair.own.is_full = False
    wait_for(pair.is_durable, "the own disk")
    pair.mirror.is_out = False
    pair.wait_until_whole()


def test_a_mirror_that_is_back_goes_on_while_the_own_disk_is_still_full(pair: Pair) -> None:
    pair.append()
    pair.leave_own_behind()
    pair.take_mirror_out_while_it_writes("part-01/journal.jsonl")
    pair.append()
    pair.mirror.is_out = False
    wait_for(pair.is_durable, "the mirror")
    assert pair.read(pair.mirror) == pair.logs
    pair.own.is_full = False
    pair.wait_until_whole()


def test_a_file_whose_hole_is_not_written_yet_is_not_cut_on_the_mirror(pair: Pair) -> None:
    """The own disk takes another file, and is full again before the end of this one."""
    hollow = "part-01/a.m4s"

    def hollow_size() -> int:
        return pair.mirror.size(f"hearings/{HEARING}/{hollow}")

    pair.append(name=hollow)
    wait_for(pair.are_equal, "two copies")
    pair.leave_own_behind(hollow)
    pair.take_mirror_out_while_it_writes("part-02/a.m4s")
    pair.own.is_full = False
    wait_for(pair.is_durable, "the own disk")
    pair.own.is_full = True
    pair.append(name=hollow)
    wait_for(lambda: pair.store.primary_state == "full", "full")
    whole = hollow_size()
    pair.mirror.is_out = False
    wait_for(lambda: pair.own.refused_patches or hollow_size() < whole, "a try to copy")
    pair.own.is_full = False
    pair.wait_until_whole()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_order_of_faults_both_are_whole_in_the_end(pair: Pair, seed: int) -> None:
    chance = random.Random(seed)
    names = ["part-01/journal.jsonl", "part-01/a.m4s", "part-02/a.m4s"]
    for _ in range(12):
        match chance.randrange(6):
            case 0:
                pair.own.is_full = not pair.own.is_full
            case 1:
                pair.mirror.is_full = not pair.mirror.is_full
            case 2:
                pair.mirror.is_out = not pair.mirror.is_out
            case 3:
                pair.mirror.gate.clear()
            case 4:
                pair.mirror.gate.set()
            case _:
                threading.Event().wait(0.7)
        pair.append(chance.randrange(1, 9), chance.choice(names))
        threading.Event().wait(chance.random() * 0.4)
    pair.own.is_full = pair.mirror.is_full = pair.mirror.is_out = False
    pair.mirror.gate.set()
    pair.wait_until_whole()
