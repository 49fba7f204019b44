"""Processor time of a kiosk at rest: devices warm, home screen shown, nobody there.

All services but the central system run as in the demo, with the product's own interval at which
sync asks the central system: the recorder with the processes of its devices, sync, and the touch
screen, which draws in software here. The threads of PulseAudio's client belong to the virtual
microphones, not to the product: a sound card has none.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.measure import Measure, median_of
from bench.processes import cpu_seconds, thread_cpu_seconds
from faults.process_kill import find_processes
from kiosk.config import CentralSettings
from kiosk.demo.environment import demo_environment
from kiosk.demo.screen_driver import ScreenDriver

SERVICES = ("recorder", "sync", "ui")
STAND_IN, STAND_IN_THREAD = "stand-in: PulseAudio's client", "threaded-ml"
WARM_S = 15.0
SECONDS = 20.0


def spent_seconds(trees: dict[str, int]) -> dict[str, float]:
    """Return the processor seconds of each service with its children, and of the stand-in."""
    spent = {name: cpu_seconds(pid) for name, pid in trees.items()}
    return {**spent, STAND_IN: thread_cpu_seconds(trees["recorder"], STAND_IN_THREAD)}


def measure_shares(trees: dict[str, int]) -> dict[str, float]:
    """Return the share of a core that each of :func:`spent_seconds` takes, in per cent."""
    began, before = time.monotonic(), spent_seconds(trees)
    time.sleep(SECONDS)
    after, passed = spent_seconds(trees), time.monotonic() - began
    return {name: (after[name] - before[name]) / passed * 100 for name in before}


def run(repeats: int) -> list[Measure]:
    """Measure ``repeats`` times one after the other; there is no peer."""
    with (
        tempfile.TemporaryDirectory(prefix="kb") as name,
        demo_environment(Path(name), CentralSettings().poll_seconds) as demo,
    ):
        driver = ScreenDriver(demo.paths.ui_socket, demo.display, Path(name), demo.processes)
        driver.wait_screen("visitor.home", seconds=60)
        trees = {
            service: find_processes(os.getpid(), "kiosk.cli", service)[0] for service in SERVICES
        }
        time.sleep(WARM_S)
        shares = [measure_shares(trees) for _ in range(repeats)]
    total = statistics.median(sum(share[name] for name in SERVICES) for share in shares)
    single = [
        median_of(f"of it {service}", "% of a core", [share[service] for share in shares])
        for service in (*SERVICES, STAND_IN)
    ]
    return [Measure("idle, devices warm, home screen", total, "% of a core"), *single]
