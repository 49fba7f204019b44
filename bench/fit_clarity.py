"""Fit the weights of ``kiosk/hardware/audibility/clarity.py`` to the tuning mixtures; print them.

``python -m bench.fit_clarity [MIXTURES]``. It never sees a mixture of ``bench_audibility``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pystoi import stoi

from bench.speech_mixtures import LEAD_S, TUNING, Mixture, mixtures
from kiosk.hardware.audibility.band_levels import FRAMES_A_SECOND, HOP, band_levels
from kiosk.hardware.audibility.clarity import features
from kiosk.hardware.audibility.seat import MAYBE, UNCLEAR
from kiosk.hardware.audibility.voice_model import CHUNK, RATE, VoiceDetector, VoiceModel

MIXTURES = 396
MOMENTS_S = np.arange(1.8, 4.9, 0.3)
"""After the first word."""
RIDGE = 3.0
NEAR, NEAR_WEIGHT = 0.12, 2.0
"""What is so near the limit counts more."""
Rows = NDArray[np.float64]


def intelligibility(mixture: Mixture) -> float:
    """Return STOI of what the first microphone got, against the words alone."""
    lead = round(LEAD_S * RATE)
    got = mixture.samples[0][lead : lead + len(mixture.clean)]
    return float(stoi(mixture.clean, got, RATE))


def rows_of(model: VoiceModel, mixture: Mixture) -> Iterator[tuple[float, ...]]:
    """Yield the features of ``mixture`` at each of :data:`MOMENTS_S`."""
    length = mixture.samples.shape[1] // CHUNK * CHUNK
    samples = mixture.samples[:, :length]
    own, other = (band_levels(channel) for channel in samples)
    probabilities = np.repeat(VoiceDetector(model, 2).push(samples)[0], CHUNK // HOP)[: len(own)]
    for moment_s in MOMENTS_S:
        end = round((LEAD_S + moment_s) * FRAMES_A_SECOND)
        until = probabilities[:end]
        if (row := features(own[:end], until, until > MAYBE, other[:end])) is not None:
            yield row


def fit(rows: Rows, truth: Rows) -> tuple[Rows, float]:
    """Return weights and constant by ridge regression on features of equal spread."""
    mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
    table = np.c_[(rows - mean) / spread, np.ones(len(rows))]
    weighted = table * np.where(np.abs(truth - UNCLEAR) < NEAR, NEAR_WEIGHT, 1.0)[:, None]
    ridge = RIDGE * np.eye(table.shape[1])
    ridge[-1, -1] = 0.0
    found = np.linalg.solve(weighted.T @ table + ridge, weighted.T @ truth)
    weights = found[:-1] / spread
    return weights, float(found[-1] - weights @ mean)


def main() -> int:
    """Fit, and print the weights and how far they miss."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MIXTURES
    model, rows, truth = VoiceModel.load(), [], []
    for mixture in mixtures(TUNING, count):
        found = list(rows_of(model, mixture))
        rows += found
        truth += [intelligibility(mixture)] * len(found)
    table, goal = np.array(rows), np.array(truth)
    weights, constant = fit(table, goal)
    missed = table @ weights + constant - goal
    print(", ".join(f"{weight:.4f}" for weight in weights))
    print(f"constant {constant:.4f}, misses by {np.sqrt(np.mean(missed**2)):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
