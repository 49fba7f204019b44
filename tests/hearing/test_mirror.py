"""A hearing on two storages, of which each fails and recovers; in the end both verify."""

from __future__ import annotations

import shutil

import pytest

from kiosk.evidence.chain import read_chain
from kiosk.recording.verify.hearing import verify
from tests.hearing.mirror_rig import MirrorRig
from tests.support.mounts import read_hearing_files


@pytest.mark.slow
@pytest.mark.root
def test_each_storage_fails_and_heals_and_nothing_is_lost(mirror_rig: MirrorRig) -> None:
    folder = mirror_rig.start_hearing()
    mirror_rig.run(3)
    mirror_rig.until("ok", "ok")
    mirror_rig.mirror.pull()
    mirror_rig.until("ok", "absent")
    mirror_rig.run(3)
    assert "mirror_absent" in mirror_rig.codes()
    mirror_rig.mirror.plug()
    mirror_rig.until("ok", "ok")
    mirror_rig.run(3)
    mirror_rig.own.read_only()
    mirror_rig.until("read_only", "ok")
    mirror_rig.run(3)
    assert "recording_on_mirror" in mirror_rig.codes()
    mirror_rig.courtroom.add_mark("oath", "p1")
    mirror_rig.own.read_only(on=False)
    mirror_rig.until("ok", "ok")
    mirror_rig.run(3)
    mirror_rig.own.pull()
    mirror_rig.until("gone", "ok")
    mirror_rig.run(3)
    mirror_rig.courtroom.recess("p1", "lunch")
    mirror_rig.courtroom.resume("p1")
    mirror_rig.run(2)
    mirror_rig.own.plug()
    mirror_rig.until("ok", "ok")
    mirror_rig.run(2)
    rows = mirror_rig.state()["hearing"]["interruptions"]
    ledger = [row for row in rows if row["source"] in ("storage", "mirror")]
    assert {(row["source"], row["kind"]) for row in ledger} >= {
        ("mirror", "absent"),
        ("storage", "read_only"),
        ("storage", "gone"),
    }
    assert {row["seconds"] for row in ledger} == {0.0}
    assert "failure_reason" not in mirror_rig.state()["hearing"]["open_questions"]
    mirror_rig.end(folder)
    part = read_chain(mirror_rig.own.folder / folder / "part-01/journal.jsonl").entries
    closed = next(entry for entry in part if entry["kind"] == "closed")
    assert "error" not in closed


@pytest.mark.root
def test_a_hearing_that_begins_and_ends_without_the_kiosks_own_disk(mirror_rig: MirrorRig) -> None:
    mirror_rig.own.pull()
    mirror_rig.until("gone", "ok")
    folder = mirror_rig.start_hearing()
    mirror_rig.run(3)
    mirror_rig.courtroom.end("p1")
    mirror_rig.wait_sealed()
    assert verify(mirror_rig.mirror.folder / folder, mirror_rig.court.ca).ok
    assert not (mirror_rig.own.folder / folder).exists()
    mirror_rig.own.plug()
    mirror_rig.wait_same()
    assert verify(mirror_rig.own.folder / folder, mirror_rig.court.ca).ok


@pytest.mark.root
def test_a_disk_that_died_for_good_loses_nothing_that_the_mirror_has(mirror_rig: MirrorRig) -> None:
    folder = mirror_rig.start_hearing()
    mirror_rig.run(5)
    mirror_rig.until("ok", "ok")
    mirror_rig.own.read_only()
    mirror_rig.until("read_only", "ok")
    mirror_rig.run(5)
    mirror_rig.crash()
    mirror_rig.own.read_only(on=False)
    written = read_hearing_files(mirror_rig.mirror.folder)
    shutil.rmtree(mirror_rig.own.folder / folder)  # the disk was replaced
    mirror_rig.start()
    media = [name for name in written if name.endswith(".m4s")]
    assert media
    for name in media:
        assert (mirror_rig.own.folder / name).read_bytes() == written[name], name
    hearing = mirror_rig.state()["hearing"]
    assert hearing is not None
    assert mirror_rig.state()["recovered"]["hearing_id"] == folder.name
    mirror_rig.run(1)
    mirror_rig.end(folder)


@pytest.mark.root
def test_a_planned_hearing_that_does_not_fit_is_said_and_begins(mirror_rig: MirrorRig) -> None:
    state = mirror_rig.state()
    assert state["storage"]["planned"] == {"hours_needed": 0.08, "fits": True}
    assert 0 < state["storage"]["hours_left"] < 1
    mirror_rig.start_hearing(duration_minutes=600)
    mirror_rig.run(2)
    state = mirror_rig.state()
    assert state["storage"]["planned"]["hours_needed"] == pytest.approx(10, abs=0.1)
    assert not state["storage"]["planned"]["fits"]
    assert state["phase"] == "recording"
    assert "space_short" in mirror_rig.codes()
    assert "space" in state["hearing"]["not_ready"]


@pytest.mark.root
def test_hours_left_follow_what_recordings_took(mirror_rig: MirrorRig) -> None:
    guessed = mirror_rig.courtroom.storage.bytes_per_hour
    mirror_rig.courtroom.storage.record_part_size(10 << 20, 30.0)
    assert mirror_rig.courtroom.storage.bytes_per_hour == guessed, "too short to tell"
    mirror_rig.courtroom.storage.record_part_size(100 << 20, 3600.0)
    assert mirror_rig.courtroom.storage.bytes_per_hour == pytest.approx(100 << 20)
    mirror_rig.crash()
    mirror_rig.start()
    assert mirror_rig.courtroom.storage.bytes_per_hour == pytest.approx(100 << 20)
