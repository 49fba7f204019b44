"""200 simulated kiosks against one ``kiosk central`` (SQLite, a folder), over mutual TLS.

Each kiosk has its own certificate and connections and sends what ``kiosk sync`` sends while a
hearing runs: every 30 s contract, schedule, staff, changed filings, heartbeat; a journal head
every 5 s; a filing of 400 kB every 20 minutes (registered, sent, verified); every tenth one
uploads constantly at 4 Mbit/s. Connections are made one after the other; a request that had to
connect first counts apart. The peer is the same server with one kiosk alone. Simulation and
server share the machine's processors. ``KIOSK_BENCH_ROOMS`` is another number of kiosks.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.court_fleet import enrol_fleet
from bench.measure import Measure
from bench.processes import cpu_seconds, proportional_set_size
from bench.simulated_kiosks import Load, Mix, simulate_in_processes
from kiosk.central.server import open_authority, open_database
from tests.support.central_rig import Central

KIOSKS = int(os.environ.get("KIOSK_BENCH_ROOMS", "200"))
P99_GOAL_MS = 50.0
ALONE = Mix(poll_s=3.0, head_s=0.5, filing_s=120.0, uploader_every=0, warm_up_s=2.0, seconds=10.0)


def run(repeats: int) -> list[Measure]:
    """Measure one kiosk alone, then all of them."""
    del repeats
    with (
        tempfile.TemporaryDirectory(prefix="bl-") as name,
        Central(Path(name) / "data") as central,
    ):
        database = open_database(central.data)
        fleet = enrol_fleet(database, open_authority(central.data), Path(name) / "k", KIOSKS)
        database.close()
        kiosks = [replace(kiosk, url=central.url) for kiosk in fleet]
        assert central.process is not None
        alone = simulate_in_processes(kiosks[:1], ALONE, 1)
        before, begun = cpu_seconds(central.process.pid), time.monotonic()
        load = simulate_in_processes(kiosks, Mix(), 1)
        cpu = (cpu_seconds(central.process.pid) - before) / (time.monotonic() - begun)
        memory = proportional_set_size(central.process.pid) / 1e6
    name = f"{KIOSKS} kiosks"
    print_traffic("fleet", load, Mix().seconds)
    peer = "one kiosk alone"
    return [
        Measure(
            f"{name}: p99 of small requests (goal: {P99_GOAL_MS:g})",
            p99(load.small_ms),
            "ms",
            peer,
            p99(alone.small_ms),
        ),
        Measure(
            f"{name}: median of small requests",
            median(load.small_ms),
            "ms",
            peer,
            median(alone.small_ms),
        ),
        Measure(
            f"{name}: median of requests that connect first",
            median(load.first_ms),
            "ms",
            peer,
            median(alone.first_ms),
        ),
        Measure(f"{name}: p99 of a filing, whole", p99(load.filings_s), "s"),
        Measure(f"{name}: server's processors", cpu, "cores"),
        Measure(f"{name}: server's memory", memory, "MB"),
    ]


def print_traffic(name: str, load: Load, seconds: float) -> None:
    """Print what was sent."""
    print(
        f"bench: {name}: {len(load.small_ms) / seconds:.0f} small requests/s, "
        f"{load.uploaded * 8e-6 / seconds:.0f} Mbit/s of uploads, {len(load.filings_s)} filings, "
        f"{len(load.first_ms)} connections",
        file=sys.stderr,
    )


def quantile(share: float) -> Callable[[list[float]], float]:
    """Return a function that gives this quantile of values, 0 without values."""
    return lambda values: sorted(values)[int(share * len(values))] if values else 0.0


median, p99 = quantile(0.5), quantile(0.99)
