"""Begins the minutes of a hearing, and fills them in again when more is known.

Short minutes are begun of a sealed hearing. Full ones (S18) may be begun while it runs: what the
kiosk knows is filled in whenever they are opened, and for the last time once the hearing is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from kiosk.api.minutes import MinutesForm, MinutesLanguage
from kiosk.config import Settings
from kiosk.evidence.seal import is_sealed
from kiosk.export.errors import ExportError, NotSealedError
from kiosk.export.minutes import MinutesOptions, fill_minutes, load_hearing_state
from kiosk.export.minutes_record import MinutesRecord, append_entry
from kiosk.export.minutes_version import recording_seal
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.recording.verify.minutes import RECORDING_FOLDER
from kiosk.rules.rules import Rules
from kiosk.storage.atomic_io import make_folder, write_bytes
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER, SIGNATURE, SUMS
from kiosk.storage.paths import Paths

LANGUAGES: tuple[MinutesLanguage, ...] = get_args(MinutesLanguage)


@dataclass(frozen=True)
class MinutesFilling:
    """Fills minutes from the hearings of this kiosk."""

    settings: Settings
    paths: Paths
    rules: Rules

    def begin(self, hearing: str, person: str, secretary: str, form: MinutesForm) -> MinutesRecord:
        """Return new minutes of a hearing; :meth:`keep` or the first entry writes them.

        Args:
            hearing: its id.
            person: id of whoever begins them.
            secretary: the name of whoever keeps them; empty: no secretary began.
            form: only full ones are begun before the hearing is sealed.

        Raises:
            ExportError: there is no such hearing, or it is not sealed yet.
        """
        source = self.source(hearing)
        if not is_sealed(source) and form != "full":
            raise NotSealedError(f"{hearing}: not sealed yet")
        state = load_hearing_state(source)
        spoken = str(state.details.get("language") or self.settings.kiosk.language)
        begun = {
            "contract": 1,
            "hearing": hearing,
            "case_number": str(state.details.get("case_number") or ""),
            "case_kind": str(state.details.get("kind") or ""),
            "started": state.started,
            "language": spoken if spoken in LANGUAGES else "kk",
            "form": form,
            "secretary": secretary,
            "by": person,
            **self._filled(source, state, MinutesOptions(form, secretary)),
        }
        return MinutesRecord(begun, begun["language"], is_kept=False)

    def keep(self, record: MinutesRecord) -> None:
        """Write minutes that have just begun, and what they cite of a sealed recording.

        Raises:
            StorageError: they cannot be written.
        """
        if not record.is_kept:
            self._append(record, "begun", record.begun)
            record.is_kept = True

    def append(self, record: MinutesRecord, kind: str, fields: Mapping[str, Any]) -> None:
        """Write one entry of the minutes, after their begin.

        Raises:
            StorageError: it cannot be written.
        """
        self.keep(record)
        self._append(record, kind, fields)

    def _append(self, record: MinutesRecord, kind: str, fields: Mapping[str, Any]) -> None:
        hearing = str(record.begun["hearing"])
        if kind in ("begun", "filled"):
            self._keep_cited(self.source(hearing))
        append_entry(self.paths.minutes_drafts / hearing, kind, fields)

    def refill(self, record: MinutesRecord) -> None:
        """Fill in what is known by now; nothing where the last filling knew the same.

        Raises:
            ExportError: the hearing is not here any more.
        """
        hearing = str(record.begun["hearing"])
        source = self.source(hearing)
        state = load_hearing_state(source)
        filled = self._filled(source, state, options_of(record))
        if filled["recording"] or filled["drafts"] != record.drafts:
            self.append(record, "filled", filled)

    def drafts(self, record: MinutesRecord, options: MinutesOptions) -> Mapping[str, Any]:
        """Return what the kiosk fills in with ``options``, in each language."""
        source = self.source(str(record.begun["hearing"]))
        return self._drafts(source, load_hearing_state(source), options)

    def source(self, hearing: str) -> Path:
        """Return the hearing's folder.

        Raises:
            ExportError: it is not here.
        """
        source = self.paths.hearings / hearing
        if not source.is_dir():
            raise ExportError("no such hearing", code="hearing_unknown")
        return source

    def _filled(self, source: Path, state: HearingState, options: MinutesOptions) -> dict[str, Any]:
        """Return drafts, end and seal of the recording."""
        seal = recording_seal(source) if is_sealed(source) else {}
        drafts = self._drafts(source, state, options)
        return {"drafts": drafts, "recording": seal, "ended": state.stopped_at}

    def _keep_cited(self, source: Path) -> None:
        """Keep what the minutes cite of a sealed recording."""
        draft = self.paths.minutes_drafts / source.name
        if is_sealed(source):
            recording = make_folder(draft / RECORDING_FOLDER)
            for name in (SUMS, SIGNATURE):
                write_bytes(recording / name, (source / name).read_bytes())
        if (source / COURIER_ONLY_MARKER).exists():
            write_bytes(make_folder(draft) / COURIER_ONLY_MARKER, b"")

    def _drafts(self, source: Path, state: HearingState, options: MinutesOptions) -> dict[str, Any]:
        fill = (source, state, self.rules, self.settings)
        return {code: fill_minutes(*fill, code, options).as_json() for code in LANGUAGES}


def options_of(record: MinutesRecord) -> MinutesOptions:
    """Return the options with which minutes are filled in."""
    return MinutesOptions(record.form, record.secretary, record.receipts)
