"""What a fault run gives back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


class NotSurvivedError(Exception):
    """The product did not survive the fault; the message says what was lost."""


@dataclass
class Outcome:
    """How often one kind of fault was tried and survived.

    ``worst`` is the worst cost among those survived, in ``unit`` (such as seconds of media
    lost, or seconds until all was well again); None when none survived.
    """

    name: str
    unit: str
    tries: int = 0
    survived: int = 0
    worst: float | None = None
    losses: list[str] = field(default_factory=list)

    def attempt(self, trial: Callable[[], float]) -> None:
        """Run ``trial``: it returns its cost, or raises :class:`NotSurvivedError`."""
        self.tries += 1
        try:
            cost = trial()
        except NotSurvivedError as loss:
            print(f"  not survived: {loss}", file=sys.stderr, flush=True)
            self.losses.append(str(loss))
            return
        self.survived += 1
        self.worst = cost if self.worst is None else max(self.worst, cost)

    def as_json(self) -> dict[str, Any]:
        """Return the entry of ``build/faults.json``."""
        entry = asdict(self)
        del entry["losses"]
        return entry
