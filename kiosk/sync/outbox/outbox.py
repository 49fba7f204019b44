"""The outbox: what waits for delivery, in which order, and how far it is.

Rows say what the central system has confirmed; the bytes stay in their folders. An item is
delivered only when its receipt is on the disk (:mod:`kiosk.sync.outbox.receipts`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from kiosk.clocks import format_wall
from kiosk.storage.database import Database
from kiosk.storage.hearing_folder import name_order
from kiosk.sync.outbox.lanes import Lane
from kiosk.sync.outbox.manifest import Manifest, ManifestFile
from kiosk.sync.outbox.outbox_items import FileKey, OutboxItem, Upload, read_item, read_upload

NETWORK, COURIER = "network", "courier"
ITEM_QUERY = """
SELECT items.*, count(files.path) AS files, coalesce(sum(files.size), 0) AS bytes_total,
       coalesce(sum(CASE files.state WHEN 'confirmed' THEN files.size ELSE files.sent END), 0)
           AS bytes_done
FROM items LEFT JOIN files ON files.item_id = items.id
"""
WAITING_QUERY = """
SELECT id FROM items
WHERE registered AND route = 'network' AND state IN ('queued', 'sending') AND kind IN ({kinds})
  AND EXISTS (SELECT 1 FROM files WHERE item_id = items.id AND state = 'waiting' AND lane = ?)
