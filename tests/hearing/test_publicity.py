"""Closing and opening a hearing: what lies on the disk in which form, and what stays true.

Requirements: R56, R79, R86, R87, S14.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyrage
import pytest

from kiosk.api.recorder_calls import CloseSince, CloseSinceAnswer, ListenBack, PublicityAnswer
from kiosk.clocks import format_wall, recording_ns, wall_time
from kiosk.evidence.chain import read_chain
from kiosk.hearing.monitoring.listen_back import PlaybackRefusedError
from kiosk.hearing.room import court_list
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from kiosk.hearing.session import publicity
from kiosk.recording.journal.part_index import PartIndex
from kiosk.recording.repair import reencrypt
from kiosk.recording.repair.replacement_writer import ReplacementWriter
from kiosk.recording.verify.hearing import verify
from kiosk.storage import patient_reader
from kiosk.storage.court_keys import CourtKeyError
from kiosk.storage.volume import ONLY_HERE
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

GROUND, SECRET = "civ_adoption", "state_secret"


@pytest.fixture
def court() -> CourtSecrets:
    return CourtSecrets()


@pytest.fixture
def keyed(tmp_path: Path, court: CourtSecrets) -> Any:
    rig = CourtroomRig(tmp_path)
    court.pin(rig.paths)
    yield rig
    rig.courtroom.shutdown(1)


def media(folder: Path) -> set[str]:
    """Return the kinds of files in which there are media."""
    return {path.suffix for path in folder.rglob("*") if path.is_file() and "run-" in str(path)}


def plain_media(folder: Path) -> list[Path]:
    """Return the files in which the boxes of plain media can be read."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp"]
    return [path for path in files if any(b in path.read_bytes() for b in (b"moof", b"moov"))]


def change(rig: CourtroomRig, closed: bool, **more: Any) -> PublicityAnswer:
    return rig.courtroom.change_publicity(closed, "p1", recording_ns(), **more)


def test_one_tap_closes_and_one_opens(keyed: CourtroomRig) -> None:
    hearing = keyed.begin()
    change(keyed, True)
    state = keyed.hearing()
    assert state["closed"]["ground"] is None
    assert state["closed"]["since"] <= format_wall()
    assert (state["publicity"], state["part"], state["closed_parts"]) == ("closed", 2, [2])
    assert "closure_ground" in state["open_questions"]
    keyed.statement("closure_ground", GROUND, "ruling 7", "p1")
    assert keyed.hearing()["closed"]["ground"] == GROUND
    assert "closure_ground" not in keyed.hearing()["open_questions"]
    change(keyed, False)
    assert (keyed.hearing()["closed"], keyed.hearing()["part"]) == (None, 3)
    assert [mark["type"] for mark in keyed.hearing()["marks"]] == [
        "closed_declared",
        "opened_again",
    ]
    folder = keyed.folder(hearing)
    assert media(folder / "part-01") == {".mp4", ".m4s"}
    assert media(folder / "part-02") == {".tar"}
    assert plain_media(folder / "part-02") == []
    assert media(folder / "part-03") == {".mp4", ".m4s"}
    first, second, third = keyed.parts
    assert first.stop_ns == second.tap_ns
    assert second.stop_ns == third.tap_ns
    about = json.loads((folder / "part-02" / "part.json").read_text())
    assert (about["closed"], about["encrypted"]) == (True, True)
    keyed.courtroom.end("p1")
    keyed.sealed(hearing)


def test_closing_twice_changes_nothing_but_may_name_the_ground(keyed: CourtroomRig) -> None:
    keyed.begin()
    change(keyed, True)
    change(keyed, True, ground=GROUND)
    assert keyed.hearing()["part"] == 2
    assert keyed.hearing()["closed"]["ground"] == GROUND
    with pytest.raises(BadRequestError):
        change(keyed, True, ground="because")


def test_the_mark_of_the_minutes_closes_as_well(keyed: CourtroomRig) -> None:
    keyed.begin()
    keyed.courtroom.add_mark("closed_declared", "p1")
    assert keyed.hearing()["part"] == 2
    keyed.courtroom.add_mark("opened_again", "p1")
    assert keyed.hearing()["closed"] is None
    keyed.courtroom.add_mark("oath", "p1")
    assert keyed.courtroom.undo_mark("p1").mark.type == "oath"


