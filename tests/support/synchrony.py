"""Offsets between picture and sound in recordings with known clocks, as the files have them.

Flashes and beeps that begin with the whole seconds of the recording clock are read back from the
files. Drift is injected where a device's blocks come in; nothing is fitted to the rig.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from kiosk.clocks import NS_PER_S
from kiosk.config import RecordingSettings
from kiosk.recording.capture import main_track, mixer
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.formats import codecs
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


def read_offsets(
    main: Path, rate: int, moments: range, least: Mapping[str, int]
) -> dict[int, list[float]]:
    """Return how far flash and beeps are from each whole second, in milliseconds.

    Args:
        moments: seconds at which all sound and flash.
        least: least number of beeps of each source.
    """
    flashes = {round(at): (at - round(at)) * 1000 for at in flash_times(main)}
    times, values = samples(main)
    beeps = {name: onsets(times, values, rate, tone, moments) for name, tone in TONES.items()}
    for name, number in least.items():
        assert len(beeps[name]) >= number, name
    return {
        second: [errors[second] for errors in (flashes, *beeps.values()) if second in errors]
        for second in moments
    }


def largest_offset(offsets: Mapping[int, list[float]]) -> float:
    """Return the largest distance between two sources, or of one from the truth, in ms."""
    return max(max(0.0, *here) - min(0.0, *here) for here in offsets.values() if here)


@contextmanager
def compressed_media() -> Iterator[int]:
    """Set low rates, no fsync, and no FLAC (nothing reads it here): an hour in seconds.

    The code that keeps time is the same. Yields the rate.
    """
    rate, fps = 8_000, 5
    with pytest.MonkeyPatch.context() as patch:
        for module in (codecs, main_track, mixer):
            patch.setattr(module, "MIX_RATE", rate)
        patch.setattr(mixer.Mixer, "CHUNK_SAMPLES", 2 * codecs.AAC_FRAME)
        patch.setattr(codecs.FlacEncoder, "encode", lambda _self, _samples: b"-")
        patch.setattr(fake_media, "RATE", rate)
        patch.setattr(fake_media, "BLOCK_SAMPLES", rate // 10)
        patch.setattr(fake_media, "FPS", fps)
        patch.setattr(os, "fdatasync", lambda _descriptor: None)
        patch.setattr(os, "fsync", lambda _descriptor: None)
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


def record_an_hour(folder: Path, rate: int) -> tuple[WriterRig, PartWriter, dict[int, list[float]]]:
    """Record an hour with clocks 100 ppm off each way (see :func:`compressed_media`)."""
    seconds, warm_ns = 3600, 12 * NS_PER_S
    recorded = WriterRig(folder, START_NS)
    microphones: dict[str, FakeMicrophone] = {
        "fast": RareBeeper(START_NS - warm_ns, ppm=100, tone=TONES["fast"]),
        "slow": RareBeeper(START_NS - warm_ns, ppm=-100, tone=TONES["slow"]),
    }
    for microphone in microphones.values():
        microphone.noise[:] = 0
        assert list(microphone.until(START_NS))
    recording = RecordingSettings(fragment_ms=500, file_seconds=600, mix_bitrate=48_000)
    writer = recorded.create_writer(dict.fromkeys(TONES, rate), recording=recording)
    stop_ns = START_NS + seconds * NS_PER_S
    recorded.run(writer, stop_ns, FakeCamera(START_NS), microphones, step_ns=200_000_000)
    writer.finish(stop_ns)
    moments = range(-START_NS // NS_PER_S % 10 or 10, seconds, 10)
    least = dict.fromkeys(TONES, len(moments) - 1)
    return recorded, writer, read_offsets(join_run(folder, "main"), rate, moments, least)


def warm(tone: float, ppm: float = 0.0) -> FakeMicrophone:
    """Return a microphone that has been warm for twelve seconds."""
    microphone = FakeMicrophone(START_NS - 12 * NS_PER_S, ppm=ppm, tone=tone)
    assert list(microphone.until(START_NS))
    return microphone


def record_stalls_and_returns(folder: Path) -> tuple[WriterRig, dict[int, list[float]]]:
    """Record half a minute in which each source stalls and returns, and the recorder hangs."""
    recorded = WriterRig(folder, START_NS)
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
    least = {"fast": 24, "slow": 25}
    return recorded, read_offsets(join_run(folder, "main"), 48_000, range(1, 30), least)
