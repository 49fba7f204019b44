"""Levels and what they say about a microphone."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.clocks import NS_PER_S
from kiosk.hardware.microphones import FLOOR_DB, AudioBlock, LevelMeter, Samples

RATE = 48_000
BLOCK = 960


def play(meter: LevelMeter, seconds: float, samples: Samples, start: float = 0.0) -> None:
    for number in range(round(seconds * RATE / BLOCK)):
        start_ns = round(start * NS_PER_S) + number * BLOCK * NS_PER_S // RATE
        meter.push(AudioBlock(0, number * BLOCK, start_ns, samples))


def sine(amplitude: float) -> Samples:
    wave = np.sin(np.arange(BLOCK) * 2 * np.pi * 1000 / RATE) * amplitude * 32767
    return wave.astype(np.int16)


def test_levels_of_a_sine() -> None:
    meter = LevelMeter(RATE)
    play(meter, 0.5, sine(0.5))
    assert meter.rms_db == pytest.approx(-9.03, abs=0.1)
    assert meter.peak_db == pytest.approx(-6.02, abs=0.1)
    assert meter.verdict() == "ok"
    assert meter.heard_ns is not None


def test_digital_silence_is_told_from_a_quiet_room() -> None:
    meter = LevelMeter(RATE)
    play(meter, 0.6, np.zeros(BLOCK, np.int16))
    assert meter.verdict() == "silent"
    assert meter.rms_db == FLOOR_DB
    noise = np.random.default_rng(1).integers(-40, 40, BLOCK).astype(np.int16)
    play(meter, 20.0, noise, start=0.6)
    assert meter.verdict() == "ok"
    assert meter.heard_ns is None


def test_a_covered_microphone_is_quiet_after_ten_seconds() -> None:
    meter = LevelMeter(RATE)
    faint = np.random.default_rng(1).integers(-3, 4, BLOCK).astype(np.int16)
    play(meter, 9.0, faint)
    assert meter.verdict() == "ok"
    play(meter, 2.0, faint, start=9.0)
    assert meter.verdict() == "quiet"
    play(meter, 0.2, sine(0.3), start=11.0)
    assert meter.verdict() == "ok"


def test_clipping_shows_for_a_second() -> None:
    meter = LevelMeter(RATE)
    play(meter, 0.2, np.clip(sine(1.0).astype(np.int32) * 2, -32768, 32767).astype(np.int16))
    assert meter.verdict() == "clipping"
    play(meter, 1.5, sine(0.3), start=0.2)
    assert meter.verdict() == "ok"
