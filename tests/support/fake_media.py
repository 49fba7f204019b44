"""Fake sources with clocks of their own for tests of the recording, and reading back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.config import RecordingSettings
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.audio.sample_clock import SampleClock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.recording.capture.part_config import PartLayout, PartOutput
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption

SIZE = (160, 96)
FPS = 25
RATE = 48_000
BLOCK_SAMPLES = 960
FLASH_NS = 80_000_000
"""Flash and beep begin with each whole second of the recording clock and last so long."""
Wave = NDArray[np.float64]


# -- fake sources ------------------------------------------------------------------------------
@lru_cache
def flash_second(
    width: int = SIZE[0], height: int = SIZE[1], light: int = 235, dark: int = 40
) -> tuple[bytes, ...]:
    """Return one second of coded pictures: two light ones, 23 dark ones; the first is a key."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate, codec.time_base, codec.gop_size = Fraction(FPS), Fraction(1, FPS), FPS
    codec.options = {"preset": "ultrafast", "tune": "zerolatency"}
    packets = []
    for number in range(FPS):
        shade = light if number < 2 else dark
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        picture[:height] = shade
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        packets += [bytes(packet) for packet in codec.encode(frame)]
    assert len(packets) == FPS
    return tuple(packets)


class FakeCamera:
    """Flashes each whole second; pictures on the recording clock."""

    def __init__(
        self, start_ns: int, size: tuple[int, int] = SIZE, shades: tuple[int, int] = (235, 40)
    ) -> None:
        self._shades = shades
        self._number = -(-start_ns // NS_PER_S) * FPS
        self.session = 1
        self._size = size

    def until(self, now_ns: int) -> Iterator[VideoPacket]:
        """Yield the pictures taken before ``now_ns``."""
        while (at_ns := self._number * NS_PER_S // FPS) < now_ns:
            place = self._number % FPS
            data = flash_second(*self._size, *self._shades)[place]
            self._number += 1
            yield VideoPacket(at_ns, self.session, place == 0, data)

    def skip_until(self, now_ns: int) -> None:
        """Lose the pictures before ``now_ns``; come back in a new session with a key frame."""
        self._number = -(-now_ns // NS_PER_S) * FPS
        self.session += 1


class FakeMicrophone:
    """Beeps each whole second; its crystal is off by ``ppm``; deliveries are late by jitter."""

    def __init__(
        self,
        start_ns: int,
        ppm: float = 0.0,
        tone: float = 1000.0,
        late_ns: int = 0,
        late_until_ns: int = 0,
    ) -> None:
        """Start; blocks captured before ``late_until_ns`` are late by ``late_ns`` besides."""
        self._start_ns = start_ns
        self._late_ns, self._late_until_ns = late_ns, late_until_ns
        self._rate = RATE * (1 + ppm * 1e-6)
        self._tone = tone
        self.clock = SampleClock(RATE)
        self._index = 0
        self._random = random.Random(round(ppm * 10) + 1)
        self.noise = np.random.default_rng(3).integers(-30, 30, BLOCK_SAMPLES).astype(np.int16)
        self._late: list[tuple[int, bytes]] = []
        self.sent: list[NDArray[np.int16]] = []

    def until(self, now_ns: int) -> Iterator[AudioBlock]:
        """Yield the blocks that have been delivered before ``now_ns``."""
        while True:
            end = self._start_ns + (self._index + BLOCK_SAMPLES) * NS_PER_S / self._rate
            late_ns = self._late_ns if end < self._late_until_ns else 0
            if end + late_ns > now_ns:
                return
            samples = self._samples()
            self._index += BLOCK_SAMPLES
            arrival = round(end + late_ns + min(12e6, self._random.expovariate(1 / 2e6)))
            for stamped in self.clock.push(arrival, BLOCK_SAMPLES, samples.tobytes()):
                data = np.frombuffer(stamped.data, np.int16)
                yield AudioBlock(stamped.epoch, stamped.index, stamped.start_ns, data)

    def _samples(self) -> NDArray[np.int16]:
        step = NS_PER_S / self._rate
        first = self._start_ns + self._index * step
        if FLASH_NS + 1e6 < first % NS_PER_S < NS_PER_S - BLOCK_SAMPLES * step - 1e6:
            samples = self.noise
        else:
            times = first + np.arange(BLOCK_SAMPLES) * step
            wave = np.sin(times * (2e-9 * np.pi * self._tone)) * 12000
            samples = np.where(times % NS_PER_S < FLASH_NS, wave, self.noise).astype(np.int16)
        self.sent.append(samples)
        return samples


@dataclass
class RecordList:
    """A sink that keeps all records of a part."""

    fragments: list[FragmentRecord] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    files: list[FileRecord] = field(default_factory=list)

    def add_fragment(self, record: FragmentRecord) -> None:
        """Keep a fragment."""
        self.fragments.append(record)

    def add_file(self, record: FileRecord) -> None:
        """Keep a file."""
        self.files.append(record)

    def add_interruption(self, interruption: Interruption) -> None:
        """Keep an interruption."""
        self.interruptions.append(interruption)


class WriterRig(RecordList):
    """A part writer with fake sources, and everything it reports."""

    def __init__(self, folder: Path, start_ns: int) -> None:
        super().__init__()
        self.folder = folder
        self.start_ns = start_ns
        self.now_ns = 0

    def create_writer(
        self,
        rates: dict[str, int],
        camera: bool = True,
        recording: RecordingSettings | None = None,
        expected: frozenset[str] | None = None,
        size: tuple[int, int] = SIZE,
        codec: FragmentCodec = PLAIN_CODEC,
    ) -> PartWriter:
        present = frozenset(rates) | (frozenset({"camera"}) if camera else frozenset())
        layout = PartLayout(rates, size, FPS, camera, present if expected is None else expected)
        return PartWriter(
            PartOutput(self.folder, self, codec),
            layout,
            recording or RecordingSettings(),
            self.start_ns,
            1_790_000_000_000_000_000,
            clock=lambda: self.now_ns,
        )

    def run(
        self,
        writer: PartWriter,
        until_ns: int,
        camera: FakeCamera | None,
        microphones: dict[str, FakeMicrophone],
        states: Callable[[str], str] = lambda _name: "ok",
        step_ns: int = 40_000_000,
    ) -> None:
        """Let time pass in steps; sources whose state is not ``ok`` give nothing."""
        self.now_ns = self.now_ns or self.start_ns
        while self.now_ns < until_ns:
            self.now_ns += step_ns
            if camera is not None and states("camera") == "ok":
                for packet in camera.until(self.now_ns):
                    writer.add_video(packet)
            for name, microphone in microphones.items():
                blocks = list(microphone.until(self.now_ns))
                if states(name) == "ok":
                    for block in blocks:
                        writer.add_audio(name, block)
            named = {name: (MicrophoneState(states(name)), None) for name in microphones}
            writer.tick(self.now_ns, states("camera"), named)


# -- reading back ------------------------------------------------------------------------------
def join_run(part: Path, track: str, run: int = 1) -> Path:
    """Join a run's init and media files: a plain MP4."""
    folder = part / track / f"run-{run:02d}"
    target = part / f"{track}-{run}.mp4"
    media = sorted(folder.glob("*.m4s"))
    target.write_bytes(b"".join(path.read_bytes() for path in (folder / "init.mp4", *media)))
    return target


def pictures(path: Path) -> list[tuple[float, float]]:
    """Return (seconds, mean brightness) of each picture."""
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), float(frame.to_ndarray()[: frame.height].mean()))
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]


