"""Finds in a delivered journal which plain files a retroactive closing has really replaced.

A kiosk's message alone proves nothing: whoever holds a kiosk's certificate can send it. What counts
is the line ``closed_since`` of the hearing's own journal, as it was delivered, hashed and compared
with its heads, when a signed head follows it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, Row, select

from kiosk.central.contract import Closure
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.head_check import split_lines
from kiosk.central.deliveries.journal_heads import is_signed_by, public_keys
from kiosk.central.deliveries.upload_records import COMPLETE
from kiosk.evidence.chain import GENESIS, ChainHead, entry_hash
from kiosk.storage.hearing_folder import JOURNAL_FILE, PLAYLIST, part_folder_name

#: What a line that no kiosk writes can raise: deep nesting and a part of Infinity are among them.
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
)


FileKey = tuple[str, str]  # path and SHA-256
MAX_MOMENTS = 100  # of closing, one before the other


class Replacement(NamedTuple):
    """A plain file and what replaces it; ``by`` is None where nothing does."""

    path: str
    sha256: str
    by: str | None = None
    by_sha256: str | None = None


def replacement_of(closure: Closure) -> Replacement:
    """Return what a request names."""
    return Replacement(closure.path, closure.sha256, closure.by, closure.by_sha256)


class ClosureProof:
    """Reads the journals of delivered hearings.

    Args:
        database: which journal was delivered, and the kiosk's certificates.
        store: its bytes.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def find(self, hearing: str) -> frozenset[Replacement]:
        """Return the replacements that the delivered journal proves; none before it has arrived."""
        journal, keys = await self._database.run_read(
            lambda connection: _read_journal_row(connection, hearing)
        )
        if journal is None:
            return frozenset()
        return await asyncio.to_thread(self._scan, hearing, journal, keys)

    def _scan(
        self, hearing: str, journal: Row[Any], keys: Sequence[ec.EllipticCurvePublicKey]
    ) -> frozenset[Replacement]:
        blocks = self._store.read(journal.id, 0, journal.size)
        return frozenset(find_replacements(hearing, blocks, keys))


def _read_journal_row(
    connection: Connection, hearing: str
) -> tuple[Row[Any] | None, Sequence[ec.EllipticCurvePublicKey]]:
    uploads, files = schema.uploads, schema.files
    row = connection.execute(
        select(uploads)
        .join(files, files.c.upload == uploads.c.id)
        .where(files.c.delivery == hearing, files.c.path == JOURNAL_FILE)
        .where(uploads.c.state == COMPLETE)
    ).one_or_none()
    return row, () if row is None else public_keys(connection, row.kiosk)


def find_replacements(
    hearing: str, blocks: Iterable[bytes], keys: Sequence[ec.EllipticCurvePublicKey]
) -> set[Replacement]:
    """Return the replacements in the ``closed_since`` lines that a signed head covers.

    Args:
        hearing: id of the hearing.
        blocks: its journal.
        keys: public keys of the kiosk that recorded it.
    """
    proven: set[Replacement] = set()
    pending: set[Replacement] = set()
    head = ChainHead(0, GENESIS)
    for line in split_lines(blocks):
        try:
            entry = json.loads(line)
            if entry["n"] != head.count + 1 or entry["prev"] != head.hash:
                break
            kind = entry["kind"]
            if kind == "closed_since":
                pending.update(map(_replacement_in, entry["replaced"]))
            elif kind == "head" and _is_signed(hearing, entry, head, keys):
                proven |= pending
                pending = set()
        except UNREADABLE:  # what follows proves nothing
            break
        head = ChainHead(head.count + 1, entry_hash(line))
    return proven


def find_unreplaced(
    connection: Connection,
    hearing: str,
    files: Collection[FileKey],
    proven: Collection[Replacement],
) -> set[FileKey]:
    """Return those of ``files`` that no proven closing replaces by files that are complete here.

    What replaces a file may have been replaced itself, by an earlier moment of closing. Of the same
    path one content is enough: a kiosk that was killed encrypts again. A playlist alone may have no
    replacement: its tracks may be closed as a whole.
    """
    table = schema.uploads
    rows = connection.execute(
        select(table.c.path, table.c.sha256).where(
            table.c.owner == hearing, table.c.state == COMPLETE
        )
    )
    present = {(row.path, row.sha256) for row in rows}
    pending: dict[FileKey, dict[str | None, list[Replacement]]] = {}
    for row in proven:
        pending.setdefault((row.path, row.sha256), {}).setdefault(row.by, []).append(row)
    replaced: set[FileKey] = set()
    for _ in range(MAX_MOMENTS):
        found = {
            key
            for key, by_path in pending.items()
            if all(any(_is_kept(row, present) for row in same) for same in by_path.values())
        }
        if not found:
            break
        replaced |= found
        present |= found
        for key in found:
            del pending[key]
    return {key for key in files if key not in replaced}


def _is_kept(row: Replacement, present: Collection[FileKey]) -> bool:
    if row.by is None or row.by_sha256 is None:
        return row.path.endswith(f"/{PLAYLIST}")
    return (row.by, row.by_sha256) in present


def _is_signed(
    hearing: str,
    entry: dict[str, Any],
    head: ChainHead,
    keys: Sequence[ec.EllipticCurvePublicKey],
) -> bool:
    """Return whether ``entry`` is a signature of the hearing's own chain up to ``head``."""
    if (entry["count"], entry["hash"]) != (head.count, head.hash):
        return False
    return any(is_signed_by(key, hearing, 0, head, entry["signature"]) for key in keys)


def _replacement_in(row: dict[str, Any]) -> Replacement:
    folder = part_folder_name(int(row["part"]))
    by = f"{folder}/{row['by']}" if row["by"] else None
    closure = Closure(
        path=f"{folder}/{row['file']}",
        sha256=row["sha256"],
        by=by,
        by_sha256=row["by_sha256"] or None,
    )
    return replacement_of(closure)
