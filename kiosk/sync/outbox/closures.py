"""Hearings closed since a moment before: which files in the clear an encrypted one has replaced.

The line ``closed_since`` of a hearing's chain names them. The central system is told at once, so
that what has left before (finished minutes) is deleted there; each line is told once.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from kiosk.clocks import wall_text
from kiosk.errors import StorageError
from kiosk.storage.database import Database
from kiosk.sync.outbox.manifest import stays_inside
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError

log = logging.getLogger(__name__)

PER_POST = 2000


def closures_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a ``closed_since`` line says, as the contract wants it.

    Raises:
        StorageError: the line names no files as it should.
    """
    found = []
    for one in entry.get("replaced") or ():
        try:
            folder = f"part-{int(one['part']):02d}"
            body = {"path": f"{folder}/{one['file']}", "sha256": str(one["sha256"])}
            if one.get("by"):
                body |= {"by": f"{folder}/{one['by']}", "by_sha256": str(one["by_sha256"])}
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                "closed_since: not as it should be", code="folder_damaged"
            ) from error
        if not stays_inside(body["path"]):
            raise StorageError("closed_since: a path leaves the folder", code="folder_damaged")
        found.append(body)
    return found


class Closures:
    """The closings that the central system is to hear of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hearing_id: str, entry: dict[str, Any]) -> bool:
        """Keep a ``closed_since`` line; return whether it is new. Early uploads of it end here."""
        try:
            closed = closures_of(entry)
        except StorageError as error:
            log.error("hearing %s: %s", hearing_id, error)
            return False
        with self._database.transaction():
            added = self._database.execute(
                "INSERT OR IGNORE INTO closures (hearing_id, line, body) VALUES (?, ?, ?)",
                (hearing_id, int(entry.get("n", 0)), json.dumps(closed)),
            )
            for one in closed:
                self._database.execute(
                    "UPDATE early SET state = 'closed' "
                    "WHERE hearing_id = ? AND path = ? AND sha256 = ?",
                    (hearing_id, one["path"], one["sha256"]),
                )
        return bool(added)

    def send(self, client: CentralClient) -> int:
        """Tell the central system what it has not been told; return how many lines.

        Raises:
            CentralError: not now.
        """
        rows = self._database.rows(
            "SELECT hearing_id, line, body FROM closures WHERE sent_at IS NULL "
            "ORDER BY hearing_id, line"
        )
        for row in rows:
            closed, problem = json.loads(row["body"]), None
            try:
                for start in range(0, len(closed), PER_POST):
                    client.post_closures(row["hearing_id"], closed[start : start + PER_POST])
            except RefusedError as error:
                log.error("closing of hearing %s refused: %s", row["hearing_id"], error)
                problem = error.code
            self._database.execute(
                "UPDATE closures SET sent_at = ?, problem = ? WHERE hearing_id = ? AND line = ?",
                (wall_text(), problem, row["hearing_id"], row["line"]),
            )
        return len(rows)
