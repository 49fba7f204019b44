"""The result of a benchmark, and the median of several runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """A figure beside a peer's, both medians of runs made in turn.

    ``ratio`` is ``value / peer_value`` (below 1: we need less), or None without a peer: then
    ``peer`` may name a goal's origin and ``peer_value`` is None.
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's."""
        return None if not self.peer_value else self.value / self.peer_value

    def as_json(self) -> dict[str, Any]:
        """Return the entry of ``build/bench.json``."""
        return {**asdict(self), "ratio": self.ratio}


def median_of(
    name: str,
    unit: str,
    values: Sequence[float],
    peer: str | None = None,
    peer_values: Sequence[float] = (),
) -> Measure:
    """Return the medians of ``values`` and ``peer_values`` as one measure."""
    peer_value = statistics.median(peer_values) if peer_values else None
    return Measure(name, statistics.median(values), unit, peer, peer_value)
