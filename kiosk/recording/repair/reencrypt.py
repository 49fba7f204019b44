"""Encrypts media of a hearing that is declared closed since an earlier moment (S14, R56).

What was captured from that moment on is encrypted for the court alone, and the plain files are
overwritten and removed. Every step may be interrupted and is completed by running it again: first
the new file, complete and synced, then the entry in the part's journal that names what it
replaces, then the old bytes. At the end the part is sealed again.

Overwriting reaches the old bytes on a plain disk and file system. Flash (SD cards, USB sticks,
SSDs) writes elsewhere, and a journalling or copying file system may keep older blocks: there the
old bytes can still be read with the means of a laboratory until use has erased them.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S
from kiosk.errors import StorageError
from kiosk.evidence.chain import ChainReader, Entry, read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.hls_playlist import truncate_playlist
from kiosk.recording.formats.run_reader import list_runs
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.journal.part_index import PartIndex
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.repair.replacement_writer import ReplacementWriter
from kiosk.storage.atomic_io import json_bytes, read_json_or_none
from kiosk.storage.court_keys import CourtKeys
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    INIT,
    JOURNAL_FILE,
    MEDIA_SUFFIX,
    OPEN_SUFFIX,
    PART_FILE,
    PLAYLIST,
    SUMS,
    TRACKS,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReplacedFile:
    """A plain file that was removed, and the file that replaces it.

    Attributes:
        part: its part's number; ``file`` relative to the part's folder; ``sha256`` of the file as
            it was.
        by, by_sha256: the encrypted file, or the plain one with what was captured before. A file
            replaced by both is listed twice; both are empty where nothing replaces it.
    """

    part: int
    file: str
    sha256: str
    by: str
    by_sha256: str


@dataclass(frozen=True)
class RetroactiveClosure:
    """A ``closing_since`` entry: closes all captured from ``since`` on, up to ``last_part``.

    Attributes:
        since_ns: ``since`` on the recording clock of the boot ``boot_id``; None: not known.
    """

    number: int
    since: datetime
    last_part: int
    fields: Mapping[str, Any]
    since_ns: int | None = None
    boot_id: str = ""


def pending_closures(entries: Sequence[Entry]) -> list[RetroactiveClosure]:
    """Return the closures in a hearing's own journal that have not been applied yet."""
    completed = {entry.get("declaration") for entry in entries if entry["kind"] == "closed_since"}
    return [
        RetroactiveClosure(
            number=int(entry["n"]),
            since=datetime.fromisoformat(str(entry["since"])),
            last_part=int(entry["upto"]),
            fields={key: entry.get(key) for key in ("since", "person", "ground", "note")},
            since_ns=None if entry.get("since_ns") is None else int(entry["since_ns"]),
            boot_id=str(entry.get("boot_id") or ""),
        )
        for entry in entries
        if entry["kind"] == "closing_since" and int(entry["n"]) not in completed
    ]


def apply_closure(
    hearing_journal: HearingJournal,
    keys: CourtKeys,
    closure: RetroactiveClosure,
    on_replaced: Callable[[Path, list[ReplacedFile]], None] = lambda _folder, _replaced: None,
) -> list[ReplacedFile]:
    """Apply ``closure``, whose parts have all ended. It may be repeated after a crash.

    Args:
        on_replaced: called with what was replaced, before completion is journalled, so that a
            second copy follows. It may be called twice.

    Raises:
        StorageError, OSError: a file cannot be read or written; it may be called again.
    """
    replaced: list[ReplacedFile] = []
    codec = AgeFragmentCodec(keys, can_verify=False)
    for part in range(1, closure.last_part + 1):
        if hearing_journal.store.locate(hearing_journal.part_folder(part) / JOURNAL_FILE).exists():
            replaced += _PartReencryption(hearing_journal, part, codec, closure).run()
    on_replaced(hearing_journal.folder, replaced)
    rows = [asdict(file) for file in replaced]
    fields = {**closure.fields, "declaration": closure.number, "replaced": rows}
    hearing_journal.append("closed_since", fields)
    return replaced


