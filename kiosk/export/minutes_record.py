"""The minutes of one hearing as they are made: an append-only journal, and what it says.

``minutes/drafts/<hearing id>/journal.jsonl`` is a chain as that of a hearing (R101). Its kinds:

- ``begun``: what the kiosk filled in, in each language, and the seal of the recording (none while
  the hearing runs);
- ``filled``: the same anew, of minutes that were begun before the seal;
- ``receipt_scanned``, ``receipt_withdrawn``: of a receipt scanned after the hearing's end, with
  what the kiosk fills in from then on;
- ``form``: short or full minutes, with what the kiosk filled into their fields;
- ``edited``, ``undone``, ``language``: what a person changed, and who;
- ``confirmed``: by the secretary, then by the presiding judge, whose entry names the sealed folder;
- ``quality``: what the presiding judge said of the recording: complete and of good quality, or not
  usable (УПК 347-1(2-1));
- ``term``: whether the longer term counts, as a person said;
- ``handed_out``, ``signed``: what the secretary signs went to a drive, and her signature came back;
- ``version``: a new version of confirmed minutes; it cites the seal of the former one.

Requirements: S17, S18, S21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.minutes import (
    Confirmation,
    MinutesForm,
    MinutesForSignature,
    MinutesLanguage,
    MinutesLine,
    MinutesRow,
    MinutesSignature,
    MinutesStage,
    ShortMinutes,
)
from kiosk.api.quality import QualityWord
from kiosk.clocks import parse_set_wall
from kiosk.errors import RecordingError
from kiosk.evidence.chain import Entry, read_chain
from kiosk.evidence.journal_file import JournalFile
from kiosk.hearing.session.receipts import Receipts
from kiosk.rules.rules import Rules
from kiosk.rules.terms import minutes_due, remarks_decided_by, remarks_until
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.hearing_folder import JOURNAL_FILE

_RECEIPTS = ("receipt_scanned", "receipt_withdrawn")
_CHANGES = ("edited", "undone", "language", "filled", "form", *_RECEIPTS)
FINISHED = "finished"
"""The field of the day on which the minutes were finished: the presiding judge's confirmation."""


class MinutesError(RecordingError):
    """A step of the minutes is not possible now; ``code`` says why."""

    code = "minutes_confirmed"
    status = 409


@dataclass(frozen=True)
class Edit:
    """New lines of a field in one language; ``number`` is that of the journal's line."""

    number: int
    language: str
    field: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class VersionSeal:
    """The sealed folder that a version gets, or has."""

    version: int
    id: str


