"""Media lost by a power cut or a kill of the recorder, and the time until it records again.

The trials of ``faults/`` make the damage and read the files; this file only prints their figures.
What is not survived is told while it runs and counted; the figures are those of the others.
``KIOSK_BENCH_TRIES=200 make bench ARGS="--only loss"`` records them; the default is twenty each.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from random import Random

from bench.measure import Measure
from faults import fault_kill, fault_power_cut
from faults.trial import CAMERA, Cost, Outcome

TRIES = int(os.environ.get("KIOSK_BENCH_TRIES", "20"))
VICTIMS = ("the recorder", "the recorder and its children")
MOMENTS = ("while recording",)


def run(_repeats: int) -> list[Measure]:
    """Make the trials; there is no peer: other recorders lose the whole file."""
    random = Random("loss")
    cuts = fault_power_cut.run(TRIES, random, strict=False, moments=MOMENTS * TRIES)
    kills = fault_kill.run(TRIES, random, strict=False, victims=VICTIMS)
    return [*_rows("a power cut", cuts), *_rows("a kill", kills)]


def _rows(fault: str, outcomes: list[Outcome]) -> list[Measure]:
    tries = sum(outcome.tries for outcome in outcomes)
    costs = [cost for outcome in outcomes for cost in outcome.costs]
    if not costs:
        raise RuntimeError(f"{fault}: none of {tries} survived")
    of_all = f"worst of {tries}"
    again = [cost.recovery_s for cost in costs if cost.recovery_s is not None]
    return [
        Measure(f"survived {fault}, of {tries}", len(costs), "tries"),
        Measure(f"picture lost by {fault}, {of_all}", _worst(costs, CAMERA.__eq__), "s"),
        Measure(f"sound lost by {fault}, {of_all}", _worst(costs, CAMERA.__ne__), "s"),
        Measure(f"recording again after {fault}, median", statistics.median(again), "s"),
    ]


def _worst(costs: list[Cost], is_wanted: Callable[[str], bool]) -> float:
    """Return the most that one of the wanted sources lost, in seconds."""
    return max(
        seconds for cost in costs for name, seconds in cost.lost_s.items() if is_wanted(name)
    )
