"""Levels and what they say about a microphone."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock, Samples
from kiosk.hardware.audio.level_meter import FLOOR_DB, LevelMeter

RATE = 48_000
BLOCK = 960


def push_repeated(meter: LevelMeter, seconds: float, samples: Samples, start: float = 0.0) -> None:
    """Play ``samples`` again and again, each time with other noise of the device."""
    count = round(seconds * RATE / BLOCK) * BLOCK
    dither = np.random.default_rng(2).integers(-2, 3, count)
    played = np.resize(samples, count) + dither
    push_samples(meter, played.clip(-32768, 32767).astype(np.int16), start)


def sine(amplitude: float) -> Samples:
    tone = np.sin(np.arange(BLOCK) * 2 * np.pi * 1000 / RATE) * amplitude * 32767
    return tone.astype(np.int16)


def test_levels_of_a_sine() -> None:
    meter = LevelMeter(RATE)
    push_repeated(meter, 0.5, sine(0.5))
    assert meter.rms_db == pytest.approx(-9.03, abs=0.1)
    assert meter.peak_db == pytest.approx(-6.02, abs=0.1)
    assert meter.state() == "ok"
    assert meter.last_speech_ns is not None


def test_digital_silence_is_told_from_a_quiet_room() -> None:
    meter = LevelMeter(RATE)
    push_samples(meter, np.zeros(RATE, np.int16))
    assert meter.state() == "muted"
    assert meter.rms_db == FLOOR_DB
    noise = np.random.default_rng(1).integers(-40, 40, BLOCK).astype(np.int16)
    push_repeated(meter, 20.0, noise, start=1.0)
    assert meter.state() == "ok"
    assert meter.last_speech_ns is None


def test_a_covered_microphone_is_quiet_after_ten_seconds() -> None:
    meter = LevelMeter(RATE)
    faint = np.random.default_rng(1).integers(-3, 4, BLOCK).astype(np.int16)
    push_repeated(meter, 9.0, faint)
    assert meter.state() == "ok"
    push_repeated(meter, 2.0, faint, start=9.0)
    assert meter.state() == "quiet"
    push_repeated(meter, 0.4, sine(0.3), start=11.0)
    assert meter.state() == "ok"


def test_clipping_shows_for_a_second() -> None:
    meter = LevelMeter(RATE)
    push_repeated(
        meter, 0.3, np.clip(sine(1.0).astype(np.int32) * 2, -32768, 32767).astype(np.int16)
    )
    assert meter.state() == "clipping"
    push_repeated(meter, 2.5, sine(0.3), start=0.3)
    assert meter.state() == "ok"


def noise(low: int, high: int, seconds: float = 1.0, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).integers(low, high, round(seconds * RATE)).astype(np.int16)


def push_samples(
    meter: LevelMeter, samples: Samples, start: float = 0.0
) -> list[tuple[float, str]]:
    """Play ``samples`` once; return when the state changed to what (seconds from their start)."""
    changes: list[tuple[float, str]] = []
    for at in range(0, len(samples) - BLOCK + 1, BLOCK):
        start_ns = round(start * NS_PER_S) + at * NS_PER_S // RATE
        meter.push(AudioBlock(0, at, start_ns, samples[at : at + BLOCK]))
        if not changes or changes[-1][1] != meter.state():
            changes.append(((at + BLOCK) / RATE, meter.state()))
    return changes


def hum(seconds: float, amplitude: float = 2000.0) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    parts = ((50, 1.0, 0.3), (100, 0.6, 1.0), (150, 0.3, 2.0))
    total = sum(part * np.sin(2 * np.pi * f * times + phase) for f, part, phase in parts)
    return (total * amplitude + noise(-40, 40, seconds)).astype(np.int16)


@lru_cache
def speech(voice: str) -> Samples:
    """Let a voice read; 48 kHz, mono."""
    text = "The court hears the case. " * 4 if voice == "en" else "Сот отырысы ашылды. " * 5
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        command = [
            "espeak-ng",
            "-v",
            voice.partition("/")[0],
            "-p",
            voice.partition("/")[2] or "50",
        ]
        subprocess.run([*command, "-w", str(path), text], check=True, capture_output=True)
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    places = np.arange(round(len(data) * RATE / rate)) * rate / RATE
    return np.asarray(np.interp(places, np.arange(len(data)), data), np.int16)


def test_a_muted_device_flickers_with_its_last_bit() -> None:
    meter = LevelMeter(RATE)
    push_samples(meter, noise(-40, 40, 2.0))
    changes = push_samples(meter, noise(-1, 2, 2.0), start=2.0)
    (moment,) = (at for at, state in changes if state == "muted")
    assert moment <= 1.0
    assert meter.soundless_since_ns == pytest.approx(2.0 * NS_PER_S, abs=0.15 * NS_PER_S)
    click = noise(-1, 2, 0.1)
    click[100:200] = 900
    assert [state for _, state in push_samples(meter, click, start=4.0)] == ["muted"]
    back = push_samples(meter, noise(-40, 40, 1.0), start=4.1)
    assert back[-1][1] == "ok"
    assert back[-1][0] <= 0.4
    assert meter.soundless_since_ns is None


def test_hum_is_noticed_within_a_second_and_held_while_somebody_speaks_over_it() -> None:
    meter = LevelMeter(RATE)
    push_samples(meter, noise(-40, 40, 1.0))
    changes = push_samples(meter, hum(3.0), start=1.0)
    assert changes[-1][1] == "humming"
    assert changes[-1][0] <= 1.0
    voice = speech("en")[: 4 * RATE]
    both = (voice.astype(np.int32) + hum(len(voice) / RATE)).clip(-32768, 32767).astype(np.int16)
    assert {state for _, state in push_samples(meter, both, start=4.0)} <= {"humming", "clipping"}
    after = push_samples(meter, noise(-40, 40, 8.0), start=8.0)
    assert after[-1][1] == "ok"


@pytest.mark.parametrize("voice", ["en", "kk", "ru", "ru/10", "kk/0", "en/0"])
def test_speech_is_not_hum(voice: str) -> None:
    meter = LevelMeter(RATE)
    heard = speech(voice)
    assert {state for _, state in push_samples(meter, heard)} <= {"ok", "clipping", "muted"}
    assert meter.last_speech_ns is not None


def test_a_microphone_at_which_nobody_speaks_is_no_fault() -> None:
    meter = LevelMeter(RATE, is_speech_elsewhere=lambda _now: True)
    assert {state for _, state in push_samples(meter, noise(-40, 40, 20.0))} == {"ok"}


def test_one_that_hears_nothing_while_others_hear_somebody_is_quiet() -> None:
    speaking = [False]
    meter = LevelMeter(RATE, is_speech_elsewhere=lambda _now: speaking[0])
    faint = noise(-4, 5, 2.0)
    assert {state for _, state in push_samples(meter, faint)} == {"ok"}
    speaking[0] = True
    changes = push_samples(meter, faint, start=2.0)
    assert changes[-1][1] == "quiet"
    assert changes[-1][0] <= 1.0
    assert push_samples(meter, sine(0.1).repeat(20), start=4.0)[-1][1] == "ok"


def test_far_below_its_baseline_it_is_quiet_although_others_would_not_be() -> None:
    room, lower = noise(-400, 400, 3.0), noise(-40, 40, 7.0)
    usual, known = LevelMeter(RATE), LevelMeter(RATE, baseline_db=-43.0)
    for meter in (usual, known):
        push_samples(meter, room)
    assert push_samples(usual, lower, start=3.0)[-1][1] == "ok"
    assert push_samples(known, lower, start=3.0)[-1][1] == "quiet"


def test_silence_of_a_conference_set_is_judged_by_its_own_time() -> None:
    meter = LevelMeter(RATE, remote_silence_ns=5 * NS_PER_S)
    silence = np.zeros(4 * RATE, np.int16)
    assert push_samples(meter, silence)[-1][1] == "ok"
    changes = push_samples(meter, silence, start=4.0)
    assert changes[-1][1] == "muted"
    assert changes[-1][0] == pytest.approx(1.0, abs=0.3)
    faint = LevelMeter(RATE, is_speech_elsewhere=lambda _now: True, remote_silence_ns=5 * NS_PER_S)
    assert {state for _, state in push_samples(faint, noise(-4, 5, 12.0))} == {"ok"}