def test_a_closed_hearing_of_the_list_starts_and_resumes_closed(keyed: CourtroomRig) -> None:
    hearing = keyed.begin(publicity="closed", closure_ground=GROUND)
    keyed.courtroom.recess("p1")
    keyed.crash()
    keyed.start()
    keyed.courtroom.resume("p1")
    assert keyed.hearing()["closed"]["ground"] == GROUND
    assert keyed.hearing()["closed_parts"] == [1, 2]
    keyed.courtroom.end("p1")
    keyed.sealed(hearing)
    assert plain_media(keyed.folder(hearing)) == []


def test_without_keys_nothing_closed_is_recorded(tmp_path: Path) -> None:
    rig = CourtroomRig(tmp_path)
    with pytest.raises(CourtKeyError):
        rig.begin(publicity="closed")
    assert list(rig.paths.hearings.iterdir()) == []
    assert rig.phase() == "idle"
    hearing = rig.begin()
    change(rig, True)
    assert rig.phase() == "recess"
    assert "court_key_missing" in rig.codes()
    assert "failure_reason" in rig.hearing()["open_questions"]
    with pytest.raises(CourtKeyError):
        rig.courtroom.resume("p1")
    change(rig, False)
    rig.courtroom.resume("p1")
    assert rig.phase() == "recording"
    rig.courtroom.end("p1")
    rig.sealed(hearing)


def test_a_closed_hearing_in_todays_list_asks_for_the_keys_before(tmp_path: Path) -> None:
    rig = CourtroomRig(tmp_path)
    assert "court_key_missing" not in rig.codes()
    listed = {"id": "x", "scheduled_at": format_wall(), "publicity": "closed"}
    rig.paths.schedule.parent.mkdir(parents=True)
    rig.paths.schedule.write_text(json.dumps({"hearings": [listed]}))
    wait_for(lambda: "court_key_missing" in rig.codes(), "the alarm")
    assert rig.state()["court_keys"] == {"state": "missing", "needed": True}
    CourtSecrets().pin(rig.paths)
    wait_for(lambda: "court_key_unproven" in rig.codes(), "the other alarm")


def test_state_waits_for_no_disk_that_is_slow_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State is built in the event loop: list, keys and enrolment are as they were last."""
    monkeypatch.setattr(patient_reader, "PATIENCE_S", 3600)
    rig = CourtroomRig(tmp_path)
    answers = threading.Event()
    for owner, name in ((publicity, "load_court_keys"), (court_list, "file_version")):
        monkeypatch.setattr(owner, name, lambda *_: answers.wait(60))
    built = threading.Thread(target=rig.state, daemon=True)
    built.start()
    try:
        wait_for(lambda: not built.is_alive(), "State")
        assert not answers.is_set()
    finally:
        answers.set()
    rig.courtroom.shutdown(1)


def test_a_state_secret_is_marked_for_the_courier(keyed: CourtroomRig) -> None:
    hearing = keyed.begin()
    change(keyed, True)
    marker = keyed.folder(hearing) / "courier-only"
    assert not marker.exists()
    keyed.statement("closure_ground", SECRET, "", "p1")
    assert marker.exists()
    change(keyed, False)  # the announcement of such a case is not public either
    assert media(keyed.folder(hearing) / "part-03") == {".tar"}
    keyed.courtroom.end("p1")
    keyed.sealed(hearing)


def test_everything_is_encrypted_by_setting(tmp_path: Path, court: CourtSecrets) -> None:
    rig = CourtroomRig(tmp_path)
    recording = rig.settings.recording.model_copy(update={"encrypt": "all"})
    rig.settings = rig.settings.model_copy(update={"recording": recording})
    court.pin(rig.paths)
    rig.start()
    hearing = rig.begin()
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    assert plain_media(rig.folder(hearing)) == []
    about = json.loads((rig.folder(hearing) / "part-01" / "part.json").read_text())
    assert (about["closed"], about["encrypted"]) == (False, True)


# -- declared closed since an earlier moment ---------------------------------------------------
def two_parts(rig: CourtroomRig) -> str:
    """Record plain parts of 0.8 s and 4.4 s of media, the second one running."""
    hearing = rig.begin()
    rig.courtroom.recess("p1")
    rig.courtroom.resume("p1")
    rig.parts[-1].write(9)
    return hearing


def since_second(rig: CourtroomRig, hearing: str, part: int, seconds: float) -> CloseSinceAnswer:
    """Declare the hearing closed since ``seconds`` into ``part``."""
    first = read_chain(rig.folder(hearing) / f"part-{part:02d}" / "journal.jsonl").entries[0]
    after = (first["tap_ns"] - first["t"]) / 1e9 + seconds
    moment = datetime.fromisoformat(first["at"]) + timedelta(seconds=after)
    request = CloseSince(since=moment.isoformat(), ground=GROUND)
    return rig.courtroom.close_retroactively("p1", request, recording_ns())


def check_replaced(rig: CourtroomRig, hearing: str) -> None:
    """Check what a declaration since 1.0 s into part 2 must have done."""
    wait_for(lambda: not rig.hearing()["replacing"], "the replacement")
    folder = rig.folder(hearing)
    assert media(folder / "part-01") == {".mp4", ".m4s"}
    names = sorted(p.name for p in (folder / "part-02" / "main" / "run-01").iterdir())
    assert names == ["000001-open.m4s", "000001.tar", "000002.tar", "000003.tar", "init.mp4"]
    (line,) = rig.lines(hearing, "closed_since")
    assert {row["part"] for row in line["replaced"]} == {2}
    assert len(line["replaced"]) == 8  # two tracks: three files, the first stands twice
    view = PartIndex.from_entries(read_chain(folder / "part-02" / "journal.jsonl").entries)
    assert view.fragment_count == 22
    assert rig.hearing()["closed_parts"] == [2, 3]
    assert json.loads((folder / "part-02" / "part.json").read_text())["closed"] is True
    assert json.loads((folder / "part-01" / "part.json").read_text())["closed"] is False


def test_in_a_recess_nothing_of_the_hearing_is_played_as_of_an_ended_one(
    keyed: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was closed since an earlier moment was played as long as its files were plain."""
    hearing, stalled = two_parts(keyed), threading.Event()
    write = ReplacementWriter.finish
    monkeypatch.setattr(
        ReplacementWriter, "finish", lambda *given: stalled.wait(20) and write(*given)
    )
    since_second(keyed, hearing, 2, 1.0)
    keyed.courtroom.recess("p1")
    place = ListenBack(hearing_id=UUID(hearing), part=2, part_seconds=0.0)
    with pytest.raises(PlaybackRefusedError):
        keyed.courtroom.start_listen_back(place)
    keyed.courtroom.end("p1")
    with pytest.raises(PlaybackRefusedError):
        keyed.courtroom.start_listen_back(place)
    stalled.set()
    keyed.sealed(hearing)
    with pytest.raises(PlaybackRefusedError):
        keyed.courtroom.start_listen_back(place)


