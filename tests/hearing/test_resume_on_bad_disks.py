"""A hearing that was interrupted resumes by itself, also when the disk refuses at first."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kiosk.errors import StorageError
from kiosk.hearing.session.part_controller import PartController
from kiosk.storage.court_keys import CourtKeyError
from tests.hearing.bad_disk_rig import BadDisk, BadDiskRig

KINDS = {"hangs": None, "is full": errno.ENOSPC, "is read-only": errno.EROFS, "fails": errno.EIO}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("has_mirror", [False, True], ids=["one disk", "two disks"])
def test_it_goes_on_as_soon_as_a_disk_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, first: int, has_mirror: bool
) -> None:
    """The disk goes wrong after the recovery, at the n-th write of the next part."""
    disk = BadDisk(monkeypatch)
    rig = BadDiskRig(tmp_path, disk, tmp_path / "mirror" if has_mirror else None)
    hearing = rig.begin()
    rig.wait_recorded()
    start_next = PartController.start_next

    def start_on_a_bad_disk(*arguments: object, **more: object) -> None:
        disk.attack(KINDS[kind], first)
        start_next(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(PartController, "start_next", start_on_a_bad_disk)
    rig.crash()
    try:
        rig.start()
        assert rig.phase() == "recording"
        assert rig.state()["lamp"] != "off"
        disk.heal()
        rig.wait_recorded()
        assert rig.phase() == "recording"
        assert "start_failed" not in rig.codes()
        assert rig.lines(hearing, "stopped") == []
        rig.courtroom.end("p1")
        rig.sealed(hearing)
        opened = [line["reason"] for line in rig.lines(hearing, "part_opened")]
        assert opened == ["start", "recovered"]
    finally:
        rig.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageError("it refuses"), "storage_failed"),
        (CourtKeyError("none"), "court_key_missing"),
        (RuntimeError("can't start new thread"), "recording_failed"),
    ],
)
def test_a_resume_that_cannot_begin_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    """Not recording, an alarm, and a way on: the tap. The journal has the reason."""
    rig = BadDiskRig(tmp_path, BadDisk(monkeypatch))
    hearing = rig.begin()
    rig.wait_recorded()
    with monkeypatch.context() as patch:

        def refuse(*_arguments: object, **_more: object) -> None:
            raise error

        patch.setattr(PartController, "start_next", refuse)
        rig.crash()
        rig.start()
    try:
        assert (rig.phase(), rig.state()["lamp"]) == ("recess", "off")
        assert "recorder_recovered" in rig.codes()
        assert [line["reason"] for line in rig.lines(hearing, "stopped")] == [reason]
        rig.courtroom.resume("p1")
        rig.wait_recorded()
        assert rig.phase() == "recording"
        rig.courtroom.end("p1")
        rig.sealed(hearing)
    finally:
        rig.close()
