"""Signed journal heads of running hearings, kept for the central system.

A head that has left the building shows any later rewriting of the journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kiosk.clocks import wall_text
from kiosk.storage.database import Database


@dataclass(frozen=True)
class Head:
    """One signed head: ``count`` lines of part ``part`` end in ``hash``."""

    hearing_id: str
    part: int
    count: int
    body: dict[str, Any]


class Heads:
    """Keeps the heads and which of them have been sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hearing_id: str, part: int, entry: dict[str, Any]) -> bool:
        """Keep the head in a journal line; return whether it is new."""
        head = head_of(hearing_id, part, entry)
        if head is None:
            return False
        added = self._database.execute(
            "INSERT OR IGNORE INTO heads (hearing_id, part, count, body) VALUES (?, ?, ?, ?)",
            (head.hearing_id, head.part, head.count, json.dumps(head.body)),
        )
        return bool(added)

    def waiting(self) -> list[Head]:
        """Return the heads that have not been sent, oldest first."""
        rows = self._database.rows(
            "SELECT hearing_id, part, count, body FROM heads WHERE sent_at IS NULL "
            "ORDER BY hearing_id, part, count"
        )
        return [
            Head(row["hearing_id"], row["part"], row["count"], json.loads(row["body"]))
            for row in rows
        ]

    def sent(self, heads: list[Head], problem: str | None = None) -> None:
        """Note that the central system has ``heads`` (or why it will never take them)."""
        with self._database.transaction():
            for head in heads:
                self._database.execute(
                    "UPDATE heads SET sent_at = ?, problem = ? "
                    "WHERE hearing_id = ? AND part = ? AND count = ?",
                    (wall_text(), problem, head.hearing_id, head.part, head.count),
                )


def head_of(hearing_id: str, part: int, value: dict[str, Any]) -> Head | None:
    """Return the head in a journal line, or None when it is none."""
    try:
        count, digest, signature = int(value["count"]), value["hash"], value["signature"]
    except (ValueError, KeyError, TypeError):
        return None
    body = {
        "part": part,
        "count": count,
        "hash": str(digest),
        "signature": str(signature),
    }
    if value.get("at"):
        body["at"] = str(value["at"])
    return Head(hearing_id, part, count, body)
