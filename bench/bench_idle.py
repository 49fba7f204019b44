"""Processor time of a kiosk at rest: devices warm, home screen shown, nobody there.

All services but the central system run as in the demo, with the product's own interval at which
sync asks the central system: the recorder with the processes of its devices, sync, and the touch
screen, which draws in software here.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.measure import Measure, median_of
from bench.processes import cpu_seconds
from faults.process_kill import find_processes
from kiosk.config import CentralSettings
from kiosk.demo.environment import demo_environment
from kiosk.demo.screen_driver import ScreenDriver

SERVICES = ("recorder", "sync", "ui")
WARM_S = 15.0
SECONDS = 20.0


def measure_shares(trees: dict[str, int]) -> dict[str, float]:
    """Return the share of a core that each service takes with its children, in per cent."""
    began = time.monotonic()
    before = {name: cpu_seconds(pid) for name, pid in trees.items()}
    time.sleep(SECONDS)
    spent = {name: cpu_seconds(pid) - before[name] for name, pid in trees.items()}
    passed = time.monotonic() - began
    return {name: seconds / passed * 100 for name, seconds in spent.items()}


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
    total = statistics.median(sum(share.values()) for share in shares)
    single = [
        median_of(f"of it {service}", "% of a core", [share[service] for share in shares])
        for service in SERVICES
    ]
    return [Measure("idle, devices warm, home screen", total, "% of a core"), *single]