def samples(path: Path, track: int = 0) -> tuple[Wave, Wave]:
    """Return times in seconds and values (-1..1) of an audio track, as the file stamps them."""
    times, values = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=track):
            data = frame.to_ndarray()[0].astype(np.float64)
            values.append(data if frame.format.name.startswith("flt") else data / 32768)
            assert frame.pts is not None
            assert frame.time_base is not None
            start = float(frame.pts * frame.time_base)
            times.append(start + np.arange(len(data)) / frame.sample_rate)
    return np.concatenate(times), np.concatenate(values)


def flash_times(path: Path) -> list[float]:
    """Return when the picture turned white."""
    found, before = [], 0.0
    for seconds, brightness in pictures(path):
        if brightness > 128 >= before:
            found.append(seconds)
        before = brightness
    return found


def beep_times(path: Path, track: int = 0, threshold: float = 0.1) -> list[float]:
    """Return when each beep began (0.3 s apart at least)."""
    times, values = samples(path, track)
    loud = times[np.abs(values) > threshold]
    first = np.concatenate(([True], np.diff(loud) > 0.3))
    return [float(moment) for moment in loud[first]]


def errors_ms(found: list[float], start_ns: int, period_s: int = 1) -> list[float]:
    """Return how far each moment (since the tap) is from the nearest whole second."""
    period = period_s * NS_PER_S
    places = [(start_ns + moment * NS_PER_S) % period for moment in found]
    return [(place if place < period / 2 else place - period) / 1e6 for place in places]