class _PartReencryption:
    """Encrypts one part of a hearing that was declared closed."""

    def __init__(
        self,
        hearing_journal: HearingJournal,
        number: int,
        codec: FragmentCodec,
        closure: RetroactiveClosure,
    ) -> None:
        self._hearing_journal = hearing_journal
        self._store = hearing_journal.store
        self._number = number
        self._folder = hearing_journal.part_folder(number)
        self._codec = codec
        self._closure = closure

    def _locate(self, name: str) -> Path:
        return self._store.locate(self._folder / name)

    def _entries(self) -> list[Entry]:
        path = self._locate(JOURNAL_FILE)
        return read_chain(path, keep=lambda entry: entry["kind"] != "head").entries

    def run(self) -> list[ReplacedFile]:
        """Replace the plain files; return all that were replaced, now or before a crash."""
        entries = self._entries()
        since_ns = _to_recording_clock(entries[0], self._closure)
        index = PartIndex.from_entries(entries)
        was_started = any(self._belongs_to_closure(entry) for entry in entries)
        if was_started or any(
            _plain_prefix_bytes(*item, since_ns) is not None for item in index.fragments.items()
        ):
            part_journal, _ = self._hearing_journal.reopen_part(self._number)
            try:
                self._replace_all(part_journal, index, since_ns)
                self._mark_closed_and_seal(part_journal)
                entries = self._entries()
            finally:
                part_journal.close()
        self._record_seal_if_new()
        return [
            replaced
            for entry in entries
            if self._belongs_to_closure(entry)
            for replaced in self._replaced_files(entry)
        ]

    def _belongs_to_closure(self, entry: Entry) -> bool:
        return entry["kind"] == "rewrapped" and self._closure_number(entry) == self._closure.number

    @staticmethod
    def _closure_number(entry: Entry) -> int:
        return int(entry["declaration"])

    def _replaced_files(self, entry: Entry) -> list[ReplacedFile]:
        original = self._number, str(entry["file"]), str(entry["sha256"])
        replaced = [
            ReplacedFile(*original, str(file["file"]), str(file["sha256"])) for file in entry["by"]
        ]
        return replaced or [ReplacedFile(*original, "", "")]

    # -- replacing -----------------------------------------------------------------------------
    def _replace_all(self, part_journal: PartJournal, index: PartIndex, since_ns: int) -> None:
        plain_runs: set[str] = set()
        for name, fragments in list(index.fragments.items()):
            plain_bytes = _plain_prefix_bytes(name, fragments, since_ns)
            if plain_bytes is not None:
                self._reencrypt_file(part_journal, name, fragments, plain_bytes)
            if plain_bytes != 0 and not name.endswith(CLOSED_SUFFIX):
                plain_runs.add(name.rpartition("/")[0])
        self._reencrypt_inits(part_journal, plain_runs)
        self._truncate_playlist(part_journal)
        for name, replacements in self._replaced().items():
            self._remove(name, replacements)

    def _replaced(self) -> dict[str, list[str]]:
        """Return what has replaced each file that is to be removed, also before a crash.

        Such a file may be overwritten already, if a crash came before its removal.
        """
        found: dict[str, list[str]] = {}
        for entry in filter(self._belongs_to_closure, self._entries()):
            replacements = [str(file["file"]) for file in entry["by"]]
            if entry["file"] not in replacements:
                found[str(entry["file"])] = replacements
        return found

    def _remove(self, name: str, replacements: list[str]) -> None:
        """Overwrite and remove a plain file on every storage; ``replacements`` are kept."""
        self._store.replace_files(
            [self._folder / name], [self._folder / replacement for replacement in replacements]
        )

    def _reencrypt_file(
        self,
        part_journal: PartJournal,
        name: str,
        fragments: list[dict[str, Any]],
        plain_bytes: int,
    ) -> None:
        """Encrypt the fragments after the first ``plain_bytes`` into a tar.

        Those before go into a plain file of their own; the journal gets both.
        """
        stem = name.removesuffix(MEDIA_SUFFIX)
        plain_writer = ReplacementWriter(
            self._store, self._folder, f"{stem}{OPEN_SUFFIX}{MEDIA_SUFFIX}", PLAIN_CODEC
        )
        encrypted_writer = ReplacementWriter(
            self._store, self._folder, stem + CLOSED_SUFFIX, self._codec
        )
        with self._locate(name).open("rb") as source:
            for number, fragment in enumerate(fragments, 1):
                source.seek(int(fragment["offset"]))
                plain = source.read(int(fragment["length"]))
                member = f"{Path(name).stem}-{number:04d}{MEDIA_SUFFIX}"
                writer = plain_writer if int(fragment["offset"]) < plain_bytes else encrypted_writer
                writer.add(member, fragment, plain)
        writers = [writer for writer in (plain_writer, encrypted_writer) if writer.fragments]
        for writer in writers:
            writer.finish()
        self._record_written(part_journal, name, writers)

    def _record_written(
        self, part_journal: PartJournal, name: str, writers: Sequence[ReplacementWriter]
    ) -> None:
        fragments = [fragment for writer in writers for fragment in writer.fragments]
        replacements = [writer.journal_entry for writer in writers]
        self._record_replacement(part_journal, name, replacements, fragments)

    def _record_replacement(
        self,
        part_journal: PartJournal,
        name: str,
        replacements: list[dict[str, Any]],
        fragments: list[dict[str, Any]],
    ) -> None:
        fields = {
            "declaration": self._closure.number,
            "file": name,
            "sha256": sha256_of(self._locate(name)),
            "by": replacements,
            "fragments": fragments,
        }
        part_journal.append("rewrapped", fields)

    def _reencrypt_inits(self, part_journal: PartJournal, plain_runs: set[str]) -> None:
        """Encrypt the initialisation segments of runs of which nothing plain is left."""
        part_folder, replaced = self._store.locate(self._folder), self._replaced()
        runs = [run for track in TRACKS for run in list_runs(part_folder / track)]
        for run in [path.relative_to(part_folder).as_posix() for path in runs]:
            name, replacement = f"{run}/{INIT}", f"{run}/{CLOSED_INIT}"
            is_there = name not in replaced and self._locate(name).exists()
            if run not in plain_runs and is_there:
                writer = ReplacementWriter(self._store, self._folder, replacement, self._codec)
                writer.add(INIT, None, self._locate(name).read_bytes())
                writer.finish()
                self._record_written(part_journal, name, [writer])

    def _truncate_playlist(self, part_journal: PartJournal) -> None:
        """Keep in the playlist only what is still plain; remove it if nothing is."""
        name = f"main/{PLAYLIST}"
        index = PartIndex.from_entries(self._entries())
        if name in self._replaced() or not self._locate(name).exists():
            return
        old = self._locate(name).read_bytes().decode("ascii")
        text = truncate_playlist(old, _playable_files(index))
        listed = index.files.get(name, {}).get("sha256")
        if text == old and listed in (None, sha256_of(self._locate(name))):
            return
        data = text.encode("ascii")
        replacements = [{"file": name, "sha256": hashlib.sha256(data).hexdigest()}] if text else []
        self._record_replacement(part_journal, name, replacements, [])
        if text:
            self._store.write_file(self._folder / name, data)

    # -- afterwards ----------------------------------------------------------------------------
    def _mark_closed_and_seal(self, part_journal: PartJournal) -> None:
        """Record that the part is closed, and seal it again."""
        metadata = read_json_or_none(self._locate(PART_FILE)) or {}
        since = self._closure.fields["since"]
        metadata |= {"closed": True, "encrypted": True, "closed_since": since}
        self._store.write_file(self._folder / PART_FILE, json_bytes(metadata))
        part_journal.append("declared_closed", {**self._closure.fields})
        part_journal.seal()

    def _record_seal_if_new(self) -> None:
        """Write ``part_sealed`` unless the latest such entry is already about this seal."""
        if not is_sealed(self._store.locate(self._folder)):
            return
        sums = sha256_of(self._locate(SUMS))
        lines = [
            entry
            for entry in ChainReader(
                self._store.locate(self._hearing_journal.folder / JOURNAL_FILE)
            )
            if entry["kind"] == "part_sealed" and entry["part"] == self._number
        ]
        if not lines or lines[-1]["sums_sha256"] != sums:
            self._hearing_journal.record_part_sealed(self._number)


