"""Who spoke during an event, by microphone, from the turns in the hearing's journal (S18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kiosk.evidence.chain import Entry
from kiosk.export.course import Moment
from kiosk.export.permission import read_entries
from kiosk.hearing.session.speech_ledger import SPEECH_ENTRY, spoken_place


def read_turns(folder: Path) -> tuple[Entry, ...]:
    """Return the turns of a hearing: who spoke at which microphone, from when, how long.

    A line that cannot be read is left out.
    """
    entries = (entry for entry in read_entries(folder) if entry["kind"] == SPEECH_ENTRY)
    return tuple(entry for entry in entries if spoken_place(entry) is not None)


def seconds_spoken(turns: Sequence[Entry], begin: Moment, until: Moment) -> Mapping[str, float]:
    """Return the seconds at each microphone of the turns that began within two moments."""
    first, last = (begin.part, begin.part_seconds), (until.part, until.part_seconds)
    found: dict[str, float] = {}
    for turn in turns:
        if first <= (int(turn["part"]), float(turn["part_seconds"])) < last:
            source = str(turn["source"])
            found[source] = found.get(source, 0.0) + float(turn["lasts"])
    return found
