"""Finished minutes leave while their hearing still runs (``[sync] minutes_early``).

A file that the journal calls finished is announced by itself and sent; the manifest at the end
takes it over by path, size and SHA-256. The upload's id follows from these, so that the same file
is announced once however often this is killed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.storage.database import Database
from kiosk.sync.outbox.manifest import courier_only, stays_inside
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.tus_client import TusClient, UploadGoneError

log = logging.getLogger(__name__)

NAMESPACE = uuid.UUID("3f0b8b5e-6a55-4c8e-9a8b-0d9f5d1c7f02")
FINISHED = frozenset({"init", "media"})  # a playlist changes at the end
MISMATCHES = 2  # then it waits for the manifest
HASHING_SECONDS = 20.0


@dataclass(frozen=True)
class EarlyFile:
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


class EarlyFiles:
    """Keeps which finished files have left."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hearing_id: str, part: int, entry: dict[str, Any]) -> bool:
        """Queue the file of a ``file`` line of a part's journal; return whether it is new."""
        try:
            path = f"part-{part:02d}/{entry['file']}"
            values = (hearing_id, path, int(entry["length"]), str(entry["sha256"]))
        except (KeyError, TypeError, ValueError):
            return False
        if entry.get("what") not in FINISHED or not stays_inside(path):
            return False
        added = self._database.execute(
            "INSERT OR IGNORE INTO early (hearing_id, path, size, sha256) VALUES (?, ?, ?, ?)",
            values,
        )
        return bool(added)

    def waiting(self) -> list[EarlyFile]:
        """Return what is to be sent: oldest first, and nothing of a hearing that is sealed."""
        rows = self._database.rows(
            "SELECT hearing_id, path, size, sha256, tries FROM early WHERE state = 'waiting' "
            "AND hearing_id NOT IN (SELECT id FROM items) ORDER BY rowid"
        )
        return [EarlyFile(**dict(row)) for row in rows]

    def set(self, file: EarlyFile, state: str, *, failed: bool = False) -> None:
        """Note what became of a file: ``complete``, ``closed``, ``given_up``, or ``waiting``."""
        self._database.execute(
            "UPDATE early SET state = ?, tries = tries + ? "
            "WHERE hearing_id = ? AND path = ? AND sha256 = ? AND state = 'waiting'",
            (state, int(failed), file.hearing_id, file.path, file.sha256),
        )


class EarlySender:
    """Sends them.

    Args:
        files: returns what is known of them (the database may be rebuilt).
        hearings: folder of the hearings.
        patch_bytes: most bytes per PATCH.
        may_go_on: raises when the line is wanted for something else.
        worked: called after each success of the line.
    """

    def __init__(
        self,
        files: Callable[[], EarlyFiles],
        hearings: Path,
        patch_bytes: int,
        may_go_on: Callable[[], None],
        worked: Callable[[], None],
    ) -> None:
        self._files = files
        self._hearings = hearings
        self._patch_bytes = patch_bytes
        self._may_go_on = may_go_on
        self._worked = worked

    def send(self, client: CentralClient) -> None:
        """Send what is finished; broken off anywhere, the next call goes on from there.

        Raises:
            CentralError: not now.
            PreemptedError: something urgent goes first.
        """
        for file in self._files().waiting():
            folder = self._hearings / file.hearing_id
            if courier_only(folder):
                self._files().set(file, "given_up")
                continue
            self._may_go_on()
            if (folder / file.path).exists():
                self._send(client, file, folder / file.path)
            else:  # replaced since: the journal will say so
                self._files().set(file, "given_up")

    def _send(self, client: CentralClient, file: EarlyFile, path: Path) -> None:
        body = {
            "kind": "hearing",
            "owner": file.hearing_id,
            "path": file.path,
            "size": file.size,
            "sha256": file.sha256,
        }
        try:
            answer = client.put_upload(file.upload_id, body)
            self._worked()
            if answer.get("state") == "receiving":
                url = client.address(str(answer["address"]))
                tus = TusClient(client.line, self._patch_bytes)
                tus.upload(path, url, file.size, may_go_on=self._may_go_on)
                answer = self._verified(client, file)
        except (RefusedError, UploadGoneError) as error:
            log.info("a finished minute is refused: %s", error)
            state = "closed" if error.code == "closed_since" else "given_up"
            self._files().set(file, state)
            return
        self._judge(file, answer)

    def _verified(self, client: CentralClient, file: EarlyFile) -> dict[str, Any]:
        while True:
            answer = client.wait_verified(file.upload_id, HASHING_SECONDS)
            if answer.get("state") != "verifying":
                return answer
            self._may_go_on()

    def _judge(self, file: EarlyFile, answer: dict[str, Any]) -> None:
        """Keep the verdict; a mismatch is sent afresh, and in the end left to the manifest."""
        state = answer.get("state")
        if state == "complete" and answer.get("server_sha256") == file.sha256:
            self._files().set(file, "complete")
        elif state == "mismatch":
            log.error("hash of a finished minute of %s disagrees", file.hearing_id)
            again = file.tries < MISMATCHES
            self._files().set(file, "waiting" if again else "given_up", failed=True)
        elif state == "closed":
            self._files().set(file, "closed")
