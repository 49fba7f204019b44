"""Spoken prompts (R33): what comes out of the sound card, heard at the sink's monitor."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kiosk.config import VoiceSettings
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.hardware.voice import Voice
from tests.support.waiting import wait_for

TEXT = "Қағаздардың қапсырмаларын алып тастаңыз, содан кейін парақтарды салыңыз."
RATE = 16_000
LOUD = 500


class SinkMonitor:
    """Listens to what is played into one sink."""

    def __init__(self, card: VirtualMicrophones, sink: str) -> None:
        self._process = subprocess.Popen(
            ["parec", "-d", f"{sink}.monitor", "--rate=16000", "--channels=1", "--latency-msec=20"],
            env=card.pulse_environment,
            stdout=subprocess.PIPE,
        )
        self._heard = b""

    def read(self, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """Return the next ``seconds`` that the sink plays."""
        assert self._process.stdout is not None
        data = self._process.stdout.read(round(seconds * RATE) * 2)
        return np.frombuffer(data, "<i2")

    def is_playing(self, seconds: float = 0.2) -> bool:
        """Return whether something is played right now."""
        return bool(np.abs(self.read(seconds)).max() > LOUD)

    def close(self) -> None:
        """Stop listening."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMicrophones]:
    """Return a sound server with two sinks: headphones and loudspeaker."""
    folder = tmp_path_factory.mktemp("card")
    with VirtualMicrophones(folder, ["headphones", "loudspeaker"], noise=False) as server:
        yield server


@pytest.fixture
def settings(card: VirtualMicrophones, monkeypatch: pytest.MonkeyPatch) -> VoiceSettings:
    """Return settings for that card, and the environment under which ALSA knows it."""
    config = card.folder / "playing.conf"
    server = card.pulse_environment["PULSE_SERVER"]
    lines = ["</usr/share/alsa/alsa.conf>"]
    lines += [
        f'pcm.{name} {{ type pulse server "{server}" device "{name}" }}'
        for name in ("headphones", "loudspeaker")
    ]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for key, value in {**card.environment, "ALSA_CONFIG_PATH": str(config)}.items():
        monkeypatch.setenv(key, value)
    return VoiceSettings(headphones="headphones", loudspeaker="loudspeaker")


@pytest.fixture
def monitors(card: VirtualMicrophones) -> Iterator[dict[str, SinkMonitor]]:
    """Return a monitor of each sink."""
    listening = {name: SinkMonitor(card, name) for name in ("headphones", "loudspeaker")}
    yield listening
    for monitor in listening.values():
        monitor.close()


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_prompt_is_heard_and_ends_by_itself(
    settings: VoiceSettings, monitors: dict[str, SinkMonitor], language: str
) -> None:
    with Voice(settings) as voice:
        assert voice.is_enabled
        voice.speak("1 2 3", language)  # type: ignore[arg-type]
        wait_for(monitors["headphones"].is_playing, "the headphones")
        wait_for(lambda: not voice.is_speaking, "the end")


def test_new_prompt_cuts_the_old_one_and_stop_is_silence(
    settings: VoiceSettings, monitors: dict[str, SinkMonitor]
) -> None:
    with Voice(settings) as voice:
        voice.speak(TEXT * 4, "kk")
        wait_for(monitors["loudspeaker"].is_playing, "the loudspeaker")
        voice.speak(TEXT * 4, "ru")
        wait_for(monitors["loudspeaker"].is_playing, "the next prompt")
        voice.stop()
        wait_for(lambda: not voice.is_speaking, "silence")
        wait_for(lambda: not monitors["loudspeaker"].is_playing(0.5), "silence in the room")


@pytest.mark.slow
def test_loudspeaker_is_silent_while_a_hearing_runs(
    settings: VoiceSettings, monitors: dict[str, SinkMonitor]
) -> None:
    with Voice(settings) as voice:
        voice.speak(TEXT * 6, "kk")
        wait_for(monitors["loudspeaker"].is_playing, "the loudspeaker")
        voice.is_hearing_active = True
        wait_for(lambda: not monitors["loudspeaker"].is_playing(0.5), "silence in the room")
        assert voice.is_speaking
        voice.speak(TEXT * 6, "kk")
        wait_for(monitors["headphones"].is_playing, "the headphones")
        assert not monitors["loudspeaker"].is_playing(0.5)


def test_volume_is_each_visitors_own(settings: VoiceSettings) -> None:
    with Voice(settings) as voice:
        voice.volume = 150
        assert voice.volume == 100
        voice.volume = 20
        voice.reset()
        assert voice.volume == settings.volume


def test_recorded_voice_takes_precedence(
    settings: VoiceSettings, monitors: dict[str, SinkMonitor], tmp_path: Path
) -> None:
    (tmp_path / "kk").mkdir()
    tone = (np.sin(np.arange(RATE * 2) * 2 * np.pi * 1000 / RATE) * 20_000).astype("<i2")
    with wave.open(str(tmp_path / "kk" / "feed.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tone.tobytes())

    def is_tone() -> bool:
        heard = monitors["headphones"].read(0.25)
        spectrum = np.abs(np.fft.rfft(heard))
        return bool(spectrum.max() > 1e6 and abs(int(np.argmax(spectrum)) * 4 - 1000) <= 8)

    with Voice(settings.model_copy(update={"recorded": tmp_path})) as voice:
        voice.speak(TEXT, "kk", prompt_id="feed")
        wait_for(is_tone, "the recorded tone")


@pytest.mark.parametrize("device", ["nonsense", ""])
def test_no_sound_device_is_silence_without_an_error(settings: VoiceSettings, device: str) -> None:
    quiet = settings.model_copy(update={"headphones": device, "loudspeaker": ""})
    with Voice(quiet) as voice:
        assert voice.is_enabled is bool(device)
        voice.speak(TEXT, "kk")
        wait_for(lambda: not voice.is_speaking, "the end")
        voice.stop()


@pytest.mark.slow
def test_it_speaks_where_it_was_just_told_to(
    settings: VoiceSettings, monitors: dict[str, SinkMonitor]
) -> None:
    with Voice(VoiceSettings()) as voice:
        voice.speak(TEXT, "ru")
        assert not voice.is_speaking
        voice.use(settings)
        voice.speak(TEXT, "ru")
        wait_for(monitors["loudspeaker"].is_playing, "the loudspeaker")
        voice.use(settings.model_copy(update={"loudspeaker": ""}))
        wait_for(lambda: not monitors["loudspeaker"].is_playing(0.5), "silence in the room")
        voice.speak(TEXT, "ru")
        wait_for(monitors["headphones"].is_playing, "the headphones")
        assert not monitors["loudspeaker"].is_playing(0.5)
