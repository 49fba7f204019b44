"""Is the link check's verdict what a real call sounds like? 60 lines, and the rate at the limit.

Each line has its own network namespaces, rate, loss, jitter and buffer, drawn once and for all. The
kiosk checks it; then spoken words cross it both ways as a call does, beside a picture, are played
from a jitter buffer of 150 ms, and get their PESQ. PESQ and G.107 differ in scale: the bounds
between the classes are the PESQ of the same words with the random loss of G.107's bounds.
``pesq`` must be there (see docs/benchmarks.md); ``KIOSK_BENCH_LINES=12`` tries the first twelve.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.bench_link_check import measure_verdicts
from bench.call_sound import PACKET_SAMPLES, Samples, encoded, pesq_score, played, spoken
from bench.delivery_site import run_in_time, running_site, site_template
from bench.measure import Measure
from kiosk.sync.link_check.call_probe import PICTURE_BYTES, PICTURE_S, VOICE_S
from kiosk.sync.link_check.call_quality import (
    CONCEALED_G711,
    DEFAULT_RATING,
    NOT_RECOMMENDED,
    SATISFIED,
)
from tests.support.network_link import CENTRE_ADDRESS, NetworkLink, unavailable_reason

LINES, GOAL, AT_A_TIME, SEED = 60, 57, 4, 15
RATES_MBIT = (0.3, 0.6, 1.0, 2.0, 5.0, 10.0, 20.0)
LOSSES = (0.0, 0.005, 0.01, 0.02, 0.07, 0.1)
JITTERS_MS = (0.0, 10.0, 30.0, 60.0, 100.0)
BUFFERS_MS = (20, 100, 400, 1000)
DELAY_MS, JITTER_BUFFER_S = 20.0, 0.15
TRIES = 6
LIMIT_TRIES = 20


@dataclass(frozen=True)
class LineOfTrial:
    """A line of a trial."""

    mbit: float
    loss: float
    jitter_ms: float
    buffer_ms: int


@dataclass(frozen=True)
class Bounds:
    """PESQ from which a call is heard, and from which it has gaps."""

    heard: float
    gaps: float

    def call_class(self, score: float) -> str:
        """Return the class of a call's sound."""
        return "heard" if score >= self.heard else "gaps" if score >= self.gaps else "unheard"


@dataclass(frozen=True)
class Trial:
    """A line, the check's result, and what of a call's packets came in time, up and down."""

    line: LineOfTrial
    result: Mapping[str, Any]
    sounds: tuple[list[bytes | None], list[bytes | None]]


