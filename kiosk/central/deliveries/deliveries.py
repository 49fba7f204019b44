"""Hearings, filings and self-test reports: manifest, what is missing, receipt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Row, bindparam, select, update

from kiosk.central import crash_points
from kiosk.central.contract import FileEntry
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.closures import ClosureService
from kiosk.central.deliveries.head_check import (
    JournalHeadCheck,
    Problem,
    open_problem,
    record_problems,
)
from kiosk.central.deliveries.hearing_owners import HearingOwners, find_set_aside
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.deliveries.left_out import LeftOutCheck
from kiosk.central.deliveries.published import publish
from kiosk.central.deliveries.receipts import canonical_sha256, make_receipt
from kiosk.central.deliveries.upload_records import (
    CLOSED,
    COMPLETE,
    MISMATCH,
    RECEIVING,
    check_owner,
    find_or_create_uploads,
    tus_address,
)
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError, content_conflict, malformed, not_found, wrong_owner
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import format_wall
from kiosk.storage.hearing_folder import name_order

log = logging.getLogger(__name__)
WAITING = (  # a file of a delivery that has not arrived
    select(schema.uploads.c.id)
    .where(schema.uploads.c.owner == bindparam("delivery"), schema.uploads.c.state == RECEIVING)
    .where(
        select(schema.files.c.path)
        .where(schema.files.c.upload == schema.uploads.c.id)
        .where(schema.files.c.delivery == bindparam("delivery"))
        .exists()
    )
    .limit(1)
)
FILES_KEY = {"hearing": "files", "report": "files", "filing": "documents"}


@dataclass(frozen=True)
class Manifest:
    """Announced content of a delivery.

    Attributes:
        kind: ``hearing``, ``filing`` or ``report``.
        body: the request, as JSON.
        files: the files in it.
        final: whether no later one may replace it.
        digest: SHA-256 of what counts when two manifests are compared.
    """

    kind: str
    body: dict[str, Any]
    files: Sequence[FileEntry]
    final: bool
    digest: str


def make_manifest(
    kind: str,
    request: BaseModel,
    files: Sequence[FileEntry],
    *,
    final: bool = True,
    ignored_keys: frozenset[str] = frozenset(),
) -> Manifest:
    """Return the manifest in a request; its digest is without ``ignored_keys``.

    Raises:
        RefusedError: 400, two files cannot both be there.
    """
    paths = [file.path for file in files]
    if len(paths) != len(set(paths)):
        raise malformed("files: a path is named twice")
    folders = {folder for path in paths for folder in _folders_of(path)}
    if not folders.isdisjoint(paths):
        raise malformed("files: a path is a file and a folder")
    body = request.model_dump(mode="json")
    ignored = ignored_keys | {"kiosk_time"}
    digest = canonical_sha256({key: body[key] for key in body if key not in ignored})
    return Manifest(kind, body, files, final, digest)


def _folders_of(path: str) -> list[str]:
    """Return the folders above a file."""
    return [path[:end] for end, sign in enumerate(path) if sign == "/"]


def store_manifest(connection: Connection, kiosk: str, delivery: str, manifest: Manifest) -> bool:
    """Store a manifest; return whether it is new.

    Raises:
        RefusedError: 403, another kiosk's; 409, a different final one is known.
    """
    table = schema.deliveries
    row = connection.execute(
        select(table).where(table.c.id == delivery).with_for_update()
    ).one_or_none()
    if row is not None and row.kiosk != kiosk:
        raise wrong_owner()
    if row is not None and row.kind == manifest.kind and row.digest == manifest.digest:
        return False
    if row is not None and (row.final or row.kind != manifest.kind):
        raise content_conflict(f"another {row.kind} is known under this id")
    check_owner(connection, kiosk, manifest.kind, delivery)
    values = {"manifest": manifest.body, "digest": manifest.digest, "final": manifest.final}
    if row is None:
        connection.execute(
            table.insert().values(
                id=delivery, kind=manifest.kind, kiosk=kiosk, created_at=format_wall(), **values
            )
        )
    else:
        connection.execute(update(table).where(table.c.id == delivery).values(**values))
    _store_file_list(connection, kiosk, delivery, manifest)
    return row is None


def _store_file_list(connection: Connection, kiosk: str, delivery: str, manifest: Manifest) -> None:
    connection.execute(schema.files.delete().where(schema.files.c.delivery == delivery))
    uploads = find_or_create_uploads(connection, kiosk, manifest.kind, delivery, manifest.files)
    rows = [
        {
            "delivery": delivery,
            "path": file.path,
            "size": file.size,
            "sha256": file.sha256,
            "upload": upload,
        }
        for file, upload in zip(manifest.files, uploads, strict=True)
    ]
    if rows:
        connection.execute(schema.files.insert(), rows)


def delivery_files(connection: Connection, delivery: str) -> Sequence[Row[Any]]:
    """Return the files of a delivery with their uploads' columns, by path."""
    found = connection.execute(
        select(schema.uploads)
        .join(schema.files, schema.files.c.upload == schema.uploads.c.id)
        .where(schema.files.c.delivery == delivery)
    )
    return sorted(found, key=lambda row: name_order(row.path))


