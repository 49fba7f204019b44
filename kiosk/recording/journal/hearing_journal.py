"""A hearing's folder and its own journal: opened, parts, statements, ended.

The hearing's chain and its parts' chains hold each other: a part's first line carries the hash
of the hearing's ``part_opened`` line, and ``part_sealed`` carries the part's last head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import boot_id, format_wall
from kiosk.errors import RecordingError, StorageError
from kiosk.evidence.chain import (
    EMPTY_CHAIN,
    Chain,
    ChainHead,
    Entry,
    canonical_json,
    entry_hash,
    is_event,
    read_chain,
)
from kiosk.evidence.journal_file import JournalFile
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import is_head_signed_by
from kiosk.recording.journal.part_journal import EntryListener, JournalOptions, PartJournal
from kiosk.storage.atomic_io import json_bytes, read_json
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import (
    HEARING_FILE,
    JOURNAL_FILE,
    PART_FILE,
    SUMS,
    part_folder_name,
)
from kiosk.storage.store import Store, WriteTicket

FORMAT = 1
START_FAILED = "start_failed"
"""Reason of a part that could not be started: it has no media and is never resumed."""
FIRST_ENTRY_FIELDS = ("reason", "person", "tap_ns", "boot_id", "gap_seconds", "closed", "inputs")
"""Fields of a ``part_opened`` entry that the part's own first entry repeats."""