def _plain_prefix_bytes(name: str, fragments: list[dict[str, Any]], since_ns: int) -> int | None:
    """Return how many bytes of a plain file stay plain, or None if all of them do."""
    if name.endswith(CLOSED_SUFFIX):
        return None
    later = (
        int(fragment["offset"]) for fragment in fragments if int(fragment["end_ns"]) > since_ns
    )
    return min(later, default=None)


def _playable_files(index: PartIndex) -> dict[str, tuple[str, int]]:
    """Return, per file name in a playlist, the plain file with its beginning, and its length."""
    found: dict[str, tuple[str, int]] = {}
    for name, fragments in index.fragments.items():
        if name.startswith("main/") and not name.endswith(CLOSED_SUFFIX):
            listed_name = name.removeprefix("main/")
            size = int(fragments[-1]["offset"]) + int(fragments[-1]["length"])
            found[listed_name] = (listed_name, size)
            found[listed_name.replace(f"{OPEN_SUFFIX}{MEDIA_SUFFIX}", MEDIA_SUFFIX)] = (
                listed_name,
                size,
            )
    return found


def _to_recording_clock(first: Entry, closure: RetroactiveClosure) -> int:
    """Return ``since`` on the recording clock of the part whose journal begins with ``first``.

    The wall clock may have been set since: it is asked only for a moment before the boot in which
    the court declared it, and never for one after, before which every part of an earlier boot is.

    Raises:
        StorageError: the entry has no times.
    """
    try:
        since_ns = closure.since_ns
        if since_ns is not None and first.get("boot_id") == closure.boot_id:
            return since_ns
        if since_ns is not None and since_ns > 0 and first.get("boot_id"):
            return sys.maxsize
        at = datetime.fromisoformat(str(first["at"]))
        return int(first["t"]) + round((closure.since - at).total_seconds() * NS_PER_S)
    except (KeyError, ValueError, TypeError) as error:
        raise StorageError("a part's journal has no first line with times") from error
