"""A hearing is closed or opened while its disks hang, are full, read-only or fail at a write."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import recording_ns
from kiosk.recording.capture.writing_hold import WritingHold
from kiosk.recording.formats.fragment_codec import PlainFragmentCodec
from kiosk.recording.part import Part
from tests.hearing.bad_disk_rig import BadDisk, BadDiskRig
from tests.support.waiting import wait_for

SECRET = "state_secret"
AAC_FRAME_NS = 1024 * 10**9 // 48_000
"""The last frame of a part is filled up with silence beyond its end."""
KINDS = {"hang": None, "are full": errno.ENOSPC, "are read-only": errno.EROFS, "fail": errno.EIO}
DISKS = {
    "one disk": (False, ("data",)),
    "both disks": (True, ("data", "mirror")),
    "the own of two": (True, ("data",)),
}
Spans = list[tuple[int, int]]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Return from when to when, on the recording clock, all media are that were encoded plain."""
    spans: Spans = []
    encode = PlainFragmentCodec.encode

    def spy(codec: Any, name: str, plain: bytes, start: int, end: int, sources: Any) -> bytes:
        if end > start:  # not an initialisation segment
            spans.append((start, end))
        return encode(codec, name, plain, start, end, sources)

    monkeypatch.setattr(PlainFragmentCodec, "encode", spy)
    return spans


@pytest.fixture(params=DISKS)
def attacked(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Spans
) -> Iterator[tuple[BadDiskRig, tuple[str, ...]]]:
    """Return a courtroom, and which of its storages are attacked."""
    del plain
    has_mirror, roles = DISKS[request.param]
    mirror = tmp_path / "mirror" if has_mirror else None
    rig = BadDiskRig(tmp_path, BadDisk(monkeypatch), mirror)
    yield rig, roles
    rig.close()


def change(rig: BadDiskRig, closed: bool) -> tuple[int, int]:
    """Close or open the hearing with one tap, as the screen does.

    Return the tap, and the moment at which it holds the writing: what the writer took between the
    two, which is longer on a busy machine, is plain.
    """
    tap_ns = recording_ns()
    with rig.courtroom.held_writing(tap_ns):
        held_ns = recording_ns()
        rig.courtroom.change_publicity(closed, "p1", tap_ns, SECRET if closed else None)
    return tap_ns, held_ns


def is_plain(folder: Path) -> bool:
    """Return whether the boxes of plain media can be read in ``folder``."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return any(box in path.read_bytes() for path in files for box in (b"moof", b"moov"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [1, 3, 6, 9])
def test_nothing_captured_once_the_tap_holds_the_writing_is_ever_plain(
    attacked: tuple[BadDiskRig, tuple[str, ...]], plain: Spans, first: int, kind: str
) -> None:
    rig, roles = attacked
    hearing = rig.begin()
    rig.wait_recorded()
    before = rig.capture
    rig.disk.attack(KINDS[kind], first, roles)
    _, held_ns = change(rig, True)
    check_closed(rig, before)
    change(rig, True)  # it changes nothing
    check_closed(rig, before)
    rig.disk.heal()
    rig.wait_recorded()
    check_closed(rig, before)
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    assert plain
    assert max(end for _, end in plain) <= held_ns + AAC_FRAME_NS
    folder = rig.folder(hearing)
    assert (folder / "courier-only").exists()
    assert is_plain(folder / "part-01")
    assert not is_plain(folder / "part-02")
    assert len(rig.lines(hearing, "court_closed")) == 1


def check_closed(rig: BadDiskRig, plain: Part | None) -> None:
    """Check that what is shown as closed is written encrypted."""
    capture = rig.capture
    assert capture is not None
    assert capture is not plain
    assert capture.codec.is_encrypted
    shown = rig.hearing()
    assert shown["closed"] is not None
    assert (rig.phase(), shown["publicity"]) == ("recording", "closed")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [1, 6])
def test_nothing_captured_before_the_tap_is_ever_plain(
    attacked: tuple[BadDiskRig, tuple[str, ...]], plain: Spans, first: int, kind: str
) -> None:
    rig, roles = attacked
    hearing = rig.begin(publicity="closed", closure_ground="civ_adoption")
    rig.wait_recorded()
    rig.disk.attack(KINDS[kind], first, roles)
    tap_ns, _ = change(rig, False)
    assert rig.hearing()["closed"] is None
    rig.disk.heal()
    rig.wait_recorded()
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    assert plain
    assert min(start for start, _ in plain) >= tap_ns
    assert not is_plain(rig.folder(hearing) / "part-01")


@pytest.mark.slow
def test_a_closing_that_cannot_start_stops_the_capture_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Spans
) -> None:
    rig = BadDiskRig(tmp_path, BadDisk(monkeypatch))
    try:
        hearing = rig.begin()
        rig.wait_recorded()
        with monkeypatch.context() as patch:

            def fail(_capture: Part, _tap_ns: int) -> None:
                raise MemoryError

            patch.setattr(Part, "start", fail)
            tap_ns = recording_ns()
            with rig.courtroom.held_writing(tap_ns):
                held_ns = recording_ns()
                with pytest.raises(MemoryError):
                    rig.courtroom.change_publicity(True, "p1", tap_ns, SECRET)
        assert rig.capture is None
        assert (rig.phase(), rig.state()["lamp"]) == ("recess", "off")
        assert rig.hearing()["closed"] is not None
        assert "failure_reason" in rig.hearing()["open_questions"]
        assert "start_failed" in rig.codes()
        rig.courtroom.resume("p1")
        assert rig.capture is not None
        assert rig.capture.codec.is_encrypted
        assert "start_failed" not in rig.codes()
        rig.wait_recorded()
        rig.courtroom.end("p1")
        rig.sealed(hearing)
        assert max(end for _, end in plain) <= held_ns + AAC_FRAME_NS
    finally:
        rig.close()


def test_nested_and_concurrent_holds_never_release_each_other() -> None:
    hold = WritingHold()
    with hold.held(2):
        with hold.held(1), hold.held(1), hold.passing() as may_pass:
            assert not may_pass
            assert hold.since_ns == 1
        with hold.passing() as may_pass:
            assert not may_pass
        assert hold.since_ns == 2
    with hold.passing() as may_pass:
        assert may_pass
    assert hold.since_ns is None


@pytest.mark.slow
def test_a_second_request_does_not_release_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Spans
) -> None:
    rig = BadDiskRig(tmp_path, BadDisk(monkeypatch))
    try:
        rig.begin()
        rig.wait_recorded()
        first_ns = recording_ns()
        with rig.courtroom.held_writing(first_ns):
            held_ns = recording_ns()
            with rig.courtroom.held_writing(recording_ns()):
                pass
            wait_for(lambda: recording_ns() > first_ns + 2 * 10**9, "two fragments' time")
            assert max(end for _, end in plain) <= held_ns
            rig.courtroom.change_publicity(True, "p1", first_ns, SECRET)
        rig.wait_recorded()
        assert max(end for _, end in plain) <= held_ns + AAC_FRAME_NS
    finally:
        rig.close()