class HearingJournal:
    """Writes a hearing's journal, opens and seals its parts, and seals the hearing at the end."""

    def __init__(
        self, folder: Path, hearing_id: str, file: JournalFile, options: JournalOptions
    ) -> None:
        """Use :meth:`create` or :meth:`reopen`."""
        self.folder = folder
        self.hearing_id = hearing_id
        self._file = file
        self._options = options
        self._has_ended = False
        self._recorded_seals: dict[int, str] = {}
        self.set_listener(options.on_entry)

    @classmethod
    def create(
        cls,
        folder: Path,
        hearing: Mapping[str, Any],
        fields: Mapping[str, Any],
        options: JournalOptions,
    ) -> HearingJournal:
        """Begin the folder with ``hearing.json`` and the journal's first entry.

        Args:
            folder: ``hearings/<uuid>``, without a journal.
            hearing: as in the schedule; ``id`` is the folder's name.
            fields: further fields of the ``opened`` entry.

        Raises:
            StorageError: the disk refuses it; one that is slow writes it later.
        """
        hearing_id = str(hearing["id"])
        ticket = submit_hearing_file(folder, hearing, options)
        sign = options.sign(hearing_id, 0)
        file = JournalFile(folder / JOURNAL_FILE, EMPTY_CHAIN, options.store, sign)
        journal = cls(folder, hearing_id, file, options)
        try:
            journal.offer("opened", {**fields, "hearing": hearing_id, "kiosk": options.kiosk})
        except StorageError:
            ticket.cancel()
            raise
        return journal

    @classmethod
    def reopen(cls, folder: Path, options: JournalOptions) -> tuple[HearingJournal, Chain]:
        """Open an unsealed hearing to continue it; return its journal and the chain so far.

        Raises:
            RecordingError: its journal was changed; StorageError: it cannot be read or written.
        """
        sign = options.sign(folder.name, 0)
        file, chain = JournalFile.reopen(folder / JOURNAL_FILE, options.store, sign, is_event)
        first = chain.entries[0] if chain.entries else {}
        if first.get("kind") != "opened":
            file.close()
            raise RecordingError(f"{folder}: the journal has no first line", code="journal_broken")
        return cls(folder, str(first["hearing"]), file, options), chain

    def set_listener(self, listener: EntryListener) -> None:
        """Call ``listener`` with each entry from now on."""
        self._options = replace(self._options, on_entry=listener)
        self._file.on_entry = partial(listener, 0)

    @property
    def store(self) -> Store:
        """The store that its bytes are written to."""
        return self._options.store

    @property
    def head(self) -> ChainHead:
        """Where the hearing's own chain ends."""
        return self._file.head

    def part_folder(self, part: int) -> Path:
        """Return the folder of part number ``part``."""
        return self.folder / part_folder_name(part)

    def append(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Append one entry to the hearing's own journal; see :meth:`JournalFile.append`."""
        return self._file.append(kind, fields)

    def submit(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Append one entry without waiting for the disk; see :meth:`JournalFile.submit`."""
        return self._file.submit(kind, fields)

    def offer(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Append one entry unless the disk refuses it; see :meth:`JournalFile.offer`."""
        return self._file.offer(kind, fields)

    def flush(self, seconds: float | None = None) -> None:
        """Wait until every entry of the hearing's own journal is durable.

        Raises:
            StorageError: one is not after ``seconds``; the store keeps trying.
        """
        self._file.flush(seconds)

    @property
    def owed_seconds(self) -> float:
        """How long the oldest entry that is not durable has waited; 0.0 without one."""
        return self._file.owed_seconds

    # -- parts -----------------------------------------------------------------------------------
    def open_part(
        self, part: int, fields: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> PartJournal:
        """Create the journal of part number ``part`` durably; see :meth:`submit_part`.

        Raises:
            StorageError: it cannot be written.
        """
        journal = self.submit_part(part, fields, metadata)
        self.flush()
        journal.flush()
        return journal

    def submit_part(
        self,
        part: int,
        fields: Mapping[str, Any],
        metadata: Mapping[str, Any],
        *,
        may_refuse: bool = False,
    ) -> PartJournal:
        """Begin the journal of part number ``part``: outer entry, ``part.json``, inner entry.

        They are written in this order, before any media that the store gets afterwards.

        Args:
            fields: of both entries (``reason``, ``person``, ``tap_ns``).
            metadata: further content of ``part.json`` (sources, codecs).
            may_refuse: do nothing if the disk refuses the outer entry now.

        Raises:
            StorageError: the disk refuses it now.
        """
        write = self.offer if may_refuse else self.submit
        identity = {"hearing": self.hearing_id, "part": part, "kiosk": self._options.kiosk}
        now = {**fields, "boot_id": boot_id()}
        opened = write("part_opened", {**now, "part": part})
        about = {"format": FORMAT, **identity, "wall": format_wall(), **now, **metadata}
        self._options.store.submit_file(self.part_folder(part) / PART_FILE, json_bytes(about))
        return self._submit_part_journal(part, entry_hash(canonical_json(opened)), now)

    def create_part_journal(self, part: int, prev: str, fields: Mapping[str, Any]) -> PartJournal:
        """Create the journal of a part with its first entry, durably.

        Args:
            prev: hash of the part's ``part_opened`` entry, whose ``fields`` it repeats.

        Raises:
            StorageError: it cannot be written.
        """
        journal = self._submit_part_journal(part, prev, fields)
        journal.flush()
        return journal

    def _submit_part_journal(self, part: int, prev: str, fields: Mapping[str, Any]) -> PartJournal:
        folder, options = self.part_folder(part), self._options
        chain = replace(EMPTY_CHAIN, head=ChainHead(0, prev))
        sign = options.sign(self.hearing_id, part)
        file = JournalFile(folder / JOURNAL_FILE, chain, options.store, sign)
        first_fields = {key: fields[key] for key in FIRST_ENTRY_FIELDS if key in fields}
        identity = {"hearing": self.hearing_id, "part": part, "kiosk": options.kiosk}
        journal = PartJournal(folder, part, file, options)
        file.submit("part", first_fields | identity)
        return journal

    def reopen_part(
        self, part: int, keep: Callable[[Entry], bool] = is_event
    ) -> tuple[PartJournal, Chain]:
        """Open the journal of an unsealed part to close it; see :meth:`JournalFile.reopen`."""
        path, options = self.part_folder(part) / JOURNAL_FILE, self._options
        sign = options.sign(self.hearing_id, part)
        file, chain = JournalFile.reopen(path, options.store, sign, keep)
        return PartJournal(self.part_folder(part), part, file, options), chain

    def has_signed(self, part: int, head: Entry) -> bool:
        """Return whether this device has signed ``head``, an entry of a part's journal."""
        end, signature = ChainHead(int(head["count"]), str(head["hash"])), str(head["signature"])
        certificate = self._options.signer.certificate
        return is_head_signed_by(certificate, self.hearing_id, part, end, signature)

    def seal_part(self, part_journal: PartJournal) -> None:
        """Seal an ended part and record its seal in the hearing's chain.

        :func:`kiosk.recording.repair.reconcile.seal_part` makes journal and disk agree before.

        Raises:
            StorageError: it could not be sealed; it may be tried again.
        """
        part_journal.seal()
        self.record_part_sealed(part_journal.part, part_journal.head)

    def record_part_sealed(self, part: int, head: ChainHead | None = None) -> None:
        """Append ``part_sealed`` with the part's last head and seal, once for each seal.

        Args:
            head: where the part's journal ends; default: it is read.

        Raises:
            StorageError: it is not durable yet; it may be tried again.
        """
        folder = self._options.store.locate(self.part_folder(part))
        sums = sha256_of(folder / SUMS)
        if self._recorded_seals.get(part) != sums:
            head = head or read_chain(folder / JOURNAL_FILE, keep=lambda _entry: False).head
            fields = {"part": part, "count": head.count, "hash": head.hash, "sums_sha256": sums}
            self.submit("part_sealed", fields)
            self._recorded_seals[part] = sums
        self.flush()

    # -- end -------------------------------------------------------------------------------------
    def end(self, fields: Mapping[str, Any]) -> None:
        """Append the last entry and seal the hearing; all parts are sealed already.

        No entry follows it, whoever submits one while the disk takes its time.

        Raises:
            StorageError: it could not be written; it may be tried again.
        """
        if not self._has_ended:
            self._file.append_last("ended", fields)
            self._has_ended = True
        self.seal()

    def seal(self) -> None:
        """Seal a hearing whose last entry is written (again after a crash in the middle)."""
        self._file.sign()
        self._file.close()
        seal_folder(self.folder, self._options.signer, self._options.store)

    def close(self) -> None:
        """Close the file without another entry; the hearing can be reopened."""
        self._file.close()


def submit_hearing_file(
    folder: Path, hearing: Mapping[str, Any], options: JournalOptions
) -> WriteTicket:
    """Give ``hearing.json`` to the store; see :meth:`HearingJournal.create`."""
    metadata = {"format": FORMAT, "hearing": dict(hearing), "kiosk": options.kiosk}
    metadata |= {"boot_id": boot_id(), "started": format_wall()}
    return options.store.submit_file(folder / HEARING_FILE, json_bytes(metadata))


def load_hearing(folder: Path) -> dict[str, Any]:
    """Return the hearing as started, from ``hearing.json``.

    Raises:
        RecordingError: it cannot be read.
    """
    try:
        return dict(read_json(folder / HEARING_FILE)["hearing"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{folder}: no readable {HEARING_FILE}: {error}") from error
