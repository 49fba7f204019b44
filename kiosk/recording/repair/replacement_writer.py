"""Writes a file that replaces plain media of a hearing that was declared closed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError
from kiosk.recording.formats.fragment_codec import FragmentCodec
from kiosk.storage.store import Store

DISK_TIMEOUT_S = 30.0
"""How long to wait for a disk before retrying from the start."""


class ReplacementWriter:
    """Writes one new file through the store, durably, fragment by fragment.

    Attributes:
        fragments: records of its fragments, as the journal keeps them.
    """

    def __init__(self, store: Store, part: Path, name: str, codec: FragmentCodec) -> None:
        self._store = store
        self._path = part / name
        self._name = name
        self._codec = codec
        self._length = 0
        self._digest, self._plain_digest = hashlib.sha256(), hashlib.sha256()
        self.fragments: list[dict[str, Any]] = []

    @property
    def journal_entry(self) -> dict[str, Any]:
        """The journal's entry about the file as a whole."""
        value = {"file": self._name, "sha256": self._digest.hexdigest()}
        if self._codec.is_encrypted:
            value["plain_sha256"] = self._plain_digest.hexdigest()
        return value

    def add(self, member: str, fragment: Mapping[str, Any] | None, plain: bytes) -> None:
        """Append one fragment; ``fragment`` is the plain fragment's record (None: no fragment)."""
        times = (int(fragment["start_ns"]), int(fragment["end_ns"])) if fragment else (0, 0)
        data = self._codec.encode(
            member, plain, *times, tuple(fragment["sources"]) if fragment else ()
        )
        if fragment is not None:
            record = {**fragment, "file": self._name, "offset": self._length, "length": len(data)}
            record["was"] = {"file": fragment["file"], "offset": fragment["offset"]}
            if self._codec.is_encrypted:
                record["sha256"] = hashlib.sha256(data).hexdigest()
                # the journal has the hash of what was recorded, even if the disk changed it
                record |= {"plain_length": fragment["length"], "plain_sha256": fragment["sha256"]}
            self.fragments.append(record)
        self._plain_digest.update(plain)
        self._append(data)

    def _append(self, data: bytes) -> None:
        ticket = self._store.append(self._path, self._length, data)
        limit = time.monotonic() + DISK_TIMEOUT_S
        while not ticket.is_durable(min(1.0, DISK_TIMEOUT_S)):
            if time.monotonic() > limit:
                raise StorageError(f"{self._path}: the disk does not take it")
        self._length += len(data)
        self._digest.update(data)

    def finish(self) -> None:
        """End the file, durably."""
        if self._codec.file_trailer:
            self._append(self._codec.file_trailer)
