"""Names of files and folders within a hearing's folder (see docs/interfaces.md)."""

from __future__ import annotations

import re

HEARING = "hearing.json"
PART = "part.json"
JOURNAL = "journal.jsonl"
COURIER_ONLY = "courier-only"
"""Marker: this hearing never leaves by network (R86, R87); beside what is sealed."""
TRACKS = ("main", "channels")
PART_NAME = re.compile(r"part-(\d\d+)")


def part_name(part: int) -> str:
    """Return the folder name of part number ``part``."""
    return f"part-{part:02d}"
