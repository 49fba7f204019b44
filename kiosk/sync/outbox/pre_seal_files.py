"""Finished files of running hearings that are uploaded before the hearing is sealed.

Only with ``[sync] minutes_early``. An upload's id follows from hearing, path, hash and attempt, so
that the same file is announced once, however often this process is killed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from kiosk.storage.database import Database
from kiosk.sync.outbox.manifest import is_safe_relative_path

NAMESPACE = uuid.UUID("3f0b8b5e-6a55-4c8e-9a8b-0d9f5d1c7f02")
FINISHED = frozenset({"init", "media"})  # a playlist changes at the end


@dataclass(frozen=True)
class PreSealFile:
    """A finished file of a running hearing."""

    hearing_id: str
    path: str
    size: int
    sha256: str
    tries: int

    @property
    def upload_id(self) -> str:
        """The id of its upload: the same for the same file."""
        name = f"{self.hearing_id}/{self.path}/{self.sha256}/{self.tries}"
        return str(uuid.uuid5(NAMESPACE, name))


class PreSealFiles:
    """Records which finished files have been uploaded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hearing_id: str, part: int, entry: dict[str, Any]) -> bool:
        """Queue the file of a ``file`` line of a part's journal; return whether it is new."""
        try:
            path = f"part-{part:02d}/{entry['file']}"
            values = (hearing_id, path, int(entry["length"]), str(entry["sha256"]))
        except (KeyError, TypeError, ValueError):
            return False
        if entry.get("what") not in FINISHED or not is_safe_relative_path(path):
            return False
        added = self._database.execute(
            "INSERT OR IGNORE INTO early (hearing_id, path, size, sha256) VALUES (?, ?, ?, ?)",
            values,
        )
        return bool(added)

    def waiting(self) -> list[PreSealFile]:
        """Return the files to upload, oldest first; none of a sealed hearing."""
        rows = self._database.rows(
            "SELECT hearing_id, path, size, sha256, tries FROM early WHERE state = 'waiting' "
            "AND hearing_id NOT IN (SELECT id FROM items) ORDER BY rowid"
        )
        return [PreSealFile(**dict(row)) for row in rows]

    def set_state(self, file: PreSealFile, state: str, *, failed: bool = False) -> None:
        """Set the state of a file: ``complete``, ``closed``, ``given_up``, or ``waiting``."""
        self._database.execute(
            "UPDATE early SET state = ?, tries = tries + ? "
            "WHERE hearing_id = ? AND path = ? AND sha256 = ? AND state = 'waiting'",
            (state, int(failed), file.hearing_id, file.path, file.sha256),
        )
