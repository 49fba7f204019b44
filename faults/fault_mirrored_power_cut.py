"""Power cuts with a second copy: each disk forgets of its own what was not synced."""

from __future__ import annotations

from random import Random

from faults import fault_power_cut
from faults.trial import Outcome

TRIES, QUICK = 50, 7


def run(tries: int, random: Random, strict: bool = True) -> list[Outcome]:
    """Cut the power of both disks ``tries`` times; verify both copies at the end."""
    return fault_power_cut.run(tries, random, strict, has_mirror=True)