@dataclass
class MinutesRecord:
    """What the journal says.

    Attributes:
        begun: its first entry.
        is_kept: they stand on the disk; minutes that only begin do not yet.
        version: number of the version, from 1.
        version_began: line at which this version began: earlier changes cannot be undone.
        former: seal of the version before, as the journal cites it.
        finished: the day of the presiding judge's confirmation, in the court's zone; empty: the
            clock was not set.
        revision: lines of the journal.
        is_complex: the longer term counts.
        form: short or full.
        drafts: what the kiosk filled in, by language.
        recording: what cites the seal of the recording; empty: it is not sealed yet.
        ended: when the hearing ended; empty: it runs.
        receipts: those that were scanned after the hearing's end.
        quality: the presiding judge's newest word on the recording; it holds for every version.
        handed_out, signed: the newest entries of this version's signature by the secretary.
    """

    begun: Mapping[str, Any]
    language: MinutesLanguage
    is_kept: bool = True
    version: int = 1
    version_began: int = 1
    revision: int = 1
    former: Mapping[str, str] | None = None
    is_complex: bool = False
    quality: QualityWord | None = None
    handed_out: Entry | None = None
    signed: Entry | None = None
    finished: str = ""
    form: MinutesForm = "short"
    drafts: Mapping[str, Any] = field(default_factory=dict)
    recording: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""
    receipts: Receipts = field(default_factory=Receipts)
    edits: list[Edit] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    seals: list[VersionSeal] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take what the kiosk filled in at first."""
        self.form = self.begun.get("form", "short")
        self._fill(self.begun)

    def _fill(self, entry: Mapping[str, Any]) -> None:
        self.drafts, self.recording = entry["drafts"], entry["recording"]
        self.ended = str(entry["ended"])

    @property
    def is_running(self) -> bool:
        """Whether the hearing was not sealed when they were filled in last."""
        return not self.recording

    @property
    def secretary(self) -> str:
        """The name of the secretary who began them."""
        return str(self.begun.get("secretary", ""))

    def apply(self, entry: Entry) -> None:
        """Take the next entry; a change takes back the confirmations of this version."""
        self.revision = int(entry["n"])
        if entry["kind"] in _CHANGES:
            self._change(entry)
            self.confirmations = []
            return
        match entry["kind"]:
            case "confirmed":
                self.confirmations.append(Confirmation.model_validate(entry))
                self.finished = str(entry.get("day", ""))
                if entry.get("seal"):
                    self.seals.append(VersionSeal(self.version, str(entry["seal"])))
            case "quality":
                self.quality = QualityWord.model_validate(entry)
            case "term":
                self.is_complex = entry["complex"] is True
            case "handed_out":
                self.handed_out = entry
            case "signed":
                self.signed = entry
            case "version":
                self.handed_out = self.signed = None
                self.version = int(entry["version"])
                self.former = {key: str(entry[key]) for key in ("former", "former_sums")}
                self.version_began, self.confirmations = self.revision, []

    def require_complete(self) -> None:
        """Raise KeyError, TypeError or ValueError where what everybody asks for is not there."""
        for key in ("hearing", "case_number", "case_kind", "started"):
            self.begun[key]
        _ = self.stage, self.rows, self.drafts[self.language]["title"]

    def _change(self, entry: Entry) -> None:
        match entry["kind"]:
            case "edited":
                lines = tuple(map(str, entry["lines"]))
                edit = Edit(self.revision, str(entry["language"]), str(entry["field"]), lines)
                self.edits.append(edit)
            case "undone":
                self.edits = [edit for edit in self.edits if edit.number != entry["of"]]
            case "language":
                self.language = entry["value"]
            case "filled":
                self._rebase(entry["drafts"])
                self._fill(entry)
            case kind if kind in _RECEIPTS:
                self.receipts.apply(kind, entry)
                self._rebase(entry["drafts"])
                self.drafts = entry["drafts"]
            case "form":
                self.form, self.drafts = entry["value"], entry["drafts"]

    def _rebase(self, drafts: Mapping[str, Any]) -> None:
        """Keep every change over a new filling: lines that were typed, and those taken out."""
        for number, edit in enumerate(self.edits):
            made, new = (_made_lines(of[edit.language], edit.field) for of in (self.drafts, drafts))
            gone = set(made) - set(edit.lines)
            typed = [line for line in edit.lines if line not in made and line not in new]
            lines = (*(line for line in new if line not in gone), *typed)
            self.edits[number] = replace(edit, lines=lines)

    @property
    def stage(self) -> MinutesStage:
        """How far this version is."""
        return ("draft", "secretary", "confirmed")[len(self.confirmations)]

    @property
    def undoable(self) -> Edit | None:
        """The change that undo takes back."""
        own = [edit for edit in self.edits if edit.language == self.language]  # what is shown
        newest = own[-1] if own else None
        return newest if newest and newest.number > self.version_began else None

    @property
    def rows(self) -> tuple[MinutesRow, ...]:
        """The fields in the minutes' language; what a person typed is marked as typed."""
        changed = {edit.field: edit.lines for edit in self.edits if edit.language == self.language}
        return tuple(
            self._row(row, changed.get(row["id"])) for row in self.drafts[self.language]["fields"]
        )

    def _row(self, filled: Mapping[str, Any], changed: tuple[str, ...] | None) -> MinutesRow:
        made = tuple(map(str, filled["lines"]))
        if changed is None and filled["id"] == FINISHED and self.stage == "confirmed":
            made = (self.finished,) if self.finished else ()
        lines = made if changed is None else changed
        return MinutesRow(
            number=int(filled["number"]),
            id=str(filled["id"]),
            label=str(filled["label"]),
            lines=tuple(MinutesLine(text=line, typed=line not in made) for line in lines),
            removed=sum(line not in lines for line in made),
        )

    def due(self, rules: Rules, zone: ZoneInfo) -> str:
        """Return the last day for the minutes; empty: none is known, or they are confirmed."""
        if self.stage == "confirmed":
            return ""
        kind = str(self.begun["case_kind"])
        return due_day(rules, zone, kind, self.ended, self.is_complex)

    def _remarks_until(self, rules: Rules, zone: ZoneInfo) -> date | None:
        signed = parse_set_wall(self.confirmations[-1].at) if self.stage == "confirmed" else None
        if signed is None or not self.finished:
            return None
        kind = str(self.begun["case_kind"])
        return remarks_until(rules, kind, signed.astimezone(zone).date())

    def as_minutes(self, rules: Rules, zone: ZoneInfo, sealed_id: str = "") -> ShortMinutes:
        """Return what the call answers.

        Args:
            rules, zone: say until when they are due.
            sealed_id: sealed folder of this version; empty: there is none.
        """
        rows, kind = self.rows, str(self.begun["case_kind"])
        last = self._remarks_until(rules, zone)
        return ShortMinutes(
            hearing_id=str(self.begun["hearing"]),
            case_number=str(self.begun["case_number"]),
            kind=kind,
            ended=self.ended,
            language=self.language,
            title=str(self.drafts[self.language]["title"]),
            form=self.form,
            is_partial=self.form == "full" and rules.full_protocol(kind).is_partial,
            is_running=self.is_running,
            late_receipts=tuple(row for row in self.receipts.rows.values() if row.scan),
            version=self.version,
            revision=self.revision,
            stage=self.stage,
            fields=rows,
            empty=tuple(row.number for row in rows if not row.lines and row.id != FINISHED),
            confirmations=tuple(self.confirmations),
            due=self.due(rules, zone),
            is_complex=self.is_complex,
            remarks_until=_iso(last),
            remarks_decided_by=_iso(last and remarks_decided_by(rules, kind, last)),
            quality=self.quality,
            can_undo=self.undoable is not None and self.stage != "confirmed",
            sealed_id=sealed_id,
            handed_out=None if self.handed_out is None else _handed_out(self.handed_out),
            signature=None if self.signed is None else _signature(self.signed),
        )


