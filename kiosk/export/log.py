"""Log of exports: who asked for a copy of which hearing, when, why, and the outcome.

One file per copy, ``exports/<copy uuid>.json``, beside the sealed folders, which are never written
to. The log is sent nowhere; it answers the question who has a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.clocks import format_wall
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json
from kiosk.storage.paths import Paths


class ExportLogEntry:
    """The log file of one export."""

    def __init__(self, paths: Paths, copy_id: str) -> None:
        self._path = paths.exports / f"{copy_id}.json"
        self._entry: dict[str, Any] = {"id": copy_id}

    def begin(self, hearing: str, drive: str, request: Mapping[str, Any]) -> None:
        """Record who asks, before anything leaves.

        Raises:
            StorageError: it cannot be written; then nothing may leave.
        """
        make_folder(self._path.parent)
        self._entry |= {"hearing": hearing, "medium": drive, "asked_at": format_wall(), **request}
        self._write(state="running")

    def end(self, state: str, result: Mapping[str, Any]) -> None:
        """Record the outcome: ``done``, ``failed`` or ``cancelled``."""
        self._write(state=state, ended_at=format_wall(), **result)

    def _write(self, **fields: object) -> None:
        self._entry |= fields
        write_json(self._path, self._entry)


def list_exports(paths: Paths) -> list[dict[str, Any]]:
    """Return all entries, newest first, without unreadable ones."""
    files = paths.exports.glob("*.json") if paths.exports.is_dir() else ()
    entries = [entry for path in files if (entry := read_json_or_none(path))]
    return sorted(entries, key=lambda entry: str(entry.get("asked_at", "")), reverse=True)
