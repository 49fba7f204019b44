"""Receipts of the central system: durable here before anything may be deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json
from kiosk.sync.outbox.manifest import UUID, ManifestFile


class ReceiptStore:
    """The folder of receipts, ``<uuid>.json``."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_folder(folder)

    def path(self, item_id: str) -> Path:
        """Return the path of an item's receipt."""
        return self._folder / f"{item_id}.json"

    def save(self, item_id: str, receipt: dict[str, Any]) -> None:
        """Write a receipt; it is on the disk when this returns."""
        write_json(self.path(item_id), receipt)

    def get(self, item_id: str) -> dict[str, Any] | None:
        """Return the receipt of an item, or None where there is none that can be read."""
        return read_json_or_none(self.path(item_id))

    def all_ids(self) -> list[str]:
        """Return the ids of all items with a receipt."""
        found = (path.stem for path in self._folder.glob("*.json"))
        return sorted(name for name in found if UUID.match(name))


def receipt_hashes(receipt: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 that the central system computed, by path."""
    found = {}
    for file in receipt.get("files", ()):
        if isinstance(file, dict):
            found[str(file.get("path"))] = str(file.get("sha256")).lower()
    return found


def mismatched_paths(receipt: dict[str, Any], files: list[ManifestFile]) -> list[str]:
    """Return the paths of ``files`` whose hash in the receipt differs or is missing."""
    theirs = receipt_hashes(receipt)
    return [file.path for file in files if theirs.get(file.path) != file.sha256]
