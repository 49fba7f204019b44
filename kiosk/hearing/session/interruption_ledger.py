"""The ledger of interruptions: which source was not recorded when, and how much of it was lost.

The whole ledger is in the journals. A hearing's state keeps the newest rows and the totals, so that
State does not grow with every gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from kiosk.api import recorder as api
from kiosk.errors import StorageError
from kiosk.evidence.chain import Entry
from kiosk.storage.hearing_folder import JOURNAL_FILE, PART_FOLDER_PATTERN

NEWEST = 20
"""Rows that a hearing's state keeps; a screen shows fewer."""
SHORT_S = 0.5
"""Of the rows that are over, those shorter than this leave first: nobody can act on them."""
KINDS = ("interruption", "interruption_ended")
_KIND_FIELD = b'"kind":"interruption'
Key = tuple[int, int]
"""Number of the part, and number within it (0: the recorder's own failure)."""


@dataclass
class Interruption:
    """A row of the ledger; ``seconds`` lost is None while it lasts or where it is not known."""

    source: str
    kind: str
    at: str
    part: int
    seconds: float | None = None
    is_over: bool = False

    def describe(self) -> api.Interruption:
        """Return the interruption as in State."""
        return api.Interruption(
            source=self.source, kind=self.kind, at=self.at, seconds=self.seconds, part=self.part
        )


@dataclass
class SourceTotal:
    """Number of interruptions of a source, and the seconds lost in them as far as known."""

    count: int = 0
    seconds: float = 0.0


@dataclass
class InterruptionLedger:
    """The ledger as a fold over journal entries.

    Attributes:
        keep: maximum number of rows; None keeps all. Rows that may still change are never dropped.
        rows: the newest, oldest first.
        totals: of all interruptions, by source.
    """

    keep: int | None = NEWEST
    rows: dict[Key, Interruption] = field(default_factory=dict)
    totals: dict[str, SourceTotal] = field(default_factory=dict)

    def apply(self, part: int, entry: Entry) -> Interruption:
        """Apply an entry of one of :data:`KINDS`; return its row."""
        part = int(entry.get("part", part))
        key = (part, int(entry.get("number", 0)))
        source, kind = str(entry["source"]), str(entry["what"])
        total = self.totals.setdefault(source, SourceTotal())
        if key not in self.rows:
            total.count += 1
            self.rows[key] = Interruption(source, kind, entry["at"], part)
        row = self.rows[key]
        row.kind = kind  # a dead source may turn out to be unplugged
        if entry.get("seconds") is not None:
            total.seconds += float(entry["seconds"]) - (row.seconds or 0.0)
            row.seconds, row.is_over = float(entry["seconds"]), True
        row.is_over = row.is_over or entry["kind"] == KINDS[1]
        self._drop_oldest(key)
        return row

    def _drop_oldest(self, newest: Key) -> None:
        if self.keep is None or len(self.rows) <= self.keep:
            return
        settled = [key for key, row in self.rows.items() if row.is_over or key[0] < newest[0]]
        short = (key for key in settled if (self.rows[key].seconds or SHORT_S) < SHORT_S)
        for key in (next(short, None) or settled[0],) if settled else ():
            del self.rows[key]

    def describe_totals(self) -> tuple[api.InterruptionTotal, ...]:
        """Return the totals as in State, by source."""
        return tuple(
            api.InterruptionTotal(source=name, count=total.count, seconds=round(total.seconds, 3))
            for name, total in sorted(self.totals.items())
        )


def read_ledger(hearing: Path) -> list[Interruption]:
    """Return the whole ledger of a hearing from its journals, by part and number.

    Rows of the last second may be missing: journals are written in batches.

    Raises:
        StorageError: a journal cannot be read.
    """
    ledger = InterruptionLedger(keep=None)
    try:
        for part, entry in _iter_entries(hearing):
            ledger.apply(part, entry)
    except OSError as error:
        raise StorageError(f"{hearing.name}: cannot be read: {error.strerror}") from error
    return [row for _, row in sorted(ledger.rows.items())]


def _iter_entries(hearing: Path) -> Iterator[tuple[int, Entry]]:
    """Yield the ledger's entries; lines of media are not parsed, and one that is torn is not."""
    folders = {0: hearing}
    for folder in hearing.iterdir():
        if match := PART_FOLDER_PATTERN.fullmatch(folder.name):
            folders[int(match[1])] = folder
    for part in sorted(folders, key=lambda number: (number == 0, number)):
        path = folders[part] / JOURNAL_FILE
        if not path.exists():  # the part has just begun
            continue
        with path.open("rb") as file:
            for line in file:
                if _KIND_FIELD in line and line.endswith(b"\n"):
                    yield part, orjson.loads(line)
