"""Sweep, impulse response and speech transmission index, in rooms whose answer is known.

A room is noise that decays exponentially, whose modulation transfer is in every textbook:
m(F) = 1 / sqrt(1 + (2 pi F T / 13.8)^2).
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.selftest.impulse_response import (
    FULL_SCALE,
    RESPONSE_S,
    SWEEP_S,
    find_response,
    make_sweep,
)
from kiosk.selftest.speech_transmission import (
    MODULATIONS,
    OCTAVES,
    combine,
    octaves_of,
    quality_of,
)
from kiosk.selftest.sweep import Heard, measure

SECONDS = 1.0 + SWEEP_S + RESPONSE_S + 0.5
Sound = NDArray[np.int16]


def impulse(decay_s: float, rate: int, direct: float = 0.0, seed: int = 3) -> NDArray[np.float64]:
    """Return a room's response of energy 0.01 (-20 dB); ``direct``: share of the direct sound."""
    times = np.arange(round(2.5 * rate)) / rate
    tail = np.random.default_rng(seed).standard_normal(len(times)) * 10 ** (-3 * times / decay_s)
    response = tail * np.sqrt(0.01 * (1 - direct) / np.sum(tail**2))
    response[0] += np.sqrt(0.01 * direct)
    return np.asarray(response, np.float64)


def heard_in(
    response: NDArray[np.float64],
    rate: int,
    noise_db: float = -80.0,
    delay_s: float = 0.3,
    offset: int = 0,
    gain: float = 1.0,
) -> tuple[Sound, Sound]:
    """Return the sound before the sweep and from its start on, as a sound card gives it."""
    count = round(SECONDS * rate)
    start = round((1.0 + delay_s) * rate)
    played = np.zeros(2 * count)
    sweep = make_sweep(rate)
    played[start : start + len(sweep)] = sweep
    padded = np.zeros(2 * count)
    padded[: len(response)] = response
    sound = np.fft.irfft(np.fft.rfft(played) * np.fft.rfft(padded), 2 * count)[:count]
    noise = np.random.default_rng(7).standard_normal(count) * 10 ** (noise_db / 20)
    samples = np.clip((gain * sound + noise) * FULL_SCALE + offset, -32768, 32767).astype(np.int16)
    return samples[:rate], samples[rate:]


def textbook(decay_s: float, rate: int, snr_db: float = 99.0) -> float:
    """Return the index of a room with this decay, and with this noise in every octave."""
    transfer = 1 / np.sqrt(1 + (2 * np.pi * np.array(MODULATIONS) * decay_s / 13.8) ** 2)
    transfer /= 1 + 10 ** (-snr_db / 10)
    apparent = np.clip(10 * np.log10(transfer / (1 - transfer)), -15, 15)
    index = float(np.mean((apparent + 15) / 30))
    found = combine(dict.fromkeys(octaves_of(rate), index), set(OCTAVES))
    assert found is not None
    return found


def index_of(heard: Heard | None) -> float:
    assert heard is not None
    assert heard.index is not None
    return heard.index


@pytest.mark.parametrize("decay_s", [0.3, 0.6, 1.2, 2.5])
def test_the_index_of_a_room_is_that_of_its_reverberation(decay_s: float) -> None:
    rate, found = 16_000, []
    for seed in range(4):  # one room of noise differs from the next one
        heard = measure(*heard_in(impulse(decay_s, rate, seed=seed), rate), rate)
        found.append(index_of(heard))
        assert heard is not None
        assert not heard.is_disturbed
        assert set(heard.levels) == set(octaves_of(rate))
    assert float(np.mean(found)) == pytest.approx(textbook(decay_s, rate), abs=0.02)


def test_microphones_of_all_rates_say_the_same_of_a_room() -> None:
    found = [
        index_of(measure(*heard_in(impulse(0.8, rate, direct=0.3), rate), rate))
        for rate in (16_000, 44_100, 48_000)
    ]
    assert max(found) - min(found) < 0.04
    assert octaves_of(16_000) == OCTAVES[:-1], "what it cannot hear is left out"


def test_an_anechoic_line_without_noise_is_perfect() -> None:
    heard = measure(*heard_in(impulse(0.3, 48_000, direct=1.0), 48_000, -90.0), 48_000)
    assert index_of(heard) > 0.98


@pytest.mark.parametrize("snr_db", [20.0, 12.0, 8.0])
def test_noise_lowers_the_index_as_the_standard_says(snr_db: float) -> None:
    """The noise is pink, as the sweep is: as far below it in every octave."""
    rate = 48_000
    response = impulse(0.5, rate)
    before, samples = heard_in(response, rate, -120.0)
    count = len(before) + len(samples)
    generator = np.random.default_rng(5)
    spectrum = np.fft.rfft(generator.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / rate)
    spectrum *= np.where(hertz > 40, 1 / np.sqrt(np.maximum(hertz, 40)), 0.0)
    pink = np.fft.irfft(spectrum, count)
    # Of one octave: the sweep passes it at this power, a room of -20 dB below the loudspeaker.
    swept = 0.5**2 / 2 * 10 ** (-20 / 10)
    one = np.fft.rfft(pink)
    one[(hertz < 1000 / np.sqrt(2)) | (hertz > 1000 * np.sqrt(2))] = 0
    octave_power = float(np.mean(np.fft.irfft(one, count) ** 2))
    pink *= np.sqrt(swept * 10 ** (-snr_db / 10) / octave_power) * FULL_SCALE
    noisy = np.concatenate((before, samples)) + pink
    joined = noisy.astype(np.int16)
    heard = measure(joined[:rate], joined[rate:], rate)
    assert index_of(heard) == pytest.approx(textbook(0.5, rate, snr_db), abs=0.05)
    assert heard is not None
    assert not heard.is_disturbed