def run(_repeats: int) -> list[Measure]:
    """Compare the verdict with the sound on each line; try the rate at the limit."""
    reason = unavailable_reason()
    if importlib.util.find_spec("pesq") is None:
        reason = "pesq is not installed"
    if reason is not None:
        print(f"bench: link skipped: {reason}", file=sys.stderr)
        return []
    words = spoken()
    bounds = class_bounds(words)
    print(f"bench: bounds of PESQ: {bounds.heard:.2f}, {bounds.gaps:.2f}", file=sys.stderr)
    lines = drawn_lines()[: int(os.environ.get("KIOSK_BENCH_LINES", LINES))]
    with site_template() as template:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            jobs = [pool.submit(try_line, template, line, packets_of(words)) for line in lines]
            trials = [job.result() for job in jobs]
        # not beside the calls: PESQ holds the interpreter, and their packets would be late
        right = [is_same_class(trial, words, bounds) for trial in trials]
        goal = GOAL * len(lines) / LINES
        agreeing = Measure(
            "lines whose verdict is the class of a call's sound",
            sum(right),
            f"of {len(lines)}",
            "goal",
            goal,
        )
        tries = max(1, LIMIT_TRIES * len(lines) // LINES)
        return [agreeing, *measure_verdicts(template, tries)]


def drawn_lines() -> list[LineOfTrial]:
    """Return the lines, the same in every run."""
    draw = Random(SEED)
    return [
        LineOfTrial(
            draw.choice(RATES_MBIT),
            draw.choice(LOSSES),
            draw.choice(JITTERS_MS),
            draw.choice(BUFFERS_MS),
        )
        for _ in range(LINES)
    ]


def class_bounds(words: Samples) -> Bounds:
    """Return the PESQ of ``words`` with the random loss of G.107's bounds."""

    def score(rated: float) -> float:
        cost = DEFAULT_RATING - rated
        loss = CONCEALED_G711.loss_robustness * cost / (95 - cost) / 100
        data = packets_of(words)
        draws = [Random(seed) for seed in range(TRIES)]
        heard = [played([p if d.random() >= loss else None for p in data]) for d in draws]
        return statistics.fmean(pesq_score(words, sound) for sound in heard)

    return Bounds(score(SATISFIED), score(NOT_RECOMMENDED))


def packets_of(words: Samples) -> list[bytes]:
    """Return the packets of 20 ms."""
    data = encoded(words)
    return [data[at : at + PACKET_SAMPLES] for at in range(0, len(data), PACKET_SAMPLES)]


def try_line(template: Path, line: LineOfTrial, packets: list[bytes]) -> Trial:
    """Check a line, then call over it."""
    link = NetworkLink(DELAY_MS, line.loss, jitter_ms=line.jitter_ms)
    with link, running_site(template, link) as site:
        link.shape(line.mbit, buffer_ms=line.buffer_ms)
        result = site.kiosk.request("POST", "/v1/link-check")[1]
        return Trial(line, result, call(link, packets))


def is_same_class(trial: Trial, words: Samples, bounds: Bounds) -> bool:
    """Return whether the verdict is the class of the call's sound; print both."""
    result, sounds = trial.result, trial.sounds
    score = min(pesq_score(words, played(sound)) for sound in sounds)
    found, real = result.get("call"), bounds.call_class(score)
    sign = "=" if found == real else "not"
    measured = f"MOS {result.get('score')}, loss {result.get('loss')}, late {result.get('late')}"
    lost = [round(sound.count(None) / len(sound), 3) for sound in sounds]
    heard = f"PESQ {score:.2f}, missing {lost}"
    print(f"{trial.line}: {found} ({measured}) {sign} {real} ({heard})", file=sys.stderr)
    return bool(found == real)


def call(link: NetworkLink, packets: list[bytes]) -> tuple[list[bytes | None], list[bytes | None]]:
    """Send the packets both ways at once, with a picture; return what came in time, up and down."""
    centre = socket.socket(type=socket.SOCK_DGRAM)
    centre.bind((CENTRE_ADDRESS, 0))
    with link.court():
        court = socket.socket(type=socket.SOCK_DGRAM)
    court.connect(centre.getsockname())
    court.send(b"hello")
    for _ in range(50):  # a line may lose it
        centre.settimeout(0.2)
        try:
            address = centre.recvfrom(2048)[1]
            break
        except TimeoutError:
            court.send(b"hello")
    else:
        raise RuntimeError("nothing crosses the line")
    centre.connect(address)
    begun = time.monotonic() + 0.2
    up, down = (Leg(court, centre, packets, begun), Leg(centre, court, packets, begun))
    threads = [threading.Thread(target=work) for leg in (up, down) for work in leg.work()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    centre.close()
    court.close()
    return up.in_time(), down.in_time()


class Leg:
    """One direction of a call."""

    def __init__(
        self, source: socket.socket, target: socket.socket, packets: list[bytes], begun: float
    ) -> None:
        self._source, self._target, self._packets, self._begun = source, target, packets, begun
        self._end = begun + len(packets) * VOICE_S
        self._arrivals: dict[int, float] = {}

    def work(self) -> tuple[Callable[[], None], ...]:
        """Return what the threads do."""
        return self._send_voice, self._send_picture, self._receive

    def _send_voice(self) -> None:
        run_in_time()
        for number, packet in enumerate(self._packets):
            time.sleep(max(0.0, self._begun + number * VOICE_S - time.monotonic()))
            self._source.send(b"v" + number.to_bytes(4) + packet)

    def _send_picture(self) -> None:
        run_in_time()
        number = 0
        while (at := self._begun + (number + 0.5) * PICTURE_S) < self._end:
            time.sleep(max(0.0, at - time.monotonic()))
            self._source.send(b"p".ljust(PICTURE_BYTES, b"\0"))
            number += 1

    def _receive(self) -> None:
        run_in_time()
        while (left := self._end + 1.5 - time.monotonic()) > 0:
            self._target.settimeout(left)
            try:
                data = self._target.recv(2048)
            except OSError:
                continue
            if data[:1] == b"v":
                self._arrivals.setdefault(int.from_bytes(data[1:5]), time.monotonic())

    def in_time(self) -> list[bytes | None]:
        """Return the packets that a jitter buffer plays; None: missing, or too late."""
        ways = {number: at - number * VOICE_S for number, at in self._arrivals.items()}
        latest = min(ways.values(), default=0.0) + JITTER_BUFFER_S
        return [
            packet if number in ways and ways[number] <= latest else None
            for number, packet in enumerate(self._packets)
        ]
