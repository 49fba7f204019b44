"""A run of a closed part read with the court's key as if it lay there plain; nothing is written.

A fragment is decrypted when it is read, and forgotten again.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from kiosk.recording.encryption.decrypt import DecryptError, Identities, plain_init, plain_of
from kiosk.recording.formats.joined_run import CLOSED_SUFFIX, Counts, Joined, count_joined
from kiosk.recording.journal.part_index import PartView


class OpenedRun(Joined):
    """The initialisation segment and all fragments of a run, plain.

    Args:
        run: ``part-NN/<track>/run-NN``; ``view`` of its part.

    Raises:
        DecryptError: the initialisation segment cannot be opened.
        OSError, KeyError: there is none; a record is malformed.
    """

    def __init__(self, run: Path, view: PartView, identities: Identities) -> None:
        self._part = run.parent.parent
        self._identities = identities
        self._init = plain_init(run, identities)
        prefix = run.relative_to(self._part).as_posix() + "/"
        self._pieces = sorted(
            (
                (name, piece)
                for name, pieces in view.fragments.items()
                for piece in pieces
                if name.startswith(prefix)
            ),
            key=lambda one: int(one[1]["start_ns"]),
        )
        self._newest: tuple[int, bytes] = (0, self._init)
        super().__init__([len(self._init), *(_plain_length(*one) for one in self._pieces)])

    def _read_in(self, index: int, offset: int, size: int) -> bytes:
        if self._newest[0] != index:
            self._newest = index, self._plain(index)
        return self._newest[1][offset : offset + size]

    def _plain(self, index: int) -> bytes:
        if index == 0:
            return self._init
        name, piece = self._pieces[index - 1]
        with (self._part / name).open("rb") as file:
            file.seek(int(piece["offset"]))
            data = file.read(int(piece["length"]))
        try:
            return plain_of(name, piece, data, self._identities)
        except DecryptError as error:
            raise OSError(errno.EIO, f"a fragment cannot be opened: {error}") from error


def _plain_length(name: str, piece: dict[str, Any]) -> int:
    return int(piece["plain_length" if name.endswith(CLOSED_SUFFIX) else "length"])


def count_opened(run: Path, view: PartView, identities: Identities) -> Counts:
    """Decode every picture and sample of a run of which anything is closed, and count them."""
    counts = Counts()
    try:
        with OpenedRun(run, view, identities) as joined:
            count_joined(joined, counts)
    except (DecryptError, OSError, KeyError, TypeError, ValueError) as error:
        counts.errors.append(str(error))
    return counts
