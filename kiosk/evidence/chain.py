"""The journal: an append-only file of entries, each of which carries the hash of the one before.

An entry is one line of canonical JSON, ``{"at", "kind", "n", "prev", "t", ...}`` (sorted keys, no
spaces, UTF-8). ``prev`` is the SHA-256 of the whole line before it, without its newline; the first
entry carries 64 zeros or the head of the outer chain. Changing, removing or inserting a line breaks
every later ``prev``. A cut tail does not; signed heads reveal it (:func:`head_message`).

Kinds of a part's journal: ``part`` (its first line), ``media``, ``file``, ``mark``,
``mark_withdrawn``, ``interruption``, ``interruption_ended``, ``cut``, ``recovered``, ``closed``,
``head``. Kinds of a hearing's journal: ``opened``, ``readiness``, ``part_opened``,
``part_closed``, ``part_sealed``, ``statement``, ``mark``, ``mark_withdrawn``, ``recovered``,
``stopped``, ``interruption``, ``input_opened``, ``input_replaced``, ``ending``, ``ended``,
``head``.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kiosk.clocks import format_wall, recording_ns
from kiosk.errors import StorageError
from kiosk.storage.store import DIRECT, Store

GENESIS = "0" * 64
APPEND_TIMEOUT_S = 3.0
"""An entry that no disk accepts within this time counts as not written; the next replaces it."""
Entry = dict[str, Any]


@dataclass(frozen=True)
class ChainHead:
    """End of a chain: ``count`` entries, the last of which has the SHA-256 ``hash``."""

    count: int
    hash: str


SignHead = Callable[[ChainHead], str]


def canonical_json(entry: Mapping[str, Any]) -> bytes:
    """Return ``entry`` as canonical JSON: sorted keys, no spaces, UTF-8, no newline."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def entry_hash(line: bytes) -> str:
    """Return the SHA-256 (hex) of one line without its newline."""
    return hashlib.sha256(line).hexdigest()


def head_message(hearing_id: str, part: int, head: ChainHead) -> bytes:
    """Return the bytes a signed head signs. ``part`` is 0 for the hearing's own chain."""
    return f"kiosk-head\n{hearing_id}\n{part}\n{head.count}\n{head.hash}".encode()


@dataclass(frozen=True)
class Chain:
    """A journal as read: its valid entries, where they end, and why.

    Attributes:
        entries: the entries that are well-formed and follow from the one before.
        hashes: SHA-256 of each of ``entries``.
        length: bytes of their lines.
        torn_bytes: bytes of an unfinished line after them.
        problem: what broke the chain at line ``len(entries) + 1``, or ``""``.
    """

    entries: list[Entry]
    hashes: list[str]
    length: int
    torn_bytes: int
    problem: str

    @property
    def head(self) -> ChainHead:
        """Head after the valid entries."""
        last = self.hashes[-1] if self.hashes else GENESIS
        return ChainHead(len(self.entries), last)


