"""The voice model rests while nothing changes in the room, and misses no word for it."""

from __future__ import annotations

import numpy as np
import pytest

from bench.speech_mixtures import SPEECH_DB, TUNING, Floats, at_level, noise, spoken
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility import silence_gate
from kiosk.hardware.audibility.listener import Listener
from kiosk.hardware.audibility.seat import Turn
from kiosk.hardware.audibility.voice_model import RATE, VoiceModel

MODEL = VoiceModel.load()
BEGIN_NS = 10**12
STEP = round(0.3 * RATE)
SETTLED_S = 6


class Room:
    """Microphones whose sound a listener hears piece by piece."""

    def __init__(self, microphones: int = 1) -> None:
        self.listener = Listener(MODEL, {str(number): RATE for number in range(microphones)})
        self.now_ns = BEGIN_NS
        self.turns: list[Turn] = []
        self.speech_ends: list[tuple[int | None, ...]] = []

    def hear(self, *rows: Floats) -> float:
        """Hear so much; return the share of its chunks that the voice model got."""
        counted = self.listener.counted
        for start in range(0, len(rows[0]) - STEP + 1, STEP):
            for number, row in enumerate(rows):
                block = np.round(np.clip(row[start : start + STEP], -1, 1) * 32767)
                self.listener.push(number, self.now_ns, block.astype(np.int16))
            self.now_ns += STEP * NS_PER_S // RATE
            self.speech_ends.append(tuple(heard.speech_ns for heard in self.listener.listen()))
            self.turns += self.listener.take_turns()
        chunks, passed = np.subtract(self.listener.counted, counted)
        return float(passed / chunks)


def first_look(room: Room) -> int:
    """Return the number of the look that first heard speech at the first microphone."""
    found = first_look_or_none(room)
    assert found is not None
    return found


def first_look_or_none(room: Room) -> int | None:
    """Return that, or None if nothing was heard."""
    found = (number for number, ends in enumerate(room.speech_ends) if ends[0] is not None)
    return next(found, None)


def room(kind: str, seconds: float, level_db: float) -> Floats:
    random = np.random.default_rng(round(-level_db) + 7)
    return at_level(noise(random, kind, round(seconds * RATE)), level_db)


@pytest.mark.parametrize("kind", ["fan", "hum"])
def test_a_minute_of_steady_noise_does_not_run_the_voice_model(kind: str) -> None:
    heard = room(kind, 60 + SETTLED_S, -35)
    one = Room()
    assert one.hear(heard[: SETTLED_S * RATE]) > 0.4
    assert one.hear(heard[SETTLED_S * RATE :]) < 0.05


def test_a_fan_that_is_switched_on_does_not_run_it_for_long() -> None:
    one = Room()
    one.hear(room("fan", 8, -60))
    assert one.hear(room("fan", 2, -35)) > 0.9
    one.hear(room("fan", 8, -35))
    assert one.hear(room("fan", 20, -35)) < 0.05


@pytest.mark.parametrize("silence_s", [0.3, 1.0, 20.0])
def test_words_soon_after_a_muted_microphone_is_switched_on_are_heard(silence_s: float) -> None:
    """The jump from digital silence to a fan is no spread of the room: it deafened for 30 s."""
    one, word = Room(), spoken(TUNING.texts["ru"][0], "ru", 140, 50)
    one.hear(np.zeros(round(silence_s * RATE), np.float32))
    one.hear(room("fan", 5, -35))
    assert first_look_or_none(one) is None
    said = room("fan", len(word) / RATE, -35) + at_level(word, -20)
    one.hear(said)
    assert first_look_or_none(one) is not None


def test_digital_silence_does_not_run_it_and_a_word_after_it_is_heard_from_its_beginning() -> None:
    one, word = Room(), spoken(TUNING.texts["ru"][0], "ru", 140, 50)
    one.hear(np.zeros(SETTLED_S * RATE, np.float32))
    assert one.hear(np.zeros(20 * RATE, np.float32)) == 0
    begun_ns = one.now_ns
    one.hear(np.concatenate((word, np.zeros(5 * RATE, np.float32))))
    (turn,) = one.turns
    assert abs(turn.start_ns - begun_ns) < NS_PER_S * 0.4


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("late_s", [0.0, 0.1, 0.29])
def test_speech_below_a_fan_opens_it_and_no_onset_is_lost(language: str, late_s: float) -> None:
    said = spoken(TUNING.texts[language][0], language, 140, 50)
    begin = round((9 + late_s) * RATE)
    heard = room("fan", 9 + len(said) / RATE + 2, SPEECH_DB + 5)
    heard[begin : begin + len(said)] += said
    gated, open_ = Room(), Room()
    assert gated.hear(heard[: 9 * RATE]) < 0.5
    gated.hear(heard[9 * RATE :])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(silence_gate, "SETTLE_FRAMES", 10**9)
        assert open_.hear(heard[: 9 * RATE]) == 1
        open_.hear(heard[9 * RATE :])
    assert first_look(gated) <= first_look(open_)


def test_after_a_hole_it_is_open_until_the_room_is_known_again() -> None:
    one = Room()
    one.hear(room("fan", 10, -35))
    one.now_ns += 10 * NS_PER_S
    assert one.hear(room("fan", 3, -50)) == 1