def test_delay_and_offset_of_a_card_change_nothing() -> None:
    plain = measure(*heard_in(impulse(0.6, 48_000), 48_000), 48_000)
    for delay_s, offset in ((0.0, 0), (0.8, 3000)):
        other = measure(
            *heard_in(impulse(0.6, 48_000), 48_000, delay_s=delay_s, offset=offset), 48_000
        )
        assert index_of(other) == pytest.approx(index_of(plain), abs=0.01)
        assert plain is not None
        assert other is not None
        assert other.levels == pytest.approx(plain.levels, abs=0.2)


def test_half_the_sound_is_six_decibels_and_no_other_index() -> None:
    loud, soft = (
        measure(*heard_in(impulse(0.6, 48_000), 48_000, gain=gain), 48_000) for gain in (1.0, 0.5)
    )
    assert loud is not None
    assert soft is not None
    for octave, level in loud.levels.items():
        assert level - soft.levels[octave] == pytest.approx(6.0, abs=0.3)
    assert index_of(soft) == pytest.approx(index_of(loud), abs=0.02)


def test_a_cloth_takes_the_treble_and_the_index() -> None:
    rate = 48_000
    open_one = impulse(0.5, rate, direct=0.3)
    spectrum = np.fft.rfft(open_one)
    hertz = np.fft.rfftfreq(len(open_one), 1 / rate)
    muffled = np.fft.irfft(spectrum / (1 + 1j * hertz / 900) ** 4, len(open_one))
    before, after = (measure(*heard_in(one, rate, -60.0), rate) for one in (open_one, muffled))
    assert before is not None
    assert after is not None
    assert after.levels[250] > before.levels[250] - 5
    assert after.levels[1000] < before.levels[1000] - 10
    assert 8000 not in after.levels
    now = after.index_over(before.levels)
    assert now is not None
    assert index_of(before) - now > 0.1


def test_a_room_without_a_sweep_has_no_index() -> None:
    heard = measure(*heard_in(impulse(0.6, 48_000), 48_000, -50.0, gain=0.0), 48_000)
    assert heard is not None
    assert heard.levels == {}
    assert heard.index is None
    assert heard.quality is None
    assert not heard.is_disturbed


def test_digital_silence_has_no_index() -> None:
    none = np.zeros(48_000, np.int16)
    heard = measure(none, np.zeros(7 * 48_000, np.int16), 48_000)
    assert heard is not None
    assert heard.levels == {}
    assert heard.index is None


def test_a_sweep_that_was_cut_off_is_not_measured() -> None:
    before, samples = heard_in(impulse(0.6, 48_000), 48_000)
    assert measure(before, samples[: round(3.0 * 48_000)], 48_000) is None
    assert measure(before[:100], samples, 48_000) is None, "no noise to compare with"
    assert find_response(np.zeros(0, np.int16), 48_000) is None


def test_an_overdriven_microphone_has_a_level_and_no_index() -> None:
    heard = measure(*heard_in(impulse(0.3, 48_000, direct=0.5), 48_000, gain=60.0), 48_000)
    assert heard is not None
    assert heard.is_clipped
    assert heard.index is None
    assert heard.levels[1000] > -10


def test_who_speaks_meanwhile_is_noticed() -> None:
    rate = 48_000
    before, samples = heard_in(impulse(0.6, rate), rate)
    times = np.arange(rate) / rate
    voice = sum(np.sin(2 * np.pi * 140 * number * times) / number for number in range(1, 20))
    spoken = samples.astype(np.float64)
    spoken[2 * rate : 3 * rate] += 0.02 * FULL_SCALE * np.asarray(voice)
    heard = measure(before, spoken.astype(np.int16), rate)
    assert heard is not None
    assert heard.is_disturbed


def test_a_loudspeaker_that_distorts_is_no_disturbance() -> None:
    rate = 48_000
    before, samples = heard_in(impulse(0.4, rate), rate)
    clean = measure(before, samples, rate)
    sound = samples / FULL_SCALE
    bent = sound + 2.0 * sound**2 - 0.5 * np.mean(sound**2)
    heard = measure(before, (bent * FULL_SCALE).astype(np.int16), rate)
    assert heard is not None
    assert not heard.is_disturbed
    assert index_of(heard) == pytest.approx(index_of(clean), abs=0.03)


@pytest.mark.parametrize(
    ("index", "word"),
    [(0.0, "bad"), (0.3, "poor"), (0.45, "fair"), (0.6, "good"), (0.75, "excellent")],
)
def test_the_bands_of_the_standard(index: float, word: str) -> None:
    assert quality_of(index) == word


def test_equal_octaves_have_their_own_index_whatever_is_left_out() -> None:
    for octaves in (set(OCTAVES), {500, 1000, 2000}, {500, 4000}):
        assert combine(dict.fromkeys(OCTAVES, 0.6), octaves) == pytest.approx(0.6)
    assert combine({}, set(OCTAVES)) is None
