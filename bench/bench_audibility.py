"""Unclear words in mixtures that nothing was tuned on: found in time, and clear ones left alone.

The reference is STOI of each mixture against the words alone (pystoi). The microphones' blocks go
through the class that the recorder's process runs. ``KIOSK_BENCH_MIXTURES=300`` makes all of them;
the default is a quarter.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from bench.measure import Measure
from bench.speech_mixtures import (
    LEAD_S,
    MEASURING,
    RATE,
    SPEECH_DB,
    Mixture,
    at_level,
    mixture,
    mixtures,
    noise,
)
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.listener import Heard, Listener
from kiosk.hardware.audibility.voice_model import VoiceModel

MIXTURES = int(os.environ.get("KIOSK_BENCH_MIXTURES", "75"))
POOR, GOOD = 0.75, 0.9
WITHIN_S = 5.0
LISTEN_S = 0.3
MICROPHONES, CARD_RATE, COST_S = 8, 48_000, 30
NOISES_DB = (-50, -35, -20)
NOISE_S = 20
STEP_NS = 10**15
"""From one mixture to the next on the recording clock: each begins anew."""


def run(_repeats: int) -> list[Measure]:
    """Judge the mixtures; there is no peer: a level meter calls all of them good."""
    from bench.fit_clarity import intelligibility

    model = VoiceModel.load()
    poor, good, found, false = 0, 0, 0, 0
    for one in mixtures(MEASURING, MIXTURES):
        value, told_s = intelligibility(one), first_told_s(model, one)
        is_found = told_s is not None and told_s <= WITHIN_S
        poor, found = poor + (value < POOR), found + (value < POOR and is_found)
        good, false = good + (value > GOOD), false + (value > GOOD and told_s is not None)
        wrong = (value < POOR and not is_found) or (value > GOOD and told_s is not None)
        if wrong:
            print(f"  {one.kind} {one.amount:g} {one.language}: {value:.2f}, told {told_s}")
    heard = sum(
        is_heard(model, kind, level) for kind in ("fan", "hum", "rain") for level in NOISES_DB
    )
    speaking, silent, memory = (float(word) for word in _cost().split())
    return [
        Measure(f"unclear words found within {WITHIN_S:g} s, of {poor}", found / poor, "share"),
        Measure(f"clear words called unclear, of {good}", false / good, "share"),
        Measure(f"noise alone taken for speech, of {3 * len(NOISES_DB)}", heard, "noises"),
        Measure(f"{MICROPHONES} microphones, one speaks and all get it", speaking, "of a core"),
        Measure(f"{MICROPHONES} microphones, nobody speaks", silent, "of a core"),
        Measure("memory of the process that listens", memory, "MB"),
    ]


def listen(
    model: VoiceModel, samples: np.ndarray, rate: int
) -> Iterator[tuple[float, list[Heard]]]:
    """Yield what is heard of ``samples`` (microphones, samples) after each :data:`LISTEN_S`."""
    listener = Listener(model, {str(number): rate for number in range(len(samples))})
    size = round(rate * LISTEN_S)
    whole = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    for start in range(0, whole.shape[1] - size + 1, size):
        for number, row in enumerate(whole):
            listener.push(number, STEP_NS + start * NS_PER_S // rate, row[start : start + size])
        yield (start + size) / rate, listener.listen()


def first_told_s(model: VoiceModel, one: Mixture) -> float | None:
    """Return how long after the first word the first microphone's words are called unclear."""
    for moment_s, heard in listen(model, one.samples, RATE):
        if any(row.name == "0" and row.unclear for row in heard):
            return moment_s - LEAD_S
    return None


def is_heard(model: VoiceModel, kind: str, level_db: float) -> bool:
    """Return whether noise alone counts as speech."""
    random = np.random.default_rng(MEASURING.seed + round(level_db))
    samples = at_level(noise(random, kind, NOISE_S * RATE), level_db)[None]
    return any(row.speech_ns for _, heard in listen(model, samples, RATE) for row in heard)


def _cost() -> str:
    """Return shares of a core and memory, measured in a process of its own."""
    command = [sys.executable, "-m", "bench.bench_audibility"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout


def main() -> int:
    """Print what eight microphones cost while somebody speaks and while nobody does, and memory."""
    model, random, costs = VoiceModel.load(), np.random.default_rng(MEASURING.seed), []
    one = mixture(MEASURING, random, "fan", 20.0, "ru").samples[0]
    speech = np.tile(np.repeat(one, CARD_RATE // RATE), COST_S)[: COST_S * CARD_RATE]
    room = at_level(noise(random, "fan", COST_S * CARD_RATE), SPEECH_DB - 40)
    for voice in (speech, np.zeros_like(speech)):
        samples = np.stack([voice * 0.25 ** (number > 0) for number in range(MICROPHONES)]) + room
        begun = time.process_time()
        for _ in listen(model, samples, CARD_RATE):
            pass
        costs.append((time.process_time() - begun) / COST_S)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(*(f"{cost:.4f}" for cost in costs), f"{memory:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
