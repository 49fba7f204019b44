"""Hearings, filings and self-test reports: manifest, what is missing, receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Row, select, update

from kiosk.central import steps
from kiosk.central.contract import File
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.store import Store
from kiosk.central.deliveries.heads_check import HeadsCheck, problem_of
from kiosk.central.deliveries.receipts import digest, make_receipt
from kiosk.central.deliveries.uploads import (
    COMPLETE,
    MISMATCH,
    RECEIVING,
    Uploads,
    address,
    check_owner,
    upload_for,
)
from kiosk.central.errors import content_differs, foreign, malformed, not_found
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import wall_text

FILES_OF = {"hearing": "files", "report": "files", "filing": "documents"}


@dataclass(frozen=True)
class Manifest:
    """What a kiosk says it will deliver.

    Attributes:
        kind: ``hearing``, ``filing`` or ``report``.
        body: the request, as JSON.
        files: the files in it.
        final: whether it may still be replaced by a later one.
        without: keys of ``body`` that do not count when two manifests are compared.
    """

    kind: str
    body: dict[str, Any]
    files: Sequence[File]
    final: bool = True
    without: frozenset[str] = frozenset({"kiosk_time"})

    def digest(self) -> str:
        """Return the hash of what counts."""
        return digest({key: self.body[key] for key in self.body if key not in self.without})


def manifest_of(
    kind: str,
    request: BaseModel,
    files: Sequence[File],
    *,
    final: bool = True,
    without: frozenset[str] = frozenset(),
) -> Manifest:
    """Return the manifest in a request."""
    body = request.model_dump(mode="json")
    return Manifest(kind, body, files, final, frozenset({"kiosk_time"}) | without)


def put_manifest(connection: Connection, kiosk: str, delivery: str, manifest: Manifest) -> bool:
    """Write a manifest down; return whether it is new.

    Raises:
        RefusedError: 403, another kiosk's; 409, a different final one is known.
    """
    table = schema.deliveries
    row = connection.execute(
        select(table).where(table.c.id == delivery).with_for_update()
    ).one_or_none()
    mark = manifest.digest()
    if row is not None and row.kiosk != kiosk:
        raise foreign()
    if row is not None and row.kind == manifest.kind and row.digest == mark:
        return False
    if row is not None and (row.final or row.kind != manifest.kind):
        raise content_differs(f"another {row.kind} is known under this id")
    check_owner(connection, kiosk, manifest.kind, delivery)
    values = {"manifest": manifest.body, "digest": mark, "final": manifest.final}
    if row is None:
        connection.execute(
            table.insert().values(
                id=delivery, kind=manifest.kind, kiosk=kiosk, created_at=wall_text(), **values
            )
        )
    else:
        connection.execute(update(table).where(table.c.id == delivery).values(**values))
    _put_files(connection, kiosk, delivery, manifest)
    return row is None


def _put_files(connection: Connection, kiosk: str, delivery: str, manifest: Manifest) -> None:
    paths = [file.path for file in manifest.files]
    if len(paths) != len(set(paths)):
        raise malformed("files: a path is named twice")
    connection.execute(schema.files.delete().where(schema.files.c.delivery == delivery))
    rows = [
        {
            "delivery": delivery,
            "path": file.path,
            "size": file.size,
            "sha256": file.sha256,
            "upload": upload_for(connection, kiosk, manifest.kind, delivery, file),
        }
        for file in manifest.files
    ]
    if rows:
        connection.execute(schema.files.insert(), rows)


def files_of(connection: Connection, delivery: str) -> Sequence[Row[Any]]:
    """Return the files of a delivery with their uploads' columns, by path."""
    return connection.execute(
        select(schema.uploads)
        .join(schema.files, schema.files.c.upload == schema.uploads.c.id)
        .where(schema.files.c.delivery == delivery)
        .order_by(schema.uploads.c.path)
    ).all()


