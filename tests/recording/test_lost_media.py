"""What the memory could not hold is not counted as recorded, and stands in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.recording.capture import track_writer
from kiosk.recording.formats.records import CAMERA, FileRecord, FragmentRecord, Interruption
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.verify.hearing import verify
from tests.support.fake_media import FPS, FakeCamera, FakeMicrophone, WriterRig
from tests.support.hearing_builder import BuiltHearing, close_part, new_hearing
from tests.support.identity import Court

SECONDS = 8


class JournalledRig(WriterRig):
    """Fake sources, a real writer and a real journal."""

    def __init__(self, journal: PartJournal, start_ns: int) -> None:
        super().__init__(journal.folder, start_ns)
        self._journal = journal

    def add_fragment(self, record: FragmentRecord) -> None:
        super().add_fragment(record)
        self._journal.add_fragment(record)

    def add_file(self, record: FileRecord) -> None:
        super().add_file(record)
        self._journal.add_file(record)

    def add_interruption(self, interruption: Interruption) -> None:
        super().add_interruption(interruption)
        self._journal.add_interruption(interruption)


@pytest.mark.parametrize("full", [(3, 5), (SECONDS, SECONDS)], ids=["in the middle", "at the stop"])
def test_a_recording_that_lost_media_verifies_and_says_so(
    full: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    court = Court.make(tmp_path / "court")
    built: BuiltHearing = new_hearing(tmp_path, court.device())
    start_ns = (recording_ns() // NS_PER_S - SECONDS) * NS_PER_S  # a key picture each second
    metadata = {"camera": {"fps": FPS}, "microphones": [{"name": "judge"}]}
    journal = built.journal.open_part(1, {"reason": "start", "tap_ns": start_ns}, metadata)
    built.parts.append(journal)
    rig = JournalledRig(journal, start_ns)
    writer = rig.create_writer({"judge": 48_000})
    camera, microphones = FakeCamera(start_ns), {"judge": FakeMicrophone(start_ns)}
    stop_ns = start_ns + SECONDS * NS_PER_S

    rig.run(writer, start_ns + full[0] * NS_PER_S, camera, microphones)
    with monkeypatch.context() as patch:
        patch.setattr(track_writer, "MAX_BACKLOG_BYTES", -1)  # the memory is full
        rig.run(writer, start_ns + full[1] * NS_PER_S, camera, microphones)
        if full[1] == SECONDS:
            writer.end(stop_ns)
    rig.run(writer, stop_ns, camera, microphones)
    writer.finish(stop_ns)
    counts = {"video_frames": writer.video_frames, "samples": writer.samples}
    close_part(built, 1, stop_ns=stop_ns, **counts)
    built.journal.end({"person": "p1"})

    report = verify(built.folder, court.ca, decode=True)
    assert report.problems == []
    (part,) = report.parts
    late = sum(row.seconds or 0 for row in rig.interruptions if row.source == CAMERA)
    lost_pictures = SECONDS - late - part.video_frames / FPS
    lost_sound = SECONDS - part.samples["judge"] / 48_000
    assert min(lost_pictures, lost_sound) > 0.1
    rows = [row for row in rig.interruptions if row.source == "storage" and row.end_ns is not None]
    seconds = sum(row.seconds or 0 for row in rows)
    assert seconds == pytest.approx(max(lost_pictures, lost_sound), abs=0.05)
    for row in rows:
        assert start_ns <= row.start_ns <= (row.end_ns or 0) <= stop_ns
        assert row.seconds
