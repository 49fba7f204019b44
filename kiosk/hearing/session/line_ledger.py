"""When the court's line was silent or poor during a hearing: what remote participants missed (R24).

The whole ledger is in the hearing's journal. Nothing of the recording is lost meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.api.recorder import LineTrouble
from kiosk.evidence.chain import Entry

TROUBLE_ENTRY, ENDED_ENTRY = "line_trouble", "line_trouble_ended"
NEWEST = 20
"""Rows that State has."""
REMOTE_FORMATS = frozenset({"online", "mixed"})
"""Of a hearing somebody takes part in over the line."""


@dataclass
class LineLedger:
    """The ledger as a fold over journal entries.

    Attributes:
        rows: by number, oldest first.
    """

    rows: dict[int, LineTrouble] = field(default_factory=dict)

    @property
    def next_number(self) -> int:
        """Number of the next row."""
        return max(self.rows, default=0) + 1

    def apply(self, entry: Entry) -> None:
        """Apply an entry of the two kinds; an end without its begin is left out."""
        number = int(entry["number"])
        if entry["kind"] == TROUBLE_ENTRY:
            self.rows[number] = LineTrouble(
                kind=str(entry["what"]),
                at=str(entry.get("began") or entry["at"]),
                part=int(entry.get("part") or 0),
                part_seconds=float(entry.get("part_seconds") or 0.0),
            )
        elif number in self.rows:
            change = {"seconds": entry.get("lasted"), "is_over": True}
            self.rows[number] = self.rows[number].model_copy(update=change)

    def describe(self) -> tuple[LineTrouble, ...]:
        """Return the newest rows as in State."""
        return tuple(self.rows.values())[-NEWEST:]
