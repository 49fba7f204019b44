"""Lists of files that were replaced and must be removed: ``replaced/<hearing id>.json``.

A storage gets the list before its files are removed. One that was absent removes them later.
"""

from __future__ import annotations

import json
import re

from kiosk.storage.volume import ONLY_HERE, SET_ASIDE, StorageVolume

REPLACED_FOLDER = "replaced"


def list_path(hearing: str) -> str:
    """Return the path of the list of ``hearing``."""
    return f"{REPLACED_FOLDER}/{hearing}.json"


def read_replaced(volume: StorageVolume, hearing: str) -> set[str]:
    """Return the files of ``hearing`` that must not exist any more, as ``volume`` knows them.

    They are taken from the raw text, so that a damaged list still counts.

    Raises:
        OSError: it cannot be read.
    """
    name = list_path(hearing)
    if not volume.exists(name):
        return set()
    text = volume.read(name, 0, volume.size(name)).decode("utf-8", "replace")
    return set(re.findall(r'"(hearings/[^"]+)"', text))


def possible_paths(name: str) -> tuple[str, str]:
    """Return the paths at which a storage can have a file: in place, and set aside."""
    return name, f"{SET_ASIDE}/{name}"


def find_surviving(volume: StorageVolume, replaced: set[str]) -> list[str]:
    """Return the files on ``volume`` that must not exist any more."""
    paths = (path for name in sorted(replaced) for path in possible_paths(name))
    folders = sorted({"/".join(name.split("/")[:2]) for name in replaced})
    kept = (path for folder in folders for path in volume.list_files(f"{ONLY_HERE}/{folder}"))
    return [path for path in paths if volume.exists(path)] + [
        path for path in kept if path.removeprefix(f"{ONLY_HERE}/").rpartition(".")[0] in replaced
    ]


def encode_replaced(names: set[str]) -> bytes:
    """Return the content of the list."""
    return json.dumps({"removed": sorted(names)}, indent=1).encode() + b"\n"


def extend_replaced(
    volume: StorageVolume, hearing: str, names: tuple[str, ...]
) -> tuple[str, bytes]:
    """Return name and content of the list of ``hearing`` with ``names`` added."""
    return list_path(hearing), encode_replaced(read_replaced(volume, hearing) | set(names))
