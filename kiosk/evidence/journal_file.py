"""Writes a journal: an open chain, whose entries are handed to a store in their order."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kiosk.clocks import format_wall, recording_ns
from kiosk.errors import StorageError
from kiosk.evidence.chain import (
    EMPTY_CHAIN,
    GENESIS,
    Chain,
    ChainHead,
    Entry,
    SignHead,
    canonical_json,
    entry_hash,
    read_chain,
)
from kiosk.storage.store import APPEND_TIMEOUT_S, DIRECT, Store, WriteTicket, write_durably

OFFER_TIMEOUT_S = 0.5
"""How long :meth:`JournalFile.offer` waits for a disk to refuse an entry."""
_BLOCK_BYTES = 1 << 20
QueuedEntry = tuple[str, Mapping[str, Any]]
"""Kind and fields of an entry that has no place in a chain yet."""


class SlowDiskError(StorageError):
    """An entry is not durable in time; no disk has refused it."""


class JournalFile:
    """An open journal; threads may use it at the same time.

    :meth:`submit` never waits for a disk: the entry is in the chain at once, and the store writes
    it in its turn, however long that takes. :meth:`flush` waits for it, for a limited time.
    With a signer, every write ends in a signed head: it costs no sync of its own.

    Attributes:
        on_entry: called with each entry in the order of the chain, by one thread at a time; the
            call that appends an entry returns after it. The entry may not be durable yet.
    """

    def __init__(
        self, path: Path, chain: Chain, store: Store = DIRECT, sign: SignHead | None = None
    ) -> None:
        """Continue ``chain`` at ``path``; use :meth:`create` or :meth:`reopen`."""
        self.path = path
        self._head = chain.head
        self._length = chain.length
        self._is_signed = chain.unsigned == 0
        self._store = store
        self._sign = sign
        self._closed = self._is_complete = False
        self.on_entry: Callable[[Entry], None] = lambda _entry: None
        self._lock = threading.Lock()
        self._owed: deque[tuple[float, WriteTicket]] = deque()
        self._untold: deque[Entry] = deque()
        self._telling = threading.RLock()  # taken before the lock, never while it is held

    @classmethod
    def create(
        cls,
        path: Path,
        prev: str = GENESIS,
        store: Store = DIRECT,
        sign: SignHead | None = None,
    ) -> JournalFile:
        """Create a journal at ``path``; its first entry carries the outer head ``prev``.

        Args:
            sign: returns the signature of a head; None: nothing is signed.

        Raises:
            StorageError: the file has entries already or cannot be created.
        """
        located = store.locate(path)
        if located.exists() and located.stat().st_size > 0:
            raise StorageError(f"{path}: exists already")
        journal = cls(path, replace(EMPTY_CHAIN, head=ChainHead(0, prev)), store, sign)
        journal._cut()
        return journal

    @classmethod
    def reopen(
        cls,
        path: Path,
        store: Store = DIRECT,
        sign: SignHead | None = None,
        keep: Callable[[Entry], bool] = lambda _entry: True,
    ) -> tuple[JournalFile, Chain]:
        """Open ``path`` to continue after its last valid line; see :func:`read_chain`.

        An unfinished last line (a crash) is cut away. Lines that break the chain (a damaged
        disk) are moved to ``<name>.damaged``; see :attr:`Chain.problem`.

        Raises:
            StorageError: the file cannot be read or written.
        """
        located = store.locate(path)
        chain = read_chain(located, keep=keep)
        journal = cls(path, chain, store, sign)
        if chain.problem:
            journal._set_damage_aside(located)
        journal._cut()
        return journal, chain

    def _set_damage_aside(self, located: Path) -> None:
        """Copy what follows the last valid line to the end of ``<name>.damaged``."""
        target = self.path.with_name(f"{self.path.name}.damaged")
        earlier = self._store.locate(target)
        offset = earlier.stat().st_size if earlier.exists() else 0
        with located.open("rb") as file:
            file.seek(self._length)
            while block := file.read(_BLOCK_BYTES):
                write_durably(self._store, target, offset, block)
                offset += len(block)

    @property
    def head(self) -> ChainHead:
        """Head of the chain now."""
        with self._lock:
            return self._head

    def _cut(self) -> None:
        """Make the file, and cut everything after the last valid line."""
        write_durably(self._store, self.path, self._length, b"")

    # -- at once, and written in turn ------------------------------------------------------------
    def submit(self, kind: str, fields: Mapping[str, Any] | None = None) -> Entry:
        """Put one entry into the chain and hand it to the store; return it without waiting.

        Raises:
            StorageError: the journal is closed.
        """
        return self.submit_many([(kind, fields or {})])[0]

    def submit_many(self, items: Iterable[QueuedEntry]) -> list[Entry]:
        """Put several entries into the chain with one head and one sync; see :meth:`submit`.

        Returns:
            the entries without the head.
        """
        with self._lock:
            entries = self._hand_over(items)[0]
        self._tell(entries)
        return entries

    def append(self, kind: str, fields: Mapping[str, Any] | None = None) -> Entry:
        """Submit one entry and wait until it is durable; return it.

        Raises:
            StorageError: it is not durable yet; the store keeps trying.
        """
        entry = self.submit(kind, fields)
        self.flush()
        return entry

    def sign(self) -> None:
        """Sign what is there if it bears no signature yet (a crash tore the last block).

        Raises:
            StorageError: it is not durable yet; the store keeps trying.
        """
        if not self._is_signed:
            self.submit_many(())
        self.flush()

    # -- or not at all ---------------------------------------------------------------------------
    def offer(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Put one entry into the chain; a slow disk may write it later.

        Raises:
            StorageError: the disk refuses it now; the journal is as it was.
        """
        return self._offer(kind, fields, OFFER_TIMEOUT_S)

    def append_last(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Write one entry durably as the last one: in the same moment the journal is closed.

        Raises:
            StorageError: it could not be written; the journal is as it was, and open.
        """
        self.flush()
        return self._offer(kind, fields, APPEND_TIMEOUT_S, is_last=True)

    def _offer(
        self, kind: str, fields: Mapping[str, Any], seconds: float, *, is_last: bool = False
    ) -> Entry:
        """Put one entry into the chain, and take it back if the disk does not take it.

        Args:
            is_last: nothing follows it while it is written, and a slow disk refuses it, too.
        """
        with self._lock:
            before = self._head, self._is_signed, self._length
            entries, ticket = self._hand_over([(kind, fields)])
            self._is_complete = is_last
        try:
            self.flush(seconds)
        except StorageError as error:
            is_late = isinstance(error, SlowDiskError) and not self._store.is_refusing
            if (is_last or not is_late) and self._withdraw(ticket, before):
                raise
        self._tell(entries)
        return entries[0]

    def _withdraw(self, ticket: WriteTicket, before: tuple[ChainHead, bool, int]) -> bool:
        """Undo a write; return False if it is durable or another entry follows it."""
        with self._lock:
            if not self._owed or self._owed[-1][1] is not ticket or not ticket.cancel():
                return False
            self._owed.pop()
            self._untold.pop()
            self._head, self._is_signed, self._length = before
            self._is_complete = False
            return True

    # -- what is in the chain --------------------------------------------------------------------
    def _tell(self, entries: list[Entry]) -> None:
        """Call :attr:`on_entry` with what is in the chain up to ``entries``, each entry once.

        One that is offered and that others follow can no longer be taken back.
        """
        with self._telling:
            while entries and self._untold and self._untold[0]["n"] <= entries[-1]["n"]:
                self.on_entry(self._untold.popleft())

    def flush(self, seconds: float | None = None) -> None:
        """Wait until every entry so far is durable: ``seconds``, or as long as :meth:`append`.

        Raises:
            StorageError: one is not yet; the store keeps trying.
            SlowDiskError: no disk has refused it.
        """
        deadline = time.monotonic() + (APPEND_TIMEOUT_S if seconds is None else seconds)
        while (first := self._first_owed()) is not None:
            try:
                durable = first[1].is_durable(max(0.0, deadline - time.monotonic()))
            except (OSError, StorageError) as error:
                why = getattr(error, "strerror", None) or error
                raise StorageError(f"{self.path}: cannot be written: {why}") from error
            if not durable:
                raise SlowDiskError(f"{self.path}: cannot be written: no disk takes it in time")
            with self._lock:
                if self._owed and self._owed[0] is first:
                    self._owed.popleft()

    def _first_owed(self) -> tuple[float, WriteTicket] | None:
        with self._lock:
            return self._owed[0] if self._owed else None

    @property
    def owed_seconds(self) -> float:
        """How long the oldest entry that is not durable has waited; 0.0 without one."""
        with contextlib.suppress(StorageError):
            self.flush(0)
        first = self._first_owed()
        return 0.0 if first is None else time.monotonic() - first[0]

    def _hand_over(self, items: Iterable[QueuedEntry]) -> tuple[list[Entry], WriteTicket]:
        """Give entries and the head that signs them to the store (the lock is held)."""
        if self._closed or self._is_complete:
            raise StorageError(f"{self.path}: is closed")
        head, entries, lines = self._head, [], []
        for kind, fields in items:
            entry = _next_entry(kind, fields, head)
            line = canonical_json(entry)
            head = ChainHead(head.count + 1, entry_hash(line))
            entries.append(entry)
            lines += [line, b"\n"]
        if self._sign is not None:
            signature = self._sign(head)
            signed = {"count": head.count, "hash": head.hash, "signature": signature}
            line = canonical_json(_next_entry("head", signed, head))
            head = ChainHead(head.count + 1, entry_hash(line))
            lines += [line, b"\n"]
        block = b"".join(lines)
        ticket = self._store.append(self.path, self._length, block)
        self._owed.append((time.monotonic(), ticket))
        self._untold += entries
        self._length += len(block)
        self._head, self._is_signed = head, self._sign is not None
        return entries, ticket

    def close(self) -> None:
        """Accept no more entries; may be called twice."""
        with self._lock:
            self._closed = True


def _next_entry(kind: str, fields: Mapping[str, Any], head: ChainHead) -> Entry:
    """Return the next entry after ``head``; ``fields`` may override ``at`` and ``t``."""
    return {
        "at": format_wall(),
        "t": recording_ns(),
        **fields,
        "kind": kind,
        "n": head.count + 1,
        "prev": head.hash,
    }
