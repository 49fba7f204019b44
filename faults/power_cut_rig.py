"""A rig whose power can be cut: the real recorder, with all its data on a trial disk."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from faults.boot_clock import SimulatedBoots
from faults.disk.mounted import MountedDisk
from faults.disk.volume import UnsyncedNames
from faults.hearing_rig import HearingRig
from faults.mounted_courtroom import mounted_courtroom
from faults.process_kill import kill_tree
from tests.support.virtual_courtroom import VirtualCourtroom


class PowerCutRig(HearingRig):
    """A :class:`HearingRig` whose power can be cut.

    Args:
        disks: the kiosk's own one, and the second storage if there is one.
    """

    def __init__(
        self, room: VirtualCourtroom, disks: Sequence[MountedDisk], random: Random, strict: bool
    ) -> None:
        super().__init__(room, random, strict)
        self.mirror = disks[1] if len(disks) > 1 else None
        self._disks = disks
        self._cut_s = 0.0
        self._boots = SimulatedBoots(room.folder)

    def clock_ns(self) -> int:
        """Return the recorder's recording clock now."""
        return self._boots.to_boot_ns(time.monotonic())

    def boot(self) -> None:
        """Start the recorder on the surviving data, as after a boot; return at once."""
        shutil.rmtree(self.room.paths.run)  # a memory file system
        self.room.paths.run.mkdir()
        prefix = self._boots.next_boot_command()
        started = time.monotonic()
        self._downtime_s = started - self._cut_s
        self.restarted_ns = self._boots.to_boot_ns(started)
        self.room.launch_recorder(prefix)

    def cut_power(self) -> None:
        """Cut the power: unsynced bytes and names are lost, and every process with them."""
        # Mostly the harsher mode; the gentler one leaves states that the harsher never does.
        names = UnsyncedNames.UNDONE if self.random.random() < 0.7 else UnsyncedNames.ORDERED
        self._cut_s = time.monotonic()
        for disk in self._disks:
            disk.cut_power(self.random, names)
        self.killed_ns = self._boots.to_boot_ns(self._cut_s)
        kill_tree(self.room.recorder)
        for disk in self._disks:
            disk.remount()


@contextlib.contextmanager
def running_power_cut_rig(
    folder: Path, random: Random, strict: bool, has_mirror: bool = False
) -> Iterator[PowerCutRig]:
    """Yield a rig with its recorder running; end everything afterwards."""
    with mounted_courtroom(folder, has_mirror=has_mirror) as (room, disks):
        rig = PowerCutRig(room, disks, random, strict)
        rig.boot()
        try:
            rig.state()
            yield rig
        finally:
            kill_tree(room.recorder)
