"""The journal of sign-ins: who tried, where, when, and whether it was right.

``sign-in/journal.jsonl``, one JSON object a line, the recorder's alone. It holds ids of persons,
never a name, PIN, badge or code. At one mebibyte it becomes ``journal.1.jsonl`` and the one before
is deleted: some 20,000 lines are kept.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Literal

from kiosk.auth.person import Place
from kiosk.clocks import format_wall
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder

log = logging.getLogger(__name__)
MAX_BYTES = 1 << 20
Outcome = Literal["signed_in", "wrong", "made", "ended"]
"""``made`` and ``ended`` are said of the first technician's code."""
Proof = Literal["pin", "badge", "code"]


class SignInJournal:
    """Appends to the journal; a disk that refuses keeps nobody out.

    Args:
        path: the file.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def append(
        self, outcome: Outcome, proof: Proof, person: str | None, place: Place | None = None
    ) -> None:
        """Add a line; durable when this returns.

        Args:
            person: id on the staff list; None: nobody's.
            place: where it was; None: nowhere, the kiosk or its technician did it.
        """
        row = {
            "at": format_wall(),
            "outcome": outcome,
            "proof": proof,
            "person": person,
            "place": place,
        }
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            with self._lock:
                self._write(line)
        except (OSError, StorageError) as error:
            log.error("the journal of sign-ins cannot be written: %s", type(error).__name__)

    def _write(self, line: bytes) -> None:
        make_folder(self._path.parent, 0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if size + len(line) > self._max_bytes:
            self._path.replace(self._path.with_name("journal.1.jsonl"))
