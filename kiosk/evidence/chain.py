"""The journal: an append-only file of entries, each of which carries the hash of the one before.

An entry is one line of canonical JSON, ``{"at", "kind", "n", "prev", "t", ...}`` (sorted keys, no
spaces, UTF-8). ``prev`` is the SHA-256 of the whole line before it, without its newline; the first
entry carries 64 zeros or the head of the outer chain. Changing, removing or inserting a line breaks
every later ``prev``. A cut tail does not: therefore every write of the recorder ends in a signed
head (:func:`head_message`), and heads leave the kiosk while the hearing runs.

A journal of a long hearing is larger than the memory that a recorder may use: it is read entry by
entry (:class:`ChainReader`).

Kinds of a part's journal: ``part`` (its first line), ``media``, ``file``, ``mark``,
``mark_withdrawn``, ``interruption``, ``interruption_ended``, ``cut``, ``unreadable``,
``recovered``, ``closed``, ``head``. Kinds of a hearing's journal: ``opened``, ``readiness``,
``part_opened``, ``part_closed``, ``part_sealed``, ``statement``, ``mark``, ``mark_withdrawn``,
``recovered``, ``stopped``, ``interruption``, ``input_opened``, ``input_replaced``, ``ending``,
``ended``, ``head``.

Requirements: R101.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kiosk.errors import StorageError

GENESIS = "0" * 64
MAX_LINE_BYTES = 16 << 20
"""No entry comes near this length; a longer line is damage and never fills the memory."""
BULK_KINDS = frozenset({"media", "file", "head"})
"""Kinds of nearly all entries of a long journal; they change nothing in a hearing's state."""
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
        entries: the entries that are well-formed and follow from the one before; only those that
            the reader wanted to keep.
        hashes: SHA-256 of each of ``entries``.
        head: after the last valid entry, kept or not.
        length: bytes of the valid lines.
        unsigned: number of valid entries after the last ``head``.
        torn_bytes: bytes of an unfinished line after them.
        problem: what broke the chain at line ``head.count + 1``, or ``""``.
    """

    entries: list[Entry]
    hashes: list[str]
    head: ChainHead
    length: int
    unsigned: int
    torn_bytes: int
    problem: str


EMPTY_CHAIN = Chain([], [], ChainHead(0, GENESIS), 0, 0, 0, "")


class ChainReader:
    """Reads a journal entry by entry up to the first invalid line; one line is in memory.

    Args:
        path: the journal.
        first_prev: the required ``prev`` of the first line; None accepts any.
        start: end of the chain so far (it may be that of another copy), and where its bytes end.

    Attributes:
        head: after the entry read last.
        length, unsigned, torn_bytes, problem: as in :class:`Chain`; final at the end.
    """

    def __init__(
        self,
        path: Path,
        first_prev: str | None = None,
        start: tuple[ChainHead, int] = (EMPTY_CHAIN.head, 0),
    ) -> None:
        self._path = path
        self.head, self.length = start
        self._prev = self.head.hash if self.head.count else first_prev
        self.unsigned = self.torn_bytes = 0
        self.problem = ""

    def __iter__(self) -> Iterator[Entry]:
        """Yield the valid entries in order.

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self.length)
                while line := file.readline(MAX_LINE_BYTES):
                    if (entry := self._check(line)) is None:
                        return
                    yield entry
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _check(self, line: bytes) -> Entry | None:
        """Return the entry in ``line`` and move the head, or note why it ends here."""
        if not line.endswith(b"\n"):
            if len(line) < MAX_LINE_BYTES:
                self.torn_bytes = len(line)
            else:
                self.problem = "is too long"
            return None
        entry, self.problem = _parse_entry(line[:-1], self.head.count + 1, self._prev)
        if self.problem:
            return None
        self._prev = entry_hash(line[:-1])
        self.head = ChainHead(self.head.count + 1, self._prev)
        self.length += len(line)
        self.unsigned = 0 if entry["kind"] == "head" else self.unsigned + 1
        return entry


def read_chain(
    path: Path,
    first_prev: str | None = None,
    keep: Callable[[Entry], bool] = lambda _entry: True,
) -> Chain:
    """Read the journal at ``path`` up to the first invalid line.

    Args:
        first_prev: as in :class:`ChainReader`.
        keep: called with each valid entry in order; returns whether it stays in memory.

    Raises:
        StorageError: the file cannot be read.
    """
    reader = ChainReader(path, first_prev)
    entries: list[Entry] = []
    hashes: list[str] = []
    for entry in reader:
        if keep(entry):
            entries.append(entry)
            hashes.append(reader.head.hash)
    end = reader.head, reader.length, reader.unsigned, reader.torn_bytes, reader.problem
    return Chain(entries, hashes, *end)


def is_event(entry: Entry) -> bool:
    """Return whether an entry is none of the :data:`BULK_KINDS`."""
    return entry["kind"] not in BULK_KINDS


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


def is_first_entry(line: bytes) -> bool:
    """Return whether ``line`` (without its newline) is a valid first entry of a journal."""
    return not _parse_entry(line, 1, None)[1]


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
