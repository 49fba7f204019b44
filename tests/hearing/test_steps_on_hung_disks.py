"""Every step of a hearing is taken while all its disks hang, shown as owed, and written later."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder_calls import CloseSince, Statement
from kiosk.api.recorder_calls import ListenBack as ListenBackRequest
from kiosk.clocks import format_wall, recording_ns
from kiosk.evidence import seal
from kiosk.evidence.chain import read_chain
from kiosk.hearing.monitoring.listen_back import ListenBack
from kiosk.hearing.session import publicity
from kiosk.recording.journal import part_journal
from kiosk.storage import court_keys
from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.paths import Paths
from tests.hearing.bad_disk_rig import HUNG_S, BadDisk, BadDiskRig
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(params=[False, True], ids=["one disk", "two disks"])
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BadDiskRig]:
    mirror = tmp_path / "mirror" if request.param else None
    made = BadDiskRig(tmp_path, BadDisk(monkeypatch), mirror)
    yield made
    made.close()


def mark(rig: BadDiskRig) -> None:
    rig.courtroom.add_mark("case_announced", "p1")
    assert rig.hearing()["marks"][-1]["type"] == "case_announced"


def undo(rig: BadDiskRig) -> None:
    rig.courtroom.undo_mark("p1")
    assert rig.hearing()["marks"][-1]["withdrawn"]


def note(rig: BadDiskRig) -> None:
    request = Statement(subject="remark", value="the witness is late", note="")
    rig.courtroom.record_statement(request, "p1")


def recess(rig: BadDiskRig) -> None:
    rig.courtroom.recess("p1", "lunch")
    assert rig.phase() == "recess"


def retire(rig: BadDiskRig) -> None:
    rig.courtroom.retire("p1")
    assert rig.phase() == "retired"


def resume(rig: BadDiskRig) -> None:
    rig.courtroom.resume("p1")
    assert rig.phase() == "recording"


def close(rig: BadDiskRig) -> None:
    tap_ns = recording_ns()
    with rig.courtroom.held_writing(tap_ns):
        rig.courtroom.change_publicity(True, "p1", tap_ns, "civ_adoption")
    assert rig.hearing()["closed"] is not None


def reopen(rig: BadDiskRig) -> None:
    tap_ns = recording_ns()
    with rig.courtroom.held_writing(tap_ns):
        rig.courtroom.change_publicity(False, "p1", tap_ns)
    assert rig.hearing()["closed"] is None


def close_since(rig: BadDiskRig) -> None:
    tap_ns = recording_ns()
    request = CloseSince(since=format_wall(), ground="civ_adoption", note="", mark=None)
    with rig.courtroom.held_writing(tap_ns):
        rig.courtroom.close_retroactively("p1", request, tap_ns)
    assert rig.hearing()["closed"] is not None


def start(rig: BadDiskRig) -> None:
    rig.begin()
    assert rig.phase() == "recording"


def start_again(rig: BadDiskRig) -> None:
    """Start what was ended, by the same line of the list: it is another hearing."""
    (before,) = (path.name for path in rig.paths.hearings.iterdir())
    assert rig.begin(id=before) != before
    assert rig.phase() == "recording"


def end(rig: BadDiskRig) -> None:
    rig.courtroom.end("p1")
    assert rig.phase() == "sealing"


Step = Callable[[BadDiskRig], None]
STEPS: dict[str, tuple[tuple[Step, ...], Step, str]] = {
    "mark": ((), mark, "mark"),
    "undo": ((mark,), undo, "mark_withdrawn"),
    "note": ((), note, "statement"),
    "recess": ((), recess, "part_closed"),
    "retire": ((), retire, "part_closed"),
    "resume": ((recess,), resume, "part_opened"),
    "close": ((), close, "court_closed"),
    "open": ((close,), reopen, "court_opened"),
    "closed since": ((), close_since, "closing_since"),
    "end": ((), end, "ending"),
    "start": ((end,), start, "part_opened"),
    "start again": ((end,), start_again, "part_opened"),
}
"""Steps before it, the step, and the kind of its entry."""


def entries(rig: BadDiskRig, kind: str) -> list[dict[str, Any]]:
    """Return the entries of one kind that the disk has, of all journals."""
    paths = rig.paths.hearings.rglob("journal.jsonl")
    return [e for path in paths for e in read_chain(path).entries if e["kind"] == kind]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_taken_while_the_disks_hang(rig: BadDiskRig, name: str) -> None:
    before, step, kind = STEPS[name]
    rig.begin()
    rig.wait_recorded()
    for earlier in before:
        earlier(rig)
    assert rig.courtroom.seal_queue.wait_idle(20)
    count = len(entries(rig, kind))
    assert "steps_owed" not in rig.codes()
    rig.disk.attack(None)
    step(rig)
    assert rig.disk.hung, "the step waited for the disk"
    current = rig.courtroom.current
    assert current is not None
    wait_for(lambda: "steps_owed" in rig.codes(), "what is owed is shown")
    assert len(entries(rig, kind)) == count
    assert rig.disk.hung
    rig.disk.heal()
    wait_for(lambda: len(entries(rig, kind)) > count, "the entry")
    if name != "end":
        wait_for(lambda: "steps_owed" not in rig.codes(), "nothing is owed")
        rig.courtroom.end("p1")
    rig.sealed(current.state.id)


def test_closing_needs_no_disk_for_the_courts_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were read before; so was what the read-back check compares."""
    answers, real = threading.Event(), court_keys.load_court_keys
    CourtSecrets().pin(Paths(tmp_path / "data", tmp_path / "run"))

    def load(paths: Paths) -> court_keys.CourtKeys:
        assert answers.wait(HUNG_S)
        return real(paths)

    def locate(_store: MirroredStore, path: Path) -> Path:
        assert answers.wait(HUNG_S)
        return path

    monkeypatch.setattr(publicity, "load_court_keys", load)
    answers.set()
    rig = BadDiskRig(tmp_path, BadDisk(monkeypatch))
    rig.begin()
    rig.wait_recorded()
    monkeypatch.setattr(MirroredStore, "locate", locate)
    answers.clear()
    try:
        close(rig)
        assert rig.capture is not None
        assert rig.capture.codec.is_encrypted
        assert not answers.is_set()
    finally:
        answers.set()
        rig.close()


