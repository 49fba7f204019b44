"""Owners whose courtroom the schedule named: it gives their hearings to nobody else later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; take today's schedule for what it said when they were bound."""
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table("owners"):
        return
    if "scheduled_at" in {column["name"] for column in inspector.get_columns("owners")}:
        return
    op.add_column("owners", sa.Column("scheduled_at", sa.String(32)))
    op.execute(
        "UPDATE owners SET scheduled_at = at WHERE EXISTS (SELECT 1 FROM schedule"
        " WHERE schedule.id = owners.hearing AND schedule.court = owners.court"
        " AND schedule.room = owners.room)"
    )
