"""A closing since an earlier moment is killed while the plain files are overwritten and removed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.api.recorder_calls import CloseSince
from kiosk.clocks import NS_PER_S, format_wall
from kiosk.evidence.chain import read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.recording.journal.part_index import PartIndex
from tests.support.room_oracle import RoomOracle
from tests.support.simulated_courtroom import running_courtroom
from tests.support.simulated_devices import SimulatedVolume

HEARING = str(uuid.UUID(int=1))
REPLACED = ["main/run-01/000001.m4s", "main/run-01/init.mp4", "main/index.m3u8"]


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_overwritten_and_not_removed_yet_is_not_encrypted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What was overwritten would replace the only good bytes, which are encrypted already."""
    overwritten: list[bytes] = []
    remove = SimulatedVolume.remove_files

    with running_courtroom(tmp_path) as room:

        def stall_first(volume: SimulatedVolume, relatives: tuple[str, ...]) -> None:
            if relatives[0].endswith(name) and volume.role == "data" and not overwritten:
                overwritten.append((volume.root / relatives[0]).read_bytes())
                room.disks["data"].state = "stalled"
            remove(volume, relatives)

        monkeypatch.setattr(SimulatedVolume, "remove_files", stall_first)
        details, now = {"id": HEARING, "kind": "civil"}, room.world.now_ns
        room.tap("start", lambda courtroom: courtroom.start(details, "p1", now))
        room.pass_time(2)
        since = format_wall(room.world.wall() - timedelta(seconds=30))
        request, tap_ns = CloseSince(since=since, ground="civ_adoption"), room.world.now_ns
        tap = room.tap(
            "close_since",
            lambda courtroom: courtroom.close_retroactively("p1", request, tap_ns),
            holds=True,
        )
        assert tap.error is None
        room.world.wait_until(lambda: overwritten, "a file that is to be removed")
        assert overwritten
        assert not any(overwritten[0])
        room.kill_recorder()
        room.disks["data"].state = "ok"
        room.start_recorder()
        room.pass_time(5)
        room.tap("end", lambda courtroom: courtroom.end("p1"))
        assert room.courtroom is not None
        store, folder = room.courtroom.storage.store, room.paths.hearings / HEARING
        room.world.wait_until(
            lambda: is_sealed(folder) and store.is_synced(HEARING), "the seal, twice", 120
        )
        RoomOracle(room).check_hearings()
        entries = read_chain(folder / "part-01" / "journal.jsonl").entries
        rewrapped = [entry["file"] for entry in entries if entry["kind"] == "rewrapped"]
        assert sorted(rewrapped) == sorted(set(rewrapped)), "each file is replaced once"
        assert not (folder / "part-01" / name).exists()


@pytest.mark.parametrize("weeks", [3, -3])
def test_a_wall_clock_that_was_set_in_between_leaves_nothing_open(
    tmp_path: Path, weeks: int
) -> None:
    """The court closes the last eight seconds; four seconds ago the clock went by three weeks."""
    with running_courtroom(tmp_path) as room:
        details, now = {"id": HEARING, "kind": "civil"}, room.world.now_ns
        room.tap("start", lambda courtroom: courtroom.start(details, "p1", now))
        room.pass_time(20)
        room.world.wall_step_ns = weeks * 7 * 86_400 * NS_PER_S
        room.pass_time(4)
        since_ns = room.world.now_ns - 8 * NS_PER_S
        since = format_wall(room.world.wall() - timedelta(seconds=8))
        request, tap_ns = CloseSince(since=since, ground="civ_adoption"), room.world.now_ns
        room.tap(
            "close_since",
            lambda courtroom: courtroom.close_retroactively("p1", request, tap_ns),
            holds=True,
        )
        room.pass_time(5)
        room.tap("end", lambda courtroom: courtroom.end("p1"))
        assert room.courtroom is not None
        folder, store = room.paths.hearings / HEARING, room.courtroom.storage.store
        room.world.wait_until(
            lambda: is_sealed(folder) and store.is_synced(HEARING), "the seal, twice", 120
        )
        part = folder / "part-01"
        entries = read_chain(part / "journal.jsonl").entries
        index = PartIndex.from_entries(e for e in entries if e["kind"] == "media")
        first = index.fragments["main/run-01/000001.m4s"]
        before = [row for row in first if int(row["end_ns"]) <= since_ns]
        assert len(before) < len(first), "some of it was captured after that moment"
        assert not (part / "main/run-01/000001.m4s").exists()
        open_bytes = (part / "main/run-01/000001-open.m4s").stat().st_size
        assert open_bytes == sum(int(row["length"]) for row in before)
