"""Looks into the journals of hearings that are not delivered yet for what is to leave at once.

Journals are only read, from where the last look ended; a line that is not complete yet is left
for the next look. Of a hearing that must not leave by network nothing is taken.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kiosk.sync.outbox.manifest import UUID, courier_only

log = logging.getLogger(__name__)

PART = re.compile(r"^part-(\d+)$")
HEARING_CHAIN = 0  # the "part" of the hearing's own journal
Take = Callable[[str, int, dict[str, Any]], object]


class JournalWatch:
    """Hands each new line of some kinds on.

    Args:
        hearings: the folder of hearings.
        takers: by kind of line; called with hearing, part (0: the hearing's chain) and line.
        done: returns the hearings that need no look any more.
    """

    def __init__(
        self, hearings: Path, takers: Mapping[str, Take], done: Callable[[], set[str]]
    ) -> None:
        self._hearings = hearings
        self._takers = takers
        self._marks = [f'"kind":"{kind}"'.encode() for kind in takers]
        self._done = done
        self._read_to: dict[Path, int] = {}

    def look(self) -> None:
        """Hand on what is new."""
        if not self._hearings.is_dir():
            return
        done = self._done()
        for hearing in self._hearings.iterdir():
            if not UUID.match(hearing.name) or hearing.name in done or courier_only(hearing):
                continue
            parts = sorted(hearing.glob("part-*/journal.jsonl"))
            for journal in (hearing / "journal.jsonl", *parts):
                self._look_into(hearing.name, journal)

    def _look_into(self, hearing_id: str, journal: Path) -> None:
        match = PART.match(journal.parent.name)
        part = int(match[1]) if match else HEARING_CHAIN
        start = self._read_to.get(journal, 0)
        try:
            with journal.open("rb") as file:
                file.seek(start)
                text = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("journal of a hearing cannot be read: %s", error.strerror)
            return
        complete = text[: text.rfind(b"\n") + 1]
        for entry in self._wanted(complete):
            self._takers[entry["kind"]](hearing_id, part, entry)
        self._read_to[journal] = start + len(complete)

    def _wanted(self, text: bytes) -> Iterator[dict[str, Any]]:
        for line in text.splitlines():
            if not any(mark in line for mark in self._marks):
                continue
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict) and value.get("kind") in self._takers:
                yield value