class Deliveries:
    """All deliveries of the server (see :class:`kiosk.central.deliveries.uploads.Uploads` for arguments)."""

    def __init__(
        self,
        database: Database,
        store: Store,
        uploads: Uploads,
        signer: ReceiptSigner,
        step: steps.Step = steps.no_step,
    ) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._signer = signer
        self._step = step
        self._heads = HeadsCheck(database, store)
        uploads.settle = self.settle

    async def put(self, kiosk: str, delivery: str, manifest: Manifest) -> dict[str, Any]:
        """Take a manifest; return where the delivery stands."""
        await self._database.writing(
            lambda connection: put_manifest(connection, kiosk, delivery, manifest)
        )
        await self.advance(delivery)
        return await self.describe(kiosk, manifest.kind, delivery)

    async def advance(self, delivery: str) -> None:
        """Verify what is all there already (empty files), and give the receipt if that is all."""
        rows = await self._database.reading(lambda connection: files_of(connection, delivery))
        await self._uploads.place(rows)
        for row in rows:
            if row.state == RECEIVING and self._uploads.arrived(row) == row.size:
                self._uploads.verify(row.id)
        await self.settle(delivery)

    async def find(self, kiosk: str, kind: str, delivery: str) -> Row[Any]:
        """Return the row of a delivery of ``kiosk``.

        Raises:
            RefusedError: 404, not there or another kiosk's.
        """
        table = schema.deliveries
        row = await self._database.reading(
            lambda connection: connection.execute(
                select(table).where(
                    table.c.id == delivery, table.c.kiosk == kiosk, table.c.kind == kind
                )
            ).one_or_none()
        )
        if row is None:
            raise not_found()
        return row

    async def describe(self, kiosk: str, kind: str, delivery: str) -> dict[str, Any]:
        """Return ``Delivery`` of the contract."""
        row = await self.find(kiosk, kind, delivery)
        standing = await self.standing(row)
        problem = await self._database.reading(lambda connection: problem_of(connection, delivery))
        return {
            "kind": kind,
            "id": delivery,
            "state": "receiving" if row.receipt is None else "complete",
            "final": row.final,
            **standing,
            "receipt": row.receipt,
            "problem": problem,
            "as_of": wall_text(),
        }

    async def standing(self, row: Row[Any]) -> dict[str, Any]:
        """Return how far a delivery's files are: counts, what is missing, what mismatched."""

        def work(connection: Connection) -> tuple[Sequence[Row[Any]], set[str]]:
            table = schema.uploads
            mismatches = connection.execute(
                select(table.c.path).where(table.c.owner == row.id, table.c.state == MISMATCH)
            )
            return files_of(connection, row.id), {found.path for found in mismatches}

        files, mismatched = await self._database.reading(work)
        missing = [self._missing(file) for file in files if file.state != COMPLETE]
        done = sum(file.size for file in files if file.state == COMPLETE)
        return {
            "files": len(files),
            "bytes_total": sum(file.size for file in files),
            "bytes_done": done + sum(file["offset"] for file in missing),
            "missing": missing,
            "mismatched": sorted(mismatched & {file["path"] for file in missing}),
        }

    def _missing(self, row: Row[Any]) -> dict[str, Any]:
        offset = self._uploads.arrived(row)
        return {
            "path": row.path,
            "size": row.size,
            "sha256": row.sha256,
            "upload": row.id,
            "address": address(row),
            "offset": offset,
            "state": "verifying" if offset == row.size else "receiving",
        }

    async def settle(self, delivery: str) -> None:
        """Give the receipt of a delivery whose files are all complete; else do nothing."""
        table = schema.deliveries

        def work(connection: Connection) -> tuple[Row[Any] | None, Sequence[Row[Any]]]:
            row = connection.execute(
                select(table).where(
                    table.c.id == delivery, table.c.final, table.c.completed_at.is_(None)
                )
            ).one_or_none()
            return row, () if row is None else files_of(connection, delivery)

        row, files = await self._database.reading(work)
        if row is None or len(files) != len(row.manifest[FILES_OF[row.kind]]):
            return
        if any(file.state != COMPLETE for file in files):
            return
        if row.kind == "hearing" and not await self._heads.fits(row.kiosk, delivery, files):
            return
        keys = {file.path: file.id for file in files}
        await asyncio.to_thread(self._store.arrange, row.kind, delivery, keys)
        listed = [
            {"path": file.path, "size": file.size, "sha256": file.server_sha256} for file in files
        ]
        receipt = make_receipt(self._signer, row.kind, delivery, row.kiosk, listed)
        self._step(steps.RECEIPT_BEFORE_COMMIT)
        await self._database.writing(
            lambda connection: connection.execute(
                update(table)
                .where(table.c.id == delivery, table.c.completed_at.is_(None))
                .values(receipt=receipt, completed_at=receipt["at"])
            )
        )
        self._step(steps.RECEIPT_AFTER_COMMIT)

    async def resume(self) -> None:
        """After a start: give the receipts that a crash has held back."""
        table = schema.deliveries
        rows = await self._database.reading(
            lambda connection: connection.execute(
                select(table.c.id).where(table.c.final, table.c.completed_at.is_(None))
            ).all()
        )
        for row in rows:
            await self.settle(row.id)

    async def file(self, kiosk: str, delivery: str, path: str) -> Row[Any]:
        """Return the complete upload behind a hearing's file.

        Raises:
            RefusedError: 404.
        """
        await self.find(kiosk, "hearing", delivery)
        table, files = schema.uploads, schema.files
        row = await self._database.reading(
            lambda connection: connection.execute(
                select(table)
                .join(files, files.c.upload == table.c.id)
                .where(files.c.delivery == delivery, files.c.path == path)
                .where(table.c.state == COMPLETE)
            ).one_or_none()
        )
        if row is None:
            raise not_found()
        return row
