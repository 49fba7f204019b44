"""Signed journal heads of running hearings, collected for the central system.

A head that has left the building shows any later rewriting of the journal. Journals are only
read, from where the last look ended; a line that is not complete yet is left for the next look.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_text
from kiosk.storage.database import Database
from kiosk.sync.manifest import UUID

log = logging.getLogger(__name__)

PART = re.compile(r"^part-(\d+)$")
HEARING_CHAIN = 0  # the "part" of the heads in the hearing's own journal
HEAD_MARK = b'"kind":"head"'


@dataclass(frozen=True)
class Head:
    """One signed head: ``count`` lines of part ``part`` end in ``hash``."""

    hearing_id: str
    part: int
    count: int
    body: dict[str, Any]


class HeadCollector:
    """Finds new heads in the hearing folders and keeps which have been sent."""

    def __init__(self, database: Database, hearings: Path) -> None:
        self._database = database
        self._hearings = hearings
        self._read_to: dict[Path, int] = {}

    def collect(self) -> int:
        """Look for new heads; return how many there were."""
        found = 0
        for head in self._new_heads():
            found += self._database.execute(
                "INSERT OR IGNORE INTO heads (hearing_id, part, count, body) VALUES (?, ?, ?, ?)",
                (head.hearing_id, head.part, head.count, json.dumps(head.body)),
            )
        return found

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

    def _new_heads(self) -> Iterator[Head]:
        if not self._hearings.is_dir():
            return
        delivered = self._delivered()
        for hearing in self._hearings.iterdir():
            if not UUID.match(hearing.name) or hearing.name in delivered:
                continue
            parts = sorted(hearing.glob("part-*/journal.jsonl"))
            for journal in (hearing / "journal.jsonl", *parts):
                yield from self._heads_of(hearing.name, journal)

    def _delivered(self) -> set[str]:
        rows = self._database.rows(
            "SELECT id FROM items WHERE kind = 'hearing' AND state = 'delivered'"
        )
        return {str(row["id"]) for row in rows}

    def _heads_of(self, hearing_id: str, journal: Path) -> Iterator[Head]:
        match = PART.match(journal.parent.name)
        part = int(match[1]) if match else HEARING_CHAIN
        try:
            with journal.open("rb") as file:
                start = self._read_to.get(journal, 0)
                file.seek(start)
                text = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("journal of a hearing cannot be read: %s", error.strerror)
            return
        complete = text[: text.rfind(b"\n") + 1]
        for line in complete.splitlines():
            if HEAD_MARK in line:
                head = _parse(hearing_id, part, line)
                if head is not None:
                    yield head
        self._read_to[journal] = start + len(complete)


def _parse(hearing_id: str, part: int, line: bytes) -> Head | None:
    """Return the head in a journal line, or None when it is none."""
    try:
        value = json.loads(line)
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
    return Head(hearing_id, part, count, body) if value.get("kind") == "head" else None
