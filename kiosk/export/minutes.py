"""Drafts the minutes of a hearing from its folder (S17, S18; tables: 8).

Short ones (УПК 347-1(2), АПК 282(4)) and full ones (АПК 282(2)). A draft for the secretary: every
field of the statute in its order, filled from the journals and the schedule. What the kiosk does
not know stays an empty line, never a guess. It is written beside the sealed folder, not into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.minutes import MinutesForm
from kiosk.api.persons import HearingPerson
from kiosk.clocks import parse_set_wall
from kiosk.config import Settings
from kiosk.export.course import CourseRow, Moment, course_rows
from kiosk.export.decisions import decision_lines
from kiosk.export.permission import read_entries
from kiosk.export.spoken import read_turns, seconds_spoken
from kiosk.export.texts import LOSSES, given_reason
from kiosk.hearing.session.hearing_state import (
    BUTTON_MARK,
    FAILURE_KINDS,
    STORAGE_SOURCES,
    HearingState,
)
from kiosk.hearing.session.interruption_ledger import Interruption, InterruptionLedger
from kiosk.hearing.session.line_ledger import REMOTE_FORMATS
from kiosk.hearing.session.receipts import Receipts
from kiosk.locale import N_, Translator
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.rules.explanations import RECEIPT_EVENTS
from kiosk.rules.model import ProtocolField
from kiosk.rules.rules import Rules
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hearing_folder import PART_FILE, part_folder_name, part_folders

_DEFENDANT_ROLES = ("accused_in_court", "defendant_civil", "person_charged", "suspect", "convicted")
_ATTENDANCE = {
    "hall": N_("in the room"),
    "online": N_("by technical means of communication"),
    "absent": N_("did not come"),
}
BUTTON_LABEL = N_("moment marked with the button, not named")
NOTE_LABEL = N_("note")
NOT_HEARD = N_("nobody was heard at the microphone")
LINE_TROUBLES = {
    "silent": N_("No answer over the court's line: {when}, {lasted}"),
    "poor": N_("Data was lost or late on the court's line: {when}, {lasted}"),
}
"""What remote participants may have missed; the recording of the room is complete."""
_FREE_FIELDS = ("course", "questions")
"""The first of these that there is also lists notes and presses of the button without an event."""
_COURT_ROLES = ("presiding", "judge", "investigating_judge", "secretary")


@dataclass(frozen=True, slots=True)
class MinutesField:
    """A field: its number and label in the statute's list, and its lines (none: empty)."""

    number: int
    id: str
    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Minutes:
    """The short protocol in one language.

    Attributes:
        title: as in the statute.
        fields: all fields, in the statute's order.
        signatures: labels of the people who sign.
    """

    language: str
    title: str
    fields: tuple[MinutesField, ...]
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
            parts.append(f"{row.number}. {_capitalised(row.label)}:")
            parts.extend(f"   {line}" for line in row.lines or ("_" * 60,))
            parts.append("")
        parts.extend(f"{_capitalised(label)}: {'_' * 40}" for label in self.signatures)
        return "\n".join(parts) + "\n"


def is_loss(row: Interruption) -> bool:
    """Return whether something is missing of the recording (S16); of a storage: seconds."""
    return bool(row.seconds) if row.source in STORAGE_SOURCES else row.kind in FAILURE_KINDS


def recorded_roles(folder: Path, settings: Settings) -> dict[str, str]:
    """Return the role of each microphone as the parts in ``folder`` were recorded, the first first.

    The settings may have changed since; they say it where no part does.
    """
    roles: dict[str, str] = {}
    for _, path in part_folders(folder):
        rows = (read_json_or_none(path / PART_FILE) or {}).get("microphones")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row.get("name") and row.get("role"):
                roles.setdefault(str(row["name"]), str(row["role"]))
    return roles or {microphone.name: microphone.role for microphone in settings.microphones}


def part_wall(folder: Path, part: int) -> str:
    """Return when a part of the hearing in ``folder`` began, by its ``part.json``; else empty."""
    metadata = read_json_or_none(folder / part_folder_name(part) / PART_FILE)
    return str((metadata or {}).get("wall", ""))


def load_hearing_state(folder: Path) -> HearingState:
    """Return the hearing in ``folder`` from its journals.

    Raises:
        RecordingError: a journal was changed (``journal_broken``) or cannot be read as one.
        StorageError: a file cannot be read.
    """
    state = HearingState(load_hearing(folder), interruptions=InterruptionLedger(keep=None))
    entries = read_entries(folder)
    for entry in entries:
        state.apply(0, entry)
    for part in sorted(state.parts):
        for entry in read_entries(folder / part_folder_name(part)):
            state.apply(part, entry)
    # an interruption in a part raises its question again; the outer journal has the answers
    for entry in entries:
        if entry["kind"] == "statement" and entry["subject"] in state.questions:
            state.apply(0, entry)
    return state


