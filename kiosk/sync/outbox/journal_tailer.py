"""Reads new entries of the journals of undelivered hearings that must be sent at once.

Reads from where the last poll ended; an incomplete line is left for the next poll. Of the signed
heads, which come with every write, only the newest of a poll is passed on: it covers those before.
Of hearings that must not leave by network it passes on only which files are to be deleted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kiosk.storage.hearing_folder import JOURNAL_FILE, part_folders
from kiosk.sync.outbox.manifest import UUID, is_courier_only

log = logging.getLogger(__name__)

HEARING_CHAIN = 0  # the "part" of the hearing's own journal
CLOSING = b'"kind":"closed_since"'
"""What had left before a secret was named is deleted there: this alone is sent of it."""
_HEAD_MARKER = b'"kind":"head"'
EntryHandler = Callable[[str, int, dict[str, Any]], object]


class JournalTailer:
    """Passes each new journal entry of certain kinds to its handler.

    Args:
        hearings: the folder of hearings.
        handlers: by kind of entry; called with hearing, part (0: the hearing's chain) and entry.
        delivered_ids: returns the hearings that are not read any more.
    """

    def __init__(
        self,
        hearings: Path,
        handlers: Mapping[str, EntryHandler],
        delivered_ids: Callable[[], set[str]],
    ) -> None:
        self._hearings = hearings
        self._handlers = handlers
        self._markers = [f'"kind":"{kind}"'.encode() for kind in handlers]
        self._delivered_ids = delivered_ids
        self._read_to: dict[Path, int] = {}

    def poll(self) -> None:
        """Handle the new entries."""
        if not self._hearings.is_dir():
            return
        done = self._delivered_ids()
        for hearing in self._hearings.iterdir():
            if not UUID.match(hearing.name) or hearing.name in done:
                continue
            if is_courier_only(hearing):
                self._read_journal(hearing.name, HEARING_CHAIN, hearing / JOURNAL_FILE, CLOSING)
                continue
            for part, folder in ((HEARING_CHAIN, hearing), *part_folders(hearing)):
                self._read_journal(hearing.name, part, folder / JOURNAL_FILE)

    def _read_journal(self, hearing_id: str, part: int, journal: Path, only: bytes = b"") -> None:
        """Handle the new lines of one journal, read one by one; of its heads only the newest.

        Args:
            only: what a line has that is handled; empty: all are.
        """
        position, newest_head = self._read_to.get(journal, 0), b""
        try:
            with journal.open("rb") as file:
                file.seek(position)
                while (line := file.readline()).endswith(b"\n"):
                    if only not in line:
                        pass
                    elif _HEAD_MARKER in line:
                        newest_head = line
                    else:
                        self._handle(hearing_id, part, line)
                    position += len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("journal of a hearing cannot be read: %s", error.strerror)
            return
        self._handle(hearing_id, part, newest_head)
        self._read_to[journal] = position

    def _handle(self, hearing_id: str, part: int, line: bytes) -> None:
        """Pass the entry in ``line`` to the handler of its kind, if there is one."""
        if not any(marker in line for marker in self._markers):
            return
        try:
            entry = json.loads(line)
        except ValueError:
            return
        handler = self._handlers.get(str(entry.get("kind"))) if isinstance(entry, dict) else None
        if handler is not None:
            handler(hearing_id, part, entry)
