"""How well a call's voice is understood, by ITU-T G.107 (the E-model), from loss and delay.

Everything that is no property of the line has G.107's default value; echo is cancelled at both
ends. Codec: G.711, which has the 64 kbit/s of a call's voice; its values for concealed loss are
those of G.113 Appendix I.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

DEFAULT_RATING = 93.2
"""R of a call without loss and delay: G.107, table 2, all parameters at their default values."""
SATISFIED, NOT_RECOMMENDED = 80.0, 50.0
"""G.109: from 80 on users are satisfied; connections below 50 are not recommended."""
CallClass = Literal["heard", "gaps", "unheard"]


@dataclass(frozen=True)
class Codec:
    """What loss does to a codec: ``Ie`` and ``Bpl`` of G.107 (values: G.113, Appendix I)."""

    impairment: float
    loss_robustness: float


CONCEALED_G711 = Codec(0.0, 25.1)
"""G.711 with packet loss concealment (G.711 Appendix I), random loss."""
PLAIN_G711 = Codec(0.0, 4.3)
"""G.711 without concealment."""


def delay_impairment(one_way_ms: float) -> float:
    """Return ``Idd``: what the delay from mouth to ear costs (G.107, 7.4).

    Args:
        one_way_ms: all of it, with packets and jitter buffer, in ms.
    """
    if one_way_ms <= 100:
        return 0.0
    x = math.log2(one_way_ms / 100)
    return 25 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


def loss_impairment(loss: float, codec: Codec = CONCEALED_G711, burst_ratio: float = 1.0) -> float:
    """Return ``Ie,eff``: what lost packets cost (G.107, 7.5).

    Args:
        loss: of the packets, late ones among them, 0 to 1.
        codec: of the voice.
        burst_ratio: mean length of the holes by that of random loss; 1: random.
    """
    percent = 100 * min(1.0, max(0.0, loss))
    robustness = percent / burst_ratio + codec.loss_robustness
    return codec.impairment + (95 - codec.impairment) * percent / robustness


def rating(one_way_ms: float, loss: float, burst_ratio: float = 1.0) -> float:
    """Return G.107's ``R``, 0 to 93.2; arguments as above."""
    found = DEFAULT_RATING - delay_impairment(one_way_ms)
    return max(0.0, found - loss_impairment(loss, burst_ratio=burst_ratio))


def opinion_score(rated: float) -> float:
    """Return the mean opinion score, 1 to 4.5, of ``R`` (G.107, Annex B)."""
    if rated <= 0:
        return 1.0
    if rated >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * rated + rated * (rated - 60) * (100 - rated) * 7e-6)


def call_class(rated: float) -> CallClass:
    """Return what people will notice: heard, with gaps, or not heard."""
    if rated >= SATISFIED:
        return "heard"
    return "gaps" if rated >= NOT_RECOMMENDED else "unheard"