def test_closed_since_replaces_what_was_plain(keyed: CourtroomRig) -> None:
    hearing = two_parts(keyed)
    since_second(keyed, hearing, 2, 1.0)
    assert keyed.hearing()["closed"]["ground"] == GROUND
    check_replaced(keyed, hearing)
    assert len(keyed.replaced[-1][1]) == 8
    keyed.courtroom.end("p1")
    keyed.sealed(hearing)


def test_minutes_that_are_only_set_aside_are_encrypted_to_the_court(
    keyed: CourtroomRig, court: CourtSecrets
) -> None:
    """As one storage alone may have them: nothing else holds these minutes."""
    hearing = two_parts(keyed)
    name = f"hearings/{hearing}/part-02/main/run-01/000003.m4s.0-12"
    kept = keyed.paths.data / ONLY_HERE / name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"moof minutes")
    since_second(keyed, hearing, 2, 1.0)
    wait_for(lambda: not keyed.hearing()["replacing"], "the replacement")
    (encrypted,) = kept.parent.iterdir()
    for key in (court.court, court.escrow):
        assert pyrage.decrypt(encrypted.read_bytes(), [key]) == b"moof minutes"
    keyed.courtroom.end("p1")
    keyed.sealed(hearing)


@pytest.mark.parametrize("since", ["2099-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_moment_that_cannot_be_is_refused_and_closes_nothing(
    keyed: CourtroomRig, since: str
) -> None:
    """A clock that was set back must not leave open what the court wanted closed."""
    keyed.begin()
    with pytest.raises(BadRequestError):
        keyed.courtroom.close_retroactively("p1", CloseSince(since=since), recording_ns())
    assert (keyed.hearing()["closed"], keyed.hearing()["part"]) == (None, 1)


def test_a_whole_part_declared_closed_keeps_nothing_plain(keyed: CourtroomRig) -> None:
    hearing = two_parts(keyed)
    playlist = keyed.folder(hearing) / "part-01" / "main" / "index.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-BYTERANGE:1@0\nrun-01/000001.m4s\n#EXT-X-ENDLIST\n")
    request = CloseSince(since=format_wall(wall_time() - timedelta(hours=1)))
    keyed.courtroom.close_retroactively("p1", request, recording_ns())
    wait_for(lambda: not keyed.hearing()["replacing"], "the replacement")
    assert plain_media(keyed.folder(hearing)) == []
    assert "closure_ground" in keyed.hearing()["open_questions"]
    keyed.courtroom.end("p1")
    wait_for(lambda: (keyed.folder(hearing) / "SHA256SUMS.p7s").exists(), "the seal")


