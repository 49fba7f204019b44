"""Brings the tables of an earlier release into today's form, in the same transaction.

Before, every list held a court's whole staff, with badges and PINs hashed under one salt. Such a
hash cannot be turned into argon2id without the PIN itself. It is kept in the form that
:mod:`kiosk.central.identity.former_hashes` reads: no list holds it, and the person needs a new PIN
unless the seed file names the same one. Kiosks that were enrolled held all of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect, select

from kiosk.central.data import schema


def migrate(connection: Connection) -> None:
    """Convert the table of staff, if it is of the form with one salt for all."""
    inspector = inspect(connection)
    if not inspector.has_table("staff"):
        return
    if "badge_sha256" not in {column["name"] for column in inspector.get_columns("staff")}:
        return
    former = MetaData()
    staff = Table("staff", former, autoload_with=connection)
    courts = former.tables["courts"]
    rows = connection.execute(
        select(staff, courts.c.salt).join(courts, courts.c.id == staff.c.court)
    ).all()
    staff.drop(connection)
    schema.metadata.create_all(connection)
    people = [
        {
            "court": row.court,
            "person": row.person,
            "name": row.name,
            "roles": row.roles,
            "rooms": None,
            "pin": None if row.pin_scrypt is None else f"scrypt${row.salt}${row.pin_scrypt}",
            "badge": f"sha256${row.salt}${row.badge_sha256}",
        }
        for row in rows
    ]
    if people:
        connection.execute(schema.staff.insert(), people)
    _record_as_issued(connection, people)
    connection.exec_driver_sql("ALTER TABLE courts DROP COLUMN salt")


def _record_as_issued(connection: Connection, people: list[dict[str, Any]]) -> None:
    """Record what enrolled kiosks were given: the hashes of their court's whole staff."""
    kiosks, certificates = schema.kiosks, schema.certificates
    enrolled = connection.execute(
        select(kiosks.c.id, kiosks.c.court)
        .join(certificates, certificates.c.kiosk == kiosks.c.id)
        .where(certificates.c.revoked_at.is_(None))
        .distinct()
    ).all()
    issued = [
        {
            "kiosk": kiosk.id,
            "court": kiosk.court,
            "person": person["person"],
            "kind": kind,
            "hash": person[kind],
        }
        for kiosk in enrolled
        for person in people
        for kind in ("pin", "badge")
        if person["court"] == kiosk.court and person[kind] is not None
    ]
    if issued:
        connection.execute(schema.issued_credentials.insert(), issued)
