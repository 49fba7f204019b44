"""Compares the two copies of a hearing's files: what agrees, and what only one of them has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kiosk.storage.hearing_folder import SUMS
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_worker import VolumeWorker

CHUNK_BYTES = 1 << 20
WHOLE_FILE_SUFFIXES = (SUMS, ".p7s", ".json")
PLAYLIST_SUFFIX = ".m3u8"
"""A playlist is a log, but it is rewritten when its hearing is declared closed."""
HashedRanges = Iterable[tuple[int, int, str]]
"""``(offset, length, sha256)`` of ranges of a file."""


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


def find_only_on(
    dest: VolumeWorker, source: VolumeWorker, hearing: str, names: Sequence[str]
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
            begin = _agreed_length(dest, source, hearing, name)
            if begin < end:
                found.append((name, begin, end))
    if found:
        found += [
            row for row in whole if row[2] and not is_equal(dest.volume, source.volume, row[0])
        ]
    return found


def _agreed_length(dest: VolumeWorker, source: VolumeWorker, hearing: str, name: str) -> int:
    """Return how much at the start of a log of ``dest`` is on ``source``, or on its way there."""
    with source.changed:
        size, copied = source.log_lengths.get(name), dest.log_lengths.get(name)
        coming = [op.log_end for op in source.pending(hearing) if op.log_name == name]
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
