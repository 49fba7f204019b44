"""The short protocol of УПК 347-1(2), from a hearing's folder (S17; tables: 8).

A draft for the secretary: every field of the statute in its order, filled from the journals and
the schedule. What the kiosk does not know stays an empty line, never a guess. It lies beside the
sealed folder, not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.config import Settings
from kiosk.errors import RecordingError
from kiosk.evidence.chain import Entry, read_chain
from kiosk.hearing.session.hearing_state import BUTTON, FAILURES, STORAGES, HearingRecord, Mark
from kiosk.locale import N_, Translator
from kiosk.recording.journal.hearing_journal import hearing_of
from kiosk.rules.rules import Rules
from kiosk.storage.hearing_folder import JOURNAL, PART, part_name

_DEFENDANTS = ("accused_in_court", "defendant_civil", "person_charged", "suspect", "convicted")
_KINDS: Mapping[str, str] = {
    "absent": N_("not connected"),
    "dead": N_("no signal"),
    "frozen": N_("picture stood still"),
    "encoder": N_("encoding failed"),
    "write_failed": N_("could not be saved"),
    "slow": N_("could not be saved"),
    "full": N_("could not be saved"),
    "read_only": N_("could not be saved"),
    "gone": N_("could not be saved"),
    "failed": N_("could not be saved"),
    "crash": N_("the recording process failed"),
    "power": N_("the power failed"),
}
BUTTON_LABEL = N_("moment marked with the button, not named")
_COURT = ("presiding", "judge", "investigating_judge", "secretary")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number and label in the statute's list, and its lines (none: empty)."""

    number: int
    id: str
    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Minutes:
    """The short protocol in one language.

    Attributes:
        title: as in the statute.
        fields: all of them, in its order.
        signatures: labels of those who sign.
    """

    language: str
    title: str
    fields: tuple[Field, ...]
    signatures: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "contract": 1,
            "language": self.language,
            "title": self.title,
            "fields": [
                {"number": row.number, "id": row.id, "label": row.label, "lines": list(row.lines)}
                for row in self.fields
            ],
            "signatures": list(self.signatures),
        }

    def as_text(self) -> str:
        """Return it as plain text; an empty field has a line to write on."""
        parts = [self.title.upper(), ""]
        for row in self.fields:
            parts.append(f"{row.number}. {_capital(row.label)}:")
            parts.extend(f"   {line}" for line in row.lines or ("_" * 60,))
            parts.append("")
        parts.extend(f"{_capital(label)}: {'_' * 40}" for label in self.signatures)
        return "\n".join(parts) + "\n"


def read_record(folder: Path) -> HearingRecord:
    """Return the hearing in ``folder`` as its journals tell it.

    Raises:
        RecordingError: a journal was changed (``journal_broken``) or cannot be read as one.
        StorageError: a file cannot be read.
    """
    record = HearingRecord(hearing_of(folder))
    own = _entries(folder / JOURNAL)
    for entry in own:
        record.apply(0, entry)
    for part in sorted(record.parts):
        for entry in _entries(folder / part_name(part) / JOURNAL):
            record.apply(part, entry)
    for entry in own:  # an interruption in a part asks anew; the answers lie in the outer journal
        if entry["kind"] == "statement":
            record.apply(0, entry)
    return record


def _entries(journal: Path) -> list[Entry]:
    """Return the lines of ``journal``; refuse one that was changed."""
    chain = read_chain(journal)
    if chain.problem:
        raise RecordingError(f"{journal}: {chain.problem}", code="journal_broken")
    return chain.entries


def write_minutes(folder: Path, rules: Rules, settings: Settings, language: str) -> Minutes:
    """Return the short protocol of the hearing in ``folder``, in ``language``.

    Raises:
        RecordingError, StorageError: see :func:`read_record`.
    """
    return _Writer(folder, read_record(folder), rules, settings, Translator(language)).minutes()


