"""Uploads by state and owner: after each file it is asked what of its delivery is missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create it anew."""
    if "uploads" in sa.inspect(op.get_bind()).get_table_names():
        op.drop_index("uploads_by_state", "uploads", if_exists=True)
        op.create_index("uploads_by_state", "uploads", ["state", "owner"])
