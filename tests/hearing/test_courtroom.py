"""The life of a hearing, without devices: order of steps, full disks, recovery, questions.

Requirements: R57, S7, S25.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from kiosk.clocks import recording_ns
from kiosk.errors import StorageError
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import load_hearing_state
from kiosk.hearing.monitoring import state
from kiosk.hearing.room.errors import AlreadyRecordingError, BadRequestError, StepRefusedError
from kiosk.hearing.session import crash_recovery, start
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.recording.formats.records import Interruption
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.recording.repair import recovery
from kiosk.recording.verify.hearing import verify
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.waiting import wait_for


@contextmanager
def full_disk() -> Iterator[None]:
    """Simulate a disk on which journals cannot grow."""

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


def test_capture_begins_before_anything_is_written(rig: CourtroomRig) -> None:
    rig.begin()
    assert rig.parts[0].had_journal_at_start is False
    assert rig.phase() == "recording"
    rig.courtroom.recess("p1")
    rig.courtroom.resume("p1")
    assert rig.parts[1].had_journal_at_start is False


def test_whole_life(rig: CourtroomRig) -> None:
    hearing_id = rig.begin(format="offline", publicity="open")
    assert [step["event"] for step in rig.hearing()["due"]][:2] == ["court_enters", "opening"]
    rig.courtroom.add_mark("opening", "p1", note="ашық")
    assert {"event": "case_announced", "of": ""} in rig.hearing()["due"]
    rig.courtroom.retire("p1")
    assert rig.phase() == "retired"
    assert rig.hearing()["due"][0]["event"] == "announcement"
    rig.courtroom.resume("p1")
    rig.courtroom.add_mark("announcement", "p1")
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    assert rig.phase() == "idle"
    assert rig.lines(hearing_id, "ended")[0]["person"] == "p1"


def test_marks_are_numbered_and_withdrawn_but_never_erased(rig: CourtroomRig) -> None:
    hearing_id = rig.begin()
    assert rig.courtroom.add_mark("opening", "p1").mark.id == 1
    rig.courtroom.add_mark("attendance", "p1")
    assert rig.courtroom.undo_mark("p2").mark.withdrawn is True
    rig.courtroom.recess("p1")
    assert rig.courtroom.add_mark("postponed", "p1").mark.part == 0, "marks go on in a recess"
    assert rig.courtroom.undo_mark("p1").mark.type == "postponed"
    assert rig.courtroom.undo_mark("p1").mark.type == "opening", "the kiosk's own mark stays"
    with pytest.raises(StepRefusedError):
        rig.courtroom.undo_mark("p1")
    path = rig.folder(hearing_id) / "part-01" / "journal.jsonl"
    kinds = [entry["kind"] for entry in read_chain(path).entries]
    assert kinds.count("mark") == 2
    assert kinds.count("mark_withdrawn") == 1
    with pytest.raises(BadRequestError):
        rig.courtroom.add_mark("no such event", "p1")


def test_two_taps_on_one_button_take_back_one_mark(rig: CourtroomRig) -> None:
    """Each means the mark that was the newest when its button was drawn."""
    hearing_id = rig.begin()
    for event in ("opening", "attendance"):
        rig.courtroom.add_mark(event, "p1")
    for _tap in range(2):
        assert rig.courtroom.undo_mark("p1", 2).mark.id == 2
    shown = [(mark["type"], mark["withdrawn"]) for mark in rig.hearing()["marks"]]
    assert shown == [("opening", False), ("attendance", True)]
    rig.courtroom.mark_from_button()
    with pytest.raises(StepRefusedError):
        rig.courtroom.undo_mark("p1", 1)
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    path = rig.folder(hearing_id) / "part-01" / "journal.jsonl"
    assert [entry["kind"] for entry in read_chain(path).entries].count("mark_withdrawn") == 1


def test_what_the_rules_want_earlier_is_asked_later_and_never_in_the_way(
    rig: CourtroomRig,
) -> None:
    """S25, УПК 350(3): the departure is in the journal, the secretary says what happened."""

    def left_out() -> list[str]:
        asked = rig.hearing()["open_questions"]
        return [name.removeprefix("left_out:") for name in asked if name.startswith("left_out:")]

    hearing_id = rig.begin(kind="civil", format="offline", publicity="open")
    rig.courtroom.add_mark("attendance", "p1")
    assert left_out() == ["recording_announced"]
    rig.courtroom.add_mark("recording_announced", "p1")
    assert left_out() == [], "it was made good"
    rig.courtroom.add_mark("questioning", "p1")
    assert left_out() == ["rights_explained"]
    rig.courtroom.undo_mark("p1")
    assert left_out() == [], "the mark that asked is withdrawn"
    rig.courtroom.add_mark("questioning", "p1")
    rig.crash()
    rig.start()
    assert left_out() == ["rights_explained"], "a crash forgets no question"
    assert rig.hearing()["open_questions"][-1] == "left_out:rights_explained", "others come first"
    rig.statement("left_out:rights_explained", "done", "", "p1")
    rig.courtroom.add_mark("questioning", "p1")
    assert left_out() == [], "it is asked once"
    marks = [mark["type"] for mark in rig.hearing()["marks"] if not mark["withdrawn"]]
    assert marks == ["attendance", "recording_announced", "questioning", "questioning"]
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    path = rig.folder(hearing_id) / "part-01" / "journal.jsonl"
    entries = [entry for entry in read_chain(path).entries if entry["kind"] == "mark"]
    assert [entry.get("left_out") for entry in entries] == [
        ["recording_announced"],
        None,
        ["rights_explained"],
        ["rights_explained"],
    ]


def test_a_hearing_of_an_unknown_kind_is_asked_for_nothing_earlier(rig: CourtroomRig) -> None:
    rig.begin(kind=None, adhoc=True)
    rig.courtroom.add_mark("questioning", "p1")
    assert not [name for name in rig.hearing()["open_questions"] if name.startswith("left_out")]


def test_button_marks_a_moment(rig: CourtroomRig) -> None:
    rig.courtroom.mark_from_button()  # nothing runs: nothing happens
    rig.begin()
    rig.courtroom.mark_from_button()
    assert [mark["type"] for mark in rig.hearing()["marks"]] == ["button"]


def test_the_secretary_names_a_moment_marked_with_the_button(rig: CourtroomRig) -> None:
    hearing_id = rig.begin()
    rig.courtroom.add_mark("oath", "p1")
    rig.courtroom.mark_from_button()
    for wrong in ({"mark": 1, "type": "oath"}, {"mark": 2, "type": "no_event"}, "oath", None):
        with pytest.raises(BadRequestError):
            rig.statement("mark", wrong, "", "p1")
    rig.statement("mark", {"mark": 2, "type": "challenges"}, "", "p1")
    assert [mark["type"] for mark in rig.hearing()["marks"]] == ["oath", "challenges"]
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    record = load_hearing_state(rig.folder(hearing_id))
    assert [mark.type for mark in record.marks] == ["oath", "challenges"]


def test_second_start_is_refused_and_harmless(rig: CourtroomRig) -> None:
    first = rig.begin()
    with pytest.raises(AlreadyRecordingError) as refused:
        rig.begin()
    assert refused.value.hearing_id == first
    rig.courtroom.recess("p1")
    with pytest.raises(AlreadyRecordingError):
        rig.begin()
    assert len(rig.parts) == 1


def test_next_hearing_does_not_wait_for_the_seal_of_the_last(rig: CourtroomRig) -> None:
    first = rig.begin()
    with no_seals():
        rig.courtroom.end("p1")
        wait_for(lambda: "seal_failed" in rig.codes(), "the alarm")
        assert rig.phase() == "sealing"
        second = rig.begin()
        assert rig.phase() == "recording"
    rig.sealed(first)
    assert rig.phase() == "recording"
    assert "seal_failed" not in rig.codes()
    rig.courtroom.end("p1")
    rig.sealed(second)


# -- full disk ---------------------------------------------------------------------------------
def test_full_disk_never_keeps_the_capture_running(rig: CourtroomRig) -> None:
    """A recess stops the capture although not one line of it can be written."""
    hearing_id = rig.begin()
    with full_disk():
        rig.courtroom.recess("p1", "lunch")
        assert rig.phase() == "recess"
        assert not rig.courtroom.is_capturing
        wait_for(lambda: {"seal_failed", "steps_owed"} <= rig.codes(), "the alarms")
    assert rig.courtroom.seal_queue.wait_idle(10)
    assert "steps_owed" not in rig.codes()
    rig.courtroom.resume("p1")
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    assert [line["reason"] for line in rig.lines(hearing_id, "part_closed")] == ["recess", "end"]


def test_full_disk_at_the_start_is_said(rig: CourtroomRig) -> None:
    with full_disk(), pytest.raises(StorageError):
        rig.begin()
    assert rig.phase() == "idle"
    assert rig.state()["lamp"] == "off"
    rig.begin()
    assert rig.phase() == "recording"


# -- questions ---------------------------------------------------------------------------------
def test_nothing_is_asked_before_the_tap(rig: CourtroomRig) -> None:
    rig.courtroom.start({}, "p1", recording_ns())
    assert {"format"} <= set(rig.hearing()["open_questions"])
    answer = rig.statement("format", "offline", "", "p1")
    assert "format" not in answer
    assert rig.hearing()["format"] == "offline"
    with pytest.raises(ValidationError):
        rig.statement("", "x", "", "p1")


def test_clock_unset_asks_for_the_date(rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (start, state):
        monkeypatch.setattr(module, "clock_state", lambda: "unset")
    rig.begin(format="offline")
    assert {"override", "date"} <= set(rig.hearing()["open_questions"])
    assert "clock_unset" in rig.codes()
    rig.statement("date", "2026-11-23", "", "p1")
    assert "date" not in rig.hearing()["open_questions"]


@pytest.mark.parametrize(
    ("kind", "asks"),
    [
        *((kind, True) for kind in ("absent", "dead", "muted", "frozen", "encoder")),
        ("write_failed", True),
        *((kind, False) for kind in ("gap", "overlap", "dropped")),
    ],
)
def test_which_failures_ask_for_their_reason(rig: CourtroomRig, kind: str, asks: bool) -> None:
    rig.begin(format="offline")
    rig.parts[0].add_interruption(Interruption(1, "judge", kind, recording_ns()))
    wait_for(lambda: rig.hearing()["interruptions"], "the ledger")
    assert ("failure_reason" in rig.hearing()["open_questions"]) is asks


@pytest.mark.slow
def test_failure_is_in_the_ledger_and_its_reason_is_asked(rig: CourtroomRig) -> None:
    hearing_id = rig.begin(format="offline")
    recorder, now = rig.parts[0], recording_ns()
    recorder.add_interruption(Interruption(1, "judge", "dead", now))
    recorder.add_interruption(Interruption(2, "witness", "gap", now))
    wait_for(lambda: len(rig.hearing()["interruptions"]) == 2, "the ledger")
    assert "failure_reason" in rig.hearing()["open_questions"]
    assert rig.hearing()["interruptions"][0]["seconds"] is None
    recorder.add_interruption(Interruption(1, "judge", "dead", now, now + 2_000_000_000))
    wait_for(lambda: rig.hearing()["interruptions"][0]["seconds"] == 2.0, "the seconds lost")
    rig.statement("failure_reason", "cable", "", "p1")
    assert "failure_reason" not in rig.hearing()["open_questions"]
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


def test_reminder_when_nobody_resumes(rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.begin()
    rig.courtroom.recess("p1")
    assert "resume_reminder" not in rig.codes()
    monkeypatch.setattr(rig.courtroom.monitor.reminder, "_every_ns", 1)
    rig.courtroom.poll()
    assert "resume_reminder" in rig.codes()


@pytest.mark.slow
def test_proof_goes_bad_when_nothing_new_comes(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.begin()
    wait_for(lambda: rig.state()["proof"]["state"] == "good", "a good proof")
    monkeypatch.setattr("kiosk.recording.readback.monitor.STALE_S", -100.0)
    assert rig.state()["proof"]["state"] == "bad"
    assert "proof_failed" in rig.codes()


# -- recovery ----------------------------------------------------------------------------------
def test_resumes_by_itself_after_a_crash(rig: CourtroomRig) -> None:
    hearing_id = rig.begin(format="offline")
    rig.courtroom.add_mark("opening", "p1")
    rig.statement("title", "A title", "", "p1")
    before = rig.hearing()
    rig.crash()
    rig.start()
    after = rig.hearing()
    assert (rig.phase(), after["id"], after["part"]) == ("recording", hearing_id, 2)
    assert [mark["type"] for mark in after["marks"]] == ["opening"]
    assert (after["title"], after["started"]) == (before["title"], before["started"])
    assert rig.state()["recovered"]["gap_seconds"] < 60
    assert {"recovered", "failure_reason"} <= set(after["open_questions"])
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


def test_interrupted_long_ago_it_stays_stopped_and_asks(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing_id = rig.begin()
    rig.crash()
    monkeypatch.setattr("kiosk.recording.repair.recovery.MAX_RESUME_GAP_S", -1.0)
    rig.start()
    assert rig.phase() == "recess"
    assert rig.state()["recovered"]["hearing_id"] == hearing_id
    assert "recovered" in rig.hearing()["open_questions"]
    assert not rig.courtroom.is_capturing
    monkeypatch.undo()
    rig.crash()
    rig.start()
    assert rig.phase() == "recess", "a later restart does not resume it either"
    rig.courtroom.resume("p1")
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


def test_power_cut_without_a_clock_has_an_unknown_gap(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.begin()
    rig.crash()
    for module in (crash_recovery, recovery):
        monkeypatch.setattr(module, "boot_id", lambda: "another boot")
    monkeypatch.setattr(crash_recovery, "is_clock_trusted", lambda: False)
    rig.start()
    assert rig.phase() == "recording"
    assert rig.state()["recovered"]["gap_seconds"] is None
    lost = [row for row in rig.hearing()["interruptions"] if row["source"] == "recorder"]
    assert [(row["kind"], row["seconds"]) for row in lost] == [("power", None)]


def test_only_the_newest_open_hearing_goes_on(rig: CourtroomRig) -> None:
    """Cannot come about by steps, but by folders put back from a broken disk."""
    first = rig.begin()
    rig.crash()
    aside = rig.paths.data / "aside"
    rig.folder(first).rename(aside)
    rig.start()
    second = rig.begin()
    rig.crash()
    aside.rename(rig.folder(first))
    rig.start()
    assert rig.hearing()["id"] == second
    rig.sealed(first)


def test_replay_tells_what_was_shown_live(rig: CourtroomRig) -> None:
    """What a screen shows of a hearing after a crash is what it showed before."""
    hearing_id = rig.begin(format="online")
    rig.courtroom.add_mark("opening", "p1")
    rig.parts[0].add_interruption(Interruption(1, "judge", "dead", recording_ns()))
    wait_for(lambda: rig.hearing()["interruptions"], "the ledger")
    rig.courtroom.undo_mark("p1")
    rig.courtroom.recess("p1")
    rig.statement("legal_basis", "GPK-133-3", "", "p1")
    live = rig.courtroom.current
    assert live is not None
    folder = rig.folder(hearing_id)
    replayed = HearingState(load_hearing(folder))
    for part, entry in recovery.iter_merged_entries(folder):
        replayed.apply(part, entry)
    assert replayed == live.state


def test_shutdown_closes_and_seals_the_part(rig: CourtroomRig) -> None:
    hearing_id = rig.begin()
    rig.courtroom.shutdown(10)
    assert verify(rig.folder(hearing_id) / "part-01", rig.court.ca, decode=False).problems == []
    rig.start()
    assert (rig.phase(), rig.hearing()["part"]) == ("recording", 2)
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


def test_names_never_enter_a_log(rig: CourtroomRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    rig.begin(participants=[{"name": "Ахметова", "role": "plaintiff"}], title="Құпия")
    rig.crash()
    rig.start()
    rig.courtroom.end("p1")
    assert "Ахметова" not in caplog.text
    assert "Құпия" not in caplog.text


def test_state_is_told_although_the_disk_does_not_answer(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.begin()
    real = Path.exists

    def exists(path: Path) -> bool:
        if path.is_relative_to(rig.paths.data):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path)

    monkeypatch.setattr(Path, "exists", exists)
    assert rig.phase() == "recording"
    assert "not_enrolled" not in rig.codes()


@pytest.mark.parametrize("event", ["recess", "resumed", "retirement", "link_lost", "closing"])
def test_what_the_kiosk_notes_itself_cannot_be_marked_by_hand(
    rig: CourtroomRig, event: str
) -> None:
    """The record would tell of a recess that never was, and nobody could take it back."""
    rig.begin()
    with pytest.raises(BadRequestError) as refused:
        rig.courtroom.add_mark(event, "p1")
    assert (refused.value.code, rig.hearing()["marks"]) == ("unknown_event", [])


def test_a_number_is_given_once_though_a_disk_has_lost_a_mark(rig: CourtroomRig) -> None:
    hearing = rig.begin()
    rig.courtroom.add_mark("opening", "p1")
    rig.courtroom.recess("p1")
    rig.crash()
    journal = rig.folder(hearing) / "part-01" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: next(n for n, x in enumerate(lines) if b'"mark"' in x)]))
    rig.start()
    assert [mark["id"] for mark in rig.hearing()["marks"]] == [2]
    rig.courtroom.resume("p1")
    assert [mark["id"] for mark in rig.hearing()["marks"]] == [2, 3]


@pytest.mark.parametrize("event", [{}, [], None, 5])
def test_a_mark_of_the_button_is_named_by_text_alone(rig: CourtroomRig, event: object) -> None:
    rig.begin()
    rig.courtroom.mark_from_button()
    with pytest.raises(BadRequestError) as refused:
        rig.statement("mark", {"mark": 1, "type": event})
    assert (refused.value.code, rig.hearing()["marks"][0]["type"]) == ("unknown_event", "button")
