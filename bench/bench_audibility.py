"""Unclear words in mixtures that nothing was tuned on: found in time, and clear ones left alone.

The reference is STOI of each mixture against the words alone (pystoi). The microphones' blocks go
through the class that the recorder's process runs. ``KIOSK_BENCH_MIXTURES=300`` makes all of them;
the default is a quarter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.fit_clarity import intelligibility
from bench.measure import Measure
from bench.speech_mixtures import (
    LEAD_S,
    MEASURING,
    SPEECH_DB,
    Mixture,
    at_level,
    mixture,
    mixtures,
    noise,
)
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.hardware.audibility.listener import Heard, Listener
from kiosk.hardware.audibility.voice_model import RATE, VoiceModel
from kiosk.hardware.audio.block import AudioBlock, Samples
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.sources.speech_detector import SpeechDetector

MIXTURES = int(os.environ.get("KIOSK_BENCH_MIXTURES", "75"))
POOR, GOOD = 0.75, 0.9
WITHIN_S = 5.0
LISTEN_S = 0.3
MICROPHONES, CARD_RATE, COST_S = 8, 48_000, 30
BLOCK_S = 0.1
NOISES_DB = (-50, -35, -20)
NOISE_S = 20
STEP_NS = 10**15
"""From one mixture to the next on the recording clock: each begins anew."""


def run(_repeats: int) -> list[Measure]:
    """Judge the mixtures; there is no peer: a level meter calls all of them good."""
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
    (speaking, memory), (silent, _) = cost(True), cost(False)
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


def cost(speaks: bool) -> tuple[float, float]:
    """Return share of a core and memory in MB of the recorder's process that listens.

    It gets the blocks of eight microphones as they come, for :data:`COST_S`.
    """
    random = np.random.default_rng(MEASURING.seed)
    names = [f"m{number}" for number in range(MICROPHONES)]
    settings = [MicrophoneSettings(name=name, role=name, device=name) for name in names]
    sources = tuple(MicrophoneSource(row) for row in settings)
    voice = mixture(MEASURING, random, "fan", 20.0, "ru").samples[0]
    voice = np.tile(np.repeat(voice * speaks, CARD_RATE // RATE), 1 + COST_S // 7)
    room = at_level(noise(random, "fan", len(voice)), SPEECH_DB - 40)
    rows = [voice * 0.25 ** (number > 0) + room for number in range(MICROPHONES)]
    blocks = [np.round(row * 32767).astype(np.int16) for row in rows]
    detector = SpeechDetector(sources)
    detector.open()
    try:
        return _feed(detector, sources, blocks)
    finally:
        detector.close()


def _feed(
    detector: SpeechDetector, sources: tuple[MicrophoneSource, ...], rows: list[Samples]
) -> tuple[float, float]:
    while not detector.is_working:
        time.sleep(0.1)
    pid, size, begun_ns = detector.pid, round(CARD_RATE * BLOCK_S), recording_ns()
    assert pid is not None
    cpu_s = process_seconds(pid)
    for index in range(round(COST_S / BLOCK_S)):
        at_ns = begun_ns + round(index * BLOCK_S * NS_PER_S)
        for source, row in zip(sources, rows, strict=True):
            block = AudioBlock(0, index * size, at_ns, row[index * size : (index + 1) * size])
            if source.hand_to is not None:
                source.hand_to(block)
        time.sleep(max(0.0, (at_ns - recording_ns()) / NS_PER_S + BLOCK_S))
    used = process_seconds(pid) - cpu_s
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (peak,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    if detector.dropped:
        print(f"  {detector.dropped} blocks dropped")
    return used / COST_S, int(peak.split()[1]) / 1024


def process_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
