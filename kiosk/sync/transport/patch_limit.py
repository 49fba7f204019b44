"""The largest PATCH body that comes through; it shrinks when a box on the line shows its limit.

Web servers refuse bodies above 1 MiB by default (413), other boxes cut the connection. A limit is
learnt when a smaller body of the same file passes: one file that never passes says nothing about
the others. A cut may have other causes, so it counts when a second file shows it. What was learnt
is kept for a day, also over restarts, by no wall clock; then the full size is tried again.
"""

from __future__ import annotations

import logging
from pathlib import Path

from kiosk.storage.age_stamp import age_seconds, age_stamp
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json

log = logging.getLogger(__name__)

MIN_BYTES = 64 * 1024
SHRINK_FACTOR = 4
KEEP_S = 86_400.0


class PatchLimit:
    """How many bytes a PATCH may carry.

    Args:
        most: while no limit has shown.
        file: where a limit is kept; None: nowhere.
    """

    def __init__(self, most: int, file: Path | None = None) -> None:
        self._most = most
        self._file = file
        self._suspected: str | None = None
        self._limit = None if file is None else read_json_or_none(file)

    @property
    def size(self) -> int:
        """Bytes of the next PATCH."""
        found = self._limit or {}
        limit, age = found.get("bytes"), age_seconds(found.get("learnt"))
        if not isinstance(limit, int) or age is None or age >= KEEP_S:
            return self._most
        return max(MIN_BYTES, min(limit, self._most))

    def learn(self, size: int, upload: str, *, is_certain: bool) -> None:
        """Record that a body of ``size`` bytes passed where a larger one did not.

        Args:
            size: of the body that passed.
            upload: what was sent.
            is_certain: whether the larger one was refused for its size; else it was cut.

        Raises:
            StorageError: the disk refuses.
        """
        if size >= self.size:
            return
        suspected, self._suspected = self._suspected, upload
        if not is_certain and suspected in (None, upload):
            return
        log.warning("PATCH bodies shrink to %d bytes: larger ones do not pass", size)
        self._limit = {"bytes": size, "learnt": age_stamp()}
        if self._file is not None:
            make_folder(self._file.parent)
            write_json(self._file, self._limit)


def smaller_than(refused: int) -> int | None:
    """Return the size to try after a body of ``refused`` bytes; None: it was as small as can be."""
    return None if refused <= MIN_BYTES else max(MIN_BYTES, refused // SHRINK_FACTOR)
