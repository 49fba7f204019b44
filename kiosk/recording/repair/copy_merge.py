"""Merges two copies of a hearing, guided by the chains of their journals.

After a crash the storages may differ: one of them was absent, slow or has failed. What only the
mirror has is copied to the primary storage before anything is recovered there, and what is damaged
on the primary storage and right on the mirror is mended. Which copy is right is said by the journal
(:mod:`kiosk.storage.copy_comparison`); of the journals, what makes the longest chain is taken.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from cryptography import x509

from kiosk.errors import KioskError
from kiosk.evidence.chain import ChainReader, Entry
from kiosk.evidence.seal import is_sealed, parse_sums
from kiosk.recording.repair.journal_merge import has_line, merge_journal
from kiosk.storage.atomic_io import make_folder, write_chunks
from kiosk.storage.copy_comparison import (
    common_length,
    differing_since,
    mend,
    split_ranges,
)
from kiosk.storage.hearing_folder import (
    CLOSED_INIT,
    CLOSED_SUFFIX,
    INIT,
    JOURNAL_FILE,
    MEDIA_SUFFIX,
    SIGNATURE,
    SUMS,
    name_order,
    part_folders,
    seal_last,
)
from kiosk.storage.replaced_files import read_replaced
from kiosk.storage.volume import CHUNK_BYTES, StorageVolume

log = logging.getLogger(__name__)
_INITS = (f"/{INIT}", f"/{CLOSED_INIT}")
_LOGS = (MEDIA_SUFFIX, CLOSED_SUFFIX, *_INITS)


class RangeTable:
    """Ranges of one file: ``(offset, length, sha256)``, packed, for a long hearing has many."""

    _row = struct.Struct("<QQ32s")

    def __init__(self) -> None:
        self._rows = bytearray()

    def add(self, offset: int, length: int, sha256: str) -> None:
        """Append a range."""
        self._rows += self._row.pack(offset, length, bytes.fromhex(sha256))

    def __iter__(self) -> Iterator[tuple[int, int, str]]:
        """Yield the ranges in order."""
        for offset, length, digest in self._row.iter_unpack(self._rows):
            yield offset, length, digest.hex()


def recorded_ranges(hearing: Path) -> Mapping[str, RangeTable]:
    """Return the ranges of files that the journals hold, with their hashes, by file.

    Names are relative to ``hearing``. A file that is missing in the result has not been journalled
    yet.
    """
    found: dict[str, RangeTable] = {}
    for _, part in part_folders(hearing):
        with contextlib.suppress(KioskError):  # no journal yet
            for entry in ChainReader(part / JOURNAL_FILE):
                _add_ranges(found, part.name, entry)
    return found


def _add_ranges(found: dict[str, RangeTable], part: str, entry: Entry) -> None:
    if entry["kind"] == "media":
        for fragment in entry.get("fragments", []):
            table = found.setdefault(f"{part}/{fragment['file']}", RangeTable())
            table.add(int(fragment["offset"]), int(fragment["length"]), str(fragment["sha256"]))
    elif entry["kind"] == "file" and f"{part}/{entry['file']}" not in found:
        whole = found[f"{part}/{entry['file']}"] = RangeTable()
        whole.add(0, int(entry["length"]), str(entry["sha256"]))
    elif entry["kind"] == "rewrapped":  # the file is gone, or is a shorter playlist
        found.pop(f"{part}/{entry['file']}", None)


def merge_copies(
    primary: StorageVolume,
    mirror: StorageVolume,
    certificate: x509.Certificate | None = None,
    on_failure: Callable[[str, Exception], None] = lambda _hearing, _error: None,
) -> list[str]:
    """Merge all hearings; see :func:`merge_hearing`.

    Args:
        on_failure: called with the id of a hearing that could not be merged, and why.

    Returns:
        the ids of the hearings that got something.

    Raises:
        OSError: ``mirror`` cannot be read.
    """
    merged = []
    for hearing in mirror.list_names("hearings"):
        try:
            if merge_hearing(primary, mirror, hearing, certificate):
                merged.append(hearing)
        except Exception as error:  # whatever one hearing raises, the recorder starts
            log.exception("hearing %s: the second copy cannot be taken", hearing)
            on_failure(hearing, error)
    return merged


def merge_hearing(
    primary: StorageVolume,
    mirror: StorageVolume,
    hearing: str,
    certificate: x509.Certificate | None = None,
) -> bool:
    """Give ``primary`` what ``mirror`` has of an unsealed hearing and it lacks or has damaged.

    One that is sealed on ``primary`` stays as it is, and so does one that is only on ``mirror`` and
    sealed there (it is copied in the background). Nothing is discarded: what is not taken of either
    copy is set aside on ``primary``. ``mirror`` is only read. A part that is sealed on ``primary``
    gets only what its seal covers.

    Args:
        certificate: whose signatures the heads of the journals bear; None: they are not looked at.

    Returns:
        Whether it got something.

    Raises:
        OSError, StorageError: a storage refuses; it may be repeated.
    """
    if not _is_unsealed(primary, mirror, hearing):
        return False
    return _HearingMerge(primary, mirror, hearing, certificate).run()


def list_unsealed(primary: StorageVolume, mirror: StorageVolume) -> list[str]:
    """Return the ids of the hearings that a recovery has to look at, on either storage."""
    names = {name for volume in (primary, mirror) for name in volume.list_names("hearings")}
    return sorted(name for name in names if _is_unsealed(primary, mirror, name))


def list_sealed_only_on(primary: StorageVolume, mirror: StorageVolume) -> list[str]:
    """Return the ids of the hearings that are sealed on ``primary`` and begun on ``mirror``.

    Read on ``mirror``, such a hearing would be taken for one that a crash left open.
    """
    return [
        hearing
        for hearing in mirror.list_names("hearings")
        if not _is_unsealed(primary, mirror, hearing)
        and not mirror.exists(f"hearings/{hearing}/{SIGNATURE}")
    ]


def _is_unsealed(primary: StorageVolume, mirror: StorageVolume, hearing: str) -> bool:
    folder = f"hearings/{hearing}"
    seal = f"{folder}/{SUMS}", f"{folder}/{SIGNATURE}"
    if all(map(primary.exists, seal)):
        return False
    return primary.exists(folder) or (mirror.exists(folder) and not all(map(mirror.exists, seal)))


def is_beginning(primary: StorageVolume, mirror: StorageVolume, hearing: str) -> bool:
    """Return whether ``mirror`` has all that ``primary`` has of a hearing, or what replaces it.

    Of media the lengths are compared: what differs is set aside when ``primary`` is caught up.
    """
    gone = read_replaced(mirror, hearing)
    return all(
        _is_beginning_of(primary, mirror, name)
        for name in primary.list_files(f"hearings/{hearing}")
        if name not in gone and not name.rpartition("/")[2].startswith(".")
    )


def _is_beginning_of(primary: StorageVolume, mirror: StorageVolume, name: str) -> bool:
    size = primary.size(name)
    if name.endswith(_LOGS):
        return size <= mirror.size(name)
    if size <= mirror.size(name) and common_length(primary, mirror, name, size) == size:
        return True
    part = [folder for folder in name.split("/")[:3] if folder != name.rpartition("/")[2]]
    journal = "/".join([*part, JOURNAL_FILE])  # what is not a log is written anew as it goes on
    is_rewritten = mirror.exists(name) and primary.size(journal) < mirror.size(journal)
    return name != journal and is_rewritten


class _HearingMerge:
    """Merges the copies of one hearing."""

    def __init__(
        self,
        primary: StorageVolume,
        mirror: StorageVolume,
        hearing: str,
        certificate: x509.Certificate | None,
    ) -> None:
        self._primary, self._mirror = primary, mirror
        self._hearing = hearing
        self._folder = f"hearings/{hearing}"
        self._certificate = certificate

    @cached_property
    def _ranges(self) -> Mapping[str, RangeTable]:
        return recorded_ranges(self._primary.root / self._folder)

    def run(self) -> bool:
        """Merge journals first, then what they tell of; return whether anything was taken."""
        primary, mirror = self._primary, self._mirror
        gone = read_replaced(primary, self._hearing) | read_replaced(mirror, self._hearing)
        names = [
            name
            for name in mirror.list_files(self._folder)
            if name not in gone and not name.rpartition("/")[2].startswith(".")
        ]
        journals = [name for name in names if name.endswith(f"/{JOURNAL_FILE}")]
        newer = {
            _folder_of(name)
            for name in journals
            if not self._is_in_sealed_part(name)
            and merge_journal(primary, mirror, name, self._certificate)
        }
        logs = [name for name in sorted(names, key=name_order) if name.endswith(_LOGS)]
        media = [name for name in logs if not name.endswith(_INITS)]
        last = {_folder_of(name): name for name in media}  # it was written at the crash
        changed = bool(newer)
        for name in sorted(names, key=seal_last):  # what is sealed here is not merged any more
            folder = _folder_of(name)
            if self._is_in_sealed_part(name):
                changed |= self._restore_sealed(name)
            elif name in journals:
                continue
            elif name in logs:
                is_open = name.endswith(_INITS) or last.get(folder) == name
                changed |= self._merge_log(name, is_open=is_open)
            else:
                changed |= self._merge_whole(name, is_newer=folder in newer)
        return changed

    @cached_property
    def _sealed_parts(self) -> frozenset[str]:
        """The parts that are sealed here before anything is merged."""
        parts = part_folders(self._primary.root / self._folder)
        return frozenset(path.name for _, path in parts if is_sealed(path))

    def _is_in_sealed_part(self, name: str) -> bool:
        return self._relative(name).partition("/")[0] in self._sealed_parts

    def _restore_sealed(self, name: str) -> bool:
        """Take a file of a part that is sealed here if the seal covers it; return whether.

        Only one that is absent, and a journal: media are compared when the mirror catches up.
        """
        primary, mirror = self._primary, self._mirror
        is_here, is_journal = primary.exists(name), name.endswith(f"/{JOURNAL_FILE}")
        size = mirror.size(name)
        if is_here and not is_journal:
            return False
        agreed = common_length(primary, mirror, name, size)
        if is_here and agreed == size:
            return False
        part, _, inner = self._relative(name).partition("/")
        if _sealed_sums(primary.root / self._folder / part).get(inner) != _sha256(mirror, name):
            if not is_journal or has_line(mirror, name, agreed, size):
                log.error("%s: is not what is sealed; the second copy is set aside", name)
                primary.keep_range(name, agreed, size, mirror)
            return False
        if is_here:
            log.error("%s: is not what is sealed; it is set aside", name)
            primary.keep_range(name, agreed, primary.size(name), primary)
        path = primary.root / name
        make_folder(path.parent)
        write_chunks(path, _chunks(mirror, name))
        return True

    # -- media -------------------------------------------------------------------------------------
    def _merge_log(self, name: str, *, is_open: bool) -> bool:
        """Take what is right of a media file.

        Args:
            is_open: whether it may have been written at the crash. One that was complete, and is as
                long on both, is compared when the mirror catches up, which takes longer.
        """
        sizes = self._primary.size(name), self._mirror.size(name)
        if not is_open and sizes[0] == sizes[1]:
            return False
        begin = differing_since(self._primary, self._mirror, name, min(sizes))
        if begin == max(sizes):
            return False
        pieces = split_ranges(begin, max(sizes), self._ranges.get(self._relative(name), ()))
        return mend(self._primary, self._mirror, name, pieces, keeps_theirs=True)

    def _relative(self, name: str) -> str:
        return name.removeprefix(f"{self._folder}/")

    # -- small files, and playlists (rewritten when a hearing is declared closed) ------------------
    def _merge_whole(self, name: str, *, is_newer: bool) -> bool:
        """Take the mirror's file if that is right, or this one is absent; return whether."""
        ours, theirs = (_read_whole(volume, name) for volume in (self._primary, self._mirror))
        if ours == theirs and self._primary.exists(name):
            return False
        hashes = {sha256 for _, _, sha256 in self._ranges.get(self._relative(name), ())}

        def rank(data: bytes) -> tuple[bool, bool]:
            is_whole = any(data) and (not name.endswith(".json") or _is_json(data))
            return hashlib.sha256(data).hexdigest() in hashes, is_whole

        is_right = rank(theirs) > rank(ours)
        is_later = rank(theirs) == rank(ours) and (is_newer or theirs.startswith(ours))
        if not (is_right or is_later):
            return False
        if is_right and any(ours):
            log.error("%s: is damaged; it is set aside", name)
            self._primary.keep_range(name, 0, len(ours), self._primary)
        self._primary.write_file(name, theirs)
        return True


def _sealed_sums(part: Path) -> dict[str, str]:
    """Return what the seal of a part covers; nothing if it is damaged."""
    try:
        return parse_sums((part / SUMS).read_text(encoding="utf-8"))
    except (ValueError, KioskError):
        return {}


def _chunks(volume: StorageVolume, name: str) -> Iterator[bytes]:
    for at in range(0, volume.size(name), CHUNK_BYTES):
        yield volume.read(name, at, CHUNK_BYTES)


def _sha256(volume: StorageVolume, name: str) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(volume, name):
        digest.update(chunk)
    return digest.hexdigest()


def _folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def _read_whole(volume: StorageVolume, name: str) -> bytes:
    return volume.read(name, 0, volume.size(name)) if volume.exists(name) else b""


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
