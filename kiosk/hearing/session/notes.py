"""The notes of a hearing, from its journals: the same in whatever order these are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.api.notes import Note


@dataclass
class Notes:
    """The notes by number, with those that were withdrawn."""

    rows: dict[int, Note] = field(default_factory=dict)
    _withdrawn: set[int] = field(default_factory=set)

    def apply(self, part: int, entry: Mapping[str, Any]) -> None:
        """Apply a ``note`` entry of the hearing's journal (``part`` 0) or of a part's."""
        number = int(entry["id"])
        fields = {name: entry[name] for name in ("text", "mark", "seconds", "part_seconds")}
        withdrawn = number in self._withdrawn
        self.rows[number] = Note(
            id=number, at=str(entry["moment"]), part=part, withdrawn=withdrawn, **fields
        )
        if entry.get("replaces") is not None:
            self.withdraw(int(entry["replaces"]))

    def withdraw(self, number: int) -> None:
        """Apply that a note was withdrawn."""
        self._withdrawn.add(number)
        if number in self.rows:
            self.rows[number] = self.rows[number].model_copy(update={"withdrawn": True})

    def present(self, number: int | None) -> Note | None:
        """Return a note that was not withdrawn."""
        note = None if number is None else self.rows.get(number)
        return None if note is None or note.withdrawn else note
