"""A courtroom whose power can be cut: the real recorder, keeping everything on a trial disk."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from faults.boots import Boots
from faults.disk.mounted import MountedDisk
from faults.disk.volume import Names
from faults.sitting import Sitting
from faults.wreck import kill_tree
from tests.courtroom import Courtroom


class Mains(Sitting):
    """The power of a courtroom."""

    def __init__(self, room: Courtroom, disk: MountedDisk, random: Random, strict: bool) -> None:
        super().__init__(room, random, strict)
        self._disk = disk
        self._cut_s = 0.0
        self._boots = Boots(room.folder)

    def clock_ns(self) -> int:
        """Return the recorder's recording clock now."""
        return self._boots.clock_ns(time.monotonic())

    def on(self) -> None:
        """Boot: start the recorder on what survived; return at once."""
        shutil.rmtree(self.room.layout.run)  # a memory file system
        self.room.layout.run.mkdir()
        before = self._boots.next()
        started = time.monotonic()
        self._away_s = started - self._cut_s
        self.started_ns = self._boots.clock_ns(started)
        self.room.launch_recorder(before)

    def off(self) -> None:
        """Cut the power: unsynced bytes and names are lost, and every process with them."""
        # Mostly the harsher; the gentler can leave what the harsher never does.
        names = Names.UNDONE if self.random.random() < 0.7 else Names.ORDERED
        self._cut_s = time.monotonic()
        self._disk.cut(self.random, names)
        self.ended_ns = self._boots.clock_ns(self._cut_s)
        kill_tree(self.room.recorder)
        self._disk.remount()


@contextlib.contextmanager
def powered(folder: Path, random: Random, strict: bool) -> Iterator[Mains]:
    """Give a courtroom with power, its recorder running; all is ended afterwards."""
    with (
        MountedDisk(folder / "disk") as disk,
        Courtroom(folder / "r", data=disk.place / "data") as room,
    ):
        mains = Mains(room, disk, random, strict)
        mains.on()
        try:
            mains.state()
            yield mains
        finally:
            kill_tree(room.recorder)
