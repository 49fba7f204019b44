"""A hearing that cannot be sealed is set aside and named; the others are sealed meanwhile."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.errors import StorageError
from kiosk.evidence.chain import read_chain
from kiosk.storage.hashing import sha256_of
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.waiting import wait_for


def refuse(number: int) -> Callable[[Path], str]:
    """Return a hash function that cannot read the file."""

    def fail(path: Path) -> str:
        raise StorageError(f"{path}: cannot be read") from OSError(number, "unreadable")

    return fail


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ENOENT])
def test_one_unreadable_file_among_three_hearings(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    broken = ""

    def read(path: Path) -> str:
        if broken and broken in path.parts and path.suffix == ".m4s":
            return refuse(number)(path)
        return sha256_of(path)

    monkeypatch.setattr("kiosk.evidence.seal.sha256_of", read)
    broken = rig.begin()
    rig.courtroom.end("p1")
    wait_for(lambda: "seal_failed" in rig.codes(), "the alarm")
    others = [rig.begin()]
    rig.courtroom.end("p1")
    others.append(rig.begin())
    rig.courtroom.end("p1")
    for other in others:
        wait_for((rig.folder(other) / "SHA256SUMS.p7s").exists, "the seal of the others")
    failed = [alarm for alarm in rig.courtroom.state().alarms if alarm.code == "seal_failed"]
    assert [alarm.source for alarm in failed] == [broken]
    first, broken = broken, ""
    for hearing in (first, *others):
        rig.sealed(hearing)
    assert "seal_failed" not in rig.codes()


def test_jobs_of_one_hearing_keep_their_order(rig: CourtroomRig) -> None:
    done: list[int] = []
    attempts: list[int] = []

    def first() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise StorageError("no")
        done.append(1)

    rig.courtroom.seal_queue.submit("one/1", first)
    rig.courtroom.seal_queue.submit("one", lambda: done.append(2))
    assert rig.courtroom.seal_queue.wait_idle(10)
    assert done == [1, 2]
    assert rig.courtroom.seal_queue.failing_hearings == ()


def test_a_part_that_waits_for_its_seal_is_not_owed(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hearing is being hashed when the next has its recess; the disk is well."""
    monkeypatch.setattr("kiosk.hearing.monitoring.state.OWED_AFTER_S", 0.0)
    goes_on = threading.Event()

    def wait() -> None:
        goes_on.wait()

    rig.courtroom.seal_queue.submit("another", wait)
    try:
        hearing = rig.begin()
        rig.courtroom.recess("p1")
        open_hearing = rig.courtroom.current
        assert open_hearing is not None
        wait_for(lambda: open_hearing.owed_seconds == 0.0, "all is durable")
        assert "steps_owed" not in rig.codes()
        chain = read_chain(rig.folder(hearing) / "part-01" / "journal.jsonl")
        assert "closed" in {entry["kind"] for entry in chain.entries}
    finally:
        goes_on.set()
    rig.courtroom.end("p1")
    rig.sealed(hearing)
