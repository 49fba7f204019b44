"""Names of files and folders within a hearing's folder (see docs/interfaces.md)."""

from __future__ import annotations

import re

HEARING_FILE = "hearing.json"
PART_FILE = "part.json"
JOURNAL_FILE = "journal.jsonl"
COURIER_ONLY_MARKER = "courier-only"
"""Marker file: this hearing never leaves by network (R86, R87). It is not sealed."""
TRACKS = ("main", "channels")
PART_FOLDER_PATTERN = re.compile(r"part-(\d\d+)")


def part_folder_name(part: int) -> str:
    """Return the folder name of part number ``part``."""
    return f"part-{part:02d}"
