"""A hearing's folder and its own journal: opened, parts, statements, ended.

The hearing's chain and its parts' chains hold each other: a part's first line carries the hash
of the hearing's ``part_opened`` line, and ``part_sealed`` carries the part's last head.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kiosk.clocks import boot_id, wall_text
from kiosk.errors import RecordingError, StorageError
from kiosk.evidence.chain import Chain, Entry, Head, Journal, canonical, line_hash, read_chain
from kiosk.evidence.seal import SUMS, seal_folder, sha256_of
from kiosk.evidence.signer import Signer, sign_head
from kiosk.recording.journal.part_journal import PartBook
from kiosk.storage.atomic_io import json_bytes
from kiosk.storage.hearing_folder import HEARING, JOURNAL, PART, part_name
from kiosk.storage.store import DIRECT, Store

FORMAT = 1
FIRST_LINE = ("reason", "person", "tap_ns", "boot_id", "gap_seconds", "closed")
"""Fields of a ``part_opened`` line that the part's own first line repeats."""
Listener = Callable[[int, Entry], None]
"""Called with the part's number (0: the hearing's own journal) and each durable line."""


@dataclass(frozen=True)
class Maker:
    """What every book needs to know: which kiosk writes and signs it, where, and who listens."""

    kiosk: str
    signer: Signer
    head_seconds: float = 60.0
    listen: Listener = lambda _part, _entry: None
    on_storage: Callable[[StorageError | None], None] = lambda _: None
    store: Store = DIRECT


