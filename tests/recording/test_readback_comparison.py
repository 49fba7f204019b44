"""The read-back check compares the disk with what was captured and names each difference."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.audio.level_meter import LevelMeter
from kiosk.hardware.camera.preview import PreviewWriter
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.readback.capture_reference import LiveReference
from kiosk.recording.readback.decoded_media import GRID, Grid
from kiosk.recording.readback.fragment_reader import ReadbackError
from kiosk.recording.readback.monitor import ReadbackMonitor, RecentFragments, verify_recent
from tests.support.fake_media import RATE, FakeCamera, FakeMicrophone, WriterRig
from tests.support.waiting import wait_for

START_NS = 77_000_960_000_000
NAMES = ("judge", "witness")
SECONDS = 4


class FakeSpeaker(FakeMicrophone):
    """Microphone of a speaker with bursts of a given level and length."""

    def __init__(self, start_ns: int, amplitude: float, period_s: float) -> None:
        super().__init__(start_ns)
        self._amplitude, self._period_ns = amplitude, period_s * NS_PER_S

    def _samples(self) -> np.ndarray:
        times = (self._index + np.arange(960)) / RATE * NS_PER_S
        speaking = times % self._period_ns < self._period_ns * 0.6
        voice = np.random.default_rng(self._index).standard_normal(960) * self._amplitude
        samples = np.where(speaking, voice, voice * 0.02).astype(np.int16)
        self.sent.append(samples)
        return samples


@dataclass
class Scene:
    """A capture reference, and a disk that may hold something else."""

    folder: Path
    meters: dict[str, LevelMeter] = field(
        default_factory=lambda: {name: LevelMeter(RATE) for name in NAMES}
    )
    live_pictures: list[tuple[int, Grid]] = field(default_factory=list)
    recent: RecentFragments = field(default_factory=lambda: RecentFragments(2 * NS_PER_S))

    # -- a capture reference -------------------------------------------------------------------
    def sample(self) -> None:
        """Do nothing."""

    def audio_levels(self, source: str) -> list[tuple[int, int, float]]:
        """Return what the meters measured."""
        return self.meters[source].energy_history() if source in self.meters else []

    def pictures(self) -> list[tuple[int, Grid]]:
        """Return what the test has set."""
        return self.live_pictures

    def close(self) -> None:
        """Do nothing."""

    # -- a recording ---------------------------------------------------------------------------
    def record(
        self,
        written: dict[str, str],
        silent: str = "",
        shades: tuple[int, int] = (235, 40),
        witness: FakeMicrophone | None = None,
    ) -> WriterRig:
        """Record; ``written``: microphone written into each track; ``silent`` gets zeros."""
        recorded = WriterRig(self.folder, START_NS)
        writer = recorded.create_writer(dict.fromkeys(NAMES, RATE))
        talkers = {
            "judge": FakeSpeaker(START_NS - 2 * NS_PER_S, 3000, 0.7),
            "witness": witness or FakeSpeaker(START_NS - 2 * NS_PER_S, 2500, 0.9),
        }
        camera = FakeCamera(START_NS, shades=shades)
        now_ns = START_NS
        while now_ns < START_NS + SECONDS * NS_PER_S:
            now_ns += 100_000_000
            recorded.now_ns = now_ns
            for packet in camera.until(now_ns):
                writer.add_video(packet)
            for name, talker in talkers.items():
                for block in talker.until(now_ns):
                    self.meters[name].push(block)
                    self._write(writer, written[name], block, silent)
            writer.tick(now_ns, "ok", dict.fromkeys(NAMES, (MicrophoneState.OK, None)))
        for record in recorded.fragments:
            self.recent.add(record)
        return recorded

    def _write(self, writer: PartWriter, name: str, block: AudioBlock, silent: str) -> None:
        if silent in (name, "all"):
            block = replace(block, samples=np.zeros_like(block.samples))
        writer.add_audio(name, block)

    def show(self, grid: Grid) -> None:
        """Make ``grid`` the live picture at all times."""
        times = range(START_NS, START_NS + SECONDS * NS_PER_S, NS_PER_S * 9 // 10)
        self.live_pictures = [(at_ns, grid) for at_ns in times]


RIGHT = {name: name for name in NAMES}
SWAPPED = {"judge": "witness", "witness": "judge"}


def flat(shade: float) -> Grid:
    return np.full((GRID[1], GRID[0]), shade, np.float32)


def test_what_was_captured_is_proven(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.record(RIGHT)
    scene.show(flat(255))
    assert verify_recent(tmp_path, scene.recent, reference=scene) > START_NS + 3 * NS_PER_S


def test_swapped_channels_are_found(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.record(SWAPPED)
    with pytest.raises(ReadbackError, match="other sound") as found:
        verify_recent(tmp_path, scene.recent, reference=scene)
    assert found.value.source in NAMES


@pytest.mark.parametrize("silent", NAMES)
def test_a_source_that_spoke_and_is_silent_on_the_disk_is_named(
    tmp_path: Path, silent: str
) -> None:
    scene = Scene(tmp_path)
    scene.record(RIGHT, silent)
    with pytest.raises(ReadbackError, match="silent") as found:
        verify_recent(tmp_path, scene.recent, reference=scene)
    assert found.value.source == silent


class StuckMicrophone(FakeMicrophone):
    """Gives the same loud block again and again."""

    def _samples(self) -> np.ndarray:
        self.sent.append((np.random.default_rng(1).standard_normal(960) * 2000).astype(np.int16))
        return self.sent[-1]


class OffsetMicrophone(FakeMicrophone):
    """Gives the noise of a quiet room around a high constant."""

    def _samples(self) -> np.ndarray:
        noise = np.random.default_rng(self._index).standard_normal(960) * 10
        self.sent.append((noise + 3000).astype(np.int16))
        return self.sent[-1]


def test_a_source_that_repeats_itself_is_not_proven(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.record(RIGHT, witness=StuckMicrophone(START_NS - 2 * NS_PER_S))
    with pytest.raises(ReadbackError, match="again and again") as found:
        verify_recent(tmp_path, scene.recent, reference=scene)
    assert (found.value.source, found.value.is_doubtful) == ("witness", True)


def test_a_constant_is_not_compared_as_if_it_were_sound(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.record(RIGHT, witness=OffsetMicrophone(START_NS - 2 * NS_PER_S))
    verify_recent(tmp_path, scene.recent, reference=scene)
    assert max(power for *_, power in scene.audio_levels("witness")) < 10 ** (-60 / 10)


def test_a_silent_mix_is_found(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.record(RIGHT, silent="all")
    with pytest.raises(ReadbackError, match="mix") as found:
        verify_recent(tmp_path, scene.recent, reference=scene)
    assert found.value.source == "mix"


def test_a_black_picture_of_a_bright_room_is_found(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.record(RIGHT, shades=(16, 16))
    scene.show(flat(4))
    verify_recent(tmp_path, scene.recent, reference=scene)  # the room really is dark
    scene.show(flat(120))
    with pytest.raises(ReadbackError, match="black") as found:
        verify_recent(tmp_path, scene.recent, reference=scene)
    assert found.value.source == "camera"


def test_doubt_counts_when_it_is_there_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = iter([True, False, True, True])
    states: list[str] = []

    def verify(*_: object) -> int:
        if next(outcomes, True):
            raise ReadbackError("another picture", "camera", is_doubtful=True)
        return recording_ns()

    monkeypatch.setattr("kiosk.recording.readback.monitor.verify_recent", verify)
    recent = RecentFragments(NS_PER_S)
    monkeypatch.setattr(recent, "of_track", lambda _track: [object()])
    monitor = ReadbackMonitor(tmp_path, recent, 0.02, lambda state: states.append(state.state))
    monkeypatch.setattr(monitor, "_discard_old_keys", lambda: None)
    monitor.start()
    wait_for(lambda: len(states) >= 4, "four proofs")
    monitor.stop()
    assert states[:4] == ["none", "good", "good", "bad"]
    assert monitor.state.source == "camera"


def test_the_reference_samples_the_live_picture(tmp_path: Path) -> None:
    class Sources:
        microphones = ()

    writer = PreviewWriter(tmp_path / "preview", 320, 180)
    reference = LiveReference(Sources(), tmp_path / "preview")  # type: ignore[arg-type]
    reference.sample()
    assert reference.pictures() == []
    picture = np.zeros((180, 320, 3), np.uint8)
    picture[:, 160:] = 200
    writer.write(picture.tobytes(), 5, 1)
    reference.sample()
    reference.sample()
    ((at_ns, grid),) = reference.pictures()
    assert at_ns == 5
    assert grid[:, :8].max() < 1
    assert grid[:, 8:].min() > 190
    reference.close()
    writer.close()
