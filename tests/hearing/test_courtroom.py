"""The life of a hearing, without devices: order of steps, full disks, recovery, questions."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import recording_ns
from kiosk.config import Camera, Microphone, Paths, Room, Settings
from kiosk.config import Panel as PanelSettings
from kiosk.errors import StorageError
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import read_record
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.source import SourceSet
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.monitoring import state as state_report
from kiosk.hearing.room.errors import AlreadyRecordingError, BadRequestError, StepRefusedError
from kiosk.hearing.session import crash_recovery as taking_up
from kiosk.hearing.session import start as opening
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.hearing.session.seal_queue import Sealer
from kiosk.recording.formats.records import SourceFault
from kiosk.recording.journal.hearing_journal import hearing_of
from kiosk.recording.repair import recovery
from kiosk.recording.verify.hearing import verify
from kiosk.rules import load_rules
from kiosk.storage.paths import Layout
from tests.hearing.fakes import FakeRecorder
from tests.identity import Court
from tests.waiting import wait_for

RULES = load_rules()


class Rig:
    """A kiosk's courtroom, which a test can crash and start again."""

    def __init__(self, folder: Path, microphones: tuple[Microphone, ...] = ()) -> None:
        self.settings = Settings(
            microphones=microphones,
            kiosk=Room(id="kiosk-0001"),
            paths=Paths(data=folder / "data", run=folder / "run"),
            camera=Camera(back_end="none"),
            panel=PanelSettings(enabled=False),
        )
        self.layout = Layout.of(self.settings.paths)
        self.court = Court.make(folder / "court")
        self.court.issue("kiosk-0001", self.layout.device_key, self.layout.device_certificate)
        self.recorders: list[FakeRecorder] = []
        self.room = self.start()

    def start(self) -> Courtroom:
        """Start as after a boot."""

        def make(*arguments: Any) -> FakeRecorder:
            self.recorders.append(FakeRecorder(*arguments))
            return self.recorders[-1]

        sources = SourceSet(self.settings, self.layout.preview)
        panel = Panel(self.settings.panel)
        self.room = Courtroom(self.settings, self.layout, RULES, sources, panel, make)
        self.room.sealer = Sealer(retry_s=0.05)
        self.room.recover()
        return self.room

    def crash(self) -> None:
        """Leave everything as a killed process does."""
        self.room.sealer.close(0)
        session = self.room._current
        if session is not None:
            if session.capture is not None:
                session.capture._prover.stop()
                session.capture.book.abandon()
            session.book.close()
        self.room.storages.close(0)

    def begin(self, **fields: Any) -> str:
        """Start a hearing; return its id."""
        about = {"id": str(uuid.uuid4()), "case_number": "2-15", "kind": "civil"} | fields
        return str(self.room.start(about, "p1", recording_ns())["hearing_id"])

    def phase(self) -> str:
        """Return the phase."""
        return str(self.room.state()["phase"])

    def hearing(self) -> dict[str, Any]:
        """Return the hearing of State."""
        return dict(self.room.state()["hearing"])

    def codes(self) -> set[str]:
        """Return the codes of the alarms."""
        return {alarm["code"] for alarm in self.room.state()["alarms"]}

    def folder(self, hearing_id: str) -> Path:
        """Return the folder of a hearing."""
        return self.layout.hearings / hearing_id

    def sealed(self, hearing_id: str) -> None:
        """Wait for the seal, then verify."""
        wait_for(lambda: (self.folder(hearing_id) / "SHA256SUMS.p7s").exists(), "the seal")
        assert self.room.sealer.wait(10)
        assert verify(self.folder(hearing_id), self.court.ca, decode=False).problems == []

    def lines(self, hearing_id: str, kind: str) -> list[dict[str, Any]]:
        """Return the lines of one kind of the hearing's own journal."""
        chain = read_chain(self.folder(hearing_id) / "journal.jsonl")
        return [entry for entry in chain.entries if entry["kind"] == kind]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.crash()