def _made_lines(draft: Mapping[str, Any], identifier: str) -> tuple[str, ...]:
    """Return the lines that the kiosk made of a field; none where the form has no such field."""
    rows = (row["lines"] for row in draft["fields"] if row["id"] == identifier)
    return tuple(map(str, next(rows, ())))


def _handed_out(entry: Entry) -> MinutesForSignature:
    said = {key: str(entry[key]) for key in ("drive", "folder", "digest", "at")}
    return MinutesForSignature.model_validate(said)


def _signature(entry: Entry) -> MinutesSignature:
    said = {key: str(entry[key]) for key in ("name", "valid_until", "at")}
    return MinutesSignature.model_validate(said)


def read_record(folder: Path) -> MinutesRecord | None:
    """Return the minutes whose journal is in ``folder``; None: nobody has begun them.

    An unfinished last line (a power cut) is not there.

    Raises:
        RecordingError: the journal was changed (``journal_broken``).
        StorageError: it cannot be read.
    """
    path = folder / JOURNAL_FILE
    chain = read_chain(path) if path.exists() else None
    if chain is None or not (chain.entries or chain.problem):
        return None
    if chain.problem:
        raise RecordingError(f"{path}: the journal {chain.problem}", code="journal_broken")
    try:
        first, *others = chain.entries
        record = MinutesRecord(first, first["language"])
        for entry in others:
            record.apply(entry)
        record.require_complete()
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError(f"{path}: {error!r}", code="journal_broken") from error
    return record


def due_day(rules: Rules, zone: ZoneInfo, kind: str, ended: str, is_complex: bool = False) -> str:
    """Return the last day for the minutes of a hearing; empty: none is known."""
    moment = parse_set_wall(ended)
    day = None if moment is None else moment.astimezone(zone).date()
    return "" if day is None else _iso(minutes_due(rules, kind, day, is_complex))


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def append_entry(folder: Path, kind: str, fields: Mapping[str, Any]) -> None:
    """Write one entry durably; an unfinished line before it is cut away.

    Raises:
        StorageError: it cannot be written.
    """
    make_folder(folder)
    journal, _chain = JournalFile.reopen(_made(folder / JOURNAL_FILE))
    try:
        journal.append(kind, fields)
    finally:
        journal.close()


def _made(path: Path) -> Path:
    """Return ``path``, with an empty journal there if there was none."""
    if not path.exists():
        JournalFile.create(path).close()
    return path