def _missing_file(row: Row[Any], offset: int) -> dict[str, Any]:
    return {
        "path": row.path,
        "size": row.size,
        "sha256": row.sha256,
        "upload": row.id,
        "address": tus_address(row),
        "offset": offset,
        "state": "verifying" if offset == row.size else "receiving",
    }


class DeliveryService:
    """All deliveries of the server; for arguments see :class:`.uploads.UploadService`."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        uploads: UploadService,
        signer: ReceiptSigner,
        crash_hook: crash_points.CrashHook = crash_points.no_crash,
    ) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._signer = signer
        self.owners = HearingOwners(database, store)
        self._crash_hook = crash_hook
        self._head_check = JournalHeadCheck(database, store)
        self.closures = ClosureService(database, store, uploads)
        self._left_out_check = LeftOutCheck(database, store, self.closures)
        uploads.on_verified = self.issue_receipt

    async def register(self, kiosk: str, delivery: str, manifest: Manifest) -> dict[str, Any]:
        """Register a manifest; return the status of the delivery.

        Raises:
            RefusedError: 403, another kiosk's; 409, a different final one is known; 422
                ``nothing_listed``, a hearing has ended and its list is empty.
        """
        if manifest.kind == "hearing" and manifest.final and not manifest.files:
            await self.owners.write(
                kiosk,
                "hearing",
                delivery,
                lambda connection: record_incident(
                    connection, kiosk, "nothing_listed", delivery, ""
                ),
            )
            raise RefusedError(422, "nothing_listed", "a final list names no file")
        await self.owners.write(
            kiosk,
            manifest.kind,
            delivery,
            lambda connection: store_manifest(connection, kiosk, delivery, manifest),
        )
        await self.check_completion(delivery)
        return await self.describe(kiosk, manifest.kind, delivery)

    async def check_completion(self, delivery: str) -> None:
        """Verify files that are received already (empty ones); issue the receipt if complete."""
        rows = await self._database.run_read(
            lambda connection: delivery_files(connection, delivery)
        )
        received = await self._uploads.received(rows)
        for row in rows:
            if row.state == RECEIVING and received[row.id] == row.size:
                self._uploads.verify(row.id)
        await self.issue_receipt(delivery)

    async def find(self, kiosk: str, kind: str, delivery: str) -> Row[Any]:
        """Return the row of a delivery of ``kiosk``, wherever it was set aside.

        Raises:
            RefusedError: 404, not there or another kiosk's.
        """
        table = schema.deliveries

        def work(connection: Connection) -> Row[Any] | None:
            own = select(table).where(table.c.kiosk == kiosk, table.c.kind == kind)
            row = connection.execute(own.where(table.c.id == delivery)).one_or_none()
            if row is not None or kind != "hearing":
                return row
            moved = find_set_aside(connection, kiosk, delivery)
            return connection.execute(own.where(table.c.id == moved)).one_or_none()

        row = await self._database.run_read(work)
        if row is None:
            raise not_found()
        return row

    async def describe(self, kiosk: str, kind: str, delivery: str) -> dict[str, Any]:
        """Return ``Delivery`` of the contract."""
        row = await self.find(kiosk, kind, delivery)
        progress = await self.progress(row)
        problem = await self._database.run_read(lambda connection: open_problem(connection, row.id))
        return {
            "kind": kind,
            "id": delivery,
            "state": "receiving" if row.receipt is None else "complete",
            "final": row.final,
            **progress,
            "receipt": row.receipt,
            "problem": problem,
            "as_of": format_wall(),
        }

    async def progress(self, row: Row[Any]) -> dict[str, Any]:
        """Return the progress of a delivery: counts, missing and mismatched files."""

        def work(connection: Connection) -> tuple[Sequence[Row[Any]], set[str]]:
            table = schema.uploads
            mismatches = connection.execute(
                select(table.c.path).where(table.c.owner == row.id, table.c.state == MISMATCH)
            )
            return delivery_files(connection, row.id), {found.path for found in mismatches}

        files, mismatched = await self._database.run_read(work)
        received = await self._uploads.received(files)
        withheld = [file for file in files if file.state == CLOSED]  # after the receipt only
        missing = [
            _missing_file(file, received[file.id])
            for file in files
            if file.state not in (COMPLETE, CLOSED)
        ]
        complete_bytes = sum(file.size for file in files if file.state in (COMPLETE, CLOSED))
        return {
            "files": len(files),
            "withheld": len(withheld),
            "bytes_total": sum(file.size for file in files),
            "bytes_done": complete_bytes + sum(file["offset"] for file in missing),
            "missing": missing,
            "mismatched": sorted(mismatched & {file["path"] for file in missing}),
        }

    async def issue_receipt(self, delivery: str) -> None:
        """Issue the receipt of a final delivery if all its files are complete."""
        table = schema.deliveries

        def work(connection: Connection) -> tuple[Row[Any] | None, Sequence[Row[Any]]]:
            # Asked after each file: the whole list would cost more, the more files there are.
            if connection.execute(WAITING, {"delivery": delivery}).first() is not None:
                return None, ()
            row = connection.execute(
                select(table).where(
                    table.c.id == delivery, table.c.final, table.c.completed_at.is_(None)
                )
            ).one_or_none()
            return row, () if row is None else delivery_files(connection, delivery)

        row, files = await self._database.run_read(work)
        if row is None or len(files) != len(row.manifest[FILES_KEY[row.kind]]):
            return
        if any(file.state != COMPLETE for file in files):
            return
        if row.kind == "hearing" and not await self._may_be_receipted(row, files):
            return
        keys = {(file.path, file.id) for file in files}
        listed = [
            {"path": file.path, "size": file.size, "sha256": file.server_sha256} for file in files
        ]
        receipt = make_receipt(self._signer, row.kind, delivery, row.kiosk, listed)

        def record(connection: Connection) -> None:
            # A closing locks it, too: it is seen here, or it sees the receipt.
            connection.execute(select(table.c.id).where(table.c.id == delivery).with_for_update())
            now = delivery_files(connection, delivery)
            if keys - {(file.path, file.id) for file in now if file.state == COMPLETE}:
                return  # closed meanwhile
            connection.execute(
                update(table)
                .where(table.c.id == delivery, table.c.completed_at.is_(None))
                .values(receipt=receipt, completed_at=receipt["at"])
            )
            publish(connection, self._store, row.kind, delivery)
            self._crash_hook(crash_points.RECEIPT_BEFORE_COMMIT)

        await self._database.run_write(record)
        self._crash_hook(crash_points.RECEIPT_AFTER_COMMIT)

    async def _may_be_receipted(self, row: Row[Any], files: Sequence[Row[Any]]) -> bool:
        """Return whether journals fit their heads and the list leaves nothing out."""
        rewritten = await self._head_check.find_rewritten(row.id, files)
        found: dict[Problem, str] = {"journal_rewritten": rewritten} if rewritten else {}
        found |= await self._left_out_check.find(row.kiosk, row.id)
        return not found or await self._database.run_write(
            lambda connection: record_problems(connection, row.kiosk, row.id, found)
        )

    async def resume(self) -> None:
        """Issue the receipts of deliveries whose files are all there: a crash prevented them."""
        table, files, uploads = schema.deliveries, schema.files, schema.uploads
        incomplete = (
            select(files.c.path)
            .join(uploads, uploads.c.id == files.c.upload)
            .where(files.c.delivery == table.c.id, uploads.c.state != COMPLETE)
            .exists()
        )
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(table.c.id).where(table.c.final, table.c.completed_at.is_(None), ~incomplete)
            ).all()
        )
        for row in rows:
            try:
                await self.issue_receipt(row.id)
            except Exception:  # one delivery holds up no other, and no start of the server
                log.exception("delivery %s: no receipt can be issued", row.id)

    async def find_file(self, kiosk: str, delivery: str, path: str) -> Row[Any]:
        """Return the complete upload behind a hearing's file.

        Raises:
            RefusedError: 404.
        """
        found = await self.find(kiosk, "hearing", delivery)
        table, files = schema.uploads, schema.files
        row = await self._database.run_read(
            lambda connection: connection.execute(
                select(table)
                .join(files, files.c.upload == table.c.id)
                .where(files.c.delivery == found.id, files.c.path == path)
                .where(table.c.state == COMPLETE)
            ).one_or_none()
        )
        if row is None:
            raise not_found()
        return row
