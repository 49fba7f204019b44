"""Each write of a start fails once, or from there on: nothing records by itself afterwards."""

from __future__ import annotations

import errno
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S, recording_ns, wall_time
from kiosk.errors import StorageError
from kiosk.hearing.session import crash_recovery
from kiosk.recording import part
from kiosk.recording.repair import recovery
from kiosk.storage.store import DIRECT
from kiosk.storage.volume import StorageVolume
from tests.hearing.bad_disk_rig import BadDisk, BadDiskRig
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

MODES = ("ENOSPC", "EIO", "EROFS", "stall")
HOURS_S = 5 * 3600


class FailingDisk:
    """Counts the writes of hearings, and refuses or delays the one that a test names.

    Attributes:
        count: writes since :meth:`fail_at` or :meth:`heal`.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._waiting = 0
        self._patience = pytest.MonkeyPatch()
        self.heal()
        for name in ("append", "write_file", "make_folder", "discard_start"):
            patch.setattr(StorageVolume, name, self._wrap(getattr(StorageVolume, name)))

    def heal(self) -> None:
        """Accept every write; those that are delayed go on."""
        self._patience.undo()
        if hasattr(self, "_healed"):
            self._healed.set()
            wait_for(lambda: self._waiting == 0, "the delayed writes")
        self.count, self._at, self._mode, self._lasts = 0, 0, "", False

    def fail_at(self, number: int, mode: str, *, lasts: bool) -> None:
        """Fail write ``number`` from now (1: the next), and with ``lasts`` all after it."""
        self.heal()
        self._healed = threading.Event()
        if mode == "stall":  # a busy disk may take longer than this, and nothing is wrong
            self._patience.setattr("kiosk.evidence.journal_file.APPEND_TIMEOUT_S", 0.2)
            self._patience.setattr("kiosk.storage.mirrored_store.WRITE_TIMEOUT_S", 0.2)
        self._at, self._mode, self._lasts = number, mode, lasts

    def _wrap(self, write: Any) -> Any:
        def run(volume: StorageVolume, relative: str, *arguments: Any) -> None:
            self.count += 1
            if self._at and (self.count == self._at or (self._lasts and self.count > self._at)):
                if self._mode != "stall":
                    raise OSError(getattr(errno, self._mode), "the disk refuses")
                self._delay(write, volume, relative, *arguments)
            else:
                write(volume, relative, *arguments)

        return run

    def _delay(self, write: Any, *arguments: Any) -> None:
        """Write when the disk is healed, as a hung disk does."""
        self._waiting += 1
        try:
            self._healed.wait(20)
            write(*arguments)
        finally:
            self._waiting -= 1


@pytest.fixture
def disk(rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingDisk]:
    """Return the disk of ``rig``."""
    del rig  # only so that the disk is healed before the rig ends
    made = FailingDisk(monkeypatch)
    yield made
    made.heal()


def media(rig: CourtroomRig) -> list[Path]:
    """Return all media files of unsealed hearings and parts."""
    files = rig.paths.hearings.rglob("run-*/*")
    return [path for path in files if not (path.parents[2] / "SHA256SUMS.p7s").exists()]


def restart(rig: CourtroomRig, seconds: float) -> None:
    """Kill the recorder and start it ``seconds`` later."""
    rig.crash()
    with pytest.MonkeyPatch.context() as patch:
        later_ns = round(seconds * NS_PER_S)
        for module in (crash_recovery, recovery):
            patch.setattr(module, "recording_ns", lambda: recording_ns() + later_ns)
        patch.setattr(recovery, "wall_time", lambda: wall_time() + timedelta(seconds=seconds))
        rig.start()


def _pairs(*others: Any) -> list[tuple[str, bool, Any]]:
    """Return each mode with each of ``others``, a failure of every second one lasts."""
    return [
        (mode, (row + column) % 2 == 1, other)
        for row, mode in enumerate(MODES)
        for column, other in enumerate(others)
    ]


@pytest.mark.parametrize(("mode", "lasts", "closed"), _pairs(False, True))
def test_any_write_of_a_start_fails(
    rig: CourtroomRig, disk: FailingDisk, mode: str, lasts: bool, closed: bool
) -> None:
    fields: dict[str, Any] = {"publicity": "open"}
    if closed:
        CourtSecrets().pin(rig.paths)
        fields = {"publicity": "closed", "state_secret": True}
    known_failures = 0
    for number in range(1, 13):
        for seconds in (0, HOURS_S):
            disk.fail_at(number, mode, lasts=lasts)
            try:
                hearing_id = rig.begin(**fields)
            except StorageError:
                known_failures += 1
            else:  # a write that is owed, or one that follows the start
                disk.heal()
                rig.courtroom.end("p1")
                rig.sealed(hearing_id)
                continue
            assert (rig.phase(), rig.state()["lamp"]) == ("idle", "off"), number
            assert "start_failed" in rig.codes(), number
            assert media(rig) == [], number
            if number % 2:  # the disk comes back before the restart, or with it
                disk.heal()
            started = len(rig.parts)
            rig.crash()
            disk.heal()
            restart(rig, seconds)
            assert (rig.phase(), len(rig.parts)) == ("idle", started), number
            assert media(rig) == [], number
            assert "start_failed" not in rig.codes(), "an old folder is no fault of now"
            next_id = rig.begin(**fields)
            assert rig.phase() == "recording"
            assert "start_failed" not in rig.codes(), number
            rig.courtroom.end("p1")
            rig.sealed(next_id)
    if mode == "stall":
        assert known_failures == 0, "a disk that hangs prevents no start"
    elif lasts:
        assert known_failures >= 4, "hearing.json and the first entry; the rest is owed"


def test_a_second_tap_is_not_removed_by_what_the_first_left(
    rig: CourtroomRig, disk: FailingDisk
) -> None:
    """The removal that waits for the disk belongs to the first tap, whose id the second takes."""
    rig.courtroom.seal_queue.retry_s = 60.0
    hearing_id = str(uuid.uuid4())
    disk.fail_at(1, "EIO", lasts=True)
    with pytest.raises(StorageError):
        rig.begin(id=hearing_id)
    wait_for(lambda: rig.courtroom.seal_queue.failing_hearings == (hearing_id,), "the removal")
    disk.heal()
    wait_for(lambda: begins(rig, hearing_id), "the second tap")
    assert rig.courtroom.seal_queue.wait_idle(0), "the removal is withdrawn"
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


def test_what_holds_media_is_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "hearing"
    init = folder / "part-01" / "main" / "run-01" / "init.mp4"
    init.parent.mkdir(parents=True)
    for path in (init, folder / "hearing.json", folder / "journal.jsonl"):
        path.write_bytes(b"{}")
    DIRECT.discard_start(folder)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 3


def begins(rig: CourtroomRig, hearing_id: str) -> bool:
    """Start the hearing; return whether it has this id, False if the disk refuses it."""
    try:
        assert rig.begin(id=hearing_id) == hearing_id
    except StorageError:
        return False
    return True


@pytest.mark.parametrize("broken", ["writer", "thread"])
def test_a_start_that_breaks_within_leaves_no_listener(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    start_thread = threading.Thread.start

    def refuse_part(thread: threading.Thread) -> None:
        if thread.name == "part":
            raise RuntimeError("can't start new thread")
        start_thread(thread)

    def refuse(*_arguments: object) -> None:
        raise RuntimeError("no memory for it")

    rig = BadDiskRig(tmp_path, BadDisk(monkeypatch))
    try:
        with monkeypatch.context() as patch:
            if broken == "writer":
                patch.setattr(part, "PartWriter", refuse)
            else:
                patch.setattr(threading.Thread, "start", refuse_part)
            with pytest.raises(RuntimeError, match=r"no memory|new thread"):
                rig.begin()
        assert not rig.live.is_dispatching
        assert (rig.phase(), rig.state()["lamp"]) == ("idle", "off")
        assert "start_failed" in rig.codes()
        rig.begin()
        rig.wait_recorded()
        assert "start_failed" not in rig.codes()
    finally:
        rig.close()


@pytest.mark.parametrize(("mode", "lasts", "restarts"), _pairs(None, 0, HOURS_S))
def test_any_write_of_a_resume_fails(
    rig: CourtroomRig, disk: FailingDisk, mode: str, lasts: bool, restarts: float | None
) -> None:
    known_failures = 0
    for number in range(1, 40):
        hearing_id = rig.begin()
        rig.courtroom.recess("p1", "lunch")
        assert rig.courtroom.seal_queue.wait_idle(20)
        disk.fail_at(number, mode, lasts=lasts)
        try:
            rig.courtroom.resume("p1")
        except StorageError:
            known_failures += not rig.courtroom.is_capturing
        done = rig.courtroom.is_capturing
        if not done:
            assert (rig.phase(), rig.state()["lamp"]) == ("recess", "off"), number
            assert "start_failed" in rig.codes(), number
            assert media(rig) == [], number
            if restarts is not None:
                started = len(rig.parts)
                rig.crash()
                disk.heal()
                restart(rig, restarts)
                assert (rig.phase(), len(rig.parts)) == ("recess", started), number
                assert media(rig) == [], number
            disk.heal()
            resume_when_possible(rig)
            assert rig.phase() == "recording"
        disk.heal()
        rig.courtroom.end("p1")
        rig.sealed(hearing_id)
        if done:
            assert known_failures == (mode != "stall"), "the first entry; the rest is owed"
            return
    pytest.fail("a resume never succeeds")


def resume_when_possible(rig: CourtroomRig) -> None:
    """Resume; a disk that has just come back refuses for a moment."""
    deadline = time.monotonic() + 10
    while True:
        try:
            rig.courtroom.resume("p1")
        except StorageError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
