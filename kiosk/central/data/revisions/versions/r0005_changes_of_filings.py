"""Filings are numbered by their last change: a kiosk asks for what has changed since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Give the filings of each court numbers in the order of their registration."""
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table("filings"):
        return
    if "change" not in {column["name"] for column in inspector.get_columns("filings")}:
        op.add_column(
            "filings", sa.Column("change", sa.BigInteger, nullable=False, server_default="0")
        )
        op.execute(
            "UPDATE filings SET change = numbered.position FROM"
            " (SELECT id, row_number() OVER (PARTITION BY court ORDER BY registered_at, id)"
            " AS position FROM filings) AS numbered WHERE numbered.id = filings.id"
        )
        op.execute(
            "INSERT INTO counters (court, year, last)"
            " SELECT court, 0, max(change) FROM filings GROUP BY court"
        )
    op.create_index("filings_by_change", "filings", ["court", "change"], if_not_exists=True)
