"""The disk is full, read-only, slow or gone in a recording: told, nothing lost, healed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from faults.disk.mounted import How, MountedDisk
from faults.rows import Row, trial
from faults.sitting import Sitting
from faults.trial import Outcome
from faults.wreck import kill_tree
from tests.courtroom import Courtroom

TRIES, QUICK = 3, 1
DISK_S = 2.0
SYNC_S = 0.7
"""A slow disk takes so long for each sync: it cannot keep up with the recording."""
FAILURES: dict[How, tuple[str, ...]] = {
    "full": ("disk_full",),
    "read_only": ("storage_failed",),
    "gone": ("storage_failed",),
    "slow": ("disk_slow", "storage_failed"),
}
"""The alarms of which one must be shown."""


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Do each failure ``tries`` times, in one hearing that goes on."""
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        MountedDisk(Path(name) / "disk") as disk,
        Courtroom(Path(name) / "r", data=disk.place / "data") as room,
    ):
        rows = [row_of(disk, how, alarms) for how, alarms in FAILURES.items()]
        outcomes = {row.name: Outcome(row.name) for row in rows}
        room.start_recorder()
        sitting = Sitting(room, random, strict)
        try:
            for row in rows * tries:
                sitting.ready()
                outcomes[row.name].attempt(partial(trial, sitting, row))
        finally:
            disk.fail("ok")
            kill_tree(room.recorder)
    return list(outcomes.values())


def row_of(disk: MountedDisk, how: How, alarms: tuple[str, ...]) -> Row:
    """Return the row of one failure."""

    def harm(_room: Courtroom) -> Callable[[], None]:
        disk.fail(how, SYNC_S)
        return lambda: disk.fail("ok")

    name = f"disk {how.replace('_', '-')}"
    return Row(name, alarms, "storage", DISK_S, harm, {"storage"}, 4.0)
