"""What a reader of the store sees of a delivery: written here alone, as the database has it.

Two servers may write it at the same moment. So each waits for the other and then asks the database:
whoever writes last has seen what all others had changed.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from kiosk.central.data import schema
from kiosk.central.data.database import wait_for_turn
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.upload_records import COMPLETE


def publish(connection: Connection, store: ObjectStore, kind: str, delivery: str) -> None:
    """Make the complete files of a delivery with a receipt readable, and no others. Repeatable.

    Args:
        connection: a writing transaction; it waits for no other lock afterwards.
        store: where they become readable.
        kind: ``hearing``, ``filing`` or ``report``.
        delivery: its id.
    """
    wait_for_turn(connection, f"published files of {delivery}")
    deliveries, files, uploads = schema.deliveries, schema.files, schema.uploads
    rows = connection.execute(
        select(files.c.path, files.c.upload)
        .join(deliveries, deliveries.c.id == files.c.delivery)
        .join(uploads, uploads.c.id == files.c.upload)
        .where(deliveries.c.id == delivery, deliveries.c.kind == kind)
        .where(deliveries.c.completed_at.is_not(None), uploads.c.state == COMPLETE)
    )
    store.publish_delivery(kind, delivery, {row.path: row.upload for row in rows})
