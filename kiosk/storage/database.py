"""``kiosk.db``: SQLite in write-ahead mode, every commit on the disk before it returns.

The database is an index and belongs to one process (sync). If it cannot be read, it is *set aside*
(renamed, never deleted) and a new one is created, which its owner fills from the folders.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_time
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, sync_folder
from kiosk.storage.migrations import MIGRATIONS

log = logging.getLogger(__name__)

BUSY_SECONDS = 5.0
DAMAGE_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
Row = sqlite3.Row
Parameters = Sequence[Any] | Mapping[str, Any]


class DatabaseDamagedError(StorageError):
    """``kiosk.db`` is not a database any more, or its pages contradict each other."""

    code = "database_damaged"


class DatabaseLockedError(StorageError):
    """Another process holds the database; trying again later may help."""

    code = "database_locked"


class DatabaseTooNewError(StorageError):
    """A newer version of the kiosk wrote this database."""

    code = "database_too_new"


class Database:
    """One connection to ``kiosk.db``, shared by the threads of its process.

    Args:
        path: the file; it and its folder are created if they do not exist.
        busy_seconds: how long to wait for another process's lock.

    Attributes:
        is_new: whether it was empty and has to be filled by its owner.

    Raises:
        DatabaseDamagedError: ``path`` cannot be read as a database.
        DatabaseLockedError: another process holds it.
        DatabaseTooNewError: its schema is newer than this program.
        StorageError: the disk refuses.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self.is_new = False
        self._lock = threading.RLock()
        make_folder(path.parent)
        with self._translated_errors():
            self._connection = sqlite3.connect(
                path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
            )
        try:
            with self._translated_errors():
                self._prepare()
        except StorageError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        connection = self._connection
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise DatabaseDamagedError(f"{self.path}: {verdict}")
        self._migrate()

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise DatabaseTooNewError(f"{self.path}: schema {version}, known {len(MIGRATIONS)}")
        self.is_new = version == 0
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;"
            )
        if version < len(MIGRATIONS):
            sync_folder(self.path.parent)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Translate SQLite's errors into the kiosk's."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in DAMAGE_CODES:
                raise DatabaseDamagedError(f"{self.path}: {error}") from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise DatabaseLockedError(f"{self.path}: {error}") from error
            if code == sqlite3.SQLITE_CONSTRAINT:
                raise
            raise StorageError(f"{self.path}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the statements inside as one durable commit; roll all of them back on an error."""
        with self._lock, self._translated_errors():
            if self._connection.in_transaction:  # an inner block joins the outer one
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement durably; return the number of rows it changed."""
        with self.transaction():
            return self._connection.execute(sql, parameters).rowcount

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows of a query."""
        with self._lock, self._translated_errors():
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Return the first row of a query, or None."""
        with self._lock, self._translated_errors():
            found: Row | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def close(self) -> None:
        """Close the connection (waits for a running statement)."""
        with self._lock:
            self._connection.close()


def set_aside_database(path: Path) -> Path | None:
    """Rename a damaged database and its log files; return its new path (None: there was none)."""
    stamp = wall_time().strftime("%Y%m%dT%H%M%S%f")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(target.with_name(target.name + suffix))
    if not target.exists():
        return None
    sync_folder(path.parent)
    log.error("database %s cannot be read; kept as %s", path.name, target.name)
    return target


def open_or_recreate(path: Path, busy_seconds: float = BUSY_SECONDS) -> tuple[Database, bool]:
    """Open ``path``; set a damaged database aside and create a new one.

    Returns:
        the database, and whether an existing one could not be used.
    """
    existed = path.exists()
    try:
        database = Database(path, busy_seconds)
    except DatabaseDamagedError as error:
        log.error("%s", error)
        set_aside_database(path)
        database = Database(path, busy_seconds)
    return database, existed and database.is_new
