"""Compares the two copies of a hearing's files: which is right, and what only one of them has.

There is one rule, at the recovery (:mod:`kiosk.recording.repair.copy_merge`) and when a storage
catches up: a copy is right where it has the hash that the journal holds. Where the journal says
nothing, or neither copy agrees, the one that holds more is taken. What is not taken is set aside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kiosk.storage.hearing_folder import SUMS
from kiosk.storage.volume import CHUNK_BYTES, StorageVolume
from kiosk.storage.volume_worker import VolumeWorker

WHOLE_FILE_SUFFIXES = (SUMS, ".p7s", ".json")
PLAYLIST_SUFFIX = ".m3u8"
"""A playlist is a log, but it is rewritten when its hearing is declared closed."""
HashedRanges = Iterable[tuple[int, int, str]]
"""``(offset, length, sha256)`` of ranges of a file."""


def better_bytes(ours: bytes, theirs: bytes, sha256: str) -> bytes:
    """Return what is right of two copies of a piece of a log (ours if both are as good).

    Args:
        sha256: the hash that the journal holds of it; ``""``: none.
    """
    for data in (ours, theirs):
        if sha256 and hashlib.sha256(data).hexdigest() == sha256:
            return data
    first, second = sorted((ours, theirs), key=_content_length, reverse=True)
    return first + second[len(first) :]


def _content_length(data: bytes) -> int:
    """Return the length of ``data`` without the zeros at its end, which a power cut leaves."""
    return len(data.rstrip(b"\0"))


def mend(
    target: StorageVolume,
    other: StorageVolume,
    name: str,
    pieces: Sequence[tuple[int, int, str]],
    *,
    keeps_theirs: bool,
) -> bool:
    """Make each piece of a log of ``target`` what is right of both copies.

    Before, what is not right (of ``other``, too, if ``keeps_theirs``) is set aside on ``target``.

    Args:
        pieces: ``(offset, length, sha256)`` in order, without gaps beyond the end of the log.

    Returns:
        Whether the log has changed.
    """
    here = [piece for piece in pieces if piece[0] < target.size(name)]  # what could be lost
    for source in (target, other) if keeps_theirs else (target,):
        lost: list[tuple[int, int]] = []
        for offset, ours, theirs, right in _judge(target, other, name, here):
            data = ours if source is target else theirs
            if not right.startswith(data.rstrip(b"\0")):
                _extend(lost, offset, offset + len(data))
        for begin, end in lost:
            target.keep_range(name, begin, end, source)
    has_changed = False
    for offset, ours, _, right in _judge(target, other, name, pieces):
        if right != ours:
            write = target.patch if ours else target.append
            write(name, offset, right)
            has_changed = True
    return has_changed


def fill_holes(
    target: StorageVolume,
    other: StorageVolume,
    name: str,
    pieces: Iterable[tuple[int, int, str]],
) -> Iterator[tuple[int, bytes]]:
    """Fill the holes (zeros) of a log of ``target``; yield what is right and damaged on ``other``.

    Other bytes are replaced only by those that have the hash of the journal, and are set aside on
    their own storage before.

    Args:
        pieces: ``(offset, length, sha256)``, within the copy of ``other``.

    Yields:
        ``(offset, bytes)`` of what ``other`` is to be given.
    """
    for offset, length, sha256 in pieces:
        present = target.read(name, offset, length) if target.exists(name) else b""
        theirs = other.read(name, offset, length)
        if present == theirs:
            continue
        ours = present.ljust(len(theirs), b"\0")
        filled = bytes(a or b for a, b in zip(ours, theirs, strict=False))
        found = (x for x in (ours, filled, theirs) if hashlib.sha256(x).hexdigest() == sha256)
        confirmed = next(found, None)
        right = filled if confirmed is None else confirmed
        for volume, data in ((target, ours), (other, theirs)):
            is_replaced = volume is target or confirmed is not None
            if is_replaced and any(a and a != b for a, b in zip(data, right, strict=False)):
                volume.keep_range(name, offset, offset + length, volume)
        if right != present:  # a file may end with zeros, as a tar does
            target.patch(name, offset, right)
        if confirmed is not None and right != theirs:
            yield offset, right


def has_recorded_bytes(
    volume: StorageVolume, folder: str, ranges: Mapping[str, HashedRanges]
) -> bool:
    """Return whether the files of a hearing's folder have the bytes that its journals hold.

    Files that are absent are left out.
    """
    return all(
        hashlib.sha256(volume.read(path, offset, length)).hexdigest() == sha256
        for path, rows in ((f"{folder}/{name}", rows) for name, rows in ranges.items())
        if volume.exists(path)
        for offset, length, sha256 in rows
    )


def _judge(
    target: StorageVolume,
    other: StorageVolume,
    name: str,
    pieces: Iterable[tuple[int, int, str]],
) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    """Yield for each piece of a log: offset, bytes of both copies, and what is right."""
    for offset, length, sha256 in pieces:
        ours = target.read(name, offset, length) if target.size(name) > offset else b""
        theirs = other.read(name, offset, length) if other.size(name) > offset else b""
        yield offset, ours, theirs, better_bytes(ours, theirs, sha256)


def _extend(ranges: list[tuple[int, int]], begin: int, end: int) -> None:
    """Add a range, as one with the last if it follows that."""
    if ranges and ranges[-1][1] == begin:
        begin = ranges.pop()[0]
    ranges.append((begin, end))


def differing_since(one: StorageVolume, other: StorageVolume, name: str, end: int) -> int:
    """Return from where on two copies differ at their ends; a crash damages the end of a log.

    Args:
        end: the length of the shorter one.
    """
    while end > 0:
        begin = max(0, end - CHUNK_BYTES)
        if one.read(name, begin, end - begin) == other.read(name, begin, end - begin):
            return end
        end = begin
    return 0


def common_length(one: StorageVolume, other: StorageVolume, name: str, size: int) -> int:
    """Return how many of the first ``size`` bytes of a log are equal on both storages."""
    at, end = 0, min(size, one.size(name))
    while at < end:
        length = min(CHUNK_BYTES, end - at)
        ours, theirs = one.read(name, at, length), other.read(name, at, length)
        if ours != theirs:
            return at + next(
                (i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b),
                min(len(ours), len(theirs)),
            )
        at += length
    return end


def is_equal(one: StorageVolume, other: StorageVolume, name: str) -> bool:
    """Return whether a small file is the same on both storages."""
    size = one.size(name)
    return size == other.size(name) and one.read(name, 0, size) == other.read(name, 0, size)


def is_as_long(copy: StorageVolume, original: StorageVolume, hearing: str) -> bool:
    """Return whether ``copy`` has as much of each file of a hearing as ``original``."""
    names = original.list_files(f"hearings/{hearing}")
    return all(copy.size(name) == original.size(name) for name in names)


def find_only_on(
    dest: VolumeWorker, source: VolumeWorker, names: Sequence[str]
) -> list[tuple[str, int, int]]:
    """Return the ranges ``(name, begin, end)`` of files that only ``dest`` has.

    Small files that differ are among them if a log differs: they describe it.
    """
    found, whole = [], []
    for name in names:
        end = dest.volume.size(name)
        if name.endswith(WHOLE_FILE_SUFFIXES):
            whole.append((name, 0, end))
        elif not name.endswith(PLAYLIST_SUFFIX):
            begin = _agreed_length(dest, source, name)
            if begin < end:
                found.append((name, begin, end))
    if found:
        found += [
            row for row in whole if row[2] and not is_equal(dest.volume, source.volume, row[0])
        ]
    return found


def _agreed_length(dest: VolumeWorker, source: VolumeWorker, name: str) -> int:
    """Return how much at the start of a log of ``dest`` is on ``source``, or on its way there."""
    with source.changed:
        size, copied = source.log_lengths.get(name), dest.log_lengths.get(name)
        coming = [end for _, end in source.log_ends_to_come(name)]
    size = source.volume.size(name) if size is None else size
    if copied is None:
        return common_length(dest.volume, source.volume, name, size)
    return min(max([size, *coming]), dest.volume.size(name))


def split_ranges(start: int, size: int, ranges: HashedRanges) -> list[tuple[int, int, str]]:
    """Split ``[start, size)`` into recorded ranges with their hashes, and other ranges without."""
    found: list[tuple[int, int, str]] = []
    at = start
    for offset, length, sha256 in sorted(ranges):
        if offset + length <= at or offset + length > size:
            continue
        begin = min(offset, at) if offset <= at else offset
        found += _unhashed_ranges(at, offset)
        # a partly copied range is copied whole, so that its hash can be checked
        found.append((begin, offset + length - begin, sha256))
        at = offset + length
    return [*found, *_unhashed_ranges(at, size)]


def _unhashed_ranges(start: int, end: int) -> list[tuple[int, int, str]]:
    return [(at, min(CHUNK_BYTES, end - at), "") for at in range(start, end, CHUNK_BYTES)]