def build_minutes(folder: Path, rules: Rules, settings: Settings, language: str) -> Minutes:
    """Return the short protocol of the hearing in ``folder``, in ``language``.

    Raises:
        RecordingError, StorageError: see :func:`load_hearing_state`.
    """
    return fill_minutes(folder, load_hearing_state(folder), rules, settings, language)


@dataclass(frozen=True, slots=True)
class MinutesOptions:
    """What minutes hold besides what the hearing's folder says.

    Attributes:
        form: short or full ones.
        secretary: who keeps them, where no secretary is among the hearing's people.
        late: receipts that were scanned after the hearing's end.
    """

    form: MinutesForm = "short"
    secretary: str = ""
    late: Receipts = field(default_factory=Receipts)


def fill_minutes(
    folder: Path,
    state: HearingState,
    rules: Rules,
    settings: Settings,
    language: str,
    options: MinutesOptions | None = None,
) -> Minutes:
    """Return the minutes of the hearing that was read as ``state``, in ``language``."""
    translate, chosen = Translator(language), options or MinutesOptions()
    return _MinutesBuilder(folder, state, rules, settings, translate, chosen).build()


class _MinutesBuilder:
    """Fills the fields; one method per field id of the rules data."""

    def __init__(
        self,
        folder: Path,
        state: HearingState,
        rules: Rules,
        settings: Settings,
        translate: Translator,
        options: MinutesOptions,
    ) -> None:
        self._folder = folder
        self._state = state
        self._details: Mapping[str, Any] = state.details
        self._rules = rules
        self._settings = settings
        self._translate = translate
        self._secretary, self._late = options.secretary, options.late
        kind, is_full = str(state.details.get("kind") or ""), options.form == "full"
        fields = rules.full_protocol(kind) if is_full else rules.short_protocol(kind)
        self._fields = fields
        self._listed = {name for row in fields.field for name in row.events}
        ids = {row.id for row in fields.field}
        self._free_field = next((name for name in _FREE_FIELDS if name in ids), "")
        self._turns = read_turns(folder) if options.form == "full" else ()
        self._roles = recorded_roles(folder, settings)
        self._zone = ZoneInfo(settings.kiosk.timezone)

    def build(self) -> Minutes:
        """Return all fields in the statute's order."""
        pick = self._translate.pick
        rules = self._fields
        fields = (
            MinutesField(row.number, row.id, pick(row.label.as_map()), tuple(self._lines(row)))
            for row in rules.field
        )
        signatures = tuple(self._role_name(role) for role in rules.signed_by.roles)
        title = pick(rules.title.label.as_map())
        return Minutes(self._translate.language, title, tuple(fields), signatures)

    def _lines(self, field: ProtocolField) -> list[str]:
        """Return the lines of one field; one that nothing is known of is empty."""
        writers: Mapping[str, Callable[[], list[str]]] = {
            "date_place": self._date_place,
            "times": self._times,
            "court": self._court,
            "case": self._case,
            "defendant": lambda: self._participants(_DEFENDANT_ROLES),
            "means": self._means,
            "file": self._files,
            "attendance": self._attendance,
            "no_recording": self._failure_lines,
            "technical_means": lambda: [self._recorded_line(), *self._online_people()],
            "rulings": lambda: decision_lines(self._state, self._rules, self._translate),
        }
        write = writers.get(field.id, list)
        return [line for line in (*write(), *self._course(field)) if line]

    # -- fields ----------------------------------------------------------------------------------
    def _date_place(self) -> list[str]:
        _, room = self._translate, self._settings.kiosk.room
        court = self._translate.pick(self._settings.kiosk.court)
        place = _("{court}, courtroom {room}", court=court, room=room)
        return [self._day(), place]

    def _day(self) -> str:
        """Return the day of the hearing; while the clock was not set, the one that was said."""
        try:
            said = date.fromisoformat(str(self._state.answers.get("date")))
        except ValueError:
            return self._format_time(self._state.started, "%d.%m.%Y")
        return said.strftime("%d.%m.%Y")

    def _times(self) -> list[str]:
        started = self._format_time(self._state.started, "%H:%M") or "__:__"
        ended = self._format_time(self._state.stopped_at, "%H:%M") or "__:__"
        return [f"{started} – {ended}"]

    def _court(self) -> list[str]:
        court = self._translate.pick(self._settings.kiosk.court)
        judge = str(self._details.get("judge") or "")
        presiding = f"{self._role_name('presiding')}: {judge}" if judge else ""
        keeper = "" if self._participants(("secretary",)) else self._secretary
        secretary = self._person_text("secretary", keeper) if keeper else ""
        return [court, presiding, *self._participants(_COURT_ROLES), secretary]

    def _case(self) -> list[str]:
        named = (self._details.get("case_number"), self._state.title)
        return [" · ".join(str(text) for text in named if text)]

    def _means(self) -> list[str]:
        """Name the recording device, and each failure with its reason (S16)."""
        return [self._recorded_line(), *self._failure_lines(), *self._line_lines()]

    def _line_lines(self) -> list[str]:
        """Return when those who took part over the court's line may have missed words (R24)."""
        _, lines = self._translate, []
        if self._details.get("format") not in REMOTE_FORMATS:
            return []
        for row in self._state.line.rows.values():
            lasted = (
                _("length unknown") if row.seconds is None else _("{n} s", n=round(row.seconds))
            )
            when = self._format_time(row.at, "%H:%M:%S") or "__:__:__"
            lines.append(_(LINE_TROUBLES.get(row.kind, row.kind), when=when, lasted=lasted))
        return lines

    def _recorded_line(self) -> str:
        _, kiosk = self._translate, self._settings.kiosk.id
        return _("Audio and video were recorded by the kiosk {kiosk}.", kiosk=kiosk)

    def _online_people(self) -> list[str]:
        people = self._state.persons.shown
        return [self._attendance_line(row) for row in people if row.attendance == "online"]

    def _failure_lines(self) -> list[str]:
        _ = self._translate
        lines = [
            self._failure_line(row.source, row.kind, row.at, row.seconds)
            for row in self._failures()
        ]
        reason = self._state.answers.get("failure_reason")
        if reason:
            said = given_reason(_, self._state.without_names(str(reason)))
            lines.append(_("Reason: {reason}", reason=said))
        return lines

    def _failures(self) -> list[Any]:
        return list(filter(is_loss, self._state.interruptions.rows.values()))

    def _failure_line(self, source: str, kind: str, at: str, seconds: float | None) -> str:
        _ = self._translate
        lasted = _("length unknown") if seconds is None else _("{n} s", n=round(seconds))
        when = self._format_time(at, "%H:%M:%S") or "__:__:__"
        return _(
            "Not recorded: {source}, {kind}, {when}, {lasted}",
            source=self._source_name(source),
            kind=_(LOSSES.get(kind, kind)),
            when=when,
            lasted=lasted,
        )

    def _files(self) -> list[str]:
        """Name the folder of each part with its start time and length."""
        lines = []
        for part, times in sorted(self._state.parts.items()):
            folder = f"{self._state.id}/{part_folder_name(part)}"
            length = _format_length(times.seconds)
            lines.append(f"{folder} · {self._start_time(part)} · {length}")
        return lines

    def _start_time(self, part: int) -> str:
        """Return the time at which a part began."""
        return self._format_time(part_wall(self._folder, part), "%H:%M:%S") or "__:__:__"

    def _attendance(self) -> list[str]:
        """List the people of the hearing, and how they take part (АПК 190(1)).

        Where that was not marked the secretary ticks those who came.
        """
        return [self._attendance_line(person) for person in self._state.persons.shown]

    def _attendance_line(self, person: HearingPerson) -> str:
        _, line = self._translate, self._person_text(person.role, person.name)
        if person.pseudonym:  # S9
            decided = _("name withheld by the court's decision")
            line = " ".join(text for text in (f"{line} · {decided}", person.act) if text)
        if not person.attendance:
            return f"[  ] {line}"
        left = self._format_time(person.left, "%H:%M")
        admitted = _("admitted to the closed part") if person.admitted else ""
        left = left and _("left at {time}", time=left)
        texts = (line, _(_ATTENDANCE[person.attendance]), left, admitted)
        return " · ".join(text for text in texts if text)

    def _course(self, field: ProtocolField) -> list[str]:
        """List the events of the field with person, time, file and position in the file."""
        is_free = field.id == self._free_field
        wanted = {*field.events, BUTTON_MARK} if is_free else set(field.events)
        rows = course_rows(self._state, self._rules, self._listed | {BUTTON_MARK})
        shown = [row for row in rows if (is_free if row.mark is None else row.mark.type in wanted)]
        lines = [self._course_line(row) for row in shown]
        if field.id == "testimony":
            lines = [line for row in shown for line in (self._course_line(row), self._spoken(row))]
        if field.id == "course":
            lines += decision_lines(self._state, self._rules, self._translate)
        return lines

    def _course_line(self, row: CourseRow) -> str:
        ends = [row.begin] if row.until is None else [row.begin, row.until]
        times = " – ".join(self._format_time(end.at, "%H:%M:%S") or "__:__:__" for end in ends)
        places = " – ".join(place for place in map(self._place, ends) if place)
        name, silence = self._event_name(row), self._silence(row)
        said = (silence, self._receipt(row))
        texts = (times, name, self._whom(row), *said, *row.notes, places)
        return " · ".join(text for text in texts if text)

    def _spoken(self, row: CourseRow) -> str:
        """Return who spoke while somebody was questioned, the longest first; empty: nobody."""
        _ = self._translate
        if row.until is None:
            return ""
        spoken = seconds_spoken(self._turns, row.begin, row.until)
        names = [
            f"{self._source_name(source)} {_format_length(seconds)}"
            for source, seconds in sorted(spoken.items(), key=lambda item: -item[1])
        ]
        return _("spoke: {who}", who=", ".join(names)) if names else ""

    def _silence(self, row: CourseRow) -> str:
        """Return how an oath was not heard alone and in full; empty: it was, or nobody can know.

        Requirements: R50, R51, R52.
        """
        _, mark = self._translate, row.mark
        if mark is None or mark.heard is None:
            return ""
        if not mark.heard:
            return _(NOT_HEARD)
        also = ", ".join(self._role_name(role) for role in mark.also)
        texts = [_("others spoke at the same time: {who}", who=also)] if also else []
        if mark.is_short:
            texts.append(_("heard for {n} s only", n=mark.said_seconds))
        return " · ".join(texts)

    def _receipt(self, row: CourseRow) -> str:
        """Return what became of a receipt; empty: the row has none (R48)."""
        _ = self._translate
        if row.mark is None or row.mark.type not in RECEIPT_EVENTS:
            return ""
        receipt = self._state.receipts.row(row.mark.number)
        if receipt.scan:
            return _("signed receipt: {file}", file=self._state.receipts.files[receipt.scan])
        late = self._late.row(row.mark.number)
        if late.scan:
            return _("signed receipt, with these minutes: {file}", file=self._late.files[late.scan])
        return _("the signed receipt was not scanned")

    def _event_name(self, row: CourseRow) -> str:
        _ = self._translate
        if row.mark is None:
            return _(NOTE_LABEL)
        if row.mark.type == BUTTON_MARK:
            return _(BUTTON_LABEL)
        return _.pick(self._rules.event(row.mark.type).label.as_map())

    def _whom(self, row: CourseRow) -> str:
        """Return whom an event concerns; a line to write on where nobody has said that."""
        mark = row.mark
        if mark is None:
            return ""
        if mark.of is not None:
            return self._person_text(mark.of.role, mark.of.name)
        return "_" * 20 if row.is_unnamed else mark.role and self._role_name(mark.role)

    @staticmethod
    def _place(moment: Moment) -> str:
        if not moment.part:
            return ""
        return f"{part_folder_name(moment.part)}, {_format_length(moment.part_seconds)}"

    # -- texts -----------------------------------------------------------------------------------
    def _participants(self, roles: tuple[str, ...]) -> list[str]:
        """Return ``role: name`` of the people with one of ``roles``."""
        return [
            self._person_text(person.role, person.name)
            for person in self._state.persons.shown
            if person.role in roles
        ]

    def _person_text(self, role: str, name: str) -> str:
        return ": ".join(text for text in (role and self._role_name(role), name) if text)

    def _source_name(self, source: str) -> str:
        """Return the name of a source as people know it: the role at its microphone."""
        if source == "camera":
            return self._translate.gettext("camera")
        return self._role_name(self._roles[source]) if source in self._roles else source

    def _role_name(self, role: str) -> str:
        row = self._rules.roles.get(role)
        return self._translate.pick(row.label.as_map()) if row else role

    def _format_time(self, text: str, pattern: str) -> str:
        """Return the wall time ``text`` in the court's zone; empty: none, or of an unset clock."""
        moment = parse_set_wall(text)
        return moment.astimezone(self._zone).strftime(pattern) if moment is not None else ""


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _format_length(seconds: float) -> str:
    """Return ``seconds`` as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
