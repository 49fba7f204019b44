"""A hearing that only the second copy has when the recorder starts is sealed once it arrives."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from kiosk.evidence.seal import is_sealed
from tests.support.room_oracle import RoomOracle
from tests.support.simulated_courtroom import running_courtroom

HEARING = str(uuid.UUID(int=1))


@pytest.mark.parametrize(
    ("own", "copy"),
    [
        ("full", "read_only"),
        ("full", "failing"),
        ("full", "gone"),
        ("ok", "failing"),
        ("ok", "gone"),
    ],
)
def test_a_hearing_that_arrives_late_is_sealed_without_another_start(
    tmp_path: Path, own: str, copy: str
) -> None:
    """Its own disk was full from its start on; after the crash the copy could not be taken."""
    with running_courtroom(tmp_path) as room:
        room.disks["data"].state = "full"
        room.pass_time(1)
        details, now = {"id": HEARING, "kind": "civil"}, room.world.now_ns
        assert (
            room.tap("start", lambda courtroom: courtroom.start(details, "p1", now)).error is None
        )
        room.pass_time(4)
        room.kill_recorder()
        room.disks["data"].state, room.disks["mirror"].state = own, copy
        room.start_recorder()
        assert room.state.hearing is None
        room.pass_time(5)
        for disk in room.disks.values():
            disk.state = "ok"
        assert room.courtroom is not None
        store, folder = room.courtroom.storage.store, room.paths.hearings / HEARING
        room.world.wait_until(
            lambda: is_sealed(folder) and store.is_synced(HEARING), "the seal, twice", 120
        )
        RoomOracle(room).check_hearings()
