"""Who speaks is known by a process of its own, and no recording notices what becomes of it."""

from __future__ import annotations

import os
import signal
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from bench.speech_mixtures import MEASURING, at_level, noise, spoken
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import CameraSettings, MicrophoneSettings, Settings
from kiosk.hardware.audibility.voice_model import RATE
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.sources.speech_detector import SpeechDetector
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.support.waiting import wait_for

NAMES = ("judge", "witness")
PATIENCE = 40.0
WORDS = "The court is in session. Please be seated, and tell the court what you have seen."


def wait_until(moment_ns: int) -> None:
    wait_for(lambda: recording_ns() >= moment_ns, "that moment", PATIENCE)


@dataclass
class Rig:
    folder: Path
    sound: VirtualMicrophones
    sources: Sources

    @property
    def speech(self) -> SpeechDetector:
        assert self.sources.speech is not None
        return self.sources.speech

    def heard(self, name: str) -> str | None:
        rows = {row.name: row.heard for row in self.sources.describe_microphones()}
        return rows[name]

    def fan(self, seconds: int) -> Path:
        """Write a fan of -35 dB of full scale, which is loud, into a file."""
        samples = at_level(noise(np.random.default_rng(3), "fan", seconds * RATE), -35)
        path = self.folder / f"fan-{seconds}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
        return path


@dataclass
class Recording:
    """Counts the samples of a recording, and those that are missing between its blocks."""

    samples: dict[str, int] = field(default_factory=dict)
    holes: list[tuple[str, int]] = field(default_factory=list)
    ends: dict[str, tuple[int, int]] = field(default_factory=dict)

    def video(self, packet: VideoPacket) -> None:
        del packet

    def audio(self, name: str, block: AudioBlock) -> None:
        epoch, index = self.ends.get(name, (block.epoch, block.index))
        if (block.epoch, block.index) != (epoch, index):
            self.holes.append((name, block.index - index))
        self.ends[name] = block.epoch, block.index + len(block.samples)
        self.samples[name] = self.samples.get(name, 0) + len(block.samples)


def test_who_is_not_listened_to_or_only_with_holes_is_not_followed() -> None:
    source = MicrophoneSource(
        MicrophoneSettings(name="judge", device="virtual:judge", role="presiding")
    )
    assert not source.is_followed
    source.expect_detector()
    now_ns = recording_ns()
    source.note_listened(now_ns - 9 * NS_PER_S, now_ns - 4 * NS_PER_S)
    assert not source.is_followed, "it is late"
    source.note_listened(now_ns - 9 * NS_PER_S, now_ns)
    assert source.is_followed
    source.note_listened(now_ns + 1, now_ns + NS_PER_S)
    assert not source.is_followed, "something was not listened to"
    source.lose_detector()
    assert not source.is_followed


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-") as name,
        VirtualMicrophones(Path(name) / "mics", NAMES) as sound,
        pytest.MonkeyPatch.context() as patch,
    ):
        for key, value in sound.environment.items():
            patch.setenv(key, value)
        settings = Settings(
            camera=CameraSettings(back_end="none"),
            microphones=tuple(MicrophoneSettings(**row) for row in sound.settings(NAMES, {})),
        )
        with Sources(settings, Path(name) / "preview") as sources:
            sources.listen_for_speech()
            assert sources.wait_ready(PATIENCE)
            yield Rig(Path(name), sound, sources)


@pytest.mark.slow
def test_a_fan_is_loud_but_only_words_are_heard(rig: Rig) -> None:
    wait_for(lambda: rig.speech.is_working, "the detector", PATIENCE)
    meter = rig.sources.microphones[0].meter
    fan = rig.sound.play("judge", rig.fan(30))
    wait_for(lambda: meter.last_speech_ns is not None, "the fan is loud", PATIENCE)
    begun_ns = recording_ns()
    wait_for(lambda: recording_ns() - begun_ns > 3 * NS_PER_S, "three seconds of it", PATIENCE)
    assert rig.heard("judge") is None
    judge = rig.sources.microphones[0]
    wait_for(lambda: judge.is_silence_known(begun_ns), "it was listened to all of it", PATIENCE)
    spoken = rig.sound.speak("judge", WORDS)
    wait_for(lambda: rig.heard("judge") is not None, "words in the fan", PATIENCE)
    assert rig.heard("witness") is None
    for process in (fan, spoken):
        process.kill()
        process.wait()