class _Writer:
    """Fills the fields; one method per field id of the rules data."""

    def __init__(
        self,
        folder: Path,
        record: HearingRecord,
        rules: Rules,
        settings: Settings,
        translate: Translator,
    ) -> None:
        self._folder = folder
        self._record = record
        self._hearing: Mapping[str, Any] = record.hearing
        self._rules = rules
        self._settings = settings
        self._translate = translate
        self._zone = ZoneInfo(settings.kiosk.timezone)

    def minutes(self) -> Minutes:
        """Return all fields in the statute's order."""
        pick, rules = self._translate.pick, self._rules.short_protocol
        fields = (
            Field(row.number, row.id, pick(row.label.as_map()), tuple(self._lines(row.id)))
            for row in rules.field
        )
        signatures = tuple(self._role(role) for role in rules.signed_by.roles)
        title = pick(rules.title.label.as_map())
        return Minutes(self._translate.language, title, tuple(fields), signatures)

    def _lines(self, field: str) -> list[str]:
        """Return the lines of one field; a field that nothing is known of is empty."""
        writers: Mapping[str, Callable[[], list[str]]] = {
            "date_place": self._date_place,
            "times": self._times,
            "court": self._court,
            "case": self._case,
            "defendant": lambda: self._people(_DEFENDANTS),
            "means": self._means,
            "file": self._files,
            "attendance": self._attendance,
            "course": self._course,
        }
        write = writers.get(field)
        return [] if write is None else [line for line in write() if line]

    # -- fields ----------------------------------------------------------------------------------
    def _date_place(self) -> list[str]:
        _, room = self._translate, self._settings.kiosk.room
        court = self._translate.pick(self._settings.kiosk.court)
        place = _("{court}, courtroom {room}", court=court, room=room)
        return [self._moment(self._record.started, "%d.%m.%Y"), place]

    def _times(self) -> list[str]:
        begun, ended = self._record.started, self._record.stopped_at
        return [f"{self._moment(begun, '%H:%M')} – {self._moment(ended, '%H:%M') or '__:__'}"]

    def _court(self) -> list[str]:
        court = self._translate.pick(self._settings.kiosk.court)
        judge = str(self._hearing.get("judge") or "")
        presiding = f"{self._role('presiding')}: {judge}" if judge else ""
        return [court, presiding, *self._people(_COURT)]

    def _case(self) -> list[str]:
        return [
            " · ".join(
                str(self._hearing[key])
                for key in ("case_number", "title")
                if self._hearing.get(key)
            )
        ]

    def _means(self) -> list[str]:
        """Name the means, and each failure with the reason that was given for it (S16)."""
        _, kiosk = self._translate, self._settings.kiosk.id
        used = [_("Audio and video were recorded by the kiosk {kiosk}.", kiosk=kiosk)]
        used.extend(
            self._failure(row.source, row.kind, row.at, row.seconds) for row in self._broken()
        )
        reason = self._record.answers.get("failure_reason")
        if reason:
            used.append(_("Reason: {reason}", reason=str(reason)))
        return used

    def _broken(self) -> list[Any]:
        rows = self._record.interruptions.values()
        return [
            row for row in rows if (row.seconds if row.source in STORAGES else row.kind in FAILURES)
        ]

    def _failure(self, source: str, kind: str, at: str, seconds: float | None) -> str:
        _ = self._translate
        lasted = _("length unknown") if seconds is None else _("{n} s", n=round(seconds))
        when = self._moment(at, "%H:%M:%S")
        return _(
            "Not recorded: {source}, {kind}, {when}, {lasted}",
            source=self._source(source),
            kind=_(_KINDS.get(kind, kind)),
            when=when,
            lasted=lasted,
        )

    def _files(self) -> list[str]:
        """Name the folder of each part with its beginning and length."""
        return [
            f"{self._record.id}/{part_name(part)} · {self._began(part)} · {_length(times.seconds)}"
            for part, times in sorted(self._record.parts.items())
        ]

    def _began(self, part: int) -> str:
        """Return the time at which a part began, from its ``part.json``."""
        try:
            about = json.loads((self._folder / part_name(part) / PART).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "__:__:__"
        return self._moment(str(about.get("wall", "")), "%H:%M:%S")

    def _attendance(self) -> list[str]:
        """List those who were called; who came the secretary ticks."""
        return [f"[  ] {line}" for line in self._people(None)]

    def _course(self) -> list[str]:
        """List the events of the statute with time, file and place in the file."""
        listed = next(row.events for row in self._rules.short_protocol.field if row.id == "course")
        told = {*listed, BUTTON}
        marks = (mark for mark in self._record.marks if not mark.withdrawn and mark.type in told)
        return [self._event(mark) for mark in marks]

    def _event(self, mark: Mark) -> str:
        if mark.type == BUTTON:
            label = self._translate(BUTTON_LABEL)
        else:
            label = self._translate.pick(self._rules.event(mark.type).label.as_map())
        whose = self._role(mark.role) if mark.role else ""
        where = f"{part_name(mark.part)}, {_length(mark.part_seconds)}" if mark.part else ""
        told = (self._moment(mark.at, "%H:%M:%S"), label, whose, mark.note, where)
        return " · ".join(text for text in told if text)

    # -- words -----------------------------------------------------------------------------------
    def _people(self, roles: tuple[str, ...] | None) -> list[str]:
        """Return ``role: name`` of the participants with one of ``roles`` (None: of any)."""
        people = self._hearing.get("participants") or []
        return [
            f"{self._role(str(one.get('role', '')))}: {one.get('name', '')}"
            for one in people
            if roles is None or one.get("role") in roles
        ]

    def _source(self, source: str) -> str:
        """Return the name of a source as people know it: the role at its microphone."""
        if source == "camera":
            return self._translate.gettext("camera")
        roles = {one.name: one.role for one in self._settings.microphones}
        return self._role(roles[source]) if source in roles else source

    def _role(self, role: str) -> str:
        row = self._rules.roles.get(role)
        return self._translate.pick(row.label.as_map()) if row else role

    def _moment(self, text: str, pattern: str) -> str:
        """Return the wall time ``text`` in the court's zone; empty where there is none."""
        try:
            return datetime.fromisoformat(text).astimezone(self._zone).strftime(pattern)
        except ValueError:
            return ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _length(seconds: float) -> str:
    """Return ``seconds`` as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
