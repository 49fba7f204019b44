"""Reads a run of a closed part with the court's key as if it were plain; writes nothing.

A fragment is decrypted when it is read; only the last one is kept.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from kiosk.recording.encryption.decrypt import (
    DecryptError,
    Identities,
    decrypt_fragment,
    decrypt_init,
)
from kiosk.recording.formats.run_reader import ConcatenatedReader, MediaCounts, count_media
from kiosk.recording.journal.part_index import PartIndex
from kiosk.storage.hearing_folder import CLOSED_SUFFIX


class DecryptedRun(ConcatenatedReader):
    """The initialisation segment and all fragments of a run, plain.

    Args:
        run: ``part-NN/<track>/run-NN``; ``index`` of its part.

    Raises:
        DecryptError: the initialisation segment cannot be opened.
        OSError, KeyError: there is none; a record is malformed.
    """

    def __init__(self, run: Path, index: PartIndex, identities: Identities) -> None:
        self._part = run.parent.parent
        self._identities = identities
        self._init = decrypt_init(run, identities)
        self._fragments = [
            (name, fragment)
            for name in index.files_of(run.relative_to(self._part).as_posix())
            for fragment in index.fragments[name]
        ]
        self._last_decrypted: tuple[int, bytes] = (0, self._init)
        super().__init__([len(self._init), *(_plain_length(*item) for item in self._fragments)])

    def _read_piece(self, number: int, offset: int, size: int) -> bytes:
        if self._last_decrypted[0] != number:
            self._last_decrypted = number, self._decrypt(number)
        return self._last_decrypted[1][offset : offset + size]

    def _decrypt(self, number: int) -> bytes:
        if number == 0:
            return self._init
        name, fragment = self._fragments[number - 1]
        with (self._part / name).open("rb") as file:
            file.seek(int(fragment["offset"]))
            data = file.read(int(fragment["length"]))
        try:
            return decrypt_fragment(name, fragment, data, self._identities)
        except DecryptError as error:
            raise OSError(errno.EIO, f"a fragment cannot be opened: {error}") from error


def _plain_length(name: str, fragment: dict[str, Any]) -> int:
    return int(fragment["plain_length" if name.endswith(CLOSED_SUFFIX) else "length"])


def count_decrypted_run(run: Path, index: PartIndex, identities: Identities) -> MediaCounts:
    """Decode every picture and sample of a run of which anything is closed, and count them."""
    counts = MediaCounts()
    try:
        with DecryptedRun(run, index, identities) as run_media:
            count_media(run_media, counts)
    except (DecryptError, OSError, KeyError, TypeError, ValueError) as error:
        counts.errors.append(str(error))
    return counts
