"""Disk or mirror full, read-only, slow or gone while recording: reported, no loss, recovered."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from faults.disk.mounted import FailureMode, MountedDisk
from faults.hearing_rig import HearingRig
from faults.injected_fault import FaultCase, run_case
from faults.mounted_courtroom import mounted_courtroom
from faults.process_kill import kill_tree
from faults.second_copy import verify_both_copies
from faults.trial import Outcome
from tests.support.virtual_courtroom import VirtualCourtroom

TRIES, QUICK = 3, 1
MAX_NOTICE_S = 2.0
SLOW_SYNC_S = 0.7
"""How long a slow disk takes for each sync: too long to keep up with the recording."""
Failures = dict[FailureMode, tuple[str, ...]]
DISK_ALONE: Failures = {
    "full": ("disk_full",),
    "read_only": ("disk_read_only", "storage_failed"),
    "gone": ("disk_gone", "storage_failed"),
    "slow": ("disk_slow",),
}
"""Alarms of which one must be shown, without a mirror."""
DISK_WITH_MIRROR: Failures = {
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
        mounted_courtroom(Path(name)) as (room, [disk]),
    ):
        alone = cases_for("disk", "storage", disk, DISK_ALONE)
        outcomes = run_cases(HearingRig(room, random, strict), alone * tries)
    with (
        tempfile.TemporaryDirectory(prefix="kf-") as name,
        mounted_courtroom(Path(name), has_mirror=True) as (room, [disk, mirror]),
    ):
        cases = cases_for("disk with a mirror", "storage", disk, DISK_WITH_MIRROR)
        cases += cases_for("mirror", "mirror", mirror, MIRROR)
        rig = HearingRig(room, random, strict)
        outcomes += run_cases(rig, cases * tries, partial(verify_both_copies, rig, mirror))
    return outcomes


def cases_for(what: str, source: str, disk: MountedDisk, failures: Failures) -> list[FaultCase]:
    """Return the cases of one disk."""
    return [case_for(what, source, disk, how, alarms) for how, alarms in failures.items()]


def case_for(
    what: str, source: str, disk: MountedDisk, how: FailureMode, alarms: tuple[str, ...]
) -> FaultCase:
    """Return the case of one failure of one disk."""

    def inject(_room: VirtualCourtroom) -> Callable[[], None]:
        disk.fail(how, SLOW_SYNC_S)
        return lambda: disk.fail("ok")

    return FaultCase(
        f"{what}: {how.replace('_', '-')}", alarms, source, MAX_NOTICE_S, inject, {source}, 4.0
    )


def run_cases(
    rig: HearingRig, cases: list[FaultCase], final_check: Callable[[], Outcome] | None = None
) -> list[Outcome]:
    """Run each case in one continuing hearing; then ``final_check``."""
    outcomes = {row.name: Outcome(row.name) for row in cases}
    rig.room.start_recorder()
    try:
        for case in cases:
            rig.attempt(outcomes[case.name], partial(run_case, rig, case))
        return [*outcomes.values(), *([final_check()] if final_check else [])]
    finally:
        kill_tree(rig.room.recorder)
