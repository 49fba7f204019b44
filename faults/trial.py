"""The outcome of a trial: how often a fault was survived, and what it cost."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from statistics import median
from typing import Any

CAMERA = "camera"


class NotSurvivedError(Exception):
    """The product did not survive the fault; the message says what was lost."""


@dataclass(frozen=True)
class Cost:
    """Cost of a survived fault, in seconds.

    Attributes:
        lost_s: media lost, by source.
        recovery_s: until everything worked again (a recorder: until every source was recorded).
        noticed_s: until the fault was noticed.
    """

    lost_s: Mapping[str, float] = field(default_factory=dict)
    recovery_s: float | None = None
    noticed_s: float | None = None


def worst_and_median(values: list[float]) -> dict[str, float] | None:
    """Return both, rounded to milliseconds; None without values."""
    if not values:
        return None
    return {"worst": round(max(values), 3), "median": round(median(values), 3)}


@dataclass
class Outcome:
    """Tries, survivals and costs of one kind of fault."""

    name: str
    tries: int = 0
    survived: int = 0
    costs: list[Cost] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)  # other costs, by name and unit

    def attempt(self, trial: Callable[[], Cost]) -> bool:
        """Run ``trial``: it returns its cost, or raises :class:`NotSurvivedError`.

        A timeout, and a service that does not answer, count as not survived too.
        """
        self.tries += 1
        try:
            cost = trial()
        except (NotSurvivedError, AssertionError, OSError, HTTPException) as loss:
            print(f"  {self.name}: not survived: {loss}", file=sys.stderr, flush=True)
            self.failures.append(str(loss))
            return False
        self.survived += 1
        self.costs.append(cost)
        return True

    def lost_by_source(self) -> dict[str, list[float]]:
        """Return the media lost in each try, by source."""
        lost: dict[str, list[float]] = {}
        for cost in self.costs:
            for source, seconds in cost.lost_s.items():
                lost.setdefault(source, []).append(seconds)
        return lost

    def columns(self) -> dict[str, dict[str, float] | None]:
        """Return worst and median for the table, which combines all microphones."""
        lost = self.lost_by_source()
        microphones = [seconds for name, many in lost.items() if name != CAMERA for seconds in many]
        return {
            "noticed": worst_and_median(
                [c.noticed_s for c in self.costs if c.noticed_s is not None]
            ),
            "again": worst_and_median(
                [c.recovery_s for c in self.costs if c.recovery_s is not None]
            ),
            "camera": worst_and_median(lost.get(CAMERA, [])),
            "microphones": worst_and_median(microphones),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the entry of ``build/faults.json``."""
        columns = self.columns()
        return {
            "name": self.name,
            "tries": self.tries,
            "survived": self.survived,
            "noticed_s": columns["noticed"],
            "again_s": columns["again"],
            "lost_s": {
                name: worst_and_median(many) for name, many in sorted(self.lost_by_source().items())
            },
            "not_survived": self.failures,
            "figures": self.figures,
        }
