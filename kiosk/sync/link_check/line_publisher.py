"""Publishes how the line is during a hearing: ``published/line.json``, read by the recorder."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from kiosk.api.sync import PublishedLine
from kiosk.clocks import boot_id, boot_seconds
from kiosk.errors import StorageError
from kiosk.storage.age_stamp import age_stamp
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.sync.link_check.line_watch import LineState, LineWatch
from kiosk.sync.transport.tcp_health import TcpHealth

log = logging.getLogger(__name__)

EVERY_S = 1.0
REWRITE_S = 60.0
"""An unchanged state is written again, so that its reader knows that the line is still watched."""


class Carrier(Protocol):
    """What has connections to the central system."""

    def health(self) -> list[TcpHealth]:
        """Return how the open ones fare."""


class LinePublisher:
    """Watches while a hearing is open; the file is there only then.

    Args:
        connections: what is judged.
        path: of the file.

    Attributes:
        is_at_rest: nothing is watched, and there is no file: not even one of an earlier process.
    """

    def __init__(self, connections: Iterable[Carrier], path: Path) -> None:
        self._connections, self._path = tuple(connections), path
        self._watch: LineWatch | None = None
        self._line: LineState | None = None
        self._written: LineState | None = None
        self._written_s = 0.0
        self.is_at_rest = False

    def poll(self, *, is_hearing_open: bool, unanswered_since: float | None) -> bool:
        """Judge once, publish what has changed; return whether the line is silent."""
        try:
            if is_hearing_open:
                self.is_at_rest = False
                self._publish(unanswered_since)
            elif not self.is_at_rest:
                self._watch = self._line = self._written = None
                self._path.unlink(missing_ok=True)
                self.is_at_rest = True
        except (StorageError, OSError) as error:  # tried again in a second
            log.warning("state of the line not published: %s", error)
        return self._line is not None and self._line.state == "silent"

    def _publish(self, unanswered_since: float | None) -> None:
        now = boot_seconds()
        self._watch = self._watch or LineWatch(now)
        found = [health for connection in self._connections for health in connection.health()]
        line, before = self._watch.poll(found, now, unanswered_since), self._written
        self._line = line
        if line.state == "good" and not self._watch.has_carried:
            return  # what was said before a restart of sync stays until something is known
        is_known = before is not None and (before.state, before.since) == (line.state, line.since)
        if is_known and now - self._written_s < REWRITE_S:
            return
        make_folder(self._path.parent)
        write_json(self._path, _published(line), 0o644)
        self._written, self._written_s = line, now


def _published(line: LineState) -> dict[str, object]:
    value = {
        "state": line.state,
        "since": {"boot": boot_id(), "uptime": round(line.since, 3)},
        "measured": age_stamp(),
        "rtt_ms": None if line.rtt_ms is None else round(line.rtt_ms, 1),
        "loss": None if line.loss is None else round(line.loss, 4),
    }
    return PublishedLine.model_validate(value).to_json()
