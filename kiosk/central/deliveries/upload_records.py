"""Uploads in the database: announced files, their state, and the address that receives them."""

from __future__ import annotations

import uuid
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


def find_or_create_upload(
    connection: Connection, kiosk: str, kind: str, owner: str, file: FileEntry
) -> str:
    """Return the id of the upload of ``file``: a complete one, an unfinished one, or a new one."""
    table = schema.uploads
    rows = connection.execute(
        select(table.c.id, table.c.state)
        .where(table.c.owner == owner, table.c.path == file.path, table.c.kiosk == kiosk)
        .where(table.c.size == file.size, table.c.sha256 == file.sha256)
        .where(table.c.state.in_((COMPLETE, RECEIVING)))
        .order_by(table.c.state, table.c.created_at)  # complete sorts before receiving
    ).all()
    if rows:
        return str(rows[0].id)
    return create_upload(connection, str(uuid.uuid4()), kiosk, kind, owner, file)


def create_upload(
    connection: Connection, upload: str, kiosk: str, kind: str, owner: str, file: FileEntry
) -> str:
    """Announce an upload under the id ``upload``; return that id.

    Raises:
        RefusedError: 409 ``closed_since``.
    """
    _require_not_closed(connection, owner, file)
    connection.execute(
        schema.uploads.insert().values(
            id=upload,
            kiosk=kiosk,
            kind=kind,
            owner=owner,
            path=file.path,
            size=file.size,
            sha256=file.sha256,
            state=RECEIVING,
            created_at=format_wall(),
        )
    )
    return upload


def _require_not_closed(connection: Connection, owner: str, file: FileEntry) -> None:
    """Refuse a plain file that an encrypted one has replaced.

    Raises:
        RefusedError: 409 ``closed_since``.
    """
    table = schema.closures
    closed = connection.execute(
        select(table.c.hearing).where(
            table.c.hearing == owner, table.c.path == file.path, table.c.sha256 == file.sha256
        )
    ).one_or_none()
    if closed is not None:
        raise RefusedError(409, "closed_since", "the hearing was closed since before this file")


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
    upload = find_or_create_upload(connection, row.kiosk, row.kind, row.owner, file)
    connection.execute(update(table).where(table.c.upload == row.id).values(upload=upload))


def tus_address(row: Row[Any]) -> str:
    """Return the path of an upload's tus address."""
    return f"/v1/tus/{row.id}"
