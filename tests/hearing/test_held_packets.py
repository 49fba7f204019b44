"""While writing is held, packets wait in memory up to a limit; the ledger tells what is lost."""

from __future__ import annotations

from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path

import pytest

from kiosk.api.states import Phase
from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import read_chain
from kiosk.hearing.monitoring.invariants import NOT_KEPT
from kiosk.recording.capture import packet_buffer
from kiosk.recording.formats.fmp4_scan import sample_times
from kiosk.storage.hearing_folder import JOURNAL_FILE
from tests.support.room_oracle import RoomOracle
from tests.support.simulated_courtroom import (
    MICROPHONES,
    SimulatedCourtroom,
    running_courtroom,
)

HELD_S = 12.0
MS = 1_000_000
LIMIT_BYTES = 300_000
KEPT_S = 7.0
"""Longer than what fits; a picture comes again with the next key picture."""
SOURCES = {"camera", *MICROPHONES}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedCourtroom]:
    monkeypatch.setattr(packet_buffer, "MAX_BACKLOG_BYTES", LIMIT_BYTES)
    with running_courtroom(tmp_path) as made:
        yield made


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "is over"])
def test_what_a_long_hold_loses_is_told(room: SimulatedCourtroom, goes_on: bool) -> None:
    room.tap("start", methodcaller("start", {"kind": "civil"}, "p1", room.world.now_ns))
    room.pass_time(4)
    assert room.courtroom is not None
    with room.courtroom.held_writing(room.world.now_ns):
        room.pass_time(HELD_S)
        told = {alarm.source for alarm in room.state.alarms if alarm.code == NOT_KEPT}
        assert told == SOURCES
        if not goes_on:
            assert room.courtroom.current is not None
            part = room.courtroom.current.capture
            assert part is not None
            part.stop_writing()
    if goes_on:
        room.pass_time(8)
        assert NOT_KEPT not in {alarm.code for alarm in room.state.alarms}
    room.tap("end", methodcaller("end", "p1"))
    room.world.wait_until(lambda: room.state.phase is Phase.IDLE, "the seal", 300)
    RoomOracle(room).check_hearings()
    (folder,) = room.hearing_folders
    entries = read_chain(folder / "part-01" / JOURNAL_FILE).entries
    ended = [entry for entry in entries if entry["kind"] == "interruption_ended"]
    for source in SOURCES:
        seconds = sum(entry["seconds"] for entry in ended if entry["source"] == source)
        assert HELD_S - KEPT_S < seconds < HELD_S, source
    if goes_on:  # pictures come again with a key picture, of which there is one a second
        media = next((folder / "part-01" / "main").glob("run-*/000001.m4s"))
        first_ns = sample_times(media, 0, entries[0]["tap_ns"])["camera"][0]
        (gap,) = (entry for entry in ended if entry["source"] == "camera")
        assert (gap["end_ns"] - first_ns + MS) % NS_PER_S < 2 * MS
