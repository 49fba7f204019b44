"""Picture and all sources stay synchronous in ``main``; ``channels`` keeps the devices' samples."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.recording.formats.fmp4_scan import TrackTable, complete_fragments, fragment_ends
from tests.support import fake_media
from tests.support.fake_media import FakeCamera, FakeMicrophone, WriterRig, join_run, samples
from tests.support.synchrony import (
    START_NS,
    TONES,
    compressed_media,
    largest_offset,
    onsets,
    record_an_hour,
    record_stalls_and_returns,
    warm,
)

TOGETHER_MS = 20.0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_hour_with_clocks_that_drift_apart(tmp_path: Path) -> None:
    """Uncorrected, 100 ppm each way would be 720 ms apart at the end."""
    with compressed_media() as rate:
        recorded, writer, offsets = record_an_hour(tmp_path, rate)
        assert largest_offset(offsets) < TOGETHER_MS, offsets
        drift = writer.samples["fast"] - writer.samples["slow"]
        assert drift == pytest.approx(3600 * rate * 200e-6, abs=fake_media.BLOCK_SAMPLES), (
            "nothing is lost"
        )
        assert recorded.interruptions == []


def test_after_a_stall_and_a_return_all_are_together_again(tmp_path: Path) -> None:
    recorded, offsets = record_stalls_and_returns(tmp_path)
    assert largest_offset(offsets) < TOGETHER_MS, offsets
    kinds = [
        (interruption.source, interruption.kind)
        for interruption in recorded.interruptions
        if interruption.end_ns is not None
    ]
    assert {("fast", "dead"), ("camera", "frozen"), ("slow", "absent")} <= set(kinds)


@pytest.mark.parametrize("late_ms", [15, 95, 231])
def test_late_first_blocks_after_a_return_do_not_keep_the_sound_late(
    tmp_path: Path, late_ms: int
) -> None:
    """The blocks of the first 0.4 s come late, and so is the time they get; no other is.

    The crystal is fast: samples that follow those before would be later with each second.
    """
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"fast": warm(TONES["fast"], 400)}
    writer = recorded.create_writer({"fast": 48_000}, camera=False)
    recorded.run(writer, START_NS + 3 * NS_PER_S, None, microphones)
    returned_ns = START_NS + 4 * NS_PER_S + 500_000_000
    recorded.run(writer, returned_ns, None, microphones, lambda _name: "dead")
    microphone = FakeMicrophone(
        returned_ns, 400, TONES["fast"], late_ms * 1_000_000, returned_ns + 400_000_000
    )
    microphone.clock.epoch = 1
    recorded.run(writer, START_NS + 40 * NS_PER_S, None, {"fast": microphone})
    writer.finish(recorded.now_ns)

    channels, main = join_run(tmp_path, "channels"), join_run(tmp_path, "main")
    for path in (channels, main):
        found = onsets(*samples(path), 48_000, TONES["fast"], range(6, 40))
        assert set(found) == set(range(6, 40)), path.name
        assert max(map(abs, found.values())) < TOGETHER_MS, (path.name, found)
    cut_s = sum(fault.seconds or 0 for fault in recorded.interruptions if fault.kind == "overlap")
    sent = sum(map(len, microphone.sent))
    kept = np.count_nonzero(samples(channels)[0] > 4.4)
    assert cut_s == pytest.approx(late_ms / 1000, abs=0.013)
    assert sent - kept == pytest.approx(cut_s * 48_000, abs=fake_media.BLOCK_SAMPLES)


def test_channels_hold_every_sample_and_each_fragment_its_place(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"fast": warm(TONES["fast"], 100), "slow": warm(TONES["slow"], -100)}
    taken: dict[str, list[np.ndarray]] = {name: [] for name in TONES}
    stamps: dict[str, list[tuple[int, int]]] = {name: [] for name in TONES}
    writer = recorded.create_writer(dict.fromkeys(TONES, 48_000), camera=False)
    while recorded.now_ns < START_NS + 20 * NS_PER_S:
        recorded.now_ns = max(recorded.now_ns, START_NS) + 40_000_000
        for name, microphone in microphones.items():
            for block in microphone.until(recorded.now_ns):
                stamps[name].append((block.start_ns, len(block.samples)))
                taken[name].append(block.samples)
                writer.add_audio(name, block)
        writer.tick(recorded.now_ns, "off", dict.fromkeys(TONES, (MicrophoneState.OK, None)))
    writer.finish(recorded.now_ns)
    channels = join_run(tmp_path, "channels")
    for track, name in enumerate(TONES):
        given = np.concatenate(taken[name])
        times, values = samples(channels, track)
        got = np.round(values * 32768).astype(np.int16)
        skipped = len(given) - len(got)
        assert 0 <= skipped < 48_000 // 2, "only what was captured before the tap"
        assert np.array_equal(given[skipped:], got), "sample by sample the device's own"
        places = np.concatenate(
            [start + np.arange(count) * NS_PER_S / 48_000 for start, count in stamps[name]]
        )[skipped:]
        apart_ms = np.abs(times * 1000 - (places - START_NS) / 1e6)
        assert float(apart_ms.max()) < 5, "each is where it was captured"


def test_records_say_what_the_files_say(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    writer = recorded.create_writer({"fast": 48_000})
    recorded.run(
        writer, START_NS + 6 * NS_PER_S, FakeCamera(START_NS), {"fast": warm(TONES["fast"], 100)}
    )
    writer.finish(recorded.now_ns)
    for track in ("main", "channels"):
        mine = [record for record in recorded.fragments if record.track == track]
        name = mine[0].file
        there = complete_fragments(tmp_path, name, 0, START_NS)
        same = [record for record in mine if record.file == name]
        assert len(there) == len(same) == len(fragment_ends(tmp_path / name, 0))
        for record, other in zip(there, same, strict=True):
            assert abs(record.start_ns - other.start_ns) < NS_PER_S // 1000
            assert (record.offset, record.sha256) == (other.offset, other.sha256)
    assert TrackTable.read(tmp_path / "channels/run-01/init.mp4").names == {1: "fast"}
    with av.open(str(join_run(tmp_path, "main"))) as container:
        assert container.duration is not None