ORDER BY added_at, id
"""
UPLOAD_QUERY = """
SELECT files.*, items.kind FROM files JOIN items ON items.id = files.item_id
WHERE files.item_id = ? AND files.state = 'waiting' AND files.lane = ? {condition}
ORDER BY files.path LIMIT ?
"""
NEXT_QUERY = UPLOAD_QUERY.format(condition="")
SMALL_QUERY = UPLOAD_QUERY.format(
    condition="AND files.size BETWEEN 1 AND ? AND files.upload_url IS NOT NULL"
)


class Outbox:
    """Queries and changes of the outbox; every change is one durable commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, manifest: Manifest) -> bool:
        """Queue an item; return False when it was there already."""
        route = COURIER if manifest.is_courier_only else NETWORK
        with self._database.transaction():
            added = self._database.execute(
                "INSERT OR IGNORE INTO items (id, kind, state, added_at, route) "
                "VALUES (?, ?, 'queued', ?, ?)",
                (manifest.id, manifest.kind, format_wall(), route),
            )
            if added:
                self._add_files(manifest.id, manifest.files)
        return bool(added)

    def _add_files(self, item_id: str, files: Iterable[ManifestFile]) -> None:
        for file in files:
            self._database.execute(
                "INSERT INTO files (item_id, path, size, sha256, lane) VALUES (?, ?, ?, ?, ?)",
                (item_id, file.path, file.size, file.sha256, int(file.lane)),
            )

    def route_by_courier(self, item_id: str) -> None:
        """Route an item by courier from now on."""
        self._database.execute(
            "UPDATE items SET route = ? WHERE id = ? AND route != ?", (COURIER, item_id, COURIER)
        )

    def replace(self, manifest: Manifest) -> None:
        """Replace an item and its files by those of ``manifest``."""
        with self._database.transaction():
            self._database.execute("DELETE FROM items WHERE id = ?", (manifest.id,))
            self.add(manifest)

    def contains(self, item_id: str) -> bool:
        """Return whether the item is in the outbox (delivered items are)."""
        return self._database.row("SELECT 1 FROM items WHERE id = ?", (item_id,)) is not None

    def item(self, item_id: str) -> OutboxItem | None:
        """Return an item with its sums, or None."""
        row = self._database.row(ITEM_QUERY + "WHERE items.id = ? GROUP BY items.id", (item_id,))
        return None if row is None else read_item(row)

    def files(self, item_id: str) -> list[ManifestFile]:
        """Return the files of an item as registered."""
        return self._files("item_id = ?", item_id)

    def _files(self, where: str, item_id: str) -> list[ManifestFile]:
        query = f"SELECT path, size, sha256, lane FROM files WHERE {where}"
        rows = self._database.rows(query, (item_id,))
        rows = sorted(rows, key=lambda row: name_order(row["path"]))
        return [
            ManifestFile(row["path"], row["size"], row["sha256"], Lane(row["lane"])) for row in rows
        ]

    def undelivered_items(self, *, unregistered: bool = False) -> list[OutboxItem]:
        """Return every item that is not delivered, oldest first; or those not registered only."""
        only = "AND NOT items.registered " if unregistered else ""
        rows = self._database.rows(
            ITEM_QUERY
            + f"WHERE items.state IN ('queued', 'sending', 'failed') {only}"
            + "GROUP BY items.id ORDER BY added_at"
        )
        return [read_item(row) for row in rows]

    def counts(self) -> list[tuple[str, str, int]]:
        """Return ``(kind, state, number of items)`` of everything known."""
        rows = self._database.rows(
            "SELECT kind, state, count(*) AS n FROM items GROUP BY kind, state ORDER BY kind, state"
        )
        return [(row["kind"], row["state"], row["n"]) for row in rows]

    def next_upload(
        self,
        lanes: Sequence[Lane],
        kinds: Sequence[str],
        rank: Callable[[str], int | None],
        sent: Collection[FileKey] = (),
    ) -> Upload | None:
        """Return the file to send next, in the order of lanes, items and paths.

        Args:
            lanes: of the file.
            kinds: of its item.
            rank: of an item by its id: lower ones first, whatever their lane; None: not now.
            sent: a few that have been sent and have no verdict yet.
        """
        query = WAITING_QUERY.format(kinds=", ".join("?" * len(kinds)))
        found = [
            (order, lane, row["id"])
            for lane in sorted(lanes)
            for row in self._database.rows(query, [*kinds, int(lane)])
            if (order := rank(row["id"])) is not None
        ]
        for _, lane, item_id in sorted(found, key=lambda place: place[0]):
            rows = self._database.rows(NEXT_QUERY, (item_id, int(lane), len(sent) + 1))
            for upload in map(read_upload, rows):
                if upload.key not in sent:
                    return upload
        return None

    def small_uploads(self, like: Upload, most_bytes: int, limit: int) -> list[Upload]:
        """Return the small files that wait in the item and the lane of ``like``, by path.

        Args:
            like: one of them.
            most_bytes: the size of the largest.
            limit: how many there may be.
        """
        values = (like.item_id, int(like.lane), most_bytes, limit)
        return [read_upload(row) for row in self._database.rows(SMALL_QUERY, values)]

    def mark_registered(self, item_id: str, addresses: dict[str, str], present: list[str]) -> None:
        """Record that the central system knows the item.

        Args:
            item_id: the item.
            addresses: upload address by path of each file that it lacks.
            present: paths of the files that it has already.
        """
        with self._database.transaction():
            for path in present:
                self._database.execute(
                    "UPDATE files SET state = 'confirmed', sent = size "
                    "WHERE item_id = ? AND path = ? AND state = 'waiting'",
                    (item_id, path),
                )
            self._database.execute("UPDATE items SET registered = 1 WHERE id = ?", (item_id,))
            for path, url in addresses.items():
                self._database.execute(
                    "UPDATE files SET upload_url = ?, sent = "
                    "CASE WHEN upload_url IS ? THEN sent ELSE 0 END, "
                    "state = CASE state WHEN 'confirmed' THEN 'waiting' ELSE state END "
                    "WHERE item_id = ? AND path = ?",
                    (url, url, item_id, path),
                )

    def discard_upload_urls(self, item_id: str) -> None:
        """Require a new registration, because an upload address is gone."""
        with self._database.transaction():
            self._database.execute("UPDATE items SET registered = 0 WHERE id = ?", (item_id,))
            self._database.execute(
                "UPDATE files SET upload_url = NULL WHERE item_id = ? AND state = 'waiting'",
                (item_id,),
            )

    def require_registration(self, item_id: str) -> None:
        """Require a new registration of a complete item that gets no receipt."""
        self._database.execute("UPDATE items SET registered = 0 WHERE id = ?", (item_id,))

    def record_progress(self, upload: Upload, sent: int) -> None:
        """Record how many bytes of a file the central system has; nothing new costs no sync."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE files SET sent = ? WHERE item_id = ? AND path = ? AND sent != ?",
                (sent, upload.item_id, upload.path, sent),
            )
            self._database.execute(
                "UPDATE items SET state = 'sending' WHERE id = ? AND state = 'queued'",
                (upload.item_id,),
            )

    def mark_confirmed(self, *uploads: Upload) -> None:
        """Record that the central system has all of files."""
        with self._database.transaction():
            for upload in uploads:
                self._database.execute(
                    "UPDATE files SET state = 'confirmed', sent = size "
                    "WHERE item_id = ? AND path = ?",
                    upload.key,
                )

    def restart_upload(self, item_id: str, path: str) -> None:
        """Require a new upload from the first byte, because the hashes differ."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE files SET state = 'waiting', sent = 0, upload_url = NULL, "
                "fresh_tries = fresh_tries + 1 WHERE item_id = ? AND path = ?",
                (item_id, path),
            )
            self._database.execute(
                "UPDATE items SET registered = 0, sha256_match = 0 WHERE id = ?", (item_id,)
            )

    def mark_damaged(self, upload: Upload) -> None:
        """Record that a local file differs from its folder's seal and cannot be delivered."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE files SET state = 'damaged', sent = 0, upload_url = NULL "
                "WHERE item_id = ? AND path = ?",
                (upload.item_id, upload.path),
            )
            self._database.execute(
                "UPDATE items SET sha256_match = 0 WHERE id = ?", (upload.item_id,)
            )

    def fail_damaged(self) -> None:
        """Mark the items failed of which all but the damaged files are delivered."""
        self._database.execute(
            "UPDATE items SET state = 'failed', problem = 'file_changed' "
            "WHERE state IN ('queued', 'sending') "
            "AND EXISTS (SELECT 1 FROM files WHERE item_id = items.id AND state = 'damaged') "
            "AND NOT EXISTS (SELECT 1 FROM files WHERE item_id = items.id AND state = 'waiting')"
        )

    def complete_items(self) -> list[OutboxItem]:
        """Return the registered items of which every file is confirmed, but no receipt is here."""
        rows = self._database.rows(
            ITEM_QUERY + "WHERE items.registered AND items.route = 'network' "
            "AND items.state IN ('queued', 'sending') "
            "AND EXISTS (SELECT 1 FROM files AS f WHERE f.item_id = items.id) "
            "AND NOT EXISTS (SELECT 1 FROM files AS f WHERE f.item_id = items.id "
            "AND f.state IN ('waiting', 'damaged')) GROUP BY items.id ORDER BY added_at"
        )
        return [read_item(row) for row in rows]

    def mark_delivered(self, item_id: str) -> None:
        """Record the delivery. The receipt must be durable before this is called."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE items SET state = 'delivered', registered = 1, problem = NULL, "
                "attempts = 0, sha256_match = 1, delivered_at = ? WHERE id = ?",
                (format_wall(), item_id),
            )
            self._database.execute(
                "UPDATE files SET state = 'confirmed', sent = size WHERE item_id = ?", (item_id,)
            )

    def delivered_ids(self, kind: str) -> list[str]:
        """Return the delivered items of ``kind``, the one queued first in front."""
        rows = self._database.rows(
            "SELECT id FROM items WHERE kind = ? AND state = 'delivered' ORDER BY rowid", (kind,)
        )
        return [str(row["id"]) for row in rows]

    def delivered_sizes(self, kind: str) -> list[tuple[datetime, int]]:
        """Return when the items of ``kind`` were delivered, and how large they are."""
        rows = self._database.rows(
            "SELECT items.delivered_at, sum(files.size) AS size FROM items "
            "JOIN files ON files.item_id = items.id "
            "WHERE items.kind = ? AND items.state = 'delivered' GROUP BY items.id",
            (kind,),
        )
        return [(datetime.fromisoformat(row["delivered_at"]), row["size"]) for row in rows]

    def record_failure(self, item_id: str, problem: str, *, final: bool = False) -> None:
        """Record why an item failed; ``final``: until a person acts."""
        self._database.execute(
            "UPDATE items SET problem = ?, attempts = attempts + 1, "
            "state = CASE WHEN ? THEN 'failed' ELSE state END WHERE id = ?",
            (problem, final, item_id),
        )

    def requeue(self, item_id: str) -> None:
        """Put a failed item back into the queue; its damaged files stay damaged."""
        self._database.execute(
            "UPDATE items SET state = 'queued' WHERE id = ? AND state = 'failed'", (item_id,)
        )

    def damaged_files(self, item_id: str) -> list[ManifestFile]:
        """Return the files that differ from the folder's seal."""
        return self._files("item_id = ? AND state = 'damaged'", item_id)

    def mark_repaired(self, item_id: str, path: str) -> None:
        """Requeue a damaged file that is intact again."""
        self._database.execute(
            "UPDATE files SET state = 'waiting' WHERE item_id = ? AND path = ?", (item_id, path)
        )

    def clear_failures(self, item_id: str) -> None:
        """Clear the failures of an item."""
        self._database.execute(
            "UPDATE items SET problem = NULL, attempts = 0 WHERE id = ? AND problem IS NOT NULL",
            (item_id,),
        )
