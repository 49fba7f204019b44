"""Samples that no microphone gives are not taken for sound, whatever their level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock, Samples, sound_power
from kiosk.hardware.audio.level_meter import FLOOR_DB, SPEECH_DB, LevelMeter
from kiosk.hardware.audio.repetition import RecentSamples

RATE = 48_000
BLOCK = 1600
"""As PortAudio delivers them: 30 in a second."""
TWO_SECONDS = 2 * RATE


class Player:
    """Plays samples into a meter, block by block, and notes its states."""

    def __init__(self, meter: LevelMeter) -> None:
        self.meter, self._index = meter, 0

    def play(self, samples: Samples) -> list[str]:
        """Play them; return the states, each once, in their order."""
        states: list[str] = []
        for at in range(0, len(samples) - BLOCK + 1, BLOCK):
            start_ns = self._index * NS_PER_S // RATE
            self.meter.push(AudioBlock(0, self._index, start_ns, samples[at : at + BLOCK]))
            self._index += BLOCK
            if not states or states[-1] != self.meter.state():
                states.append(self.meter.state())
        return states


def noise(count: int, deviation: float, mean: float = 0.0, seed: int = 1) -> Samples:
    """Return the noise of a room or a voice around a constant."""
    values = np.random.default_rng(seed).normal(mean, deviation, count)
    return values.round().clip(-32768, 32767).astype(np.int16)


def again(samples: Samples, count: int = 2 * TWO_SECONDS) -> Samples:
    """Return ``samples`` again and again."""
    return np.resize(samples, count)


def toggled(low: int, high: int) -> Samples:
    """Return two values in random order."""
    chosen = np.random.default_rng(5).integers(0, 2, 2 * TWO_SECONDS)
    return np.where(chosen, high, low).astype(np.int16)


CONSTANTS = (0, 1, -1, 16, 17, 50, 185, 330, -2000, 32767, -32768)
STUCK = {
    "the same quiet block": again(noise(BLOCK, 30)),
    "the same loud block": again(noise(BLOCK, 3000)),
    "the same block with an offset": again(noise(BLOCK, 30, 185)),
    "a buffer that does not fit the blocks": again(noise(1024, 300)),
    "a long buffer": again(noise(RATE * 9 // 10, 300), 3 * TWO_SECONDS),
    "two blocks in turn": again(np.concatenate((noise(BLOCK, 300), noise(BLOCK, 300, seed=2)))),
    "three blocks in turn": again(noise(3 * BLOCK, 300)),
    "two values in turn": again(np.asarray((-100, 100), np.int16)),
    "a slow square of two values": again(np.repeat(np.asarray((-900, 300), np.int16), RATE // 7)),
    "two values at random": toggled(-200, 56),
}
MUTED = {
    **{f"constant {value}": np.full(TWO_SECONDS, value, np.int16) for value in CONSTANTS},
    "an offset and the last bit's flicker": toggled(17, 18),
    "an offset and a flicker of three values": noise(TWO_SECONDS, 0.6, 185),
}


@pytest.mark.parametrize("what", MUTED)
def test_a_constant_is_no_sound(what: str) -> None:
    meter = LevelMeter(RATE)
    assert Player(meter).play(MUTED[what])[-1] == "muted"
    assert meter.rms_db < -85
    assert meter.peak_db < -80
    assert meter.last_speech_ns is None
    assert meter.soundless_since_ns == 0


@pytest.mark.parametrize("what", STUCK)
def test_a_device_that_repeats_itself_is_stuck_and_is_not_heard(what: str) -> None:
    meter = LevelMeter(RATE)
    player = Player(meter)
    assert player.play(noise(RATE, 40, seed=9)) == ["ok"]
    first, second = np.split(STUCK[what], 2)
    player.play(first)
    assert meter.state() == "stuck"
    heard_ns = meter.last_speech_ns
    assert player.play(second) == ["stuck"]
    assert meter.last_speech_ns == heard_ns
    assert player.play(noise(RATE, 40, seed=10))[-1] == "ok"
    assert meter.soundless_since_ns is None


def test_a_stuck_block_is_noticed_where_it_begins() -> None:
    meter = LevelMeter(RATE)
    player = Player(meter)
    before = noise(2 * RATE, 300)
    player.play(before)
    player.play(again(before[-BLOCK:], RATE))
    assert meter.state() == "stuck"
    assert meter.soundless_since_ns == pytest.approx(2 * NS_PER_S, abs=0.15 * NS_PER_S)


@pytest.mark.parametrize("offset", [0, 17, 185, -3000])
def test_levels_are_those_of_the_sound_without_the_offset(offset: int) -> None:
    meter = LevelMeter(RATE)
    player = Player(meter)
    assert player.play(noise(TWO_SECONDS, 30, offset)) == ["ok"]
    assert meter.rms_db == pytest.approx(20 * np.log10(30 / 32768), abs=0.5)
    assert meter.peak_db == pytest.approx(meter.rms_db + 12, abs=3)
    assert meter.last_speech_ns is None
    assert all(power < 10 ** (SPEECH_DB / 10) for *_, power in meter.energy_history())
    assert player.play(noise(TWO_SECONDS, 2000, offset)) == ["ok"]
    assert meter.last_speech_ns is not None


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("deviation", [1.6, 3.0, 40.0, 3000.0, 30_000.0])
def test_sound_is_never_taken_for_a_repetition(deviation: float, seed: int) -> None:
    meter = LevelMeter(RATE)
    states = Player(meter).play(noise(5 * RATE, deviation, seed=seed))
    assert not {"stuck", "muted"} & set(states)


def test_a_steady_tone_with_the_noise_of_a_device_is_not_stuck() -> None:
    tone = np.sin(np.arange(TWO_SECONDS) * 2 * np.pi * 1000 / RATE) * 9000
    heard = (tone + noise(TWO_SECONDS, 1.5)).round().astype(np.int16)
    meter = LevelMeter(RATE)
    assert Player(meter).play(heard) == ["ok"]
    assert meter.last_speech_ns is not None


def test_an_overdriven_input_clips_and_is_not_stuck() -> None:
    loud = np.where(noise(TWO_SECONDS, 1.0) > 0, 32767, -32768).astype(np.int16)
    assert Player(LevelMeter(RATE)).play(loud)[-1] == "clipping"


@pytest.mark.parametrize("spoilt", ["offset", "stuck"])
def test_the_good_neighbour_of_a_bad_microphone_is_not_called_quiet(spoilt: str) -> None:
    """Nobody speaks; the good one gives a quiet room, the bad one a high value."""
    bad = LevelMeter(RATE)

    def bad_is_heard(now_ns: int) -> bool:
        return bad.last_speech_ns is not None and now_ns - bad.last_speech_ns < 0.4 * NS_PER_S

    good = LevelMeter(RATE, is_speech_elsewhere=bad_is_heard)
    seconds = 8
    spoilt_samples = {
        "offset": noise(seconds * RATE, 20, 200),
        "stuck": again(noise(BLOCK, 3000), seconds * RATE),
    }[spoilt]
    bad_player, good_player = Player(bad), Player(good)
    states: set[str] = set()
    room = noise(seconds * RATE, 12, seed=4)
    for at in range(0, seconds * RATE, BLOCK):
        bad_player.play(spoilt_samples[at : at + BLOCK])
        states.update(good_player.play(room[at : at + BLOCK]))
    assert states == {"ok"}


@pytest.mark.parametrize(
    ("make", "ends"),
    [
        (lambda count: np.full(count, 17, np.int16), "muted"),
        (lambda count: again(noise(BLOCK, 300), count), "stuck"),
    ],
)
def test_the_line_of_a_conference_set_may_give_nothing_new_for_its_own_time(
    make: Callable[[int], Samples], ends: str
) -> None:
    meter = LevelMeter(RATE, remote_silence_ns=5 * NS_PER_S)
    player = Player(meter)
    assert player.play(make(4 * RATE)) == ["ok"]
    assert player.play(make(2 * RATE)) == ["ok", ends]


def test_after_a_loss_of_the_device_nothing_is_remembered() -> None:
    meter = LevelMeter(RATE)
    Player(meter).play(again(noise(BLOCK, 300)))
    meter.reset()
    assert (meter.rms_db, meter.soundless_since_ns) == (FLOOR_DB, None)
    assert Player(meter).play(noise(RATE, 300, seed=3)) == ["ok"]


PAUSES = {
    "zeros": np.zeros(RATE * 8 // 10, np.int16),
    "a constant": np.full(RATE * 8 // 10, 7, np.int16),
    "the last bit's flicker": noise(RATE * 8 // 10, 0.6),
}


@pytest.mark.parametrize("what", PAUSES)
def test_the_pauses_of_a_noise_gate_are_no_fault_but_its_mute_switch_is(what: str) -> None:
    meter = LevelMeter(RATE, is_speech_elsewhere=lambda _now_ns: True, has_gate=True)
    player = Player(meter)
    for word in range(8):
        assert player.play(noise(RATE * 12 // 10, 2000, seed=word)) == ["ok"]
        assert player.play(PAUSES[what]) == ["ok"]
    assert meter.soundless is None, "no row of the ledger"
    player.play(noise(RATE, 2000))
    assert player.play(np.resize(PAUSES[what], 9 * RATE)) == ["ok"]
    assert player.play(np.resize(PAUSES[what], 2 * RATE)) == ["ok", "muted"]
    assert meter.soundless is not None
    assert player.play(noise(RATE, 2000))[-1] == "ok"


def test_a_noise_gate_does_not_delay_that_a_device_is_stuck() -> None:
    player = Player(LevelMeter(RATE, has_gate=True))
    player.play(noise(RATE, 2000))
    assert player.play(np.tile(noise(RATE // 10, 300), 15)) == ["ok", "stuck"]


@pytest.mark.parametrize("step", [8, 16])
@pytest.mark.parametrize("share", [0.5, 0.02])
def test_noise_of_one_bit_with_digital_gain_is_not_stuck(step: int, share: float) -> None:
    bits = np.random.default_rng(3).random(2 * TWO_SECONDS) < share
    states = Player(LevelMeter(RATE)).play((bits * step).astype(np.int16))
    assert "stuck" not in states


@pytest.mark.parametrize("value", [8, 30_000])
def test_one_odd_sample_among_zeros_makes_a_muted_microphone_neither_stuck_nor_heard(
    value: int,
) -> None:
    meter = LevelMeter(RATE)
    player = Player(meter)
    player.play(np.zeros(RATE, np.int16))
    odd = np.zeros(2 * RATE, np.int16)
    odd[RATE // 2] = value
    assert player.play(odd) == ["muted"]
    assert meter.last_speech_ns is None


@pytest.mark.parametrize("tones", [(50,), (425,), (440,), (1000,), (350, 440), (941, 1336)])
def test_a_tone_made_by_a_computer_is_sound(tones: tuple[int, ...]) -> None:
    times = np.arange(3 * RATE) / RATE
    wave = sum(3000 * np.sin(2 * np.pi * hertz * times) for hertz in tones)
    states = Player(LevelMeter(RATE)).play(np.asarray(wave).astype(np.int16))
    assert set(states) <= {"ok", "humming"}


@pytest.mark.parametrize("seed", range(5))
def test_the_newest_samples_stay_in_one_piece(seed: int) -> None:
    """Blocks of any length, longer ones than what is kept too."""
    random = np.random.default_rng(seed)
    recent, came = RecentSamples(1000), np.zeros(0, np.int16)
    for _ in range(200):
        block = random.integers(-32768, 32767, random.integers(1, 700 + 500 * seed), np.int16)
        recent.append(block)
        came = np.concatenate((came, block))
        window, with_before = recent.last(len(block))
        assert np.array_equal(window, block)
        assert np.array_equal(with_before, came[-1000 - len(block) :])


def test_the_power_of_faint_noise_on_a_large_constant_is_exact() -> None:
    samples = noise(TWO_SECONDS, 1.0, 32_000)
    values = [int(value) for value in samples]
    exact = sum(v * v for v in values) / len(values) - (sum(values) / len(values)) ** 2
    assert sound_power(samples) == pytest.approx(exact, rel=1e-9)
    assert sound_power(np.full(TWO_SECONDS, 32_767, np.int16)) == 0.0