class HearingBook:
    """Keeps a hearing's journal, opens and seals its parts, and seals it in the end."""

    def __init__(self, folder: Path, hearing_id: str, journal: Journal, maker: Maker) -> None:
        """Use :meth:`create` or :meth:`reopen`."""
        self.folder = folder
        self.hearing_id = hearing_id
        self._journal = journal
        self._maker = maker
        self._ended = False

    @classmethod
    def create(
        cls, folder: Path, hearing: Mapping[str, Any], fields: Mapping[str, Any], maker: Maker
    ) -> HearingBook:
        """Make the folder, ``hearing.json`` and the journal's first line.

        Args:
            folder: ``hearings/<uuid>``; may exist (capture may have begun already).
            hearing: as in the schedule; ``id`` is the folder's name.
            fields: of the ``opened`` line besides hearing and kiosk.

        Raises:
            StorageError: it cannot be written.
        """
        store = maker.store
        store.make_folder(folder)
        hearing_id = str(hearing["id"])
        about = {"format": FORMAT, "hearing": dict(hearing), "kiosk": maker.kiosk}
        about |= {"boot_id": boot_id(), "started": wall_text()}
        store.write_whole(folder / HEARING, json_bytes(about))
        journal = Journal.create(folder / JOURNAL, store=store)
        book = cls(folder, hearing_id, journal, maker)
        book.write("opened", {**fields, "hearing": hearing_id, "kiosk": maker.kiosk})
        return book

    @classmethod
    def reopen(cls, folder: Path, maker: Maker) -> tuple[HearingBook, Chain]:
        """Open an unsealed hearing to go on; return it and its journal so far.

        Raises:
            RecordingError: its journal was changed; StorageError: it cannot be read or written.
        """
        journal, chain = Journal.reopen(folder / JOURNAL, maker.store)
        first = chain.entries[0] if chain.entries else {}
        if first.get("kind") != "opened":
            journal.close()
            raise RecordingError(f"{folder}: the journal has no first line", code="journal_broken")
        return cls(folder, str(first["hearing"]), journal, maker), chain

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of each line from now on."""
        self._maker = replace(self._maker, listen=listener)

    @property
    def store(self) -> Store:
        """Where its folder lies."""
        return self._maker.store

    @property
    def head(self) -> Head:
        """Where the hearing's own chain ends."""
        return self._journal.head

    def part_folder(self, part: int) -> Path:
        """Return the folder of part number ``part``."""
        return self.folder / part_name(part)

    def write(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Write one line of the hearing's own journal, durably.

        Raises:
            StorageError: it could not be written.
        """
        entry = self._journal.append(kind, fields)
        self._maker.listen(0, entry)
        return entry

    def write_again(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write a line that could not be written when it happened; nobody is told once more."""
        self._journal.append(kind, {**fields, "late": True})

    def sign_head(self) -> Entry:
        """Write a signed head of the hearing's own chain."""
        entry = self._journal.append_head(
            lambda head: sign_head(self._maker.signer, self.hearing_id, 0, head)
        )
        self._maker.listen(0, entry)
        return entry

    # -- parts -----------------------------------------------------------------------------------
    def open_part(self, part: int, fields: Mapping[str, Any], about: Mapping[str, Any]) -> PartBook:
        """Begin the books of part number ``part``: the outer line, ``part.json``, the inner line.

        Args:
            fields: of both lines (``reason``, ``person``, ``tap_ns``).
            about: further content of ``part.json`` (sources, codecs).
        """
        store = self._maker.store
        folder = store.make_folder(self.part_folder(part))
        identity = {"hearing": self.hearing_id, "part": part, "kiosk": self._maker.kiosk}
        now = {**fields, "boot_id": boot_id()}
        opened = self.write("part_opened", {**now, "part": part})
        told = {"format": FORMAT, **identity, "wall": wall_text(), **now, **about}
        store.write_whole(folder / PART, json_bytes(told))
        journal = Journal.create(folder / JOURNAL, line_hash(canonical(opened)), store)
        self.first_line(journal, part, now)
        return self._part_book(part, journal)

    def first_line(self, journal: Journal, part: int, fields: Mapping[str, Any]) -> None:
        """Write a part's first line: ``fields`` of its ``part_opened`` line and who it is."""
        kept = {key: fields[key] for key in FIRST_LINE if key in fields}
        identity = {"hearing": self.hearing_id, "part": part, "kiosk": self._maker.kiosk}
        self._maker.listen(part, journal.append("part", kept | identity))

    def reopen_part(self, part: int) -> tuple[PartBook, Chain]:
        """Open the books of an unsealed part to close it; see :meth:`Journal.reopen`."""
        journal, chain = Journal.reopen(self.part_folder(part) / JOURNAL, self._maker.store)
        return self._part_book(part, journal), chain

    def _part_book(self, part: int, journal: Journal) -> PartBook:
        maker = self._maker
        return PartBook(
            self.part_folder(part),
            self.hearing_id,
            part,
            journal,
            maker.signer,
            maker.head_seconds,
            lambda entry: maker.listen(part, entry),
            maker.on_storage,
            maker.store,
        )

    def seal_part(self, book: PartBook) -> None:
        """Seal a closed part and note its seal in the hearing's chain, with a head.

        Raises:
            StorageError: it could not be sealed; it may be tried again.
        """
        book.seal()
        self.note_seal(book.part)

    def note_seal(self, part: int) -> None:
        """Write ``part_sealed`` with the part's last head and seal, and a head of this chain."""
        folder = self._maker.store.locate(self.part_folder(part))
        head = read_chain(folder / JOURNAL).head
        fields = {"part": part, "count": head.count, "hash": head.hash}
        self.write("part_sealed", fields | {"sums_sha256": sha256_of(folder / SUMS)})
        self.sign_head()

    # -- end -------------------------------------------------------------------------------------
    def end(self, fields: Mapping[str, Any]) -> None:
        """Write the last lines and seal the hearing; all parts are sealed already.

        Raises:
            StorageError: it could not be written; it may be tried again.
        """
        if not self._ended:
            self.write("ended", fields)
            self._ended = True
        self.seal_ended()

    def seal_ended(self) -> None:
        """Seal a hearing whose last line is written (again after a crash in the middle)."""
        store = self._maker.store
        if read_chain(store.locate(self.folder / JOURNAL)).entries[-1]["kind"] != "head":
            self.sign_head()
        self._journal.close()
        seal_folder(self.folder, self._maker.signer, store)

    def close(self) -> None:
        """Close the journal without another line: the hearing can be reopened."""
        self._journal.close()


def hearing_of(folder: Path) -> dict[str, Any]:
    """Return the hearing as started, from ``hearing.json``.

    Raises:
        RecordingError: it cannot be read.
    """
    try:
        value = json.loads((folder / HEARING).read_text(encoding="utf-8"))
        return dict(value["hearing"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{folder}: no readable {HEARING}: {error}") from error
