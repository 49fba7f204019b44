"""Lists of files that were replaced and must be removed: ``replaced/<hearing id>.json``.

A storage gets the list before its files are removed. One that was absent removes them later.
The list names those again that were *closed*, replaced by encrypted ones: nothing plain of them may
be left, also where it is set aside. What is set aside of others (a file that was torn) stays.
"""

from __future__ import annotations

import json
import re

from kiosk.storage.hearing_folder import MEDIA_SUFFIX
from kiosk.storage.volume import ONLY_HERE, SET_ASIDE, StorageVolume

REPLACED_FOLDER = "replaced"
_RANGE = re.compile(r"\.[0-9]+(-[0-9]+){0,2}$")
"""What follows the name of a file of which a range is set aside."""


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


def read_closed(volume: StorageVolume, hearing: str) -> set[str]:
    """Return those of :func:`read_replaced` that were closed; all, if the list does not tell.

    Raises:
        OSError: it cannot be read.
    """
    name = list_path(hearing)
    try:
        closed = json.loads(volume.read(name, 0, volume.size(name)))["closed"]
        return {str(file) for file in closed}
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError):
        return read_replaced(volume, hearing)


def find_surviving(volume: StorageVolume, replaced: set[str], closed: set[str]) -> list[str]:
    """Return the files on ``volume`` that must not exist any more, in place and set aside.

    What is set aside has the path of its file, and often a range behind it. Media that follow a
    closed file in its run are closed, too, though nothing replaces what is only set aside.
    """
    found = [name for name in sorted(replaced) if volume.exists(name)]
    first: dict[str, str] = {}
    for name in closed:
        if name.endswith(MEDIA_SUFFIX):
            run = name.rpartition("/")[0]
            first[run] = min(name, first.get(run, name))
    for folder in sorted({"/".join(name.split("/")[:2]) for name in closed}):
        for place in (SET_ASIDE, ONLY_HERE):
            for path in volume.list_files(f"{place}/{folder}"):
                name = _RANGE.sub("", path.removeprefix(f"{place}/"))
                since = first.get(name.rpartition("/")[0])
                is_later = since is not None and name.endswith(MEDIA_SUFFIX) and name >= since
                if name in closed or is_later:
                    found.append(path)
    return found


def encode_replaced(names: set[str], closed: set[str]) -> bytes:
    """Return the content of the list."""
    content = {"removed": sorted(names), "closed": sorted(closed)}
    return json.dumps(content, indent=1).encode() + b"\n"


def extend_replaced(
    volume: StorageVolume, hearing: str, names: set[str], closed: set[str]
) -> tuple[str, bytes]:
    """Return name and content of the list of ``hearing`` with ``names`` added."""
    return list_path(hearing), encode_replaced(
        read_replaced(volume, hearing) | names, read_closed(volume, hearing) | closed
    )
