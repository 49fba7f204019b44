"""Speech as a courtroom's microphone may get it: voices in noise, babble, echo and cross-talk.

Voices are espeak-ng's. Texts, voices' variants and random numbers of :data:`TUNING` (which the
coefficients in ``kiosk/hardware/audibility`` were fitted to) and :data:`MEASURING` have nothing in
common. Neither is a person in a room.
"""

from __future__ import annotations

import io
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.hardware.audibility.voice_model import RATE

Floats = NDArray[np.float32]
Kind = Literal["fan", "hum", "rain", "babble", "echo", "cross-talk"]
KINDS: tuple[Kind, ...] = ("fan", "hum", "rain", "babble", "echo", "cross-talk")
RATIOS_DB = (30.0, 20.0, 10.0, 5.0, 0.0, -5.0)
ECHO_S = (0.3, 0.6, 1.0, 1.6, 2.5)
LEAD_S = 1.5
"""Of the room alone, before somebody speaks."""
SPEECH_DB = -26.0
CROSS_TALK_LEAK_DB = -6.0
"""What the other seat's microphone gets of a voice."""


@dataclass(frozen=True)
class Voices:
    """Texts and voices of one purpose.

    Attributes:
        seed: of everything that is drawn.
        texts: by language of espeak-ng.
        variants: of its voices.
    """

    seed: int
    texts: dict[str, tuple[str, ...]]
    variants: tuple[str, ...]


TUNING = Voices(
    seed=1501,
    texts={
        "ru": (
            "Я увидел его возле магазина около девяти часов вечера, он разговаривал по телефону.",
            "Договор мы подписали в марте, а деньги он обещал вернуть до конца лета, но не вернул.",
            "Сначала я услышала шум во дворе, потом кто-то быстро побежал к стоянке.",
        ),
        "kk": (
            "Мен оны дүкеннің жанында кешкі сағат тоғыз шамасында көрдім, ол телефонмен сөйлесті.",
            "Келісімшартқа наурыз айында қол қойдық, ақшаны жаз соңына дейін қайтарамын деді.",
            "Алдымен аулада шу естідім, содан кейін біреу тұраққа қарай жүгіріп кетті.",
        ),
        "en": (
            "I saw him near the shop at about nine in the evening, and he was on the telephone.",
            "We signed the contract in March, and he promised to pay it back before autumn came.",
            "First I heard a noise in the yard, then somebody ran quickly towards the car park.",
        ),
    },
    variants=("", "+m1", "+m3", "+f2"),
)
MEASURING = Voices(
    seed=2026,
    texts={
        "ru": (
            "В тот день шёл сильный дождь, и водитель грузовика не успел затормозить перед ним.",
            "Соседка сказала мне, что дверь была открыта, а в квартире никого уже не было видно.",
            "Прошу приобщить к делу справку из больницы и показания второго очевидца событий.",
            "Он три раза спрашивал меня о деньгах, и каждый раз я отвечал одно и то же.",
        ),
        "kk": (
            "Сол күні қатты жаңбыр жауды, жүк көлігінің жүргізушісі тежегішті басып үлгермеді.",
            "Көршім маған есік ашық тұрғанын, ал пәтерде ешкім көрінбегенін айтып келді.",
            "Іске аурухананың анықтамасын және екінші куәгердің жауабын қосуды сұраймын.",
            "Ол менен ақша туралы үш рет сұрады, мен әр жолы бір жауапты қайталадым.",
        ),
        "en": (
            "It rained heavily on that day, and the driver of the truck could not brake in time.",
            "My neighbour told me that the door stood open and nobody was left in the flat.",
            "Please add the hospital's certificate and the statement of the second witness.",
            "Three times he asked me for the money, and I gave him the same answer each time.",
        ),
    },
    variants=("+m2", "+m5", "+f1", "+f4", "+m7"),
)


@dataclass(frozen=True)
class Mixture:
    """What two microphones get, and what was said at the first.

    Attributes:
        samples: (2, samples) at :data:`RATE`, full scale 1.0; the second is the other seat's.
        clean: the words alone, from :data:`LEAD_S` on.
        kind, amount: what disturbs: ratio in dB, or reverberation time in seconds.
    """

    samples: Floats
    clean: Floats
    kind: Kind
    amount: float
    language: str


