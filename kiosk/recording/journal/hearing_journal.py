"""A hearing's folder and its own journal: opened, parts, statements, ended.

The hearing's chain and its parts' chains hold each other: a part's first line carries the hash
of the hearing's ``part_opened`` line, and ``part_sealed`` carries the part's last head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kiosk.clocks import boot_id, format_wall
from kiosk.errors import RecordingError
from kiosk.evidence.chain import (
    Chain,
    ChainHead,
    Entry,
    JournalFile,
    canonical_json,
    entry_hash,
    is_event,
    read_chain,
    read_head,
)
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
from kiosk.storage.store import Store

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

    @classmethod
    def create(
        cls,
        folder: Path,
        hearing: Mapping[str, Any],
        fields: Mapping[str, Any],
        options: JournalOptions,
    ) -> HearingJournal:
        """Create the folder, ``hearing.json`` and the journal's first entry.

        Args:
            folder: ``hearings/<uuid>``; it may exist, because the capture starts first.
            hearing: as in the schedule; ``id`` is the folder's name.
            fields: further fields of the ``opened`` entry.

        Raises:
            StorageError: it cannot be written.
        """
        options.store.make_folder(folder)
        hearing_id = str(hearing["id"])
        write_hearing_file(folder, hearing, options)
        sign = options.sign(hearing_id, 0)
        file = JournalFile.create(folder / JOURNAL_FILE, store=options.store, sign=sign)
        journal = cls(folder, hearing_id, file, options)
        journal.append("opened", {**fields, "hearing": hearing_id, "kiosk": options.kiosk})
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
        """Append one entry to the hearing's own journal, durably.

        Raises:
            StorageError: it could not be written.
        """
        entry = self._file.append(kind, fields)
        self._options.on_entry(0, entry)
        return entry

    def append_backdated(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Append an entry that could not be written in time; the listener is not called again."""
        self._file.append(kind, {**fields, "late": True})

    # -- parts -----------------------------------------------------------------------------------
    def open_part(
        self, part: int, fields: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> PartJournal:
        """Create the journal of part number ``part``: outer entry, ``part.json``, inner entry.

        Args:
            fields: of both entries (``reason``, ``person``, ``tap_ns``).
            metadata: further content of ``part.json`` (sources, codecs).
        """
        store, folder = self._options.store, self.part_folder(part)
        identity = {"hearing": self.hearing_id, "part": part, "kiosk": self._options.kiosk}
        now = {**fields, "boot_id": boot_id()}
        opened = self.append("part_opened", {**now, "part": part})
        store.make_folder(folder)  # second: no folder is without its entry
        part_metadata = {"format": FORMAT, **identity, "wall": format_wall(), **now, **metadata}
        store.write_file(folder / PART_FILE, json_bytes(part_metadata))
        return self.create_part_journal(part, entry_hash(canonical_json(opened)), now)

    def create_part_journal(self, part: int, prev: str, fields: Mapping[str, Any]) -> PartJournal:
        """Create the journal of a part with its first entry.

        Args:
            prev: hash of the part's ``part_opened`` entry, whose ``fields`` it repeats.
        """
        path, options = self.part_folder(part) / JOURNAL_FILE, self._options
        file = JournalFile.create(path, prev, options.store, options.sign(self.hearing_id, part))
        first_fields = {key: fields[key] for key in FIRST_ENTRY_FIELDS if key in fields}
        identity = {"hearing": self.hearing_id, "part": part, "kiosk": options.kiosk}
        options.on_entry(part, file.append("part", first_fields | identity))
        return PartJournal(self.part_folder(part), part, file, options)

    def close_unstarted_part(self, part: int) -> PartJournal:
        """Write the journal of a part whose start failed after its ``part_opened`` entry.

        Returns:
            The part's journal, closed and not sealed.

        Raises:
            StorageError: it could not be written; it may be tried again.
        """
        store, path = self._options.store, self.part_folder(part) / JOURNAL_FILE
        own = read_chain(store.locate(self.folder / JOURNAL_FILE), keep=is_event)
        opened, digest = next(
            (entry, digest)
            for entry, digest in zip(own.entries, own.hashes, strict=True)
            if entry["kind"] == "part_opened" and entry["part"] == part
        )
        located = store.locate(path)
        written = read_chain(located).entries if located.exists() else []
        if written:
            journal = self.reopen_part(part)[0]
        else:
            store.make_folder(path.parent)
            journal = self.create_part_journal(part, digest, opened)
        if not any(entry["kind"] == "closed" for entry in written):
            stopped = {"stop_ns": int(opened["tap_ns"]), "stop_wall": opened["at"]}
            journal.end({"reason": START_FAILED, "person": "", **stopped})
        else:
            journal.sign()
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
        self.record_part_sealed(part_journal.part)

    def record_part_sealed(self, part: int) -> None:
        """Append ``part_sealed`` with the part's last head and seal."""
        folder = self._options.store.locate(self.part_folder(part))
        head = read_head(folder / JOURNAL_FILE)
        fields = {"part": part, "count": head.count, "hash": head.hash}
        self.append("part_sealed", fields | {"sums_sha256": sha256_of(folder / SUMS)})

    # -- end -------------------------------------------------------------------------------------
    def end(self, fields: Mapping[str, Any]) -> None:
        """Append the last entries and seal the hearing; all parts are sealed already.

        Raises:
            StorageError: it could not be written; it may be tried again.
        """
        if not self._has_ended:
            self.append("ended", fields)
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


def write_hearing_file(folder: Path, hearing: Mapping[str, Any], options: JournalOptions) -> None:
    """Write ``hearing.json``; see :meth:`HearingJournal.create`."""
    metadata = {"format": FORMAT, "hearing": dict(hearing), "kiosk": options.kiosk}
    metadata |= {"boot_id": boot_id(), "started": format_wall()}
    options.store.write_file(folder / HEARING_FILE, json_bytes(metadata))


def load_hearing(folder: Path) -> dict[str, Any]:
    """Return the hearing as started, from ``hearing.json``.

    Raises:
        RecordingError: it cannot be read.
    """
    try:
        return dict(read_json(folder / HEARING_FILE)["hearing"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{folder}: no readable {HEARING_FILE}: {error}") from error
