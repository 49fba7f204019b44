"""Files that were replaced and must not survive on any storage: ``replaced/<hearing id>.json``.

The list is written before the files go, on every storage, and outlives a storage's absence.
"""

from __future__ import annotations

import json

from kiosk.storage.volume import SET_ASIDE, Disk

FOLDER = "replaced"


def list_name(hearing: str) -> str:
    """Return the name of the list of ``hearing``."""
    return f"{FOLDER}/{hearing}.json"


def buried(disk: Disk, hearing: str) -> set[str]:
    """Return the files of ``hearing`` that must not exist any more, as ``disk`` knows them.

    Raises:
        OSError: it cannot be read.
    """
    name = list_name(hearing)
    if not disk.exists(name):
        return set()
    try:
        value = json.loads(disk.read(name, 0, disk.size(name)))
        return {str(one) for one in value["removed"]}
    except (ValueError, KeyError, TypeError):
        return set()


def places_of(name: str) -> tuple[str, str]:
    """Return where a file of a hearing can lie on a storage: in place, and set aside."""
    return name, f"{SET_ASIDE}/{name}"


def remains(disk: Disk, gone: set[str]) -> list[str]:
    """Return the files on ``disk`` that must not exist any more."""
    places = (place for name in sorted(gone) for place in places_of(name))
    return [place for place in places if disk.exists(place)]


def as_bytes(names: set[str]) -> bytes:
    """Return the list as it is written."""
    return json.dumps({"removed": sorted(names)}, indent=1).encode() + b"\n"


def with_buried(disk: Disk, hearing: str, names: tuple[str, ...]) -> tuple[str, bytes]:
    """Return name and content of the list of ``hearing`` with ``names`` added."""
    return list_name(hearing), as_bytes(buried(disk, hearing) | set(names))
