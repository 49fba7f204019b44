"""The minute before a hearing: in locked memory alone, until a tap keeps it (S16, R67).

Real parts are written from samples that the tests push into the microphones.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kiosk.api.recorder_calls import CloseSince
from kiosk.api.states import ClockState
from kiosk.clocks import NS_PER_S, format_wall, recording_ns, wall_time
from kiosk.config import HearingSettings, MicrophoneSettings
from kiosk.errors import StorageError
from kiosk.evidence.chain import read_chain
from kiosk.export.texts import ExportTexts
from kiosk.export.time_account import build_time_account
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hearing.session import kept_minute
from kiosk.hearing.session.part_controller import PartController
from kiosk.locale import Translator
from kiosk.recording.capture import kept_sound
from kiosk.recording.encryption.locked_memory import LockedMemoryError
from kiosk.recording.formats.run_reader import count_run
from kiosk.recording.part import Part
from kiosk.storage.atomic_io import write_json
from tests.hearing.courtroom_rig import RULES, CourtroomRig, courtroom_settings
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

RATE: Literal[16_000] = 16_000
BLOCK = 1_600
KEPT_S = 10
FIRST, SECOND = "5f1e7b86-3f51-4a5e-9a0e-0f7c54e7d001", "5f1e7b86-3f51-4a5e-9a0e-0f7c54e7d002"
MICROPHONES = tuple(
    MicrophoneSettings(name=n, role=n, device=n, rate=RATE) for n in ("judge", "witness")
)


class KeptRig(CourtroomRig):
    """A courtroom whose parts are real; microphones hear what :meth:`hear` says."""

    def make_part(self, *arguments: Any) -> Part:
        return Part(*arguments)

    def start(self) -> Any:
        self.samples = 0
        return super().start()

    def list(self, *hearings: dict[str, Any]) -> None:
        """Publish a list; wait until the recorder has read it."""
        rows = [{"case_number": "2-15", "kind": "civil", **row} for row in hearings]
        self.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.paths.schedule, {"hearings": rows})
        starts = sorted(row["scheduled_at"] for row in rows)

        def is_read() -> bool:
            shown = self.courtroom.hall_view().rows
            return [row.starts_at for row in shown] == starts

        wait_for(is_read, "the list")
        self.courtroom.poll()

    def hear(self, seconds: float, until_ns: int | None = None) -> None:
        """Let the microphones give noise that ends at ``until_ns`` (default: now)."""
        count = round(seconds * RATE / BLOCK)
        begin_ns = (until_ns or recording_ns()) - count * BLOCK * NS_PER_S // RATE
        for number in range(count):
            start_ns = begin_ns + number * BLOCK * NS_PER_S // RATE
            for place, microphone in enumerate(self.sources.microphones):
                noise = np.random.default_rng(self.samples + place).normal(0, 900, BLOCK)
                block = AudioBlock(1, self.samples, start_ns, noise.astype(np.int16))
                microphone.push(block)
            self.samples += BLOCK

    def kept(self) -> dict[str, Any] | None:
        """Return ``kept_before`` of State."""
        found: dict[str, Any] | None = self.state()["kept_before"]
        return found


def due(identifier: str = FIRST, **fields: Any) -> dict[str, Any]:
    """Return a row of the list that begins now."""
    return {"id": identifier, "scheduled_at": format_wall()} | fields


def make_rig(folder: Path, seconds: int = KEPT_S) -> KeptRig:
    hearing = HearingSettings(kept_minute=seconds)
    return KeptRig(folder, courtroom_settings(folder, MICROPHONES, hearing=hearing))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[KeptRig]:
    made = make_rig(tmp_path)
    yield made
    made.crash()


def begin_with_minute(rig: KeptRig, identifier: str = FIRST) -> tuple[str, float]:
    """Tap "begin, with the minute before"; return the hearing's id and the kept seconds."""
    tap_ns = recording_ns()
    rig.hear(0.2, tap_ns + NS_PER_S // 10)  # the tap falls into what is on its way
    answer = rig.courtroom.start({"id": identifier}, "p1", tap_ns, with_minute_before=True)
    rig.hear(1.0, tap_ns + 11 * NS_PER_S // 10)
    return answer.hearing_id, answer.kept_seconds


def end(rig: KeptRig, hearing: str) -> None:
    rig.courtroom.end("p1")
    rig.sealed(hearing)


def pattern_count(pattern: bytes) -> int:
    """Return how often ``pattern`` is in the memory that this process has locked."""
    found = 0
    for text in Path("/proc/self/smaps").read_text().split("\nVmFlags:"):
        head = [line for line in text.splitlines() if "-" in line.split(" ")[0]]
        size = next((line for line in text.splitlines() if line.startswith("Locked:")), "")
        if head and size and int(size.split()[1]):
            begin, end_ = (int(number, 16) for number in head[-1].split(" ")[0].split("-"))
            found += ctypes.string_at(begin, end_ - begin).count(pattern)
    return found


# -- the tap -----------------------------------------------------------------------------------
def test_a_tap_puts_the_minute_before_the_recording_as_a_part_of_its_own(rig: KeptRig) -> None:
    rig.list(due())
    rig.hear(4.0)
    assert (rig.kept() or {})["hearing_id"] == FIRST
    assert not list(rig.paths.hearings.rglob("*")), "nothing is on a disk before the tap"
    assert not rig.sources.is_dispatching, "nothing is recorded that nobody has asked for"
    hearing, seconds = begin_with_minute(rig)
    assert 3.8 < seconds < 6
    assert rig.kept() is None
    assert rig.hearing()["part"] == 2
    (mark,) = rig.hearing()["marks"]
    assert (mark["type"], mark["part"]) == ("kept_before_start", 2)
    end(rig, hearing)
    opened = rig.lines(hearing, "part_opened")
    assert [row["reason"] for row in opened] == ["kept_before_start", "start"]
    assert (opened[0]["person"], opened[0]["until_ns"]) == ("p1", opened[1]["tap_ns"])
    kept = rig.folder(hearing) / "part-01"
    closed = read_chain(kept / "journal.jsonl").entries
    (last,) = [entry for entry in closed if entry["kind"] == "closed"]
    assert (last["reason"], last["stop_ns"]) == ("kept_before_start", opened[1]["tap_ns"])
    assert last["first_durable_ms"] is None, "it was captured before the tap"
    for samples in count_run(kept / "channels" / "run-01").samples:
        assert samples == pytest.approx(seconds * RATE, abs=RATE / 2)
    account = build_time_account(rig.folder(hearing))
    recorded = [row for row in account.intervals if row.kind == "recorded"]
    assert recorded[0].ms == pytest.approx(seconds * 1000, abs=60)
    assert recorded[1].begin_ms == recorded[0].ms, "the recording follows without a gap"
    texts = ExportTexts(Translator("en"), RULES, ZoneInfo("UTC"), {}, {})
    assert [texts.interval_row(row)[2] for row in account.intervals] == [
        "part 1: recorded",
        "the hearing was started here; the sound before it was kept",
        "part 2: recorded",
    ]


def test_of_a_rehearsal_nothing_is_kept(rig: KeptRig) -> None:
    """What was said before it is overwritten; what is said after it is kept (R35)."""
    rig.list(due())
    rig.hear(2.0)
    is_rehearsing = True
    rig.courtroom.kept_minute.is_rehearsing = lambda: is_rehearsing
    assert rig.courtroom.kept_minute.take(FIRST) is None, "it has just begun"
    rig.courtroom.poll()
    rig.hear(2.0)
    assert rig.kept() is None
    is_rehearsing = False
    rig.courtroom.poll()
    rig.hear(1.0)
    assert (rig.kept() or {})["seconds"] == pytest.approx(1.0, abs=0.5)


def test_what_is_captured_after_the_tap_is_in_the_recording_alone(rig: KeptRig) -> None:
    """Also where the part before it is ended late, as the sealing of another hearing takes long."""
    gate = threading.Event()

    def hold() -> None:
        gate.wait()

    rig.courtroom.seal_queue.submit("another", hold)
    rig.list(due())
    rig.hear(2.0)
    hearing, _ = begin_with_minute(rig)
    kept = rig.folder(hearing) / "part-01"
    wait_for(lambda: list(kept.glob("channels/run-01/0*.m4s")), "what was kept, on the disk")
    gate.set()
    end(rig, hearing)
    (first, _) = rig.lines(hearing, "part_opened")
    length = (first["until_ns"] - first["tap_ns"]) * RATE // NS_PER_S
    assert max(count_run(kept / "channels" / "run-01").samples) <= length + 1


def test_of_a_closed_hearing_the_minute_is_only_encrypted(rig: KeptRig) -> None:
    CourtSecrets().pin(rig.paths)
    rig.list(due(publicity="closed"))
    rig.hear(2.0)
    hearing, seconds = begin_with_minute(rig)
    assert seconds > 1.8
    assert rig.hearing()["closed_parts"] == [1, 2]
    end(rig, hearing)
    kept = rig.folder(hearing) / "part-01"
    assert list(kept.rglob("*.tar"))
    assert not list(kept.rglob("*.m4s")) + list(kept.rglob("*.mp4"))


def test_closing_since_an_earlier_moment_encrypts_the_minute_too(rig: KeptRig) -> None:
    CourtSecrets().pin(rig.paths)
    rig.list(due())
    rig.hear(2.0)
    hearing, _ = begin_with_minute(rig)
    since = format_wall(wall_time() - timedelta(minutes=5))
    rig.courtroom.close_retroactively("p1", CloseSince(since=since), recording_ns())
    end(rig, hearing)
    kept = rig.folder(hearing) / "part-01"
    assert list(kept.rglob("*.tar"))
    assert not list(kept.rglob("0*.m4s"))


# -- without a tap -----------------------------------------------------------------------------
def test_a_plain_start_keeps_nothing(rig: KeptRig) -> None:
    rig.list(due())
    rig.hear(2.0)
    assert pattern_count(newest(rig)) == 1
    answer = rig.courtroom.start({"id": FIRST}, "p1", recording_ns())
    assert (answer.part, answer.kept_seconds) == (1, 0.0)
    assert pattern_count(newest(rig)) == 0


def newest(rig: KeptRig) -> bytes:
    """Return the newest samples that the first microphone gave."""
    noise = np.random.default_rng(rig.samples - BLOCK).normal(0, 900, BLOCK)
    return noise.astype(np.int16).tobytes()


@pytest.mark.parametrize("why", ["declined", "not due", "stopped", "crashed", "other hearing"])
def test_without_the_tap_nothing_is_left_in_locked_memory(rig: KeptRig, why: str) -> None:
    rig.list(due())
    rig.hear(2.0)
    assert pattern_count(newest(rig)) == 1, "the search finds what is kept"
    if why == "declined":
        assert rig.courtroom.decline_minute(FIRST).hearing_id == FIRST
    elif why == "not due":
        rig.list()  # the court took it from the list
    elif why == "stopped":
        rig.courtroom.shutdown(1)
    elif why == "crashed":
        rig.crash()
    else:
        rig.courtroom.start({"adhoc": True}, "p1", recording_ns(), with_minute_before=True)
    assert pattern_count(newest(rig)) == 0
    if why == "declined":
        rig.courtroom.poll()
        rig.hear(1.0)
        assert (rig.kept(), pattern_count(newest(rig))) == (None, 0)


def test_two_hearings_in_turn_have_each_their_own(rig: KeptRig) -> None:
    """What was said in the first hearing, or before it, is never before the second."""
    rig.list(due(FIRST), due(SECOND))
    rig.hear(3.0)
    first, _ = begin_with_minute(rig)
    rig.hear(2.0)
    assert rig.kept() is None, "nothing is kept while a hearing is open"
    of_first = newest(rig)
    end(rig, first)
    rig.courtroom.poll()
    assert pattern_count(of_first) == 0
    rig.hear(1.0)
    assert (rig.kept() or {})["hearing_id"] == SECOND
    second, seconds = begin_with_minute(rig, SECOND)
    assert seconds < 2.5
    end(rig, second)


def test_one_that_was_declined_keeps_nothing_from_the_next(rig: KeptRig) -> None:
    rig.list(due(FIRST), due(SECOND))
    rig.hear(2.0)
    rig.courtroom.decline_minute(FIRST)
    assert rig.kept() is None, "what was said before the first is overwritten"
    rig.hear(1.0)
    assert (rig.kept() or {})["hearing_id"] == SECOND
    _, seconds = begin_with_minute(rig, SECOND)
    assert seconds < 2


def test_a_start_that_fails_loses_nothing(rig: KeptRig) -> None:
    rig.list(due(publicity="closed"))  # the court's keys are not pinned
    rig.hear(3.0)
    with pytest.raises(Exception, match="pin the keys"):
        begin_with_minute(rig)
    rig.courtroom.poll()
    CourtSecrets().pin(rig.paths)
    hearing, seconds = begin_with_minute(rig)
    assert seconds > 2.8
    end(rig, hearing)


def test_a_start_that_fails_late_goes_on_listening_to_nobody(
    rig: KeptRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The minute is a part already: what follows would fill ordinary memory, without a hearing."""
    rig.list(due())
    rig.hear(3.0)

    def fail(*_: Any, **__: Any) -> None:
        raise StorageError("the disk has gone")

    with monkeypatch.context() as patched:
        patched.setattr(PartController, "attach_journal", fail)
        with pytest.raises(StorageError):
            begin_with_minute(rig)
    assert all(microphone.keep_to is None for microphone in rig.sources.microphones)
    rig.courtroom.poll()
    tap_ns = recording_ns()
    hearing = rig.courtroom.start({"id": FIRST}, "p1", tap_ns).hearing_id
    rig.hear(1.0, tap_ns + NS_PER_S)
    assert hearing != FIRST, "what is on the disk is not touched"
    end(rig, hearing)
    rig.crash()
    rig.start()
    assert rig.phase() == "recess", "it is shown, and a person ends it"
    end(rig, FIRST)
    assert rig.lines(FIRST, "part_opened")[0]["reason"] == "kept_before_start"


def test_only_the_last_seconds_are_kept(rig: KeptRig) -> None:
    rig.list(due())
    now_ns = recording_ns()
    rig.hear(1.0, now_ns - (KEPT_S + 1) * NS_PER_S)
    old = newest(rig)
    assert pattern_count(old) == 1
    rig.hear(KEPT_S, now_ns)  # there would be room for the old, too
    assert pattern_count(old) == 0
    assert (rig.kept() or {})["seconds"] <= KEPT_S
    hearing, seconds = begin_with_minute(rig)
    assert seconds <= KEPT_S
    end(rig, hearing)


def test_a_crash_right_after_the_tap_leaves_a_hearing_that_is_recovered(rig: KeptRig) -> None:
    rig.list(due())
    rig.hear(3.0)
    hearing, _ = begin_with_minute(rig)
    rig.crash()
    rig.start()
    assert rig.phase() in ("recording", "recess")
    end(rig, hearing)
    assert rig.lines(hearing, "part_opened")[0]["reason"] == "kept_before_start"


# -- off and refused ---------------------------------------------------------------------------
def test_by_default_nothing_is_kept(tmp_path: Path) -> None:
    rig = make_rig(tmp_path, seconds=HearingSettings().kept_minute)
    try:
        rig.list(due())
        rig.hear(2.0)
        assert rig.kept() is None
        assert pattern_count(newest(rig)) == 0
        answer = rig.courtroom.start({"id": FIRST}, "p1", recording_ns(), with_minute_before=True)
        assert (answer.part, answer.kept_seconds) == (1, 0.0)
    finally:
        rig.crash()


def test_where_memory_cannot_be_locked_nothing_is_kept_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise LockedMemoryError(12, "memory cannot be locked")

    monkeypatch.setattr(kept_sound, "LockedBuffer", refuse)
    rig = make_rig(tmp_path)
    try:
        rig.list(due())
        rig.hear(2.0)
        assert rig.kept() is None
        assert "kept_minute_off" in rig.codes()
    finally:
        rig.crash()


def test_while_nobody_knows_the_time_nothing_is_due(
    rig: KeptRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_minute, "clock_state", lambda: ClockState.UNSET)
    rig.list(due())
    rig.hear(2.0)
    assert rig.kept() is None
