"""Merges two copies of a hearing, guided by the chains of their journals.

After a crash the storages may differ: one of them was absent, slow or has failed. What only the
mirror has is copied to the primary storage before anything is recovered there.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from kiosk.errors import KioskError
from kiosk.evidence.chain import ChainReader, Entry
from kiosk.evidence.seal import is_sealed
from kiosk.storage.atomic_io import make_folder, sync_folder, write_bytes
from kiosk.storage.hearing_folder import HEARING_FILE, JOURNAL_FILE, SUMS, part_folders
from kiosk.storage.replaced_files import REPLACED_FOLDER
from kiosk.storage.store import append_durably
from kiosk.storage.volume import ONLY_HERE

log = logging.getLogger(__name__)
_BLOCK_BYTES = 1 << 20


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


def merge_copies(primary: Path, mirror: Path) -> list[str]:
    """Copy what only ``mirror`` has of unsealed hearings to ``primary``.

    Hearings that are sealed on ``primary`` stay as they are, and so do those that are only on
    ``mirror`` and sealed there (they are copied in the background). Nothing is discarded on either
    side: a journal that has diverged is kept as ``.damaged``.

    Args:
        primary, mirror: roots of the storages.

    Returns:
        the ids of the hearings that got something.
    """
    merged = []
    folder = mirror / "hearings"
    for mirror_hearing in sorted(folder.iterdir()) if folder.is_dir() else []:
        primary_hearing = primary / "hearings" / mirror_hearing.name
        try:
            if (
                not mirror_hearing.is_dir()
                or is_sealed(primary_hearing)
                or (is_sealed(mirror_hearing) and not primary_hearing.is_dir())
            ):
                continue
            if _merge_hearing(primary_hearing, mirror_hearing):
                merged.append(mirror_hearing.name)
        except (OSError, KioskError):
            log.exception("hearing %s: the second copy cannot be taken", mirror_hearing.name)
    return merged


def _merge_hearing(primary: Path, mirror: Path) -> bool:
    """Copy what only the mirror has; return whether there was anything."""
    gone, roots = _replaced_files(primary, mirror), (primary, mirror)
    names = sorted(path.relative_to(mirror).as_posix() for path in mirror.rglob("*"))
    changed = False
    newer = {Path(name).parent for name in names if Path(name).name == JOURNAL_FILE}
    newer = {path for path in newer if _merge_journal(*(r / path / JOURNAL_FILE for r in roots))}
    for name in names:
        source, target = mirror / name, primary / name
        if not source.is_file() or name.rpartition("/")[2].startswith(".") or name in gone:
            continue
        if source.name == JOURNAL_FILE:
            continue
        if source.name in (HEARING_FILE, SUMS) or source.suffix in (".json", ".p7s", ".damaged"):
            changed |= _merge_whole(target, source, is_newer=Path(name).parent in newer)
        else:
            changed |= _merge_appended(target, source, primary.parent.parent)
    return changed or bool(newer)


def _merge_whole(target: Path, source: Path, *, is_newer: bool) -> bool:
    """Take a small file that is absent here, or is of a later seal there; return whether."""
    data = source.read_bytes()
    if target.exists() and (not is_newer or target.read_bytes() == data):
        return False
    make_folder(target.parent)
    write_bytes(target, data)
    return True


def _replaced_files(primary: Path, mirror: Path) -> set[str]:
    """Return the replaced files (relative to the hearing), which must not be restored.

    Names are taken from the raw text, so that a damaged list still counts.
    """
    found: set[str] = set()
    for folder in (primary, mirror):
        path = folder.parent.parent / REPLACED_FOLDER / f"{folder.name}.json"
        if path.exists():
            text = path.read_text(encoding="utf-8")
            prefix = f"hearings/{folder.name}/"
            found |= {name for name in text.split('"') if name.startswith(prefix)}
    return {name.partition(f"{primary.name}/")[2] for name in found}


def _merge_journal(target: Path, source: Path) -> bool:
    """Keep the longer of two chains; return whether it was the mirror's."""
    here, there = ChainReader(target), ChainReader(source)
    if target.exists():
        for _ in here:  # to its end
            pass
    agrees = here.head.count == 0
    for _ in there:
        agrees |= there.head == here.head
    if there.head.count <= here.head.count:
        return False
    if not agrees:
        log.error("%s: the two copies went different ways", target)
        shutil.copy2(target, target.with_name(f"{target.name}.damaged"))
    _append_from(target, source, here.length if agrees else 0, there.length)
    return True


def _merge_appended(target: Path, source: Path, root: Path) -> bool:
    """Append the mirror's surplus of a media file or playlist where the rest is the same.

    Otherwise the mirror's end is set aside below ``root``: recovery cuts the file on both.
    """
    have, size = target.stat().st_size if target.exists() else 0, source.stat().st_size
    if size <= have:
        return False
    if have and not _has_same_tail(target, source, have):
        log.error("%s: the two copies differ", target)
        begin = max(0, have - _BLOCK_BYTES)
        kept = root / ONLY_HERE / f"{target.relative_to(root)}.{begin}-{size}"
        _append_from(kept, source, begin, at=0)
        return False
    _append_from(target, source, have)
    return True


def _has_same_tail(target: Path, source: Path, size: int) -> bool:
    """Return whether the last megabyte of the common bytes is the same: a crash damages the end."""
    begin = max(0, size - _BLOCK_BYTES)
    with target.open("rb") as here, source.open("rb") as there:
        here.seek(begin)
        there.seek(begin)
        return here.read(size - begin) == there.read(size - begin)


def _append_from(
    target: Path, source: Path, begin: int, end: int | None = None, at: int | None = None
) -> None:
    """Copy ``source`` from ``begin`` to ``end`` into ``target``, to the same place or to ``at``."""
    at = begin if at is None else at
    make_folder(target.parent)
    with source.open("rb") as file:
        file.seek(begin)
        while True:
            left = _BLOCK_BYTES if end is None else min(_BLOCK_BYTES, end - file.tell())
            data = file.read(left)
            if not data:
                break
            append_durably(target, at, data)
            at += len(data)
    if not target.exists():
        append_durably(target, 0, b"")
    sync_folder(target.parent)
