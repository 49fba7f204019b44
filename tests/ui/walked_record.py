"""What a recorder kept of a hearing that was walked through: marks, minutes, media."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import Minutes, build_minutes, load_hearing_state
from kiosk.export.minutes_record import MinutesRecord, read_record
from kiosk.recording.verify.hearing import verify
from kiosk.rules import load_rules
from kiosk.settings_files import load_settings
from kiosk.storage.hearing_folder import JOURNAL_FILE
from tests.services.recorder_process import RecorderProcess
from tests.support.court_keys import CourtSecrets

TIMES = re.compile(r"[0-9:]{8}( – [0-9:]{8})?")


@dataclass(frozen=True)
class WalkedRecord:
    """A sealed hearing's folder, read back."""

    folder: Path
    recorder: RecorderProcess
    court: CourtSecrets

    def marks(self) -> list[str]:
        """Return the marks of the journals in order, as last named: ``EVENT`` or ``EVENT:PERSON``.

        Those that were withdrawn are among them.
        """
        state = load_hearing_state(self.folder)
        return [f"{m.type}:{m.of.id}" if m.of else m.type for m in state.marks]

    def lost(self, source: str) -> float:
        """Return the seconds of ``source`` that the ledger has as lost."""
        rows = load_hearing_state(self.folder).interruptions.rows.values()
        return sum(row.describe().seconds or 0.0 for row in rows if row.source == source)

    def minutes(self, language: str) -> Minutes:
        """Return the short minutes."""
        settings = load_settings(self.recorder.folder / "kiosk.toml")
        return build_minutes(self.folder, load_rules(), settings, language)

    def begun_minutes(self) -> MinutesRecord:
        """Return the minutes that were begun during the hearing."""
        record = read_record(self.recorder.paths.minutes_drafts / self.folder.name)
        assert record is not None
        return record

    def minutes_lines(self, field: str) -> list[str]:
        """Return a field of the Russian short minutes; of its events, without times and places."""
        (row,) = (row for row in self.minutes("ru").fields if row.id == field)
        parts = [line.split(" · ") for line in row.lines]
        return [
            " · ".join(p for p in line if not p.startswith("part-") and not TIMES.fullmatch(p))
            for line in parts
        ]

    def questioned(self) -> list[tuple[str, float, float]]:
        """Return whose questionings the journals have: when in their part, and how long it is."""
        state = load_hearing_state(self.folder)
        marks = [mark for mark in state.marks_in_force if mark.type == "questioning"]
        return [
            (mark.of.id if mark.of else "", mark.part_seconds, state.parts[mark.part].seconds)
            for mark in marks
        ]

    def check_media(self) -> list[bool]:
        """Check seal and times: each part lasts as long as between its taps, marks lie in theirs.

        Returns:
            Whether each part is encrypted.
        """
        report = verify(self.folder, self.recorder.court.ca, identities=[self.court.court])
        assert report.ok, report.problems
        found = []
        for folder in sorted(self.folder.glob("part-*")):
            entries = read_chain(folder / JOURNAL_FILE).entries
            (begin,) = (e for e in entries if e["kind"] == "part")
            (end,) = (e for e in entries if e["kind"] == "closed")
            seconds = (int(end["stop_ns"]) - int(begin["tap_ns"])) / 1e9
            marks = [e for e in entries if e["kind"] == "mark"]
            assert all(0 <= float(e["part_seconds"]) <= seconds for e in marks), folder.name
            assert seconds > 0
            found.append(bool(list(folder.rglob("*.tar"))))
        return found
