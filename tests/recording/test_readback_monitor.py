"""The read-back check reads the disk: missing, changed or silent media are never good."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.recording.formats.records import FragmentRecord, Track
from kiosk.recording.readback.fragment_reader import ReadbackError
from kiosk.recording.readback.monitor import (
    ReadbackMonitor,
    ReadbackState,
    RecentFragments,
    verify_recent,
)
from tests.support.hearing_builder import MediaWriter
from tests.support.waiting import wait_for


@pytest.fixture
def writer(tmp_path: Path) -> MediaWriter:
    return MediaWriter(tmp_path, recording_ns())


def fill(writer: MediaWriter, fragments: int = 6) -> RecentFragments:
    recent = RecentFragments(2 * NS_PER_S)
    for _ in range(fragments):
        recent.add(writer.write("main"))
        recent.add(writer.write("channels"))
    return recent


def test_good_media_are_proven(tmp_path: Path, writer: MediaWriter) -> None:
    recent = fill(writer)
    assert verify_recent(tmp_path, recent) == recent.of_track("main")[-1].end_ns
    assert 3 <= len(recent.of_track("channels")) <= 4
    assert 4 <= len(recent.of_track("main")) <= 6, "only what reaches back to a key picture is kept"


@pytest.mark.parametrize("track", ["main", "channels"])
def test_changed_cut_or_missing_media_are_not(
    tmp_path: Path, writer: MediaWriter, track: str
) -> None:
    recent = fill(writer)
    record = recent.of_track(track)[-1]
    path = tmp_path / record.file
    good = path.read_bytes()
    bad = bytearray(good)
    bad[record.offset + 200] ^= 1
    for content in (bytes(bad), good[:-1], b""):
        path.write_bytes(content)
        with pytest.raises(ReadbackError, match="other bytes"):
            verify_recent(tmp_path, recent)
    path.unlink()
    with pytest.raises(ReadbackError, match="No such file"):
        verify_recent(tmp_path, recent)


def test_wrong_init_file_is_found(tmp_path: Path, writer: MediaWriter) -> None:
    recent = fill(writer)
    init = tmp_path / "main" / "run-01" / "init.mp4"
    init.write_bytes(init.read_bytes().replace(b"avc1", b"xxxx"))
    with pytest.raises(ReadbackError):
        verify_recent(tmp_path, recent)


def test_nothing_on_the_disk_is_no_proof(tmp_path: Path) -> None:
    with pytest.raises(ReadbackError, match="no media"):
        verify_recent(tmp_path, RecentFragments(NS_PER_S))


def test_the_monitor_reports_and_recovers(tmp_path: Path, writer: MediaWriter) -> None:
    recent = fill(writer, 5)
    states: list[ReadbackState] = []
    monitor = ReadbackMonitor(tmp_path, recent, 0.05, states.append)
    monitor.start()
    wait_for(lambda: monitor.state.state == "good", "a good proof")
    age = monitor.state.age_seconds()
    assert age is not None
    init = tmp_path / "channels" / "run-01" / "init.mp4"
    good = init.read_bytes()
    init.unlink()
    wait_for(lambda: monitor.state.state == "bad", "a bad proof")
    assert "channels/run-01" in monitor.state.detail
    init.write_bytes(good)
    recent.add(writer.write("main"))
    recent.add(writer.write("channels"))
    wait_for(lambda: monitor.state.state == "good", "a good proof again")
    monitor.stop()
    assert {state.state for state in states} >= {"good", "bad"}


def test_sources_of_which_nothing_is_there_are_named() -> None:
    def record(track: Track, number: int, *sources: str) -> FragmentRecord:
        at_ns = number * NS_PER_S
        return FragmentRecord("run-01/1", 0, 1, "", at_ns, at_ns + NS_PER_S, tuple(sources), track)

    recent = RecentFragments(2 * NS_PER_S, ("judge", "witness", "camera"))
    for number in range(4):
        recent.add(record("main", number, "camera", "judge", "witness"))
        recent.add(record("channels", number, "judge", "witness"))
    assert recent.missing() == ()
    recent.add(record("main", 4, "judge", "witness"))
    assert recent.missing() == (), "a moment without a picture"
    for number in range(5, 8):
        recent.add(record("main", number, "judge", "witness"))
        recent.add(record("channels", number, "judge"))
    assert recent.missing() == ("witness", "camera")
    for number in range(8, 14):
        recent.add(record("main", number, "camera"))
    assert recent.missing() == ("judge", "witness"), "no microphone gives anything"
