"""What was said during an oath or an explanation: for how long, and who else spoke (R50, R51).

It rests on the turns of speech of the voice detector; where it did not listen all the time nothing
is said. Limits are data (``oath.*`` in ``limits.toml``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.seat import Turn
from kiosk.rules import Rules

Span = tuple[int, int]
"""Begin and end on the recording clock."""


@dataclass(frozen=True, slots=True)
class SaidMeanwhile:
    """What was said between two moments.

    Attributes:
        seconds: of speech at the microphone of whoever speaks.
        also: microphones at which others spoke at the same time for long enough to disturb.
    """

    seconds: float
    also: tuple[str, ...] = ()


def said_meanwhile(
    turns: Iterable[Turn], name: str, recorded: Sequence[Span], rules: Rules
) -> SaidMeanwhile:
    """Return what was said at microphone ``name`` in what was recorded, and who spoke over it.

    Turns may be told twice, a running one and the same once it has ended: time counts once.
    """
    spans: dict[str, list[Span]] = {}
    for turn in turns:
        for begin_ns, end_ns in recorded:
            span = max(turn.start_ns, begin_ns), min(turn.end_ns, end_ns)
            if span[0] < span[1]:
                spans.setdefault(turn.name, []).append(span)
    own = _joined(spans.pop(name, []))
    least_ns = float(rules.limit("oath.others_seconds")) * NS_PER_S
    also = (other for other, rows in spans.items() if _common_ns(own, _joined(rows)) >= least_ns)
    seconds = sum(end - begin for begin, end in own) / NS_PER_S
    return SaidMeanwhile(round(seconds, 1), tuple(sorted(also)))


def _joined(spans: list[Span]) -> list[Span]:
    """Return the same time as spans in order that do not touch."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _common_ns(one: list[Span], other: list[Span]) -> int:
    return sum(
        max(0, min(end, other_end) - max(begin, other_begin))
        for begin, end in one
        for other_begin, other_end in other
    )


def least_oath_seconds(rules: Rules, language: str) -> float:
    """Return how long the oath lasts at least, spoken fast and half of it lost to the detector.

    Args:
        language: of the proceedings; one without a text: the shortest text counts.
    """
    words = {str(row.language): len(row.text.split()) for row in rules.oath.text if row.text}
    count = words.get(language) or min(words.values(), default=0)
    share = float(rules.limit("oath.least_percent")) / 100
    return round(count * share / float(rules.limit("oath.words_a_second")), 1)
