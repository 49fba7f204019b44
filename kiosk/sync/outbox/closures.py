"""Retroactive closures: reports which plain files were replaced by encrypted ones.

The entry ``closed_since`` of a hearing's journal names them. Each entry is sent at once,
until the central system takes it, so that it deletes the files that were uploaded before (pre-seal
files).
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from kiosk.clocks import format_wall
from kiosk.errors import StorageError
from kiosk.storage.database import Database
from kiosk.sync.outbox.manifest import is_safe_relative_path

log = logging.getLogger(__name__)

PER_POST = 2000


def parse_closures(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the closures of a ``closed_since`` entry in the form of the contract.

    Raises:
        StorageError: the entry is malformed.
    """
    found = []
    for replaced in entry.get("replaced") or ():
        try:
            folder = f"part-{int(replaced['part']):02d}"
            body = {"path": f"{folder}/{replaced['file']}", "sha256": str(replaced["sha256"])}
            if replaced.get("by"):
                body |= {
                    "by": f"{folder}/{replaced['by']}",
                    "by_sha256": str(replaced["by_sha256"]),
                }
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                "closed_since: not as it should be", code="folder_damaged"
            ) from error
        if not is_safe_relative_path(body["path"]):
            raise StorageError("closed_since: a path leaves the folder", code="folder_damaged")
        found.append(body)
    return found


@dataclass(frozen=True)
class Closing:
    """The closures of line ``line`` of a hearing's chain."""

    hearing_id: str
    line: int
    closures: list[dict[str, Any]]

    @property
    def requests(self) -> list[list[dict[str, Any]]]:
        """The closures, as many at once as one request may name."""
        starts = range(0, len(self.closures), PER_POST)
        return [self.closures[start : start + PER_POST] for start in starts]


class ClosureQueue:
    """The closures to be sent to the central system."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hearing_id: str, entry: dict[str, Any]) -> bool:
        """Queue a ``closed_since`` entry, stop its pre-seal uploads; return whether it is new."""
        try:
            closures = parse_closures(entry)
        except StorageError as error:
            log.error("hearing %s: %s", hearing_id, error)
            return False
        with self._database.transaction():
            added = self._database.execute(
                "INSERT OR IGNORE INTO closures (hearing_id, line, body) VALUES (?, ?, ?)",
                (hearing_id, int(entry.get("n", 0)), json.dumps(closures)),
            )
            for closure in closures:
                self._database.execute(
                    "UPDATE early SET state = 'closed' "
                    "WHERE hearing_id = ? AND path = ? AND sha256 = ?",
                    (hearing_id, closure["path"], closure["sha256"]),
                )
        return bool(added)

    def unsent(self) -> list[Closing]:
        """Return the entries that the central system has not taken, oldest first of a hearing."""
        rows = self._database.rows(
            "SELECT hearing_id, line, body FROM closures WHERE sent_at IS NULL "
            "ORDER BY hearing_id, line"
        )
        return [Closing(row["hearing_id"], row["line"], json.loads(row["body"])) for row in rows]

    def mark_sent(self, closing: Closing) -> None:
        """Record that the central system has taken an entry."""
        self._database.execute(
            "UPDATE closures SET sent_at = ? WHERE hearing_id = ? AND line = ?",
            (format_wall(), closing.hearing_id, closing.line),
        )
