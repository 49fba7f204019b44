"""Staff by room, with a salt for each hash.

Before, every list held a court's whole staff, with badges and PINs hashed under one salt. Such a
hash cannot be turned into argon2id without the PIN itself. It is kept in the form that
:mod:`kiosk.central.identity.former_hashes` reads: no list holds it, and the person needs a new PIN
unless the seed file names the same one. Kiosks that were enrolled held all of them.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Convert the table of staff, if it is of the form with one salt for all."""
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table("staff"):
        return
    if "badge_sha256" not in {column["name"] for column in inspector.get_columns("staff")}:
        return
    people = _read_people()
    op.drop_table("staff")
    staff = op.create_table(
        "staff",
        sa.Column("court", sa.String(40), sa.ForeignKey("courts.id"), primary_key=True),
        sa.Column("person", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("rooms", sa.JSON(none_as_null=True)),
        sa.Column("pin", sa.String(200)),
        sa.Column("badge", sa.String(200)),
        sa.Column("seed_pin", sa.String(200)),
        sa.Column("seed_badge", sa.String(200)),
    )
    issued = op.create_table(
        "issued_credentials",
        sa.Column("kiosk", sa.String(63), sa.ForeignKey("kiosks.id"), primary_key=True),
        sa.Column("court", sa.String(40), primary_key=True),
        sa.Column("person", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("hash", sa.String(200), primary_key=True),
    )
    op.bulk_insert(staff, people)
    op.bulk_insert(issued, _held_by_kiosks(people))
    op.drop_column("courts", "salt")


def _read_people() -> list[dict[str, Any]]:
    former = sa.MetaData()
    staff = sa.Table("staff", former, autoload_with=op.get_bind())
    courts = former.tables["courts"]
    rows = op.get_bind().execute(
        sa.select(staff, courts.c.salt).join(courts, courts.c.id == staff.c.court)
    )
    return [
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


def _held_by_kiosks(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what enrolled kiosks were given: the hashes of their court's whole staff."""
    enrolled = op.get_bind().execute(
        sa.text(
            "SELECT DISTINCT kiosks.id, kiosks.court FROM kiosks JOIN certificates"
            " ON certificates.kiosk = kiosks.id WHERE certificates.revoked_at IS NULL"
        )
    )
    return [
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
