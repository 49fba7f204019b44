"""Uploads in the database: announced files, their state, and the address that receives them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, union_all, update

from kiosk.central.contract import FileEntry, UploadAnnouncement
from kiosk.central.data import schema
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.errors import RefusedError, content_conflict, wrong_owner
from kiosk.clocks import format_wall

RECEIVING, COMPLETE, MISMATCH, CLOSED = schema.RECEIVING, "complete", "mismatch", "closed"
UNUSABLE_STATES = frozenset({MISMATCH, CLOSED})
USERS = union_all(  # who has used an id, and for what
    select(schema.deliveries.c.kiosk, schema.deliveries.c.kind).where(
        schema.deliveries.c.id == bindparam("owner")
    ),
    select(schema.uploads.c.kiosk, schema.uploads.c.kind)
    .where(schema.uploads.c.owner == bindparam("owner"))
    .limit(1)
    .subquery()
    .select(),
)


def check_owner(connection: Connection, kiosk: str, kind: str, owner: str) -> None:
    """Refuse an ``owner`` of another kiosk or of another kind.

    Raises:
        RefusedError: 403, another kiosk's; 409, of another kind.
    """
    rows = connection.execute(USERS, {"owner": owner}).all()
    if any(row.kiosk != kiosk for row in rows):
        raise wrong_owner()
    for row in rows:
        if row.kind != kind:
            raise content_conflict(f"this id is a {row.kind}")


def find_or_create_uploads(
    connection: Connection, kiosk: str, kind: str, owner: str, files: Sequence[FileEntry]
) -> list[str]:
    """Return, in the order of ``files``, an upload of each: complete, unfinished, or a new one.

    A few statements, however many files there are: nobody else writes meanwhile.

    Raises:
        RefusedError: 409 ``closed_since``.
    """
    table = schema.uploads
    rows = connection.execute(
        select(table.c.id, table.c.path, table.c.size, table.c.sha256)
        .where(table.c.owner == owner, table.c.kiosk == kiosk)
        .where(table.c.state.in_((COMPLETE, RECEIVING)))
        .order_by(table.c.state.desc(), table.c.created_at.desc())  # the oldest complete one wins
    )
    uploads = {(row.path, row.size, row.sha256): str(row.id) for row in rows}
    new = {_key(file): file for file in files if _key(file) not in uploads}
    ids = {key: str(uuid.uuid4()) for key in new}
    create_uploads(connection, kiosk, kind, owner, {ids[key]: new[key] for key in new})
    uploads |= ids
    return [uploads[_key(file)] for file in files]


def _key(file: FileEntry) -> tuple[str, int, str]:
    return file.path, file.size, file.sha256


def create_uploads(
    connection: Connection, kiosk: str, kind: str, owner: str, files: Mapping[str, FileEntry]
) -> None:
    """Announce ``files``, each under the id of its upload.

    Raises:
        RefusedError: 409 ``closed_since``, an encrypted file has replaced a plain one of them.
    """
    if not files:
        return
    table = schema.closures
    closed = connection.execute(
        select(table.c.path, table.c.sha256).where(table.c.hearing == owner)
    )
    if not {(file.path, file.sha256) for file in files.values()}.isdisjoint(map(tuple, closed)):
        raise RefusedError(409, "closed_since", "the hearing was closed since before this file")
    now = format_wall()
    rows = [
        {
            "id": upload,
            "kiosk": kiosk,
            "kind": kind,
            "owner": owner,
            "path": file.path,
            "size": file.size,
            "sha256": file.sha256,
            "state": RECEIVING,
            "created_at": now,
        }
        for upload, file in files.items()
    ]
    connection.execute(schema.uploads.insert(), rows)


def announcement_of(row: Row[Any]) -> UploadAnnouncement:
    """Return the request that announced an upload."""
    return UploadAnnouncement(
        kind=row.kind, owner=row.owner, path=row.path, size=row.size, sha256=row.sha256
    )


def record_mismatch(connection: Connection, row: Row[Any]) -> None:
    """Record for court IT that a file arrived with another hash than announced."""
    record_incident(connection, row.kiosk, "hash_mismatch", row.owner, row.path)


def replace_upload(connection: Connection, row: Row[Any]) -> None:
    """Give the file of an unusable upload a new one, if a manifest names it."""
    table = schema.files
    wanted = connection.execute(select(table.c.path).where(table.c.upload == row.id)).one_or_none()
    if wanted is None:
        return
    file = FileEntry(path=row.path, size=row.size, sha256=row.sha256)
    [upload] = find_or_create_uploads(connection, row.kiosk, row.kind, row.owner, [file])
    connection.execute(update(table).where(table.c.upload == row.id).values(upload=upload))


def record_receipts(
    connection: Connection, receipts: Mapping[str, Mapping[str, Any]]
) -> Sequence[str]:
    """Confirm uploads of which the store has the right bytes.

    Args:
        connection: a writing transaction.
        receipts: by upload.

    Returns:
        Those that were closed or replaced meanwhile, and that nothing needs any more.
    """
    table = schema.uploads
    found = connection.execute(
        select(table.c.id)
        .where(table.c.id.in_(list(receipts)), table.c.state == RECEIVING)
        .order_by(table.c.id)
        .with_for_update()
    )
    values = [
        {"key": upload, "digest": receipt["files"][0]["sha256"], "signed": receipt}
        for upload in found.scalars()
        for receipt in (receipts[upload],)
    ]
    if values:
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("key"))
            .values(
                state=COMPLETE,
                server_sha256=bindparam("digest"),
                receipt=bindparam("signed"),
                ended_at=format_wall(),
            ),
            values,
        )
    others = receipts.keys() - {value["key"] for value in values}
    if not others:
        return ()
    return (
        connection.execute(
            select(table.c.id)
            .where(table.c.id.in_(list(others)), table.c.state != COMPLETE)
            .where(table.c.id.not_in(select(schema.quarantine.c.upload)))
        )
        .scalars()
        .all()
    )


def tus_address(row: Row[Any]) -> str:
    """Return the path of an upload's tus address."""
    return f"/v1/tus/{row.id}"
