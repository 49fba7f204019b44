"""Compares a final list of files with what had arrived of the hearing, and with its closings.

A list that leaves out a file which the court already holds, or gives it another content, takes it
out of the recording. A kiosk's message that a closing replaced a file does so, too. If the signed,
delivered journal proves that closing, the file is withheld, also where the message never came.
Otherwise there is no receipt until a person has looked. A file that only grew (a journal) is whole.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from kiosk.central.contract import Closure
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.closure_proof import Replacement, find_unreplaced
from kiosk.central.deliveries.closures import ClosureService
from kiosk.central.deliveries.head_check import Problem
from kiosk.central.deliveries.quarantine import is_erased
from kiosk.central.deliveries.upload_records import COMPLETE
from kiosk.central.errors import RefusedError


class ArrivedFile(NamedTuple):
    """A complete upload that the final list does not name so; ``listed`` has its path instead."""

    path: str
    sha256: str
    size: int
    listed: str | None


class LeftOutCheck:
    """Finds what a final list leaves out.

    Args:
        database: what has arrived, and what kiosks say of closings.
        store: the content of files.
        closures: withholds what a closing has replaced.
    """

    def __init__(self, database: Database, store: ObjectStore, closures: ClosureService) -> None:
        self._database = database
        self._store = store
        self._closures = closures

    async def find(self, kiosk: str, hearing: str) -> dict[Problem, str]:
        """Return number and paths of files by what is wrong with them."""
        arrived, has_closings = await self._database.run_read(
            lambda connection: (_unlisted(connection, hearing), _has_closings(connection, hearing))
        )
        if not arrived and not has_closings:
            return {}
        proven = await self._closures.prove(hearing)
        closed = await self._close(kiosk, hearing, arrived, proven)
        arrived = [file for file in arrived if (file.path, file.sha256) not in closed]
        unproven = await self._database.run_read(
            lambda connection: _find_unproven(connection, hearing, proven)
        )
        changed = await asyncio.to_thread(self._find_changed, arrived)
        found: dict[Problem, set[str]] = {
            "files_left_out": {file.path for file in arrived if file.listed is None},
            "files_changed": changed,
            "closing_unproven": unproven,
        }
        return {
            code: f"{len(paths)}: {', '.join(sorted(paths))}"
            for code, paths in found.items()
            if paths
        }

    async def _close(
        self,
        kiosk: str,
        hearing: str,
        arrived: Iterable[ArrivedFile],
        proven: Collection[Replacement],
    ) -> set[tuple[str, str]]:
        """Withhold what the journal says was replaced; return path and SHA-256 of it."""
        replaced = {(row.path, row.sha256): row for row in proven}
        keys = {(file.path, file.sha256) for file in arrived} & replaced.keys()
        if keys:
            closures = [Closure(**replaced[key]._asdict()) for key in sorted(keys)]
            try:
                await self._closures.apply(kiosk, hearing, closures)
            except RefusedError:  # no media: a person has to look
                return set()
        return keys

    def _find_changed(self, arrived: Iterable[ArrivedFile]) -> set[str]:
        """Return the paths of which the listed content does not begin with what had arrived."""
        by_listed: dict[str, list[ArrivedFile]] = {}
        for file in arrived:
            if file.listed is not None:
                by_listed.setdefault(file.listed, []).append(file)
        return {
            file.path
            for listed, files in by_listed.items()
            for file in files
            if self._hash_beginning(listed, file.size) != file.sha256
        }

    def _hash_beginning(self, upload: str, size: int) -> str:
        digest = hashlib.sha256()
        for block in self._store.read(upload, 0, size):
            digest.update(block)
        return digest.hexdigest()


def _unlisted(connection: Connection, hearing: str) -> list[ArrivedFile]:
    """Return complete uploads whose path the hearing's list does not have, or has otherwise."""
    uploads, files = schema.uploads, schema.files
    rows = connection.execute(
        select(uploads.c.path, uploads.c.sha256, uploads.c.size, files.c.upload.label("listed"))
        .outerjoin(files, (files.c.delivery == uploads.c.owner) & (files.c.path == uploads.c.path))
        .where(uploads.c.owner == hearing, uploads.c.state == COMPLETE)
        .where(files.c.sha256.is_(None) | (files.c.sha256 != uploads.c.sha256))
    )
    return [ArrivedFile(*row) for row in rows]


def _has_closings(connection: Connection, hearing: str) -> bool:
    table = schema.closures
    found = select(table.c.path).where(table.c.hearing == hearing).limit(1)
    return connection.execute(found).first() is not None


def _find_unproven(
    connection: Connection, hearing: str, proven: Collection[Replacement]
) -> set[str]:
    """Return the paths of closed files that the journal does not replace by complete ones.

    What court IT has erased is decided.
    """
    table = schema.closures
    rows = connection.execute(
        select(table.c.path, table.c.sha256).where(table.c.hearing == hearing, ~is_erased(hearing))
    )
    keys = {(row.path, row.sha256) for row in rows}
    return {path for path, _ in find_unreplaced(connection, hearing, keys, proven)}