def test_many_steps_on_a_hung_disk_keep_their_order_and_their_media(rig: BadDiskRig) -> None:
    hearing = rig.begin()
    rig.wait_recorded()
    rig.disk.attack(None)
    steps = (mark, recess, resume, close, mark, reopen, retire, resume, note)
    for step in steps:
        step(rig)
    assert rig.disk.hung
    capture = rig.capture
    assert capture is not None
    assert capture.bytes == 0
    rig.disk.heal()
    rig.wait_recorded()
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    kinds = [
        entry["kind"]
        for entry in read_chain(rig.folder(hearing) / "journal.jsonl").entries
        if entry["kind"] in ("part_opened", "part_closed", "court_closed", "court_opened")
    ]
    assert kinds == [
        *("part_opened", "part_closed", "part_opened"),
        *("court_closed", "part_closed", "part_opened"),
        *("court_opened", "part_closed", "part_opened"),
        *("part_closed", "part_opened", "part_closed"),
    ]


def test_a_hearing_starts_while_the_disk_hangs(rig: BadDiskRig) -> None:
    rig.disk.attack(None)
    hearing = rig.begin()
    assert rig.phase() == "recording"
    wait_for(lambda: "steps_owed" in rig.codes(), "what is owed is shown")
    assert rig.disk.hung
    rig.disk.heal()
    rig.wait_recorded()
    rig.courtroom.end("p1")
    rig.sealed(hearing)


def test_a_playback_that_waits_for_the_disk_holds_up_no_step(
    rig: BadDiskRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that reads from a hung disk does not even end when it is killed."""
    headset = rig.settings.headset.model_copy(update={"device": "headset"})
    listening = ListenBack(rig.settings.model_copy(update={"headset": headset}))
    rig.courtroom.monitor.listen_back = listening
    rig.begin()
    rig.wait_recorded()
    with monkeypatch.context() as hanging:
        started: list[subprocess.Popen[bytes]] = []

        def launch(_command: list[str], **options: Any) -> subprocess.Popen[bytes]:
            started.append(popen(["sleep", "60"], **options))
            return started[-1]

        popen = subprocess.Popen
        hanging.setattr(subprocess, "Popen", launch)
        rig.courtroom.start_listen_back(ListenBackRequest(seconds=30))
        hanging.setattr(popen, "kill", lambda _process: None)
        recess(rig)
        polling = threading.Thread(target=rig.courtroom.poll, daemon=True)
        polling.start()
        wait_for(lambda: not polling.is_alive(), "the end of the playback")
    (process,) = started
    assert process.poll() is None
    process.kill()
    process.wait()


def test_a_seal_that_the_disk_does_not_take_is_told_and_made_later(
    rig: BadDiskRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk hangs when a part's seal goes into the journal, and a tap follows that line."""
    seal_folder = seal.seal_folder

    def seal_and_hang(*arguments: Any) -> None:
        seal_folder(*arguments)
        rig.disk.attack(None)

    hearing = rig.begin()
    rig.wait_recorded()
    monkeypatch.setattr(part_journal, "seal_folder", seal_and_hang)
    recess(rig)
    wait_for(lambda: rig.disk.hung > 0, "the line waits for the disk")
    monkeypatch.setattr(part_journal, "seal_folder", seal_folder)
    mark(rig)
    wait_for(lambda: "seal_failed" in rig.codes(), "the alarm")
    assert rig.disk.hung
    rig.disk.heal()
    wait_for(lambda: "seal_failed" not in rig.codes(), "the seal of the part")
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    assert [entry["part"] for entry in entries(rig, "part_sealed")] == [1]