def read_chain(path: Path, first_prev: str | None = None) -> Chain:
    """Read the journal at ``path`` up to the first invalid line.

    Args:
        first_prev: the required ``prev`` of the first line; None accepts any.

    Raises:
        StorageError: the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from error
    return _parse_chain(data, first_prev)


def _parse_chain(data: bytes, prev: str | None) -> Chain:
    """Parse the chain in ``data``; see :func:`read_chain`."""
    entries: list[Entry] = []
    hashes: list[str] = []
    lines = data.split(b"\n")
    tail = lines.pop()
    length = 0
    problem = ""
    for line in lines:
        entry, problem = _parse_entry(line, len(entries) + 1, prev)
        if problem:
            break
        prev = entry_hash(line)
        entries.append(entry)
        hashes.append(prev)
        length += len(line) + 1
    return Chain(entries, hashes, length, 0 if problem else len(tail), problem)


def _parse_entry(line: bytes, number: int, prev: str | None) -> tuple[Entry, str]:
    """Return the entry in ``line``, and why it is invalid (``""``: it is valid)."""
    try:
        entry, is_canonical = _parse_json(line)
    except ValueError:
        return {}, "is not JSON"
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        return {}, "is not a journal line"
    if not is_canonical:
        return {}, "is not written canonically"
    if entry.get("n") != number:
        return {}, f"has the number {entry.get('n')}"
    if prev is not None and entry.get("prev") != prev:
        return {}, "does not carry the hash of the line before it"
    return entry, ""


def _parse_json(line: bytes) -> tuple[Any, bool]:
    """Return the value of ``line`` and whether it is the output of :func:`canonical_json`.

    orjson parses the journal of a long hearing quickly. It writes some values differently (numbers
    beyond 64 bit, some floats); those are checked again with the standard library.

    Raises:
        ValueError: it is not JSON.
    """
    value: Any = orjson.loads(line)
    if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == line:
        return value, True
    value = json.loads(line)
    return value, isinstance(value, dict) and canonical_json(value) == line


class JournalFile:
    """An open journal; every entry is on the disk when :meth:`append` returns.

    Threads may append at the same time. An entry that cannot be written leaves no bytes.
    """

    def __init__(self, path: Path, head: ChainHead, length: int, store: Store = DIRECT) -> None:
        """Continue at ``path`` after ``length`` bytes; use :meth:`create` or :meth:`reopen`."""
        self.path = path
        self._head = head
        self._length = length
        self._store = store
        self._closed = False
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, prev: str = GENESIS, store: Store = DIRECT) -> JournalFile:
        """Create a journal at ``path``; its first entry carries the outer head ``prev``.

        Raises:
            StorageError: the file exists already or cannot be created.
        """
        if store.locate(path).exists():
            raise StorageError(f"{path}: exists already")
        journal = cls(path, ChainHead(0, prev), 0, store)
        journal._write(b"")
        return journal

    @classmethod
    def reopen(cls, path: Path, store: Store = DIRECT) -> tuple[JournalFile, Chain]:
        """Open ``path`` to continue after its last valid line.

        An unfinished last line (a crash) is cut away. Lines that break the chain (a damaged
        disk) are moved to ``<name>.damaged``; see :attr:`Chain.problem`.

        Raises:
            StorageError: the file cannot be read or written.
        """
        located = store.locate(path)
        chain = read_chain(located)
        if chain.problem:
            with located.open("rb") as file:
                file.seek(chain.length)
                store.write_file(path.with_name(f"{path.name}.damaged"), file.read())
        journal = cls(path, chain.head, chain.length, store)
        journal._write(b"")  # cuts everything after the last valid line
        return journal, chain

    @property
    def head(self) -> ChainHead:
        """Head of the chain now."""
        with self._lock:
            return self._head

    def append(self, kind: str, fields: Mapping[str, Any] | None = None) -> Entry:
        """Write one entry durably; return it.

        Raises:
            StorageError: it could not be written; the journal is as it was.
        """
        return self.append_many([(kind, fields or {})])[0]

    def append_many(self, items: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Entry]:
        """Write several entries with one sync; see :meth:`append`."""
        with self._lock:
            head, entries, lines = self._head, [], []
            for kind, fields in items:
                entry = _next_entry(kind, fields, head)
                line = canonical_json(entry)
                head = ChainHead(head.count + 1, entry_hash(line))
                entries.append(entry)
                lines += [line, b"\n"]
            self._write(b"".join(lines))
            self._head = head
            return entries

    def append_head(self, sign: SignHead) -> Entry:
        """Write a signed head over all entries so far; ``sign`` returns a head's signature."""
        with self._lock:
            head = self._head
            fields = {"count": head.count, "hash": head.hash, "signature": sign(head)}
            entry = _next_entry("head", fields, head)
            line = canonical_json(entry)
            self._write(line + b"\n")
            self._head = ChainHead(head.count + 1, entry_hash(line))
            return entry

    def _write(self, block: bytes) -> None:
        """Write ``block`` after the last valid line, durably and as a whole, or not at all."""
        if self._closed:
            raise StorageError(f"{self.path}: is closed")
        ticket = self._store.append(self.path, self._length, block)
        problem: Exception | None = None
        try:
            durable = ticket.is_durable(APPEND_TIMEOUT_S)
        except (OSError, StorageError) as error:
            durable, problem = False, error
        if not durable and ticket.cancel():
            why = getattr(problem, "strerror", None) or problem or "no disk takes it in time"
            raise StorageError(f"{self.path}: cannot be written: {why}") from problem
        self._length += len(block)

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
