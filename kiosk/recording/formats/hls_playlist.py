"""The HLS media playlist of ``main`` (RFC 8216): any browser plays the part while it grows.

It is only ever appended to (EVENT), so keeping it durable costs one small write a segment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from kiosk.storage.hearing_folder import PLAYLIST
from kiosk.storage.store import Store, WriteTicket


def truncate_playlist(text: str, playable: Mapping[str, tuple[str, int]]) -> str:
    """Return an ended playlist up to its first segment that is gone; ``""`` if all are gone.

    Args:
        text: the playlist.
        playable: for each file name in it, the file that has the beginning of its media now, and
            that file's size in bytes.
    """
    kept: list[str] = []
    whole = length = offset = 0
    for line in text.splitlines():
        if line.startswith("#EXT-X-BYTERANGE:"):
            length, offset = map(int, line.partition(":")[2].split("@"))
        if line and not line.startswith("#"):
            name, size = playable.get(line, ("", 0))
            if offset + length > size:
                return "\n".join([*kept[:whole], "#EXT-X-ENDLIST", ""]) if whole else ""
            kept.append(name)
            whole = len(kept)
        else:
            kept.append(line)
    return "\n".join([*kept, ""])


class Playlist:
    """Appends segments to ``index.m3u8``.

    Args:
        folder: ``main/`` of the part.
        longest_seconds: upper limit of a segment's length.
        store: writes the bytes.
    """

    def __init__(self, folder: Path, longest_seconds: float, store: Store) -> None:
        self._store = store
        self._tickets: list[WriteTicket] = []
        self._path = folder / PLAYLIST
        self._text = (
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            f"#EXT-X-TARGETDURATION:{math.ceil(longest_seconds)}\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
        )
        self._written = 0
        self._runs = 0

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def start_run(self, init: str, wall: str) -> None:
        """Start a run with the initialisation file ``init`` at wall time ``wall``."""
        if self._runs:
            self._text += "#EXT-X-DISCONTINUITY\n"
        self._runs += 1
        self._text += f'#EXT-X-MAP:URI="{init}"\n#EXT-X-PROGRAM-DATE-TIME:{wall}\n'

    def add_segment(self, file: str, offset: int, length: int, seconds: float) -> None:
        """Append one segment: a byte range of ``file``."""
        self._text += f"#EXTINF:{seconds:.6f},\n#EXT-X-BYTERANGE:{length}@{offset}\n{file}\n"

    def end(self) -> None:
        """Mark the playlist as ended."""
        self._text += "#EXT-X-ENDLIST\n"

    def write(self) -> bytes:
        """Bring the file up to date; return all of it.

        Raises:
            BlockingIOError: it is not durable yet.
            OSError, StorageError: the disk refuses; the next call tries again.
        """
        data = self._text.encode("ascii")
        if len(data) > self._written:
            new = data[self._written :]
            self._tickets.append(self._store.append(self._path, self._written, new))
            self._written = len(data)
        while self._tickets:
            if not self._tickets[0].is_durable():
                raise BlockingIOError
            self._tickets.pop(0)
        return data