@cache
def spoken(text: str, voice: str, words_a_minute: int, pitch: int) -> Floats:
    """Return ``text`` as espeak-ng says it, at :data:`RATE`, :data:`SPEECH_DB`."""
    command = ["espeak-ng", "-v", voice, "-s", str(words_a_minute), "-p", str(pitch), "--stdout"]
    sound = subprocess.run([*command, text], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(sound)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(len(sound)), "<i2").astype(np.float32) / 32768
    spectrum = np.fft.rfft(samples)
    count = round(len(samples) * RATE / rate)
    lower = np.fft.irfft(spectrum[: count // 2 + 1], count) * (count / len(samples))
    return at_level(lower.astype(np.float32), SPEECH_DB)


def at_level(samples: Floats, level_db: float) -> Floats:
    """Return ``samples`` with that mean power, dB of full scale."""
    power = float(np.mean(samples**2)) or 1.0
    return np.asarray(samples * np.sqrt(10 ** (level_db / 10) / power), np.float32)


def mixtures(voices: Voices, count: int) -> Iterator[Mixture]:
    """Yield ``count`` mixtures, each kind, amount and language as often as the others."""
    random = np.random.default_rng(voices.seed)
    languages = tuple(voices.texts)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        amounts = ECHO_S if kind == "echo" else RATIOS_DB
        amount = amounts[number // len(KINDS) % len(amounts)]
        language = languages[int(random.integers(len(languages)))]
        yield mixture(voices, random, kind, amount, language)


def mixture(
    voices: Voices, random: np.random.Generator, kind: Kind, amount: float, language: str
) -> Mixture:
    """Return a mixture of ``kind``; ``amount``: ratio in dB, or reverberation time in s."""
    clean = _sentences(voices, random, language, 6.0)
    lead = round(LEAD_S * RATE)
    own = np.concatenate((np.zeros(lead, np.float32), clean))
    room = at_level(noise(random, "fan", len(own)), SPEECH_DB - 40)
    other = at_level(noise(random, "fan", len(own)), SPEECH_DB - 40)
    if kind == "echo":
        own = _in_echo(own, random, amount)
        return Mixture(np.stack((own + room, other)), clean, kind, amount, language)
    if kind == "cross-talk":
        second = _sentences(voices, random, language, len(own) / RATE)[: len(own)]
        leak = 10 ** (CROSS_TALK_LEAK_DB / 20)
        loud = at_level(second, SPEECH_DB - amount - CROSS_TALK_LEAK_DB)
        at_first, at_other = own + _late(loud) * leak + room, loud + _late(own) * leak + other
        return Mixture(np.stack((at_first, at_other)), clean, kind, amount, language)
    if kind == "babble":
        disturbance = sum(
            (_sentences(voices, random, language, len(own) / RATE)[: len(own)] for _ in range(6)),
            np.zeros(len(own), np.float32),
        )
    else:
        disturbance = noise(random, kind, len(own))
    disturbance = at_level(disturbance, SPEECH_DB - amount)
    return Mixture(np.stack((own + room + disturbance, other)), clean, kind, amount, language)


def _sentences(
    voices: Voices, random: np.random.Generator, language: str, seconds: float
) -> Floats:
    """Return so many seconds of speech at least, with pauses, of one voice."""
    voice = language + str(random.choice(voices.variants))
    speed, pitch = int(random.integers(12, 19)) * 10, int(random.integers(2, 8)) * 10
    texts = list(voices.texts[language])
    random.shuffle(texts)
    pieces, length = [], 0
    for number in range(100):
        piece = spoken(texts[number % len(texts)], voice, speed, pitch)
        pause = np.zeros(round(random.uniform(0.2, 0.6) * RATE), np.float32)
        pieces += [piece, pause]
        length += len(piece) + len(pause)
        if length >= seconds * RATE:
            break
    return np.concatenate(pieces)[: max(round(seconds * RATE), 1)].astype(np.float32, copy=False)


def _late(samples: Floats, seconds: float = 0.004) -> Floats:
    """Return ``samples`` as they arrive 1.4 m further away."""
    count = round(seconds * RATE)
    return np.concatenate((np.zeros(count, np.float32), samples[:-count]))


def _in_echo(samples: Floats, random: np.random.Generator, seconds: float) -> Floats:
    """Return ``samples`` in a room of that reverberation time, 2 m from the microphone."""
    count = round(min(seconds, 2.5) * RATE)
    times = np.arange(count) / RATE
    tail = random.standard_normal(count) * 10 ** (-3 * times / seconds)
    tail[: round(0.003 * RATE)] = 0.0
    tail *= np.sqrt(seconds / 0.6 / float(np.sum(tail**2)))  # 0.6 s: as strong as the voice itself
    tail[0] = 1.0
    size = 1 << (len(samples) + count).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return at_level(wet[: len(samples)].astype(np.float32), SPEECH_DB)


def noise(random: np.random.Generator, kind: str, count: int) -> Floats:
    """Return ``count`` samples of a fan, of hum, or of rain, of any level."""
    times = np.arange(count) / RATE
    if kind == "hum":
        tones = sum(
            np.sin(2 * np.pi * 50 * n * times + random.uniform(0, 6.28)) / n for n in range(1, 9)
        )
        return np.asarray(tones + 0.02 * random.standard_normal(count), np.float32)
    white = random.standard_normal(count)
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    if kind == "fan":
        shape = 1 / np.sqrt(np.maximum(frequencies, 60.0))
        flutter = 1 + 0.1 * np.sin(2 * np.pi * random.uniform(5, 25) * times)
        return np.asarray(np.fft.irfft(spectrum * shape, count) * flutter, np.float32)
    shape = np.sqrt(np.maximum(frequencies, 60.0) / 4000)
    drops = 1 + 4 * (random.random(count) < 20 / RATE) * random.exponential(4.0, count)
    return np.asarray(np.fft.irfft(spectrum * shape, count) * drops, np.float32)
