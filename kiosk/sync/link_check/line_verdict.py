"""What a line means for a call: what people will notice, why, and the one remedy that helps.

The class follows from the call's own packets over the line, the worse direction; where the other
one is better, the direction is named. Whether 1 Mbit/s is reached (R31) is judged apart: a fast
line may lose every fifth word.

Requirements: R30, R31.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kiosk.sync.link_check.call_quality import (
    CallClass,
    call_class,
    delay_impairment,
    loss_impairment,
    opinion_score,
    rating,
)

PACKET_MS = 20.0
BUFFER_MS = (40.0, 150.0)
"""Least and most that a call's jitter buffer holds back; what comes later is lost."""
CALL_MBIT = 0.53
"""A call in one direction on the wire: voice of 64, picture of 400 kbit/s, and their headers."""
TIGHT_MBIT = 0.6
"""A line of less has no room for a call: its packets wait for one another."""
SAME = 0.6
"""A load that holds less than this of what arrived of the call is slowed by its loss."""
SLOWING_LOSS = 0.01
"""Less slows no load."""
WORST_LOADED_MS = 400.0
"""One way; G.114: more is unacceptable for general planning of networks."""
WORST_LOADED_LOSS = 0.15
"""Of round trips."""
Remedy = Literal["rate", "loss", "jitter", "delay", "load"]
RateVerdict = Literal["good", "borderline", "below"]
Direction = Literal["up", "down"]
"""To the central system, where the others of a call are; from it."""


@dataclass(frozen=True)
class Flow:
    """The call's packets in one direction.

    Attributes:
        loss: fraction that did not arrive, 0 to 1.
        delays_ms: of those that did, relative to the fastest one of the check.
        jitter_ms: interarrival jitter (RFC 3550, 6.4.1).
    """

    loss: float
    delays_ms: tuple[float, ...]
    jitter_ms: float = 0.0


@dataclass(frozen=True)
class Line:
    """What was measured.

    Attributes:
        up: packets to the central system, without other load.
        down: packets from it.
        rtt_ms: fastest round trip.
        loss: fraction of the packets that did not come back; None: not known.
        loaded_rtt_ms: round trip while both directions are full: mean without the slowest 5 %;
            None: not measured.
        loaded_loss: fraction that did not come back meanwhile; None: not measured.
        up_mbit: what arrives at the central system, in Mbit/s.
        down_mbit: what arrives here.
    """

    up: Flow
    down: Flow
    rtt_ms: float
    loss: float | None = None
    loaded_rtt_ms: float | None = None
    loaded_loss: float | None = None
    up_mbit: float | None = None
    down_mbit: float | None = None


@dataclass(frozen=True)
class CallVerdict:
    """What a call over the line will be.

    Attributes:
        call: what people will notice.
        score: mean opinion score of the worse direction.
        late: fraction of its packets that came too late for the jitter buffer.
        remedy: what helps most; None: nothing is needed.
        direction: the one that alone is as bad; None: both are.
    """

    call: CallClass
    score: float
    late: float
    remedy: Remedy | None = None
    direction: Direction | None = None


@dataclass(frozen=True)
class _Direction:
    """One direction as the listener has it."""

    rated: float
    lost: float
    late: float
    held_mbit: float | None
    arrived_mbit: float
    costs: dict[Remedy, float]


def judge(line: Line) -> CallVerdict:
    """Return what a call over ``line`` will be."""
    up, down = _judge(line.up, line.up_mbit, line), _judge(line.down, line.down_mbit, line)
    worse = min(up, down, key=lambda direction: direction.rated)
    call, remedy = call_class(worse.rated), _remedy(worse, line)
    direction: Direction | None = None
    if call_class(up.rated) != call_class(down.rated):
        direction = "up" if worse is up else "down"
    return CallVerdict(call, opinion_score(worse.rated), worse.late, remedy, direction)


def _judge(flow: Flow, held_mbit: float | None, line: Line) -> _Direction:
    """Play the packets from a jitter buffer, and rate what was heard."""
    least, most = BUFFER_MS
    in_time = [delay for delay in flow.delays_ms if delay <= most]
    arrived = 1 - flow.loss
    late = arrived * (1 - len(in_time) / len(flow.delays_ms)) if flow.delays_ms else 0.0
    held_ms = max([least, *in_time])
    one_way_ms = line.rtt_ms / 2 + held_ms + PACKET_MS
    lost = loss_impairment(flow.loss)
    costs: dict[Remedy, float] = {
        "loss": lost,
        "jitter": loss_impairment(flow.loss + late) - lost,
        "delay": delay_impairment(one_way_ms),
    }
    rated = rating(one_way_ms, flow.loss + late)
    return _Direction(rated, flow.loss, late, held_mbit, CALL_MBIT * arrived, costs)


def _remedy(worse: _Direction, line: Line) -> Remedy | None:
    if call_class(worse.rated) != "heard":
        least = 0.0 if worse.lost < SLOWING_LOSS else worse.arrived_mbit * SAME
        if worse.held_mbit is not None and least < worse.held_mbit < TIGHT_MBIT:
            return "rate"  # what does not fit waits, and is lost: less picture helps
        return max(worse.costs, key=lambda name: worse.costs[name])
    loaded_ms, loaded_loss = line.loaded_rtt_ms, line.loaded_loss
    if loaded_ms is not None and loaded_ms / 2 > WORST_LOADED_MS:
        return "load"
    return "load" if loaded_loss is not None and loaded_loss > WORST_LOADED_LOSS else None


def rate_verdict(down_mbit: float, up_mbit: float, least: float, borderline: float) -> RateVerdict:
    """Return how the slower direction stands to the least rate (R31).

    Args:
        down_mbit: what arrives here.
        up_mbit: what arrives at the central system.
        least: in Mbit/s.
        borderline: within this fraction of it nobody can tell.
    """
    slower = min(down_mbit, up_mbit)
    if abs(slower - least) <= borderline * least:
        return "borderline"
    return "good" if slower > least else "below"


def slower_direction(down_mbit: float, up_mbit: float, least: float) -> Direction | None:
    """Return the direction that alone is below the least rate, or None; arguments as above."""
    if (down_mbit < least) == (up_mbit < least):
        return None
    return "down" if down_mbit < least else "up"


def loaded_round_trip_ms(round_trips_ms: Sequence[float]) -> float | None:
    """Return the mean without the slowest 5 % (draft-ietf-ippm-responsiveness), or None."""
    kept = sorted(round_trips_ms)[: math.ceil(0.95 * len(round_trips_ms))]
    return statistics.fmean(kept) if kept else None


def round_trips_per_minute(loaded_rtt_ms: float) -> int:
    """Return the responsiveness as that draft counts it."""
    return round(60_000 / max(loaded_rtt_ms, 0.001))
