"""Indexes of what is asked by kiosk, upload and time: these tables were read from end to end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
INDEXES = {
    "enrolment_codes_by_kiosk": ("enrolment_codes", "kiosk"),
    "certificates_by_kiosk": ("certificates", "kiosk"),
    "filings_by_time": ("filings", "registered_at"),
    "files_by_upload": ("files", "upload"),
}


def upgrade() -> None:
    """Create them."""
    present = sa.inspect(op.get_bind()).get_table_names()
    for name, (table, column) in INDEXES.items():
        if table in present:
            op.create_index(name, table, [column], if_not_exists=True)
