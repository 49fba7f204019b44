"""Engine and transactions: SQLite by default, Postgres by URL.

SQLAlchemy Core runs synchronously in worker threads: transactions are short, and the event loop
never waits for a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InternalError, OperationalError

from kiosk.central.data.migration import migrate
from kiosk.central.errors import RefusedError, malformed

log = logging.getLogger(__name__)
Result = TypeVar("Result")
BUSY_MS = 10_000
READERS, WRITERS = 8, 8
SILENCE_S = 15.0
"""Nobody waits longer for something to be read: each request begins with that."""
POSTGRES_LINE = {  # of libpq; TCP's own patience with a machine that is gone is two hours
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


class Database:
    """The central system's database.

    Args:
        url: SQLAlchemy URL; see :func:`sqlite_url` for the embedded default.
    """

    def __init__(self, url: str) -> None:
        place = make_url(url)
        if place.get_backend_name() == "postgresql":
            place = place.set(query=POSTGRES_LINE | dict(place.query))
        self.engine: Engine = create_engine(place, pool_size=READERS + WRITERS)
        self._is_gone = False
        self._reader = self.engine
        self._selector = self.engine.execution_options(begins=False)
        if self.engine.dialect.name == "postgresql":  # SQLite readers always see one snapshot
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")
            self._selector = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turn: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        writers = WRITERS
        if self.engine.dialect.name == "sqlite":
            self._turn, writers = threading.Lock(), 1
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        # Whoever waits for a writer must hold no thread that a reader could have.
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database reader")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="database writer")

    def create_tables(self) -> None:
        """Create missing tables; convert those of an earlier release.

        Raises:
            CentralError: the database is of a later release.
        """
        with self.write() as connection:
            migrate(connection)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Begin a transaction for reading: one consistent snapshot."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def select(self) -> Iterator[Connection]:
        """Give a connection for one SELECT: a snapshot needs no transaction around it.

        BEGIN and COMMIT would be two more round trips to Postgres.
        """
        with self._selector.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Begin a transaction for writing; durable when the block ends without an error."""
        engine = self.engine.execution_options(writing=True)
        # SQLite has one writer. Who waits for its lock sleeps for up to 100 ms at a time; who waits
        # here goes on at once. Other processes (commands) still wait for SQLite's.
        with self._turn, engine.connect() as connection, connection.begin():
            yield connection

    async def run_read(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in :meth:`read` on a worker thread."""
        return await self._read(lambda: self._run_in_transaction(self.read, work))

    async def run_select(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work``, which executes one SELECT, in :meth:`select` on a worker thread."""
        return await self._read(lambda: self._run_in_transaction(self.select, work))

    async def run_write(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in :meth:`write` on a worker thread.

        When two equal requests arrive at the same moment, one of them wins; the other is repeated
        and finds what the first has written.
        """

        def write() -> Result:
            return self._run_in_transaction(self.write, work)

        try:
            return await self._in_thread(self._writers, write)
        except IntegrityError:
            return await self._in_thread(self._writers, write)

    @contextlib.asynccontextmanager
    async def claim(self, names: Collection[str]) -> AsyncIterator[Collection[str]]:
        """Claim ``names`` among all servers of the database; yield those that no other one has.

        They are free again when the block or the process ends. SQLite has one server.
        """
        if self.engine.dialect.name != "postgresql":
            yield names
            return
        numbers = {_lock_number(name): name for name in names}
        locks = [func.pg_try_advisory_xact_lock(number) for number in numbers]
        connection = await self._in_thread(self._readers, self.engine.connect)
        try:  # the locks end with the transaction
            found = await self._in_thread(
                self._readers, lambda: connection.execute(select(*locks)).one()
            )
            yield {name for name, is_free in zip(numbers.values(), found, strict=True) if is_free}
        finally:
            await self._in_thread(self._readers, connection.close)

    async def _read(self, work: Callable[[], Result]) -> Result:
        try:
            async with asyncio.timeout(SILENCE_S):
                return await self._in_thread(self._readers, work)
        except TimeoutError as error:
            raise self._gone(f"silent for {SILENCE_S:.0f} s") from error

    async def _in_thread(self, threads: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        try:
            result = await asyncio.get_running_loop().run_in_executor(threads, work)
        except DataError as error:  # Postgres holds no NUL in a text
            raise malformed("a value that the database cannot hold") from error
        except DBAPIError as error:
            # Locked, full, gone, or a standby that takes no writes: another try may succeed.
            is_passing = isinstance(error, OperationalError | InternalError)
            if not (is_passing or error.connection_invalidated):
                raise
            raise self._gone(str(error.orig).partition("\n")[0]) from error
        self._is_gone = False
        return result

    def _gone(self, reason: str) -> RefusedError:
        """Return 503; the log has the reason once until the database answers again."""
        if not self._is_gone:
            log.error("the database does not answer: %s", reason)
        self._is_gone = True
        return RefusedError(503, "busy", "the database does not answer", retry_after=2)

    @staticmethod
    def _run_in_transaction(
        transaction: Callable[[], contextlib.AbstractContextManager[Connection]],
        work: Callable[[Connection], Result],
    ) -> Result:
        with transaction() as connection:
            return work(connection)

    def close(self) -> None:
        """End the threads and close all connections."""
        for threads in (self._readers, self._writers):
            threads.shutdown(wait=True)
        self.engine.dispose()


def wait_for_turn(connection: Connection, name: str) -> None:
    """Wait until no other transaction has the turn of ``name``; have it until this one ends.

    SQLite has one writing transaction at a time: it has every turn.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_lock_number(name))))


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], signed=True)


def sqlite_url(file: Path) -> str:
    """Return the URL of an SQLite database in ``file``."""
    return f"sqlite:///{file}"


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT with ``ON CONFLICT`` (SQLite and Postgres spell it the same way)."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Make commits durable (WAL, synchronous=FULL) and leave BEGIN to :func:`_begin_sqlite`."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once in a writing transaction: a later upgrade could fail.

    A single SELECT needs no transaction.
    """
    options = connection.get_execution_options()
    if options.get("begins", True):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")
