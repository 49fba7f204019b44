"""Journals when the court's line breaks during a hearing, and says it where somebody is remote.

What the line is like is watched by sync, which publishes it; it is never waited for. A sentence
comes at most once a minute and ends by itself (R24, R30).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from kiosk.api.recorder import AlarmKey
from kiosk.api.states import Phase
from kiosk.api.sync import PublishedLine
from kiosk.clocks import boot_id, boot_seconds, format_wall, wall_time
from kiosk.hearing.session.line_ledger import ENDED_ENTRY, REMOTE_FORMATS, TROUBLE_ENTRY
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.storage.atomic_io import FileVersion, file_version, read_json_or_none

STALE_S = 150.0
"""Sync writes every minute; later nobody watches."""
SENTENCE_EVERY_S = 60.0
SLEPT_S = 1.0
"""The boot clock runs on in a sleep, the recording clock does not: they part by this much."""


@dataclass(frozen=True)
class _Trouble:
    hearing: str
    number: int
    kind: str
    since: float


class CourtLineMonitor:
    """Monitors the line of one room.

    Args:
        path: ``published/line.json``.
        clock: the boot clock, in s.
        recording_clock: the recording clock, in s.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = boot_seconds,
        recording_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._clock, self._recording_clock = path, clock, recording_clock
        self._ahead = clock() - recording_clock()
        self._version: FileVersion | None = None
        self._line: PublishedLine | None = None
        self._trouble: _Trouble | None = None
        self._seen: tuple[str, float] = ("", 0.0)
        self._said = ""
        self._said_at = float("-inf")

    def poll(self, hearing: OpenHearing | None) -> bool:
        """Check once; journal what has changed in ``hearing``; return whether anything changed."""
        said = self._said
        is_open = hearing is not None and hearing.state.phase.is_open
        if hearing is None or not is_open or self._is_of_another(hearing):
            self._trouble = None
        if hearing is not None and self._seen[0] != hearing.state.id:
            self._seen = hearing.state.id, self._clock()
        slept = self._has_slept() and hearing is not None
        if slept and hearing is not None:
            self._forget(hearing)
        changed = hearing is not None and is_open and self._journal(hearing, self._read())
        self._say(hearing)
        return changed or slept or said != self._said

    def end(self, hearing: OpenHearing) -> None:
        """Journal that what lasts ends with ``hearing``: nothing is known of it afterwards."""
        if self._trouble is not None and not self._is_of_another(hearing):
            until = None if self._read() is None else self._clock()
            self._end_trouble(hearing, self._trouble, until)

    def alarms(self) -> Iterator[AlarmKey]:
        """Yield the sentence that counts now."""
        if self._said:
            yield f"line_{self._said}", "line"

    def _has_slept(self) -> bool:
        before, self._ahead = self._ahead, self._clock() - self._recording_clock()
        return self._ahead - before > SLEPT_S

    def _forget(self, hearing: OpenHearing) -> None:
        """End what lasted: nobody watched; what is there later counts from now on."""
        self._seen = hearing.state.id, self._clock()
        if self._trouble is not None:
            self._end_trouble(hearing, self._trouble, None)

    def _is_of_another(self, hearing: OpenHearing) -> bool:
        return self._trouble is not None and self._trouble.hearing != hearing.state.id

    def _read(self) -> PublishedLine | None:
        """Return what sync says of the line; None: nothing, or nobody watches any more."""
        if (version := file_version(self._path)) != self._version:
            self._version, self._line = version, None
            try:
                if (value := read_json_or_none(self._path)) is not None:
                    self._line = PublishedLine.model_validate(value)
            except ValidationError:  # of another version: as if nobody watched
                return None
        line = self._line
        if line is None or line.since.boot != boot_id() or line.measured.boot != boot_id():
            return None
        age = self._clock() - line.measured.uptime
        return line if -1.0 <= age <= STALE_S else None

    def _journal(self, hearing: OpenHearing, line: PublishedLine | None) -> bool:
        trouble = self._trouble
        kind = "" if line is None or line.state == "good" else line.state
        before = trouble.kind if trouble is not None else ""
        if kind == before:
            return False
        if line is None:
            self._forget(hearing)
        elif trouble is not None:
            self._end_trouble(hearing, trouble, self._since(line))
        if line is not None and kind:
            self._begin(hearing, line)
        return True

    def _since(self, line: PublishedLine) -> float:
        """Return since when it is so: what was before the hearing is none of its business."""
        return min(max(line.since.uptime, self._seen[1]), self._clock())

    def _end_trouble(self, hearing: OpenHearing, trouble: _Trouble, until: float | None) -> None:
        lasted = None if until is None else round(max(0.0, until - trouble.since), 1)
        fields = {"number": trouble.number, "what": trouble.kind, "lasted": lasted}
        hearing.append(ENDED_ENTRY, fields)
        self._trouble = None

    def _begin(self, hearing: OpenHearing, line: PublishedLine) -> None:
        since = self._since(line)
        age = self._clock() - since
        number = hearing.state.line.next_number
        self._trouble = _Trouble(hearing.state.id, number, line.state, since)
        fields = {
            "number": number,
            "what": line.state,
            "began": format_wall(wall_time() - timedelta(seconds=age)),
            "part": hearing.running_part,
            "part_seconds": round(max(0.0, hearing.part_seconds - age), 3),
            "rtt_ms": line.rtt_ms,
            "loss": line.loss,
        }
        hearing.append(TROUBLE_ENTRY, fields)

    def _say(self, hearing: OpenHearing | None) -> None:
        """Begin or end the sentence: only while somebody remote is recorded."""
        matters = (
            hearing is not None
            and hearing.state.phase == Phase.RECORDING
            and hearing.state.details.get("format") in REMOTE_FORMATS
        )
        kind = self._trouble.kind if self._trouble is not None and matters else ""
        if kind == self._said:
            return
        if kind and self._clock() - self._said_at < SENTENCE_EVERY_S:
            kind = ""
        if kind:
            self._said_at = self._clock()
        self._said = kind
