"""The largest PATCH body that comes through; it shrinks when a box on the line shows its limit.

Web servers refuse bodies above 1 MiB by default (413), other boxes cut the connection. What was
learnt is kept for a day, also over restarts; then the full size is tried again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from kiosk.clocks import format_wall, parse_wall, wall_time
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json

log = logging.getLogger(__name__)

MIN_BYTES = 64 * 1024
SHRINK_FACTOR = 4
KEEP = timedelta(days=1)


class PatchLimit:
    """How many bytes a PATCH may carry.

    Args:
        most: while no limit has shown.
        file: where a limit is kept; None: nowhere.
    """

    def __init__(self, most: int, file: Path | None = None) -> None:
        self._most = most
        self._file = file
        self._limit = None if file is None else read_json_or_none(file)

    @property
    def size(self) -> int:
        """Bytes of the next PATCH."""
        found = self._limit or {}
        limit, at = found.get("bytes"), parse_wall(str(found.get("at")))
        if not isinstance(limit, int) or at is None:
            return self._most
        is_fresh = timedelta(0) <= wall_time() - at < KEEP
        return max(MIN_BYTES, min(limit, self._most)) if is_fresh else self._most

    def shrink(self, refused: int) -> bool:
        """Record that a body of ``refused`` bytes does not come through.

        Returns:
            whether a smaller one may be tried.

        Raises:
            StorageError: the disk refuses.
        """
        if refused <= MIN_BYTES:
            return False
        size = max(MIN_BYTES, refused // SHRINK_FACTOR)
        if size < self.size:
            log.warning("PATCH bodies shrink to %d bytes: one of %d did not pass", size, refused)
            self._limit = {"bytes": size, "at": format_wall()}
            if self._file is not None:
                make_folder(self._file.parent)
                write_json(self._file, self._limit)
        return True
