"""A hole of one storage is filled from the other: nothing right is overwritten on the way."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.storage.mirror_catch_up import MirrorCatchUp
from kiosk.storage.volume import ONLY_HERE, StorageVolume
from kiosk.storage.volume_marker import VolumeRole, write_marker
from kiosk.storage.volume_worker import VolumeWorker
from tests.support.waiting import wait_for

KIOSK = "kiosk-0001"
HEARING = "2f1c9a52-0000-4000-8000-000000000001"
MEDIA = "part-01/main/run-01/000001.m4s"
PIECE = 1000
GOOD = b"".join(bytes(1 + byte % 255 for byte in os.urandom(PIECE)) for _ in range(10))
HASHES = [
    (at, PIECE, hashlib.sha256(GOOD[at : at + PIECE]).hexdigest())
    for at in range(0, len(GOOD), PIECE)
]


def changed(at: int, data: bytes) -> bytes:
    return GOOD[:at] + data + GOOD[at + len(data) :]


class Disks:
    """Two storages with a copy of one hearing each, and what copies between them."""

    def __init__(self, folder: Path) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.roots = folder / "own", folder / "mirror"
        roles: tuple[VolumeRole, ...] = ("data", "mirror")
        self.workers = []
        for root, role in zip(self.roots, roles, strict=True):
            (root / "hearings").mkdir(parents=True)
            write_marker(root, KIOSK, role)
            volume = StorageVolume(root, KIOSK, role)
            self.workers.append(VolumeWorker(role, volume, self.changed))
        self.own, self.mirror = self.workers
        self.own.other, self.mirror.other = self.mirror, self.own
        self._copiers: list[MirrorCatchUp] = []
        self.searched = threading.Event()

    def _is_delivered(self, _hearing: str) -> bool:
        self.searched.set()
        return False

    def start(
        self, hashes: list[tuple[int, int, str]], *, is_mirror_searched_first: bool = False
    ) -> None:
        """Start the copying."""
        for dest, source in ((self.mirror, self.own), (self.own, self.mirror)):
            copier = MirrorCatchUp(
                dest, source, self.changed, lambda _: {MEDIA: hashes}, self._is_delivered
            )
            self._copiers.append(copier)
        for worker in self.workers:
            worker.start()
        for copier in self._copiers:
            copier.start()
            if is_mirror_searched_first:
                self.searched.wait(10)

    def stop(self) -> None:
        """Stop it."""
        threads: list[VolumeWorker | MirrorCatchUp] = [*self.workers, *self._copiers]
        with self.changed:
            for thread in threads:
                thread.stop()
            self.changed.notify_all()
        for thread in threads:
            thread.join(5)

    def write(self, *copies: bytes) -> None:
        """Write a media file on both."""
        for root, copy in zip(self.roots, copies, strict=True):
            path = root / "hearings" / HEARING / MEDIA
            path.parent.mkdir(parents=True)
            path.write_bytes(copy)

    def read(self) -> tuple[bytes, ...]:
        """Return the file of both."""
        return tuple((root / "hearings" / HEARING / MEDIA).read_bytes() for root in self.roots)

    def is_done(self) -> bool:
        """Return whether nothing is missing any more."""
        with self.changed:
            is_missing = any(worker.is_incomplete(HEARING) for worker in self.workers)
            return not (is_missing or self.own.hearings_with_holes)

    def fill(self, *copies: bytes, hashes: list[tuple[int, int, str]]) -> tuple[bytes, ...]:
        """Let a hole of the own disk be filled; return both copies."""
        self.write(*copies)
        self.own.accept_hole(HEARING)
        self.start(hashes)
        wait_for(self.is_done, "the hole")
        return self.read()


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    disks = Disks(tmp_path)
    yield disks
    disks.stop()


def kept(root: Path) -> list[str]:
    return [path.name for path in (root / ONLY_HERE).rglob("*.m4s.*")]


def test_a_byte_that_is_damaged_on_the_mirror_does_not_replace_the_right_one(
    disks: Disks,
) -> None:
    own, mirror = changed(1500, bytes(1000)), changed(8000, b"damaged")
    assert disks.fill(own, mirror, hashes=HASHES) == (GOOD, GOOD)
    assert kept(disks.roots[0]) == []
    assert kept(disks.roots[1]) == ["000001.m4s.8000-9000"]


def test_a_piece_with_a_hole_and_damage_is_taken_from_the_mirror_and_set_aside(
    disks: Disks,
) -> None:
    own = changed(1500, bytes(100))
    own = own[:1700] + b"damaged" + own[1707:]
    assert disks.fill(own, GOOD, hashes=HASHES) == (GOOD, GOOD)
    assert kept(disks.roots[0]) == ["000001.m4s.1000-2000"]
    assert kept(disks.roots[1]) == []


def test_without_a_journal_only_zeros_are_filled(disks: Disks) -> None:
    own, mirror = changed(1500, bytes(1000)), changed(8000, b"damaged")
    assert disks.fill(own, mirror, hashes=[]) == (GOOD, GOOD)
    assert kept(disks.roots[1]) != []


def test_a_hole_that_no_copy_can_fill_stays_marked_until_another_one_comes(disks: Disks) -> None:
    """Neither is right: nobody waits for the filling, and another volume may bring it."""
    wrong = changed(1500, bytes(100))
    disks.write(wrong, wrong)
    disks.own.accept_hole(HEARING)
    disks.start(HASHES)
    wait_for(lambda: HEARING in disks.own.unfilled_from, "a try")
    assert HEARING in disks.own.hearings_with_holes
    assert not disks.own.waits_for_filling(HEARING)
    wait_for(lambda: not disks.mirror.is_incomplete(HEARING), "the mirror")
    (disks.roots[1] / "hearings" / HEARING / MEDIA).write_bytes(GOOD)
    marker = disks.roots[1] / "kiosk-storage.json"
    marker.unlink()
    write_marker(disks.roots[1], KIOSK, "mirror")
    wait_for(disks.is_done, "the hole")
    assert disks.read() == (GOOD, GOOD)


def test_a_disk_with_a_hole_that_is_behind_again_is_caught_up_and_filled(disks: Disks) -> None:
    disks.write(changed(1500, bytes(1000))[:7000], GOOD)
    disks.own.accept_hole(HEARING)
    disks.own.mark_behind(HEARING)
    disks.start(HASHES)
    wait_for(disks.is_done, "both")
    assert disks.read() == (GOOD, GOOD)


def test_a_search_does_not_call_the_storage_behind_that_has_everything(disks: Disks) -> None:
    """The own disk is behind in a hearing that is going on; then the mirror is searched."""
    disks.write(GOOD[:7000], GOOD)
    disks.own.active_hearings.add(HEARING)
    disks.own.mark_behind(HEARING)
    disks.start(HASHES, is_mirror_searched_first=True)
    wait_for(disks.is_done, "both")
    assert disks.read() == (GOOD, GOOD)