@pytest.mark.parametrize("steps", [0, 2, 4, 7, 11, 15, 19, 21])
def test_broken_off_anywhere_it_is_finished_later(
    keyed: CourtroomRig, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing = two_parts(keyed)
    left = [steps]
    killed = threading.Event()

    def dies(function: Any) -> Any:
        def step(*arguments: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                killed.set()
                raise SystemExit  # as a kill: nothing after it is done
            return function(*arguments, **more)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(
            reencrypt._PartReencryption, "_remove", dies(reencrypt._PartReencryption._remove)
        )
        patch.setattr(
            ReplacementWriter,
            "_append",
            dies(ReplacementWriter._append),
        )
        patch.setattr(
            reencrypt._PartReencryption,
            "_record_replacement",
            dies(reencrypt._PartReencryption._record_replacement),
        )
        patch.setattr(
            reencrypt._PartReencryption,
            "_mark_closed_and_seal",
            dies(reencrypt._PartReencryption._mark_closed_and_seal),
        )
        patch.setattr(
            reencrypt._PartReencryption,
            "_record_seal_if_new",
            dies(reencrypt._PartReencryption._record_seal_if_new),
        )
        patch.setattr("threading.excepthook", lambda _: None)
        since_second(keyed, hearing, 2, 1.0)
        assert killed.wait(20)
        keyed.crash()
    keyed.start()
    wait_for(lambda: not keyed.hearing()["replacing"], "the replacement")
    folder = keyed.folder(hearing) / "part-02"
    names = sorted(p.name for p in (folder / "main" / "run-01").iterdir())
    assert names == ["000001-open.m4s", "000001.tar", "000002.tar", "000003.tar", "init.mp4"]
    assert PartIndex.from_entries(read_chain(folder / "journal.jsonl").entries).fragment_count == 22
    keyed.courtroom.end("p1")
    keyed.sealed(hearing)
    assert verify(keyed.folder(hearing), keyed.court.ca, decode=False).ok


def test_the_journal_says_whether_the_court_could_open_it(keyed: CourtroomRig) -> None:
    hearing = keyed.begin(publicity="closed", closure_ground=GROUND)
    [line] = keyed.lines(hearing, "readiness")
    assert line["items"]["court_keys"] == "unproven"
    assert "court_keys" in line["failed"]


def test_keys_that_nobody_needs_today_fail_nothing(tmp_path: Path) -> None:
    rig = CourtroomRig(tmp_path)
    [line] = rig.lines(rig.begin(), "readiness")
    assert line["items"]["court_keys"] == "missing"
    assert "court_keys" not in line["failed"]
    rig.courtroom.shutdown(1)


def test_what_is_not_so_is_not_declared_and_twice_is_once(keyed: CourtroomRig) -> None:
    """Such a mark could not be taken back: only opening ends a closing."""
    keyed.begin()
    with pytest.raises(StepRefusedError):
        keyed.courtroom.add_mark("opened_again", "p1")
    assert keyed.hearing()["marks"] == []
    first = keyed.courtroom.add_mark("closed_declared", "p1").mark
    assert keyed.courtroom.add_mark("closed_declared", "p2").mark.id == first.id
    keyed.courtroom.add_mark("opened_again", "p1")
    keyed.courtroom.add_mark("opened_again", "p2")
    assert [mark["type"] for mark in keyed.hearing()["marks"]] == [
        "closed_declared",
        "opened_again",
    ]


def test_a_hearing_that_is_closed_from_the_start_is_declared_so_once(keyed: CourtroomRig) -> None:
    keyed.begin(publicity="closed", closure_ground=GROUND)
    for _ in range(2):
        keyed.courtroom.add_mark("closed_declared", "p1")
    assert [mark["type"] for mark in keyed.hearing()["marks"]] == ["closed_declared"]
    assert keyed.hearing()["part"] == 1
