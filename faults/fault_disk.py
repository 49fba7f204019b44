"""Disk or mirror is full, read-only, slow or gone in a recording: told, nothing lost, healed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from faults.disk.mounted import How, MountedDisk
from faults.judge import verified
from faults.rows import Row, trial
from faults.sitting import Sitting
from faults.trial import Cost, NotSurvivedError, Outcome
from faults.wreck import kill_tree
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.volume_marker import adopt
from tests.courtroom import Courtroom
from tests.waiting import wait_for

TRIES, QUICK = 3, 1
DISK_S = 2.0
SYNC_S = 0.7
"""A slow disk takes so long for each sync: it cannot keep up with the recording."""
Failures = dict[How, tuple[str, ...]]
ALONE: Failures = {
    "full": ("disk_full",),
    "read_only": ("disk_read_only", "storage_failed"),
    "gone": ("disk_gone", "storage_failed"),
    "slow": ("disk_slow",),
}
"""The alarms of which one must be shown; here without a mirror."""
MIRRORED: Failures = {
    "full": ("recording_on_mirror",),
    "read_only": ("recording_on_mirror",),
    "gone": ("recording_on_mirror",),
}
MIRROR: Failures = {
    "full": ("mirror_full",),
    "read_only": ("mirror_failed",),
    "gone": ("mirror_absent", "mirror_failed"),
    "slow": ("mirror_slow",),
}


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Do each failure ``tries`` times: of a disk alone, of a disk with a mirror, of the mirror."""
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        MountedDisk(Path(name) / "disk") as disk,
        Courtroom(Path(name) / "r", data=disk.place / "data") as room,
    ):
        alone = rows_of("disk", "storage", disk, ALONE)
        outcomes = fail(Sitting(room, random, strict), alone * tries)
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        MountedDisk(Path(name) / "disk") as disk,
        MountedDisk(Path(name) / "mirror") as mirror,
        Courtroom(Path(name) / "r", data=disk.place / "data", mirror=mirror.place) as room,
    ):
        adopt(mirror.place, "kiosk-trial", make_folder(disk.place / "data"))
        rows = rows_of("disk with a mirror", "storage", disk, MIRRORED)
        rows += rows_of("mirror", "mirror", mirror, MIRROR)
        sitting = Sitting(room, random, strict)
        outcomes += fail(sitting, rows * tries, partial(compare, sitting, mirror))
    return outcomes


def rows_of(what: str, source: str, disk: MountedDisk, failures: Failures) -> list[Row]:
    """Return the rows of one disk."""
    return [row_of(what, source, disk, how, alarms) for how, alarms in failures.items()]


def row_of(what: str, source: str, disk: MountedDisk, how: How, alarms: tuple[str, ...]) -> Row:
    """Return the row of one failure of one disk."""

    def harm(_room: Courtroom) -> Callable[[], None]:
        disk.fail(how, SYNC_S)
        return lambda: disk.fail("ok")

    return Row(f"{what}: {how.replace('_', '-')}", alarms, source, DISK_S, harm, {source}, 4.0)


def fail(
    sitting: Sitting, rows: list[Row], last: Callable[[], Outcome] | None = None
) -> list[Outcome]:
    """Do each row in one hearing that goes on; then ``last``."""
    outcomes = {row.name: Outcome(row.name) for row in rows}
    sitting.room.start_recorder()
    try:
        for row in rows:
            sitting.attempt(outcomes[row.name], partial(trial, sitting, row))
        return [*outcomes.values(), *([last()] if last else [])]
    finally:
        kill_tree(sitting.room.recorder)


def compare(sitting: Sitting, mirror: MountedDisk) -> Outcome:
    """End the hearing: after all that, both copies verify."""

    def both() -> Cost:
        room = sitting.room
        room.sign_in()
        sealed = room.end_hearing()
        verified(sealed, room.authority())
        copy = mirror.place / sealed.relative_to(room.layout.data)
        try:
            wait_for((copy / "SHA256SUMS.p7s").exists, "the seal on the mirror", 60)
        except AssertionError as error:
            raise NotSurvivedError(str(error)) from error
        verified(copy, room.authority())
        return Cost()

    outcome = Outcome("after all these: the copy on the mirror")
    outcome.attempt(both)
    return outcome
