"""Brings the tables of an earlier release into today's form, by Alembic, in one transaction.

``revisions/versions`` has one file for each change of existing tables; the table
``alembic_version`` says which of them a database has. A new table needs none: whatever is absent
is created in today's form, so a revision passes over a table that is not there. A database of
before the numbering runs all of them, and each passes over what is done already.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from kiosk.central.data import schema
from kiosk.errors import CentralError

FOLDER = Path(__file__).with_name("revisions")
POSTGRES_LOCK = 0x6B696F736B  # any number that nobody else locks


def migrate(connection: Connection) -> None:
    """Create missing tables and run the revisions that the database has not; once at a time.

    Raises:
        CentralError: the database is of a later release than this program.
    """
    if connection.dialect.name == "postgresql":  # several servers start at once
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    scripts, present = ScriptDirectory.from_config(config), _read_revisions(connection)
    _refuse_later_release(present, scripts)
    if present != set(scripts.get_heads()):  # Alembic tells the log of itself: not at every command
        if inspect(connection).has_table("courts"):
            command.upgrade(config, "head")
        else:
            command.stamp(config, "head")
    schema.metadata.create_all(connection)


def _read_revisions(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _refuse_later_release(present: set[str], scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if unknown := present - known:
        raise CentralError(
            f"the database is of a later release (revision {', '.join(sorted(unknown))}, "
            f"here {scripts.get_current_head()}): start that release; nothing was changed",
            code="database_too_new",
        )
