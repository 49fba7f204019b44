"""What the outbox says of an item and of a file that waits to be sent."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.sync import Delivery
from kiosk.storage.database import Row
from kiosk.sync.outbox.lanes import Lane

FileKey = tuple[str, str]


@dataclass(frozen=True)
class OutboxItem:
    """One hearing, filing or report in the outbox."""

    id: str
    kind: str
    state: str
    is_registered: bool
    problem: str | None
    attempts: int
    sha256_match: bool | None
    file_count: int
    bytes_done: int
    bytes_total: int
    route: str

    def delivery(self, bytes_done: int | None = None) -> Delivery:
        """Return the answer of ``GET /v1/hearings/{id}``; ``bytes_done`` of a running upload."""
        return Delivery.model_validate(
            {
                "state": self.state,
                "files": self.file_count,
                "bytes_done": max(self.bytes_done, bytes_done or 0),
                "bytes_total": self.bytes_total,
                "central_sha256_match": self.sha256_match,
                "problem": self.problem,
                "route": self.route,
            }
        )


@dataclass(frozen=True)
class Upload:
    """One file that waits for its bytes to be sent."""

    item_id: str
    kind: str
    path: str
    size: int
    sha256: str
    lane: Lane
    upload_url: str | None
    sent: int
    restarts: int

    @property
    def key(self) -> FileKey:
        """Its item and its path."""
        return self.item_id, self.path

    @property
    def upload_id(self) -> str:
        """The central system's id of it: the end of its address."""
        return str(self.upload_url).rstrip("/").rsplit("/", 1)[-1]


def read_item(row: Row) -> OutboxItem:
    """Return the item in a row that has its sums."""
    match = row["sha256_match"]
    return OutboxItem(
        id=row["id"],
        kind=row["kind"],
        state=row["state"],
        is_registered=bool(row["registered"]),
        problem=row["problem"],
        attempts=row["attempts"],
        sha256_match=None if match is None else bool(match),
        file_count=row["files"],
        bytes_done=row["bytes_done"],
        bytes_total=row["bytes_total"],
        route=row["route"],
    )


def read_upload(row: Row) -> Upload:
    """Return the file in a row that has its item's kind."""
    return Upload(
        item_id=row["item_id"],
        kind=row["kind"],
        path=row["path"],
        size=row["size"],
        sha256=row["sha256"],
        lane=Lane(row["lane"]),
        upload_url=row["upload_url"],
        sent=row["sent"],
        restarts=row["fresh_tries"],
    )
