"""Signed journal heads of running hearings, kept for the central system.

A head that has left the building shows any later rewriting of the journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kiosk.clocks import format_wall
from kiosk.storage.database import Database


@dataclass(frozen=True)
class JournalHead:
    """One signed head: ``count`` lines of part ``part`` end in ``hash``."""

    hearing_id: str
    part: int
    count: int
    body: dict[str, Any]


class JournalHeadQueue:
    """Stores the heads and which of them have been sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hearing_id: str, part: int, entry: dict[str, Any]) -> bool:
        """Queue the head in a journal entry; return whether it is new."""
        head = parse_head(hearing_id, part, entry)
        if head is None:
            return False
        added = self._database.execute(
            "INSERT OR IGNORE INTO heads (hearing_id, part, count, body) VALUES (?, ?, ?, ?)",
            (head.hearing_id, head.part, head.count, json.dumps(head.body)),
        )
        return bool(added)

    def unsent(self) -> list[JournalHead]:
        """Return the heads that have not been sent, oldest first."""
        rows = self._database.rows(
            "SELECT hearing_id, part, count, body FROM heads WHERE sent_at IS NULL "
            "ORDER BY hearing_id, part, count"
        )
        return [
            JournalHead(row["hearing_id"], row["part"], row["count"], json.loads(row["body"]))
            for row in rows
        ]

    def mark_sent(self, heads: list[JournalHead], problem: str | None = None) -> None:
        """Mark heads as sent, or record why the central system refuses them.

        Older ones that were sent are dropped: a hearing has thousands.
        """
        with self._database.transaction():
            for head in heads:
                place = (head.hearing_id, head.part, head.count)
                self._database.execute(
                    "UPDATE heads SET sent_at = ?, problem = ? "
                    "WHERE hearing_id = ? AND part = ? AND count = ?",
                    (format_wall(), problem, *place),
                )
                self._database.execute(
                    "DELETE FROM heads WHERE hearing_id = ? AND part = ? AND count < ? "
                    "AND sent_at IS NOT NULL AND problem IS NULL",
                    place,
                )


def parse_head(hearing_id: str, part: int, value: dict[str, Any]) -> JournalHead | None:
    """Return the head in a journal entry, or None when it holds none."""
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
    return JournalHead(hearing_id, part, count, body)
