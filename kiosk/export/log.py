"""Who asked for a copy of which hearing, when, by which application, and what came of it.

One file per copy beside the sealed folders, ``exports/<copy uuid>.json``: a sealed folder is never
written to. Sent nowhere; it answers the question who has a copy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_text
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.storage.paths import Layout


class ExportLog:
    """The file of one copy."""

    def __init__(self, layout: Layout, copy_id: str) -> None:
        self._path = layout.exports / f"{copy_id}.json"
        self._entry: dict[str, Any] = {"id": copy_id}

    def begin(self, hearing: str, medium: str, asked: Mapping[str, Any]) -> None:
        """Write who asked; before anything leaves.

        Raises:
            StorageError: it cannot be written: then nothing leaves.
        """
        make_folder(self._path.parent)
        self._entry |= {"hearing": hearing, "medium": medium, "asked_at": wall_text(), **asked}
        self._write(state="running")

    def end(self, state: str, result: Mapping[str, Any]) -> None:
        """Write what came of it: ``done``, ``failed`` or ``cancelled``."""
        self._write(state=state, ended_at=wall_text(), **result)

    def _write(self, **fields: Any) -> None:
        self._entry |= fields
        write_json(self._path, self._entry)


def copies_of(layout: Layout) -> list[dict[str, Any]]:
    """Return all entries, the newest first; one that cannot be read is left out."""
    found = []
    for path in layout.exports.glob("*.json") if layout.exports.is_dir() else ():
        entry = _read(path)
        if entry:
            found.append(entry)
    return sorted(found, key=lambda one: str(one.get("asked_at", "")), reverse=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
