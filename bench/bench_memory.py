"""Memory of a recorder and its children during a long recording.

PSS (each shared page counted once) of camera, microphones, proof, levels, preview and a second
copy on a mirror. The goals: under 300 MB, and flat within 5 % over half an hour, which
``KIOSK_BENCH_MINUTES=30 make bench ARGS="--only memory"`` records; the default is two minutes.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.measure import Measure, median_of
from bench.processes import proportional_set_size
from kiosk.storage.volume_marker import write_marker
from tests.support.virtual_courtroom import VirtualCourtroom

MINUTES = float(os.environ.get("KIOSK_BENCH_MINUTES", "2"))
EVERY_S = 5.0
WARM_S = 20.0
"""Allocations in the first seconds do not count as growth."""


def sample_memory(room: VirtualCourtroom) -> list[int]:
    """Return the memory in bytes, every few seconds of a recording."""
    assert room.recorder is not None
    room.start_hearing()
    time.sleep(WARM_S)
    end = time.monotonic() + MINUTES * 60
    samples = []
    while time.monotonic() < end:
        samples.append(proportional_set_size(room.recorder.pid))
        time.sleep(EVERY_S)
    room.end_hearing()
    return samples


def growth_percent(samples: list[int]) -> float:
    """Return the growth from the first to the last quarter in per cent (medians)."""
    quarter = max(1, len(samples) // 4)
    first, last = statistics.median(samples[:quarter]), statistics.median(samples[-quarter:])
    return (last / first - 1) * 100


def run(_repeats: int) -> list[Measure]:
    """Record once, for :data:`MINUTES`."""
    with tempfile.TemporaryDirectory(prefix="kb") as name:
        folder, mirror = Path(name), Path(name) / "mirror"
        mirror.mkdir()
        write_marker(mirror, "kiosk-trial", "mirror")
        with VirtualCourtroom(folder / "room", mirror=mirror) as room:
            room.start_recorder()
            room.wait_ready()
            room.sign_in()
            samples = sample_memory(room)
    what = f"over {MINUTES:g} min"
    return [
        median_of("memory of all processes (PSS)", "MB", [max(samples) / 1e6]),
        median_of(f"growth of the memory {what}", "%", [growth_percent(samples)]),
    ]
