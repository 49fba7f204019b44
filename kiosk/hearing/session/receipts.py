"""The signed receipts of a hearing, from its journal (R47, R48)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.api.receipts import Receipt

RECEIPT_PREFIX = "receipt:"
"""Of the subject of a question: the receipt of that mark was printed and is not scanned."""


@dataclass
class Receipts:
    """What became of the receipts, by the number of their mark.

    Attributes:
        files: name of each scan's file in the hearing's folder, by the scan's number.
    """

    rows: dict[int, Receipt] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)
    _marks: dict[int, int] = field(default_factory=dict)

    def row(self, mark: int) -> Receipt:
        """Return the receipt of a mark."""
        return self.rows.get(mark, Receipt(mark=mark))

    def apply(self, kind: str, entry: Mapping[str, Any]) -> None:
        """Apply an entry about a scan: ``receipt_scanned`` or ``receipt_withdrawn``."""
        if kind == "receipt_scanned":
            self.apply_scanned(entry)
        else:
            self.apply_withdrawn(entry)

    def apply_printed(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``receipt_printed`` entry."""
        self._change(int(entry["mark"]), printed=str(entry["at"]))

    def apply_scanned(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``receipt_scanned`` entry."""
        scan, mark = int(entry["scan"]), int(entry["mark"])
        self.files[scan], self._marks[scan] = str(entry["file"]), mark
        self._change(
            mark,
            scan=scan,
            scanned=str(entry["at"]),
            pages=int(entry["pages"]),
            by_code=bool(entry["by_code"]),
        )

    def apply_withdrawn(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``receipt_withdrawn`` entry; its file stays."""
        mark = self._marks[int(entry["scan"])]
        self._change(mark, scan=0, scanned="", pages=0, by_code=False)

    def apply_encrypted(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``receipt_encrypted`` entry: the file of a scan was replaced."""
        self.files[int(entry["scan"])] = str(entry["file"])

    def mark_of(self, scan: int) -> int | None:
        """Return the mark of a scan that is in force; None: there is none."""
        mark = self._marks.get(scan)
        return mark if mark is not None and self.row(mark).scan == scan else None

    def _change(self, mark: int, **changes: object) -> None:
        self.rows[mark] = self.row(mark).model_copy(update=changes)
