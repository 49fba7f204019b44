"""Who spoke at which microphone, from when to when, and how well it can be made out (S18).

The turns are in the hearing's journal (``speech``). A hearing's state keeps the totals, the newest
turn and the worst ones of each microphone, so that it does not grow with every turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from kiosk.api.speech import SpeechTotal, SpokenPlace
from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import Entry
from kiosk.hardware.audibility.seat import Turn

SPEECH_ENTRY = "speech"
"""Kind of the journal's entry of a turn."""
DETECTOR_ENTRY = "speech_detector"
"""Kind of the entry that says whether a voice detector listens from then on."""
WORST = 10
"""Places that are kept of a microphone."""


@dataclass
class _Speaker:
    latest: SpokenPlace
    turns: int = 0
    seconds: float = 0.0
    unclear_seconds: float = 0.0
    judged_seconds: float = 0.0
    weighted: float = 0.0
    measured_seconds: float = 0.0
    weighted_db: float = 0.0
    worst: list[SpokenPlace] = field(default_factory=list)


@dataclass
class SpeechLedger:
    """The turns of a hearing as a fold over journal entries."""

    _speakers: dict[str, _Speaker] = field(default_factory=dict)

    def apply(self, entry: Entry) -> None:
        """Apply an entry ``speech``; one that cannot be read harms nothing else."""
        place = spoken_place(entry)
        if place is None:
            return
        speaker = self._speakers.setdefault(str(entry["source"]), _Speaker(place))
        speaker.turns += 1
        speaker.seconds += place.seconds
        speaker.unclear_seconds += place.unclear_seconds
        speaker.latest = max(speaker.latest, place, key=lambda row: (row.part, row.part_seconds))
        if (value := entry.get("intelligibility")) is not None:
            speaker.judged_seconds += place.seconds
            speaker.weighted += float(value) * place.seconds
        if (level_db := entry.get("level_db")) is not None:
            speaker.measured_seconds += place.seconds
            speaker.weighted_db += float(level_db) * place.seconds
        if place.unclear_seconds:
            rows = sorted((*speaker.worst, place), key=lambda row: -row.unclear_seconds)
            speaker.worst = rows[:WORST]

    def describe(self) -> tuple[SpeechTotal, ...]:
        """Return the totals as in State, by microphone."""
        return tuple(_total(name, speaker) for name, speaker in sorted(self._speakers.items()))


def spoken_place(entry: Entry) -> SpokenPlace | None:
    """Return where an entry ``speech`` says that somebody spoke; None: it cannot be read."""
    unclear, value = entry.get("unclear_seconds"), entry.get("intelligibility")
    level_db, clipped_share = entry.get("level_db"), entry.get("clipped_share")
    try:
        place = SpokenPlace(
            part=int(entry["part"]),
            part_seconds=float(entry["part_seconds"]),
            seconds=float(entry["lasts"]),
            unclear_seconds=0.0 if unclear is None else float(unclear),
            cause=str(entry.get("cause") or ""),
            below_usual_db=_below_usual(level_db, entry.get("usual_db")),
            clipped_share=None if clipped_share is None else float(clipped_share),
        )
        is_known = bool(entry["source"]) and (value is None or 0 <= float(value) <= 1)
        is_known &= 0 <= place.unclear_seconds < math.inf and place.seconds < math.inf
        is_known &= level_db is None or math.isfinite(float(level_db))
        is_known &= math.isfinite(place.below_usual_db or 0.0)
        is_known &= 0 <= (place.clipped_share or 0.0) <= 1
    except (KeyError, TypeError, ValueError):
        return None
    return place if is_known and place.part_seconds >= 0 and place.seconds > 0 else None


def _below_usual(level_db: float | None, usual_db: float | None) -> float | None:
    """Return by how many dB speech was quieter than usual; None: not known."""
    if level_db is None or usual_db is None:
        return None
    return round(float(usual_db) - float(level_db), 1)


def _total(name: str, speaker: _Speaker) -> SpeechTotal:
    judged, measured = speaker.judged_seconds, speaker.measured_seconds
    return SpeechTotal(
        source=name,
        turns=speaker.turns,
        seconds=round(speaker.seconds, 1),
        unclear_seconds=round(speaker.unclear_seconds, 1),
        intelligibility=round(speaker.weighted / judged, 3) if judged else None,
        level_db=round(speaker.weighted_db / measured, 1) if measured else None,
        latest=speaker.latest,
        worst=tuple(speaker.worst),
    )


def turn_fields(turn: Turn, part: int, tap_ns: int, stop_ns: int | None) -> dict[str, Any] | None:
    """Return the entry ``speech`` of what ``turn`` has in ``part``; None: nothing.

    Args:
        tap_ns, stop_ns: begin and end of the part on the recording clock of this boot.
    """
    start_ns = max(turn.start_ns, tap_ns)
    end_ns = turn.end_ns if stop_ns is None else min(turn.end_ns, stop_ns)
    if end_ns <= start_ns:
        return None
    share = (end_ns - start_ns) / (turn.end_ns - turn.start_ns)  # the rest is in other parts
    return {
        "part": part,
        "source": turn.name,
        "part_seconds": round((start_ns - tap_ns) / NS_PER_S, 2),
        "lasts": round((end_ns - start_ns) / NS_PER_S, 2),
        "intelligibility": turn.intelligibility,
        "unclear_seconds": round(turn.unclear_s * share, 2),
        "cause": turn.cause,
        "level_db": turn.level_db,
        "usual_db": turn.usual_db,
        "clipped_share": turn.clipped_share,
    }
