"""Who spoke when, for the player of a copy: a lane for each seat, a stretch for each turn (S18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.export.protected_spans import ProtectedSpan
from kiosk.export.spoken import read_turns
from kiosk.export.texts import ExportTexts

UNCLEAR_SHARE = 0.5
"""A turn of which at least so much was hard to make out is shown as such."""


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn of speech.

    Attributes:
        source: name of the microphone.
        begin, end: seconds of the part.
        is_unclear: whether its words were hard to make out.
    """

    source: str
    begin: float
    end: float
    is_unclear: bool


def spoken_turns(
    folder: Path, parts: Iterable[int], spans: Iterable[ProtectedSpan]
) -> dict[int, list[SpokenTurn]]:
    """Return the turns of ``parts`` by part, in order of time.

    A turn of which anything lies in one of ``spans`` is left out: it would tell when a protected
    person spoke (S9).

    Raises:
        RecordingError, StorageError: a journal was changed or cannot be read.
    """
    spans = list(spans)
    found: dict[int, list[SpokenTurn]] = {part: [] for part in parts}
    for entry in read_turns(folder):
        part, turn = entry["part"], _turn(entry)
        hidden = any(_touches(turn, span) for span in spans if span.part == part)
        if part in found and not hidden:
            found[part].append(turn)
    for turns in found.values():
        turns.sort(key=lambda turn: turn.begin)
    return found


def _turn(entry: Mapping[str, Any]) -> SpokenTurn:
    begin, lasts = float(entry["part_seconds"]), float(entry["lasts"])
    unclear = float(entry.get("unclear_seconds") or 0.0)
    return SpokenTurn(
        str(entry["source"]), begin, round(begin + lasts, 2), unclear >= UNCLEAR_SHARE * lasts > 0
    )


def _touches(turn: SpokenTurn, span: ProtectedSpan) -> bool:
    return turn.begin < span.cut_end and turn.end > span.begin


def page_lanes(
    turns: Iterable[SpokenTurn], texts: Mapping[str, ExportTexts]
) -> list[dict[str, Any]]:
    """Return the lanes of one part for the page: label by language, and turns.

    Each turn is begin, end and whether it was hard to make out (1 or 0).
    """
    lanes: dict[str, list[list[float]]] = {}
    for turn in turns:
        lanes.setdefault(turn.source, []).append([turn.begin, turn.end, int(turn.is_unclear)])
    return [
        {
            "label": {language: own.source_name(source) for language, own in texts.items()},
            "turns": rows,
        }
        for source, rows in lanes.items()
    ]