@contextmanager
def full_disk() -> Iterator[None]:
    """A disk on which journals cannot grow."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        yield


@contextmanager
def no_seals() -> Iterator[None]:
    """No part can be sealed."""

    def fail(*_: object) -> None:
        raise StorageError("no")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kiosk.recording.journal.part_journal.seal_folder", fail)
        yield


def test_capture_begins_before_anything_is_written(rig: Rig) -> None:
    rig.begin()
    assert rig.recorders[0].books_when_started is False
    assert rig.phase() == "recording"
    rig.room.recess("p1")
    rig.room.resume("p1")
    assert rig.recorders[1].books_when_started is False


def test_whole_life(rig: Rig) -> None:
    hearing_id = rig.begin(format="offline", publicity="open")
    assert rig.hearing()["expected"][:2] == list(RULES.expected_events("civil", [])[:2])
    rig.room.mark("opening", "p1", note="ашық")
    assert "case_announced" in rig.hearing()["expected"]
    rig.room.retire("p1")
    assert rig.phase() == "retired"
    assert rig.hearing()["expected"][0] == "announcement"
    rig.room.resume("p1")
    rig.room.mark("announcement", "p1")
    rig.room.end("p1")
    rig.sealed(hearing_id)
    assert rig.phase() == "idle"
    assert rig.lines(hearing_id, "ended")[0]["person"] == "p1"


def test_marks_are_numbered_and_withdrawn_but_never_erased(rig: Rig) -> None:
    hearing_id = rig.begin()
    assert rig.room.mark("opening", "p1")["mark"]["id"] == 1
    rig.room.mark("attendance", "p1")
    assert rig.room.undo("p2")["mark"]["withdrawn"] is True
    rig.room.recess("p1")
    assert rig.room.mark("postponed", "p1")["mark"]["part"] == 0, "marks go on in a recess"
    assert rig.room.undo("p1")["mark"]["type"] == "postponed"
    assert rig.room.undo("p1")["mark"]["type"] == "opening", "the kiosk's own mark stays"
    with pytest.raises(StepRefusedError):
        rig.room.undo("p1")
    path = rig.folder(hearing_id) / "part-01" / "journal.jsonl"
    kinds = [entry["kind"] for entry in read_chain(path).entries]
    assert kinds.count("mark") == 2
    assert kinds.count("mark_withdrawn") == 1
    with pytest.raises(BadRequestError):
        rig.room.mark("no such event", "p1")


def test_button_marks_a_moment(rig: Rig) -> None:
    rig.room.button()  # nothing runs: nothing happens
    rig.begin()
    rig.room.button()
    assert [mark["type"] for mark in rig.hearing()["marks"]] == ["button"]


def test_the_secretary_names_a_moment_marked_with_the_button(rig: Rig) -> None:
    hearing_id = rig.begin()
    rig.room.mark("oath", "p1")
    rig.room.button()
    for wrong in ({"mark": 1, "type": "oath"}, {"mark": 2, "type": "no_event"}, "oath", None):
        with pytest.raises(BadRequestError):
            rig.room.statement("mark", wrong, "", "p1")
    rig.room.statement("mark", {"mark": 2, "type": "challenges"}, "", "p1")
    assert [mark["type"] for mark in rig.hearing()["marks"]] == ["oath", "challenges"]
    rig.room.end("p1")
    rig.sealed(hearing_id)
    record = read_record(rig.folder(hearing_id))
    assert [mark.type for mark in record.marks] == ["oath", "challenges"]


def test_second_start_is_refused_and_harmless(rig: Rig) -> None:
    first = rig.begin()
    with pytest.raises(AlreadyRecordingError) as refused:
        rig.begin()
    assert refused.value.hearing_id == first
    rig.room.recess("p1")
    with pytest.raises(AlreadyRecordingError):
        rig.begin()
    assert len(rig.recorders) == 1


def test_next_hearing_does_not_wait_for_the_seal_of_the_last(rig: Rig) -> None:
    first = rig.begin()
    with no_seals():
        rig.room.end("p1")
        wait_for(lambda: "seal_failed" in rig.codes(), "the alarm")
        assert rig.phase() == "sealing"
        second = rig.begin()
        assert rig.phase() == "recording"
    rig.sealed(first)
    assert rig.phase() == "recording"
    assert "seal_failed" not in rig.codes()
    rig.room.end("p1")
    rig.sealed(second)


# -- full disk ---------------------------------------------------------------------------------
def test_full_disk_never_keeps_the_capture_running(rig: Rig) -> None:
    """A recess stops the capture although not one line of it can be written."""
    hearing_id = rig.begin()
    with full_disk():
        rig.room.recess("p1", "lunch")
        assert rig.phase() == "recess"
        assert not rig.room.capturing
        wait_for(lambda: "seal_failed" in rig.codes(), "the alarm")
    assert rig.room.sealer.wait(10)
    rig.room.resume("p1")
    rig.room.end("p1")
    rig.sealed(hearing_id)
    late = [line for line in rig.lines(hearing_id, "part_closed") if line.get("late")]
    assert [line["reason"] for line in late] == ["recess"]


def test_full_disk_at_the_start_is_said(rig: Rig) -> None:
    with full_disk(), pytest.raises(StorageError):
        rig.begin()
    assert rig.phase() == "idle"
    assert rig.room.state()["lamp"] is False
    rig.begin()
    assert rig.phase() == "recording"


# -- questions ---------------------------------------------------------------------------------
def test_nothing_is_asked_before_the_tap(rig: Rig) -> None:
    rig.room.start({}, "p1", recording_ns())
    assert {"format"} <= set(rig.hearing()["open_questions"])
    answer = rig.room.statement("format", "offline", "", "p1")
    assert "format" not in answer["open_questions"]
    assert rig.hearing()["format"] == "offline"
    with pytest.raises(BadRequestError):
        rig.room.statement("", "x", "", "p1")


def test_clock_unset_asks_for_the_date(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (opening, state_report):
        monkeypatch.setattr(module, "clock_state", lambda: "unset")
    rig.begin(format="offline")
    assert {"override", "date"} <= set(rig.hearing()["open_questions"])
    assert "clock_unset" in rig.codes()
    rig.room.statement("date", "2026-11-23", "", "p1")
    assert "date" not in rig.hearing()["open_questions"]


@pytest.mark.parametrize(
    ("kind", "asks"),
    [
        *((kind, True) for kind in ("absent", "dead", "muted", "frozen", "encoder")),
        ("write_failed", True),
        *((kind, False) for kind in ("gap", "dropped")),
    ],
)
def test_which_failures_ask_for_their_reason(rig: Rig, kind: str, asks: bool) -> None:
    rig.begin(format="offline")
    rig.recorders[0].on_fault(SourceFault(1, "judge", kind, recording_ns()))
    wait_for(lambda: rig.hearing()["interruptions"], "the ledger")
    assert ("failure_reason" in rig.hearing()["open_questions"]) is asks


def test_failure_is_in_the_ledger_and_its_reason_is_asked(rig: Rig) -> None:
    hearing_id = rig.begin(format="offline")
    recorder, now = rig.recorders[0], recording_ns()
    recorder.on_fault(SourceFault(1, "judge", "dead", now))
    recorder.on_fault(SourceFault(2, "witness", "gap", now))
    wait_for(lambda: len(rig.hearing()["interruptions"]) == 2, "the ledger")
    assert "failure_reason" in rig.hearing()["open_questions"]
    assert rig.hearing()["interruptions"][0]["seconds"] is None
    recorder.on_fault(SourceFault(1, "judge", "dead", now, now + 2_000_000_000))
    wait_for(lambda: rig.hearing()["interruptions"][0]["seconds"] == 2.0, "the seconds lost")
    rig.room.statement("failure_reason", "cable", "", "p1")
    assert "failure_reason" not in rig.hearing()["open_questions"]
    rig.room.end("p1")
    rig.sealed(hearing_id)


def test_reminder_when_nobody_resumes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.begin()
    rig.room.recess("p1")
    assert "resume_reminder" not in rig.codes()
    monkeypatch.setattr(rig.room.attention.reminder, "_every_ns", 1)
    rig.room.watch()
    assert "resume_reminder" in rig.codes()


def test_proof_goes_bad_when_nothing_new_comes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.begin()
    wait_for(lambda: rig.room.state()["proof"]["state"] == "good", "a good proof")
    monkeypatch.setattr("kiosk.recording.readback.monitor.STALE_S", -100.0)
    assert rig.room.state()["proof"]["state"] == "bad"
    assert "proof_failed" in rig.codes()


# -- recovery ----------------------------------------------------------------------------------
def test_resumes_by_itself_after_a_crash(rig: Rig) -> None:
    hearing_id = rig.begin(format="offline")
    rig.room.mark("opening", "p1")
    rig.room.statement("title", "A title", "", "p1")
    before = rig.hearing()
    rig.crash()
    rig.start()
    after = rig.hearing()
    assert (rig.phase(), after["id"], after["part"]) == ("recording", hearing_id, 2)
    assert [mark["type"] for mark in after["marks"]] == ["opening"]
    assert (after["title"], after["started"]) == (before["title"], before["started"])
    assert rig.room.state()["recovered"]["gap_seconds"] < 60
    assert {"recovered", "failure_reason"} <= set(after["open_questions"])
    rig.room.end("p1")
    rig.sealed(hearing_id)


def test_interrupted_long_ago_it_stays_stopped_and_asks(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing_id = rig.begin()
    rig.crash()
    monkeypatch.setattr("kiosk.recording.repair.recovery.RESUME_WITHIN_S", -1.0)
    rig.start()
    assert rig.phase() == "recess"
    assert rig.room.state()["recovered"]["hearing_id"] == hearing_id
    assert "recovered" in rig.hearing()["open_questions"]
    assert not rig.room.capturing
    monkeypatch.undo()
    rig.crash()
    rig.start()
    assert rig.phase() == "recess", "a later restart does not resume it either"
    rig.room.resume("p1")
    rig.room.end("p1")
    rig.sealed(hearing_id)


def test_power_cut_without_a_clock_has_an_unknown_gap(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.begin()
    rig.crash()
    for module in (taking_up, recovery):
        monkeypatch.setattr(module, "boot_id", lambda: "another boot")
    monkeypatch.setattr(taking_up, "is_trusted", lambda: False)
    rig.start()
    assert rig.phase() == "recording"
    assert rig.room.state()["recovered"]["gap_seconds"] is None
    lost = [one for one in rig.hearing()["interruptions"] if one["source"] == "recorder"]
    assert [(one["kind"], one["seconds"]) for one in lost] == [("power", None)]


def test_only_the_newest_open_hearing_goes_on(rig: Rig) -> None:
    """Cannot come about by steps, but by folders put back from a broken disk."""
    first = rig.begin()
    rig.crash()
    aside = rig.layout.data / "aside"
    rig.folder(first).rename(aside)
    rig.start()
    second = rig.begin()
    rig.crash()
    aside.rename(rig.folder(first))
    rig.start()
    assert rig.hearing()["id"] == second
    rig.sealed(first)


def test_replay_tells_what_was_shown_live(rig: Rig) -> None:
    """What a screen shows of a hearing after a crash is what it showed before."""
    hearing_id = rig.begin(format="online")
    rig.room.mark("opening", "p1")
    rig.recorders[0].on_fault(SourceFault(1, "judge", "dead", recording_ns()))
    wait_for(lambda: rig.hearing()["interruptions"], "the ledger")
    rig.room.undo("p1")
    rig.room.recess("p1")
    rig.room.statement("legal_basis", "GPK-133-3", "", "p1")
    live = rig.room._current
    assert live is not None
    folder = rig.folder(hearing_id)
    replayed = HearingRecord(hearing_of(folder))
    for part, entry in recovery._merged(folder):
        replayed.apply(part, entry)
    assert replayed == live.record


def test_shutdown_closes_and_seals_the_part(rig: Rig) -> None:
    hearing_id = rig.begin()
    rig.room.shutdown(10)
    assert verify(rig.folder(hearing_id) / "part-01", rig.court.ca, decode=False).problems == []
    rig.start()
    assert (rig.phase(), rig.hearing()["part"]) == ("recording", 2)
    rig.room.end("p1")
    rig.sealed(hearing_id)


def test_names_never_enter_a_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    rig.begin(participants=[{"name": "Ахметова", "role": "plaintiff"}], title="Құпия")
    rig.crash()
    rig.start()
    rig.room.end("p1")
    assert "Ахметова" not in caplog.text
    assert "Құпия" not in caplog.text


def test_state_is_told_although_the_disk_does_not_answer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.begin()
    real = Path.exists

    def exists(path: Path) -> bool:
        if path.is_relative_to(rig.layout.data):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path)

    monkeypatch.setattr(Path, "exists", exists)
    assert rig.phase() == "recording"
    assert "not_enrolled" not in rig.codes()
