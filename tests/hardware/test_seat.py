"""Who speaks at which seat, from when to when, and which words are hard to make out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from bench.speech_mixtures import MEASURING, SPEECH_DB, Floats, at_level, noise, spoken
from kiosk.api.states import UnclearSpeech
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.channel import clipped_share
from kiosk.hardware.audibility.clarity import Clarity, no_levels
from kiosk.hardware.audibility.listener import Listener
from kiosk.hardware.audibility.seat import Seat, Turn
from kiosk.hardware.audibility.voice_model import CHUNK, RATE, VoiceModel

MODEL = VoiceModel.load()
BEGIN_NS = 10**12
STEP = round(0.3 * RATE)
LANGUAGES = ("kk", "ru", "en")


@dataclass
class Told:
    """What was told of each microphone: why, and at which second."""

    turns: list[Turn] = field(default_factory=list)
    unclear: list[tuple[str, str, float]] = field(default_factory=list)
    running: list[Turn] = field(default_factory=list)

    def spans(self, name: str) -> list[tuple[float, float]]:
        return [
            ((turn.start_ns - BEGIN_NS) / NS_PER_S, (turn.end_ns - BEGIN_NS) / NS_PER_S)
            for turn in self.turns
            if turn.name == name
        ]


def words(language: str, number: int, voice: str = "+m2") -> Floats:
    return spoken(MEASURING.texts[language][number], language + voice, 140, 50)


def silence(seconds: float) -> Floats:
    return np.zeros(round(seconds * RATE), np.float32)


def listen(
    *channels: Sequence[Floats], room_db: float = SPEECH_DB - 40, gain_db: float = 0.0
) -> Told:
    """Let a listener hear the pieces of each channel one after the other, in a quiet room."""
    joined = [np.concatenate([*pieces, silence(4)]) for pieces in channels]
    length = min(len(row) for row in joined)
    random, told = np.random.default_rng(8), Told()
    rows = [row[:length] + at_level(noise(random, "fan", length), room_db) for row in joined]
    rows = [np.clip(row * np.float32(10 ** (gain_db / 20)), -1, 1) for row in rows]
    listener = Listener(MODEL, {"abcdefgh"[number]: RATE for number in range(len(rows))})
    before: dict[str, str | None] = {}
    for start in range(0, length - STEP + 1, STEP):
        for number, row in enumerate(rows):
            block = np.round(row[start : start + STEP] * 32767).astype(np.int16)
            listener.push(number, BEGIN_NS + start * NS_PER_S // RATE, block)
        for heard in listener.listen():
            if heard.unclear and not before.get(heard.name):
                told.unclear.append((heard.name, heard.unclear, (start + STEP) / RATE))
            before[heard.name] = heard.unclear
        told.running += listener.running_turns
        told.turns += listener.take_turns()
    return told


@pytest.mark.parametrize("language", LANGUAGES)
def test_clear_words_are_a_turn_and_nothing_is_told(language: str) -> None:
    said = np.concatenate((words(language, 0), silence(0.4), words(language, 1)))
    told = listen([silence(2), said])
    ((start_s, end_s),) = told.spans("a")
    assert start_s == pytest.approx(2, abs=0.5)
    assert end_s == pytest.approx(2 + len(said) / RATE, abs=0.8)
    assert told.unclear == []
    (turn,) = told.turns
    assert turn.intelligibility is not None
    assert turn.intelligibility > 0.9
    assert (turn.unclear_s, turn.cause, turn.clipped_share) == (0.0, "", None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_in_a_loud_fan_are_told_within_five_seconds_with_their_seconds(language: str) -> None:
    said = np.concatenate([words(language, number) for number in range(3)])
    told = listen([silence(2), said], room_db=SPEECH_DB + 5)
    assert [(name, cause) for name, cause, _ in told.unclear] == [("a", "noise")]
    assert told.unclear[0][2] < 2 + 5
    assert sum(turn.unclear_s for turn in told.turns) > len(said) / RATE / 3
    assert {turn.cause for turn in told.turns} == {"noise"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("gain_db", [26, 32])
def test_an_overdriven_microphone_is_told_within_five_seconds(
    language: str, gain_db: float
) -> None:
    said = np.concatenate((words(language, 0), words(language, 1)))
    told = listen([silence(2), said], gain_db=gain_db)
    assert [(name, cause) for name, cause, _ in told.unclear] == [("a", "clipped")]
    assert told.unclear[0][2] < 2 + 5
    (turn,) = told.turns
    cut = np.clip(said * np.float32(10 ** (gain_db / 20)), -1, 1)
    share = clipped_share(np.round(cut * 32767).astype(np.int16))
    assert turn.clipped_share == pytest.approx(share, rel=0.25)
    assert turn.cause == "clipped"
    assert turn.unclear_s > len(said) / RATE / 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_loud_clean_words_are_not_taken_for_overdriven(language: str) -> None:
    """Their tops come to full scale, and some are cut."""
    said = np.concatenate((words(language, 0), words(language, 1)))
    told = listen([silence(2), said], gain_db=-20 * np.log10(np.max(np.abs(said))) + 3)
    assert told.unclear == []
    assert {turn.unclear_s for turn in told.turns} == {0.0}


def test_cut_samples_are_those_in_runs_at_full_scale() -> None:
    block = np.zeros(1000, np.int16)
    assert clipped_share(block) == 0
    block[[10, 11, 500]] = 32767  # two in a row, and one: the loudest of a clean voice
    assert clipped_share(block) == 0
    block[100:110], block[200:203], block[997:] = 32767, -32768, 32762
    assert clipped_share(block) == pytest.approx(0.016)
    alternating = np.tile(np.array([32767, -32768], np.int16), 500)
    assert clipped_share(alternating) == 0, "a run has one sign"


@pytest.mark.parametrize(
    ("quieter_db", "room_db"), [(0, -66), (12, -66), (24, -66), (0, -46), (0, -26), (12, -40)]
)
def test_the_level_of_a_turn_is_that_of_the_voice_without_the_noise(
    quieter_db: int, room_db: int
) -> None:
    said = np.concatenate((words("ru", 0), words("ru", 1)))
    told = listen([silence(3), said * np.float32(10 ** (-quieter_db / 20))], room_db=room_db)
    (turn,) = told.turns
    assert turn.level_db == pytest.approx(SPEECH_DB - quieter_db, abs=3)


def test_words_are_unclear_for_as_long_as_they_are_so_and_ten_seconds() -> None:
    """How often that is told is another matter: the second time within a minute is known, too."""
    said = np.concatenate([words("ru", number) for number in range(3)])
    told = listen([silence(2), said, silence(16), said], room_db=SPEECH_DB + 5)
    (_, _, first_s), (_, _, second_s) = told.unclear
    end_s = 2 + len(said) / RATE
    assert 2 < first_s < 2 + 5
    assert end_s + 16 < second_s < end_s + 16 + 5
    assert second_s - first_s < 60


@pytest.mark.parametrize("leak_db", [-6, -12, -20])
def test_a_voice_that_reaches_another_seat_speaks_at_its_own_alone(leak_db: int) -> None:
    first = np.concatenate((words("ru", 0), words("ru", 1)))
    second = np.concatenate((words("kk", 2, "+f1"), words("kk", 3, "+f1")))
    leak = np.float32(10 ** (leak_db / 20))
    at_a = [silence(2), first, silence(4), second * leak]
    at_b = [silence(2), first * leak, silence(4), second]
    told = listen(at_a, at_b)
    ((a_start, a_end),) = told.spans("a")
    ((b_start, b_end),) = told.spans("b")
    assert (a_start, a_end) == pytest.approx((2, 2 + len(first) / RATE), abs=0.8)
    begun = 6 + len(first) / RATE
    assert (b_start, b_end) == pytest.approx((begun, begun + len(second) / RATE), abs=0.8)
    assert told.unclear == []


def test_two_who_speak_at_once_are_told_as_cross_talk() -> None:
    first = np.concatenate([words("ru", number) for number in (0, 1, 2)])
    second = np.concatenate([words("ru", number, "+f1") for number in (3, 2, 0)])
    length = min(len(first), len(second))
    first, second = first[:length], second[:length] * np.float32(2)
    part = np.float32(0.6)
    told = listen([silence(2), first + second * part], [silence(2), second + first * part])
    assert ("a", "cross_talk") in [(name, cause) for name, cause, _ in told.unclear]
    assert told.spans("a")
    assert told.spans("b")


def test_a_pause_of_more_than_two_seconds_ends_a_turn() -> None:
    told = listen(
        [silence(2), words("en", 0), silence(1), words("en", 1), silence(3), words("en", 2)]
    )
    assert len(told.spans("a")) == 2


def test_a_long_turn_comes_in_pieces_of_a_minute() -> None:
    said = np.concatenate([words("en", number % 4) for number in range(20)])
    told = listen([silence(1), said[: 70 * RATE]])
    (first, second) = told.spans("a")
    assert 59 < first[1] - first[0] < 62
    assert second[0] == pytest.approx(first[1], abs=0.1)


def test_a_turn_that_goes_on_is_told_as_far_as_it_was_heard() -> None:
    told = listen([silence(2), words("ru", 0)])
    (ended,) = told.turns
    assert {turn.start_ns for turn in told.running} == {ended.start_ns}
    ends = [turn.end_ns for turn in told.running]
    assert ends == sorted(ends)
    assert (ends[-1], len(set(ends)) > 2) == (ended.end_ns, True)


@pytest.mark.parametrize(
    ("estimates", "told"),
    [
        ((0.66, 0.79, 0.87, 0.89, 0.89, 0.89), [None] * 6),
        ((0.66, 0.71, 0.87, 0.89), [None] * 4),
        ((0.66, 0.79, 0.8), [None, None, "noise"]),
        ((0.6, 0.69), [None, "noise"]),
        ((0.9, 0.7, 0.7), [None, None, "noise"]),
    ],
)
def test_the_first_estimates_of_a_turn_count_only_while_the_newest_says_so_too(
    monkeypatch: pytest.MonkeyPatch, estimates: tuple[float, ...], told: list[str | None]
) -> None:
    """They know little speech, and are too low in babble that is 10 dB below the voice."""
    rows = iter(estimates)
    monkeypatch.setattr(
        "kiosk.hardware.audibility.seat.judge",
        lambda *_: Clarity(next(rows), UnclearSpeech.NOISE, SPEECH_DB),
    )
    seat, found, end_ns = Seat("a"), [], BEGIN_NS
    voice = words("kk", 0)[: 2 * STEP // CHUNK * CHUNK]
    for _ in estimates:
        end_ns += NS_PER_S
        seat.push(voice, end_ns)
        seat.hear(np.ones(len(voice) // CHUNK, np.float32))
        seat.attend(no_levels())
        found.append(seat.unclear)
    assert found == told