@pytest.mark.slow
def test_it_does_not_work_where_one_microphone_is_not_listened_to(rig: Rig) -> None:
    """It was said to listen as long as it answered, whatever of the sound it was given."""
    wait_for(lambda: rig.speech.is_working, "the detector", PATIENCE)
    witness = rig.sources.microphones[1]
    take, witness.hand_to = witness.hand_to, None
    wait_for(lambda: not rig.speech.is_working, "it is known", PATIENCE)
    assert not rig.speech.has_failed
    witness.hand_to = take
    wait_for(lambda: rig.speech.is_working, "it listens to all again", PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_recording_loses_no_sample_when_the_detector_fails(rig: Rig, number: int) -> None:
    wait_for(lambda: rig.speech.is_working, "the detector", PATIENCE)
    recording, begun_ns = Recording(), recording_ns()
    rig.sources.attach(recording, begun_ns)
    pid = rig.speech.pid
    assert pid is not None
    os.kill(pid, number)
    wait_for(lambda: rig.speech.has_failed, "the failure is known", PATIENCE)
    fan = rig.sound.play("witness", rig.fan(5))
    failed_heard = rig.heard("witness")
    wait_for(lambda: rig.heard("witness") != failed_heard, "a loud sound counts", PATIENCE)
    wait_for(lambda: rig.speech.is_working and not rig.speech.has_failed, "it is back", PATIENCE)
    assert rig.speech.pid != pid
    fan.kill()
    fan.wait()
    wait_for(lambda: recording_ns() - begun_ns > 6 * NS_PER_S, "six seconds", PATIENCE)
    rig.sources.stop_encoder()
    lasted_s = (recording_ns() - begun_ns) / NS_PER_S
    rig.sources.detach(recording)
    assert recording.holes == []
    for name in NAMES:
        assert recording.samples[name] / 48_000 > lasted_s - 1.0


@pytest.mark.slow
def test_the_detector_is_nice_and_has_no_real_time(rig: Rig) -> None:
    wait_for(lambda: rig.speech.is_working, "the detector", PATIENCE)
    pid = rig.speech.pid
    assert pid is not None
    assert os.getpriority(os.PRIO_PROCESS, pid) == 15
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER


@pytest.mark.slow
@pytest.mark.parametrize(("usual_db", "cause"), [(None, "noise"), (-40, "noise"), (-22, "quiet")])
def test_a_voice_much_quieter_than_usual_is_told_as_that(
    usual_db: float | None, cause: str
) -> None:
    """At -40 dB in a fan: whether the fan or the speaker is to blame says what is usual there."""
    source = MicrophoneSource(
        MicrophoneSettings(name="witness", role="witness", device="w", rate=16_000)
    )
    said = np.concatenate([spoken(text, "ru+m2", 140, 50) for text in MEASURING.texts["ru"][:3]])
    voice = np.concatenate((np.zeros(3 * RATE, np.float32), at_level(said, -40)))
    fan = at_level(noise(np.random.default_rng(4), "fan", len(voice)), -37)
    samples = np.round((voice + fan) * 32767).astype(np.int16)
    detector = SpeechDetector((source,))
    detector.usual_level = {"witness": usual_db}.get
    detector.open()
    try:
        wait_for(lambda: detector.is_working, "the detector", PATIENCE)
        step, begun_ns = RATE // 10, recording_ns()
        for start in range(0, len(samples) - step, step):
            at_ns = begun_ns + start * NS_PER_S // RATE
            wait_until(at_ns)
            assert source.hand_to is not None
            source.hand_to(AudioBlock(0, start, at_ns, samples[start : start + step]))
            if source.unclear is not None:
                break
        assert source.unclear == cause
        told = {(cause, usual_db)}
        wait_for(
            lambda: {(row.cause, row.usual_db) for row in detector.take_all_turns()} == told,
            "a turn",
            9,
        )
    finally:
        detector.close()
