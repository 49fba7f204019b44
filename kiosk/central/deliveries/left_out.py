"""Compares a final list of files with what had arrived of the hearing while it ran.

A list that leaves out a file which the court already holds takes it out of the recording. If the
delivered journal proves that a closing replaced it, it is withheld, also where the kiosk's own
message about it never came. Otherwise there is no receipt until a person has looked.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from kiosk.central.contract import Closure
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.deliveries.closures import ClosureService
from kiosk.central.deliveries.upload_records import COMPLETE
from kiosk.central.errors import RefusedError

PROBLEM_CODE = "files_left_out"


class LeftOutCheck:
    """Finds files that a final list leaves out.

    Args:
        database: what has arrived.
        closures: withholds what a closing has replaced.
    """

    def __init__(self, database: Database, closures: ClosureService) -> None:
        self._database = database
        self._closures = closures

    async def find_left_out(self, kiosk: str, hearing: str) -> str:
        """Return number and paths of what is left out, or an empty text."""
        found = await self._database.run_read(lambda connection: _left_out(connection, hearing))
        if not found:
            return ""
        replaced = {(row.path, row.sha256): row for row in await self._closures.prove(hearing)}
        closed = [Closure(**replaced[key]._asdict()) for key in found if key in replaced]
        if closed:
            try:
                await self._closures.apply(kiosk, hearing, closed)
            except RefusedError:  # no media: a person has to look
                closed = []
        paths = sorted({path for path, _ in found} - {closure.path for closure in closed})
        return f"{len(paths)}: {', '.join(paths)}" if paths else ""


def _left_out(connection: Connection, hearing: str) -> set[tuple[str, str]]:
    """Return path and SHA-256 of complete uploads whose path the hearing's list does not have."""
    uploads, files = schema.uploads, schema.files
    listed = select(files.c.path).where(files.c.delivery == hearing)
    rows = connection.execute(
        select(uploads.c.path, uploads.c.sha256)
        .where(uploads.c.owner == hearing, uploads.c.state == COMPLETE)
        .where(uploads.c.path.not_in(listed))
    )
    return {(row.path, row.sha256) for row in rows}
