"""Picture and all sources stay synchronous in ``main``; ``channels`` keeps the devices' samples.

Flashes and beeps that begin with the whole seconds of the recording clock are read back from the
files. Drift is injected where a device's blocks come in; nothing is fitted to the rig.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from kiosk.clocks import NS_PER_S
from kiosk.config import RecordingSettings
from kiosk.recording.capture import main_track, mixer
from kiosk.recording.formats import codecs
from kiosk.recording.formats.fmp4_scan import TrackTable, complete_fragments, fragment_ends
from tests.support import fake_media
from tests.support.fake_media import (
    FakeCamera,
    FakeMicrophone,
    Wave,
    WriterRig,
    flash_times,
    join_run,
    samples,
)

START_NS = 77_000_000_000_000
TOGETHER_MS = 40.0
TONES = {"fast": 1000.0, "slow": 1400.0}


def onsets(
    times: Wave, values: Wave, rate: int, tone: float, moments: Iterable[int]
) -> dict[int, float]:
    """Return when the tone begins near each whole second, in milliseconds from it."""
    size, hop = rate // 200, rate // 1000
    wave = np.exp(-2j * np.pi * tone * np.arange(size) / rate) / size
    found = {}
    for second in moments:
        first, last = np.searchsorted(times, (second - 0.2, second + 0.2))
        near = values[first:last]
        if len(near) < 4 * size:
            continue
        starts = np.arange(0, len(near) - size, hop)
        windows = np.lib.stride_tricks.sliding_window_view(near, size)[starts]
        power = np.abs((windows * wave).sum(axis=1))
        loud = starts[power > 0.09]
        if len(loud):
            moment = float(times[first + loud[0]]) + size / 2 / rate
            found[second] = (moment - second) * 1000
    return found


def check_together(main: Path, rate: int, moments: range, wanted: dict[str, int]) -> None:
    """Check that at every moment picture and sources are within 40 ms of each other.

    Args:
        moments: seconds at which all sound and flash.
        wanted: least number of beeps of each source.
    """
    flashes = {round(at): (at - round(at)) * 1000 for at in flash_times(main)}
    times, values = samples(main)
    beeps = {name: onsets(times, values, rate, tone, moments) for name, tone in TONES.items()}
    for name, least in wanted.items():
        assert len(beeps[name]) >= least, name
    for second in moments:
        here = [errors[second] for errors in (flashes, *beeps.values()) if second in errors]
        assert all(abs(error) < TOGETHER_MS for error in here), (second, here)
        assert not here or max(here) - min(here) < TOGETHER_MS, (second, here)


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Low rates, no fsync, and no FLAC (nothing reads it here): an hour in seconds.

    The code that keeps time is the same.
    """
    rate, fps = 8_000, 5
    for module in (codecs, main_track, mixer):
        monkeypatch.setattr(module, "MIX_RATE", rate)
    monkeypatch.setattr(mixer.Mixer, "CHUNK_SAMPLES", 2 * codecs.AAC_FRAME)
    monkeypatch.setattr(codecs.FlacEncoder, "encode", lambda _self, _samples: b"-")
    monkeypatch.setattr(fake_media, "RATE", rate)
    monkeypatch.setattr(fake_media, "BLOCK_SAMPLES", rate // 10)
    monkeypatch.setattr(fake_media, "FPS", fps)
    monkeypatch.setattr(os, "fdatasync", lambda _descriptor: None)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    fake_media.flash_second.cache_clear()
    yield rate
    fake_media.flash_second.cache_clear()


class RareBeeper(FakeMicrophone):
    """Microphone that beeps every ten seconds; silence in between is cheap to encode."""

    def _samples(self) -> np.ndarray:
        first_ns = self._start_ns + self._index * NS_PER_S / self._rate
        if NS_PER_S < first_ns % (10 * NS_PER_S) < 9 * NS_PER_S:
            return np.zeros(fake_media.BLOCK_SAMPLES, np.int16)
        return super()._samples()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_hour_with_clocks_that_drift_apart(tmp_path: Path, compressed: int) -> None:
    """Uncorrected, 100 ppm each way would be 720 ms apart at the end."""
    seconds, warm_ns = 3600, 12 * NS_PER_S
    recorded = WriterRig(tmp_path, START_NS)
    microphones: dict[str, FakeMicrophone] = {
        "fast": RareBeeper(START_NS - warm_ns, ppm=100, tone=TONES["fast"]),
        "slow": RareBeeper(START_NS - warm_ns, ppm=-100, tone=TONES["slow"]),
    }
    for microphone in microphones.values():
        microphone.noise[:] = 0
        assert list(microphone.until(START_NS))
    recording = RecordingSettings(fragment_ms=500, file_seconds=600, mix_bitrate=48_000)
    writer = recorded.create_writer(dict.fromkeys(TONES, compressed), recording=recording)
    stop_ns = START_NS + seconds * NS_PER_S
    recorded.run(writer, stop_ns, FakeCamera(START_NS), microphones, step_ns=200_000_000)
    writer.finish(stop_ns)
    moments = range(-START_NS // NS_PER_S % 10 or 10, seconds, 10)
    least = dict.fromkeys(TONES, len(moments) - 1)
    check_together(join_run(tmp_path, "main"), compressed, moments, least)
    drift = writer.samples["fast"] - writer.samples["slow"]
    assert drift == pytest.approx(seconds * compressed * 200e-6, abs=fake_media.BLOCK_SAMPLES), (
        "nothing is lost"
    )
    assert recorded.interruptions == []


def warm(tone: float, ppm: float = 0.0) -> FakeMicrophone:
    """Return a microphone that has been warm for twelve seconds."""
    microphone = FakeMicrophone(START_NS - 12 * NS_PER_S, ppm=ppm, tone=tone)
    assert list(microphone.until(START_NS))
    return microphone


def test_after_a_stall_and_a_return_all_are_together_again(tmp_path: Path) -> None:
    recorded = WriterRig(tmp_path, START_NS)
    microphones = {"fast": warm(TONES["fast"], 80), "slow": warm(TONES["slow"], -80)}
    writer = recorded.create_writer(dict.fromkeys(TONES, 48_000))
    camera = FakeCamera(START_NS)

    def until(second: int, **away: str) -> None:
        now_ns = START_NS + second * NS_PER_S
        recorded.run(writer, now_ns, camera, microphones, lambda name: away.get(name, "ok"))

    until(4)
    until(7, fast="dead")  # its samples are lost, its index continues
    until(10)
    until(13, camera="frozen")
    camera.skip_until(recorded.now_ns)
    until(16)
    until(18, slow="absent")
    microphones["slow"] = FakeMicrophone(recorded.now_ns, -80, TONES["slow"])  # reopened
    microphones["slow"].clock.epoch = 1
    until(24)
    recorded.run(writer, START_NS + 25 * NS_PER_S, camera, microphones)  # everything at once ...
    recorded.now_ns += NS_PER_S  # ... and the recorder hangs for a second
    until(30)
    writer.finish(recorded.now_ns)
    check_together(join_run(tmp_path, "main"), 48_000, range(1, 30), {"fast": 24, "slow": 25})
    kinds = [
        (interruption.source, interruption.kind)
        for interruption in recorded.interruptions
        if interruption.end_ns is not None
    ]
    assert {("fast", "dead"), ("camera", "frozen"), ("slow", "absent")} <= set(kinds)


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
        writer.tick(recorded.now_ns, "off", dict.fromkeys(TONES, ("ok", None)))
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
