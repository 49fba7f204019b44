"""A real call's sound: spoken words as G.711 packets of 20 ms, what is played, and its PESQ.

A packet that is missing, or comes after its turn in the jitter buffer, is concealed as telephones
do it: the last pitch period is repeated and fades out within 60 ms (ITU-T G.711 Appendix I).
"""

from __future__ import annotations

import importlib
import io
import subprocess
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
RATE = 8000
PACKET_SAMPLES = 160  # 20 ms
MU = 255.0
FADE_PACKETS = 3.0
PITCH_SAMPLES = (40, 120)  # 200 to 66 Hz
WORDS = (
    "The court is in session. The witness may now speak. Please tell the court where you were on "
    "the evening of the third of March, whom you met there, and what was said."
)


def spoken(words: str = WORDS, voice: str = "en") -> Samples:
    """Return ``words`` at 8 kHz, spoken by espeak-ng.

    Raises:
        FileNotFoundError: it is not installed.
    """
    command = ["espeak-ng", "-v", voice, "-s", "150", "--stdout", words]
    done = subprocess.run(command, capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as sound:
        rate = sound.getframerate()
        samples = np.frombuffer(sound.readframes(1 << 30), np.int16).astype(float)
    step = rate / RATE  # average of what falls on one sample: a plain low pass
    edges = np.arange(0, len(samples) - step, step)
    total = np.concatenate([[0.0], np.cumsum(samples)])
    low = np.interp(edges + step, np.arange(len(total)), total)
    low -= np.interp(edges, np.arange(len(total)), total)
    found: Samples = (low / step).astype(np.int16)
    return found[: len(found) // PACKET_SAMPLES * PACKET_SAMPLES]


def encoded(samples: Samples) -> bytes:
    """Return ``samples`` as bytes of 8 bits by the mu-law of G.711 (as its formula)."""
    linear = samples / 32768.0
    curve = np.sign(linear) * np.log1p(MU * np.abs(linear)) / np.log1p(MU)
    return bytes(np.round((curve + 1) * 127.5).astype(np.uint8))


def decoded(data: bytes) -> Samples:
    """Return the samples of :func:`encoded`'s bytes."""
    curve = np.frombuffer(data, np.uint8) / 127.5 - 1
    linear = np.sign(curve) * np.expm1(np.abs(curve) * np.log1p(MU)) / MU
    found: Samples = (linear * 32767).astype(np.int16)
    return found


def played(packets: Sequence[bytes | None]) -> Samples:
    """Return what the listener hears of ``packets`` in order; None: missing or too late."""
    heard: list[NDArray[Any]] = []
    past, missing = np.zeros(3 * PACKET_SAMPLES), 0
    for packet in packets:
        if packet is not None:
            block = decoded(packet).astype(float)
            if missing:  # without a step: from what was made up into what came
                ramp = np.linspace(0, 1, 40)
                block[:40] = block[:40] * ramp + _made_up(past, missing)[:40] * (1 - ramp)
            missing = 0
        else:
            block = _made_up(past, missing)
            missing += 1
        heard.append(block)
        past = np.concatenate([past, block])[-3 * PACKET_SAMPLES :]
    return np.concatenate(heard).astype(np.int16)


def _made_up(past: NDArray[Any], missing: int) -> NDArray[Any]:
    """Return a block in place of a packet: the last pitch period again, softer each time."""
    recent = past[-PACKET_SAMPLES:]
    lags = range(*PITCH_SAMPLES)
    fits = [float(np.dot(recent, past[-PACKET_SAMPLES - lag : -lag])) for lag in lags]
    period = past[-lags[int(np.argmax(fits))] :]
    block = np.resize(period, PACKET_SAMPLES)
    start, end = (max(0.0, 1 - (missing + part) / FADE_PACKETS) for part in (0, 1))
    return block * np.linspace(1.0 if missing == 0 else start, end, PACKET_SAMPLES)


def pesq_score(reference: Samples, heard: Samples) -> float:
    """Return PESQ (ITU-T P.862, narrow band, as MOS-LQO by P.862.1).

    Raises:
        ImportError: ``pesq`` is not installed.
    """
    library = importlib.import_module("pesq")
    try:
        return float(library.pesq(RATE, reference, heard, "nb"))
    except library.NoUtterancesError:
        return 1.0  # nothing that could be speech has come
