"""The second copy of what was recorded through all faults."""

from __future__ import annotations

from faults.disk.mounted import MountedDisk
from faults.hearing_rig import HearingRig
from faults.trial import Cost, NotSurvivedError, Outcome
from faults.verification import verify_sealed
from kiosk.storage.hearing_folder import SIGNATURE
from tests.support.waiting import wait_for


def verify_both_copies(rig: HearingRig, mirror: MountedDisk) -> Outcome:
    """End the hearing, if one is on; verify both copies of every one."""

    def both() -> Cost:
        room = rig.room
        room.sign_in()
        if rig.state()["hearing"]:
            room.end_hearing()
        wait_for(lambda: rig.state()["phase"] == "idle", "the end", 60)
        for sealed in sorted(room.paths.hearings.iterdir()):
            copy = mirror.path / sealed.relative_to(room.paths.data)
            try:
                wait_for((copy / SIGNATURE).exists, f"{sealed.name}: the seal on the mirror", 60)
            except AssertionError as error:
                raise NotSurvivedError(str(error)) from error
            for folder in (sealed, copy):
                verify_sealed(folder, room.ca_certificate())
        return Cost()

    outcome = Outcome("after all these: the copy on the mirror")
    outcome.attempt(both)
    return outcome
