"""Exponential back-off with jitter, so that 2,000 kiosks do not reconnect at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Exponential back-off with full jitter.

    Attributes:
        base: upper bound of the first wait, in seconds.
        cap: upper bound of every wait, in seconds.
        failures: failures since the last success.
        random_source: returns numbers in [0, 1).
    """

    base: float = 1.0
    cap: float = 60.0
    failures: int = 0
    random_source: Callable[[], float] = field(default=random.random, repr=False)

    def record_failure(self) -> float:
        """Record a failure; return the seconds to wait before the next attempt."""
        ceiling = min(self.cap, self.base * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return self.random_source() * ceiling

    def reset(self) -> None:
        """Forget the failures."""
        self.failures = 0
