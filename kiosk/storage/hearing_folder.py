"""Names of files and folders within a hearing's folder (see docs/interfaces.md).

A track of a part consists of runs: ``part-01/main/run-01/`` has one initialisation file and the
media files that need it.
"""

from __future__ import annotations

import re
from pathlib import Path

HEARING_FILE = "hearing.json"
PART_FILE = "part.json"
JOURNAL_FILE = "journal.jsonl"
COURIER_ONLY_MARKER = "courier-only"
"""Marker file: this hearing never leaves by network (R86, R87). It is not sealed."""
RECEIPTS_FOLDER = "receipts"
"""Scans of signed receipts, ``001.pdf`` or (closed) ``001.pdf.age`` (R48)."""
SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.p7s"
TRACKS = ("main", "channels")
PLAYLIST = "index.m3u8"
INIT = "init.mp4"
MEDIA_SUFFIX = ".m4s"
CLOSED_INIT = "init.tar"
CLOSED_SUFFIX = ".tar"
"""Suffix of media files of a closed part: a tar of age files."""
AGE_SUFFIX = ".age"
"""Added to the name of a file that is encrypted for the court."""
OPEN_SUFFIX = "-open"
"""Added to the name of a plain file that keeps the beginning of one that was declared closed."""
PART_FOLDER_PATTERN = re.compile(r"part-(\d\d+)")


def part_folder_name(part: int) -> str:
    """Return the folder name of part number ``part``."""
    return f"part-{part:02d}"


def part_folders(hearing: Path) -> list[tuple[int, Path]]:
    """Return number and folder of each part in the folder of a hearing, by number."""
    found = [
        (int(match[1]), path)
        for path in (hearing.iterdir() if hearing.is_dir() else ())
        if path.is_dir() and (match := PART_FOLDER_PATTERN.fullmatch(path.name))
    ]
    return sorted(found)


def name_order(name: str) -> tuple[str | int, ...]:
    """Return a sort key that compares numbers in names by value: 11 comes before 100."""
    pieces = enumerate(re.split(r"([0-9]+)", name))
    return tuple(int(piece) if place % 2 else piece for place, piece in pieces)


def seal_last(name: str) -> tuple[bool, bool, str]:
    """Return a sort key for files that are copied: a seal after what it covers, the hearing's last.

    Args:
        name: relative to the storage (``hearings/<id>/…``).
    """
    is_seal = name.endswith((SUMS, SIGNATURE))
    return is_seal and name.count("/") == 2, is_seal, name
