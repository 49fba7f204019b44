"""The state of a hearing: a fold over its journals, the same live and after a crash (R57, S7, S25).

Screens show a hearing from this state only, and so only what is journalled. An entry that no disk
has yet is applied as well; an alarm says that it is owed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kiosk.api import recorder as api
from kiosk.api.notes import Note
from kiosk.api.persons import MarkedPerson
from kiosk.api.states import MicrophoneState, Phase
from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import Entry
from kiosk.hearing.room.microphone_roles import MicrophoneRoles
from kiosk.hearing.session.interruption_ledger import InterruptionLedger
from kiosk.hearing.session.line_ledger import LineLedger
from kiosk.hearing.session.notes import Notes
from kiosk.hearing.session.persons import OF_WHOM_PREFIX, Persons
from kiosk.hearing.session.receipts import RECEIPT_PREFIX, Receipts
from kiosk.hearing.session.speech_ledger import SpeechLedger

RECESS_UNTIL = "recess_until"
"""Subject of a statement: when the court goes on, RFC 3339; null: nobody has said."""
BUTTON_MARK = "button"
"""Mark of the hardware button: a moment that the secretary names later."""
KEPT_REASON = "kept_before_start"
"""Reason of a part that was captured before the tap that kept it, and the event of that tap."""
LEFT_OUT_PREFIX = "left_out:"
"""Of the subject of a question: an event that the rules want earlier was not marked.

``left_out:EVENT``, or ``left_out:EVENT:PERSON`` where it is one person's.
"""
PHASE_AFTER: dict[str, Phase] = {"retire": Phase.RETIRED, "end": Phase.SEALING}
"""By the reason of ``part_closed``; any other reason leaves the hearing in recess."""
FAILURE_KINDS: frozenset[str] = frozenset(
    {state for state in MicrophoneState if state.is_lost}
    | {"frozen", "still", "encoder", "write_failed", "crash", "power"}
)
"""Interruptions whose reason goes into the minutes (S16)."""
STORAGE_SOURCES = ("storage", "mirror")
EDITABLE_FIELDS = (
    "case_number",
    "title",
    "kind",
    "format",
    "publicity",
    "judge",
    "participants",
    "adhoc",
    "language",
    "session",
)
"""Fields of a hearing that statements may fill in or correct."""
FORMAT_DETAILS = ("format_", "legal_basis")
CLOSURE_DETAILS = ("closure_",)
"""Beginnings of the questions about a decision; another decision is asked about anew."""


@dataclass
class Mark:
    """An event of the minutes.

    Attributes:
        number: its id within the hearing, from 1.
        at: wall time.
        seconds: recorded seconds of the whole hearing before it.
        part: the part that was being captured (0: none).
        part_seconds: seconds since the start of that part.
        of: whom it concerns.
        left_out: what the rules want before it and nobody had marked: ``EVENT`` or
            ``EVENT:PERSON``.
        ended: wall time of the end of an oath or explanation; empty: it goes on, or was left.
        heard: whether somebody was heard meanwhile; None: not known.
        said_seconds, is_short: for how long it was heard, and whether that is too short for it;
            None: not known.
        also: roles at the microphones at which others spoke at the same time.
    """

    number: int
    type: str
    at: str
    seconds: float
    part: int
    part_seconds: float
    note: str = ""
    role: str = ""
    withdrawn: bool = False
    of: MarkedPerson | None = None
    left_out: tuple[str, ...] = ()
    ended: str = ""
    heard: bool | None = None
    said_seconds: float | None = None
    is_short: bool | None = None
    also: tuple[str, ...] = ()

    def describe(self) -> api.Mark:
        """Return the mark as in State."""
        fields = asdict(self) | {"of": self.of}
        return api.Mark(id=fields.pop("number"), **fields)


@dataclass
class PartTimes:
    """When a part began and ended, on the recording clock of its boot."""

    tap_ns: int = 0
    stop_ns: int | None = None
    boot: str = ""
    first_durable_ms: float | None = None
    closed: bool = False
    is_kept: bool = False
    """Whether it was captured before the tap that kept it."""

    @property
    def seconds(self) -> float:
        """Length of the part, 0 while it runs."""
        return 0.0 if self.stop_ns is None else max(0, self.stop_ns - self.tap_ns) / NS_PER_S


@dataclass
class HearingState:
    """One hearing, from its journals.

    Attributes:
        details: the hearing as started, with what statements have filled in since.
        questions: subjects of the open questions, in order.
        answers: the newest statement by subject.
        persons: who is at the hearing.
        notes: what the secretary typed.
        receipts: what became of the receipts that are signed on paper.
        roles: which microphone serves whom now.
        inputs: device that each source has opened in the newest part, or None.
        recess_until: end of the recess or of the retirement, where the court has said one.
        closed: since when and on which ground the hearing is closed; None while it is open.
        grounds: every ground on which it was ever closed.
        permissions: the newest decision on each kind of filming and broadcast (R59-R65).
        pending_closures: numbers of the closures whose plain media are still being replaced.
        switched_off: microphones that their seats have switched off.
    """

    details: dict[str, Any]
    phase: Phase = Phase.IDLE
    started: str = ""
    parts: dict[int, PartTimes] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    _mark_names: dict[int, str] = field(default_factory=dict)
    _mark_persons: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    persons: Persons = field(default_factory=Persons)
    notes: Notes = field(default_factory=Notes)
    receipts: Receipts = field(default_factory=Receipts)
    _withdrawn: set[int] = field(default_factory=set)
    interruptions: InterruptionLedger = field(default_factory=InterruptionLedger)
    speech: SpeechLedger = field(default_factory=SpeechLedger)
    line: LineLedger = field(default_factory=LineLedger)
    questions: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    stopped_at: str = ""
    recess_until: str | None = None
    _stopped_ns: int = 0
    not_ready: list[str] = field(default_factory=list)
    roles: MicrophoneRoles = field(default_factory=MicrophoneRoles)
    inputs: dict[str, Any] = field(default_factory=dict)
    closed: dict[str, Any] | None = None
    grounds: set[str] = field(default_factory=set)
    permissions: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    pending_closures: set[int] = field(default_factory=set)
    switched_off: set[str] = field(default_factory=set)
    decisions: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    earlier: list[dict[str, Any]] = field(default_factory=list)
    _left_out: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _oath_ends: dict[int, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the people of the list."""
        self.persons.add_listed(self.details.get("participants"))

    @property
    def id(self) -> str:
        """The hearing's id."""
        return str(self.details["id"])

    @property
    def listed_ids(self) -> set[str]:
        """The ids under which lists may name it; one that was held before has a new id."""
        names = (self.details.get(key) for key in ("id", "continues", "listed_id"))
        return {str(name) for name in names if name}

    @property
    def part(self) -> int:
        """Number of the newest part, 0 before the first."""
        return max(self.parts, default=0)

    @property
    def stop(self) -> tuple[str, int, str]:
        """When the newest part stopped: wall time, recording clock, and the boot of the part."""
        boot = self.parts.get(self.part, PartTimes()).boot
        return self.stopped_at, self._stopped_ns, boot

    @property
    def finished_seconds(self) -> float:
        """Seconds recorded in all finished parts."""
        return sum(part.seconds for part in self.parts.values())

    @property
    def marks_in_force(self) -> list[Mark]:
        """The marks that were not withdrawn, in order."""
        return [mark for mark in self.marks if not mark.withdrawn]

    @property
    def title(self) -> str | None:
        """The case's title; a name that is withheld does not stand in it (S9)."""
        title = self.details.get("title")
        return self.without_names(title) if isinstance(title, str) else None

    def without_names(self, text: str) -> str:
        """Return what somebody typed without names that are withheld (S9)."""
        return self.persons.without_names(text)

    @property
    def marks_without_names(self) -> list[Mark]:
        """All marks; a name that is withheld does not stand in what was typed (S9)."""
        hide = self.without_names
        return [replace(mark, note=hide(mark.note)) for mark in self.marks]

    @property
    def notes_without_names(self) -> list[Note]:
        """All notes in order, as :attr:`marks_without_names`."""
        hide, rows = self.without_names, sorted(self.notes.rows.items())
        return [row.model_copy(update={"text": hide(row.text)}) for _, row in rows]

    def left_out_questions(self) -> list[str]:
        """Return the questions about what the rules want earlier, and nobody has marked since."""
        done = {(mark.type, mark.of.id if mark.of else "") for mark in self.marks_in_force}
        types = {event for event, _ in done}
        found = []
        for mark in self.marks_in_force:
            for missing in mark.left_out:
                event, _, person = missing.partition(":")
                is_made_good = (event, person) in done or (event, "") in done
                if not is_made_good and (person or event not in types):
                    found.append(f"{LEFT_OUT_PREFIX}{missing}")
        return [name for name in dict.fromkeys(found) if name not in self.answers]

    @property
    def nobody_came(self) -> bool:
        """Return whether all who were named did not come (S3)."""
        rows = self.persons.rows.values()
        return bool(rows) and all(person.attendance == "absent" for person in rows)

    def receipt_questions(self) -> list[str]:
        """Return the questions about receipts that were printed and not scanned (R48)."""
        rows = (self.receipts.row(mark.number) for mark in self.marks_in_force)
        asked = [f"{RECEIPT_PREFIX}{row.mark}" for row in rows if row.printed and not row.scan]
        return [name for name in asked if name not in self.answers]

    def add_question(self, subject: str) -> None:
        """Raise a question; one that was answered before is asked again."""
        self.answers.pop(subject, None)
        if subject not in self.questions:
            self.questions.append(subject)

    @property
    def allowed(self) -> tuple[str, ...]:
        """Kinds of filming and broadcast that the court allows now: none while it is closed."""
        if self.closed is not None:
            return ()
        return tuple(name for name, row in self.permissions.items() if row.get("allowed") is True)

    def apply(self, part: int, entry: Entry) -> None:
        """Apply one entry of the hearing's own journal (``part`` 0) or of a part's."""
        handler = getattr(self, f"_on_{entry['kind']}", None)
        if handler is not None:
            handler(part, entry)

    # -- one method per kind of entry ----------------------------------------------------------
    def _on_opened(self, _part: int, entry: Entry) -> None:
        self.started = entry["at"]

    def _on_readiness(self, _part: int, entry: Entry) -> None:
        self.not_ready = [str(name) for name in entry.get("failed", [])]
        if self.not_ready:
            self.add_question("override")
        if entry.get("clock") == "unset":
            self.add_question("date")

    def _on_part_opened(self, _part: int, entry: Entry) -> None:
        number = int(entry["part"])
        times = self.parts.setdefault(number, PartTimes())
        times.tap_ns, times.boot = int(entry.get("tap_ns") or 0), str(entry.get("boot_id", ""))
        times.closed = bool(entry.get("closed"))
        times.is_kept = entry.get("reason") == KEPT_REASON
        self.inputs = dict(entry.get("inputs") or {})
        self.phase = Phase.RECORDING
        self.stopped_at, self.recess_until = "", None
        if entry.get("reason") == "recovered":
            self.add_question("recovered")

    def _on_input_opened(self, _part: int, entry: Entry) -> None:
        self.inputs[str(entry["source"])] = entry["opened"]

    def _on_part_closed(self, _part: int, entry: Entry) -> None:
        if int(entry["part"]) < self.part:
            return  # written late, after a recovery that has already resumed
        self.phase = PHASE_AFTER.get(str(entry.get("reason")), Phase.RECESS)
        self.stopped_at, self._stopped_ns = entry["at"], int(entry.get("t") or 0)
        if entry.get("reason") == "recess" and not entry.get("why"):
            self.add_question("recess_reason")

    def _on_closed(self, part: int, entry: Entry) -> None:
        times = self.parts.setdefault(part, PartTimes())
        times.first_durable_ms = entry.get("first_durable_ms")
        times.stop_ns = int(entry.get("stop_ns") or times.tap_ns)

    def _on_part(self, part: int, entry: Entry) -> None:
        times = self.parts.setdefault(part, PartTimes())
        times.tap_ns, times.boot = int(entry.get("tap_ns") or 0), str(entry.get("boot_id", ""))

    def _on_mark(self, part: int, entry: Entry) -> None:
        number = int(entry["id"])
        self._mark_persons.setdefault(number, entry.get("of"))
        self._left_out.setdefault(number, tuple(entry.get("left_out", ())))
        if entry.get("decision"):
            self.decisions[number] = entry["decision"]
        self.marks.append(
            Mark(
                number=number,
                type=self._mark_names.get(number, str(entry["type"])),
                at=entry["at"],
                seconds=float(entry.get("seconds") or 0.0),
                part=part,
                part_seconds=float(entry.get("part_seconds") or 0.0),
                note=str(entry.get("note") or ""),
                role=str(entry.get("role") or ""),
                withdrawn=number in self._withdrawn,
                of=self.persons.with_present_name(self._mark_persons[number]),
                left_out=self._left_out[number],
            )
        )
        if entry.get("of_whom") and number not in self._withdrawn:
            self._ask_of_whom(number)
        self.marks.sort(key=lambda mark: mark.number)

    def _ask_of_whom(self, number: int) -> None:
        """Ask whom a mark concerns, unless that was said already: journals are read in turn."""
        subject = f"{OF_WHOM_PREFIX}{number}"
        if subject not in self.answers and subject not in self.questions:
            self.questions.append(subject)

    def _on_oath_ended(self, _part: int, entry: Entry) -> None:
        self._oath_ends[int(entry["mark"])] = entry
        self._apply_oath_ends()

    def _on_explanation_ended(self, part: int, entry: Entry) -> None:
        self._on_oath_ended(part, entry)

    def _apply_oath_ends(self) -> None:
        """End each oath; its end may stand in a journal that is read before that of its mark."""
        for mark in self.marks:
            if (end := self._oath_ends.get(mark.number)) is not None:
                mark.ended, mark.heard = end["at"], end.get("heard")
                mark.said_seconds, mark.is_short = end.get("said_seconds"), end.get("is_short")
                mark.also = tuple(map(str, end.get("also") or ()))

    def _on_mark_withdrawn(self, _part: int, entry: Entry) -> None:
        self._remove_question(f"{OF_WHOM_PREFIX}{entry['mark']}")
        self._withdrawn.add(int(entry["mark"]))
        for mark in self.marks:
            mark.withdrawn = mark.withdrawn or mark.number == entry["mark"]

    def _remove_question(self, subject: str) -> None:
        if subject in self.questions:
            self.questions.remove(subject)

    def _on_speech(self, _part: int, entry: Entry) -> None:
        self.speech.apply(entry)

    def _on_line_trouble(self, _part: int, entry: Entry) -> None:
        self.line.apply(entry)

    def _on_line_trouble_ended(self, _part: int, entry: Entry) -> None:
        self.line.apply(entry)

    def _on_interruption(self, part: int, entry: Entry) -> None:
        row = self.interruptions.apply(part, entry)
        if row.source in STORAGE_SOURCES:
            failure = bool(row.seconds)  # nothing is lost while the other storage has it
        else:
            failure = row.kind in FAILURE_KINDS and self.roles.is_serving(row.source)
        if failure:
            self.add_question("failure_reason")

    def _on_interruption_ended(self, part: int, entry: Entry) -> None:
        self._on_interruption(part, entry)

    def _on_role_moved(self, _part: int, entry: Entry) -> None:
        self.roles.apply_role_moved(entry)

    def _on_continue_without(self, _part: int, entry: Entry) -> None:
        self.roles.apply_continue_without(entry)

    def _on_taken_back(self, _part: int, entry: Entry) -> None:
        self.roles.apply_taken_back(entry)

    def _on_seat_muted(self, _part: int, entry: Entry) -> None:
        self.switched_off.add(str(entry["source"]))

    def _on_seat_unmuted(self, _part: int, entry: Entry) -> None:
        self.switched_off.discard(str(entry["source"]))

    def _on_court_closed(self, _part: int, entry: Entry) -> None:
        ground = entry.get("ground") or None
        if said := self._details_of(CLOSURE_DETAILS):
            self.earlier.append(said)
        self._ask_anew(CLOSURE_DETAILS)
        self.closed = {"since": str(entry.get("since") or entry["at"]), "ground": ground}
        self.details["publicity"] = "closed"
        self._remove_question("publicity")
        self._apply_ground(ground)

    def _on_court_opened(self, _part: int, _entry: Entry) -> None:
        self.closed = None
        self.details["publicity"] = "open"

    def _on_closing_since(self, _part: int, entry: Entry) -> None:
        self.pending_closures.add(int(entry["n"]))
        self._apply_ground(entry.get("ground") or None)
        if self.closed is not None:
            self.closed["since"] = str(entry["since"])

    def _on_closed_since(self, _part: int, entry: Entry) -> None:
        self.pending_closures.discard(int(entry["declaration"]))
        for number in {int(row["part"]) for row in entry.get("replaced", [])}:
            self.parts.setdefault(number, PartTimes()).closed = True

    def _apply_ground(self, ground: str | None) -> None:
        if ground is None:
            self.add_question("closure_ground")
        else:
            self.grounds.add(ground)
            self.answers["closure_ground"] = ground
            self._remove_question("closure_ground")

    def _on_statement(self, _part: int, entry: Entry) -> None:
        subject, value = str(entry["subject"]), entry.get("value")
        if subject == "format" and self.details.get("format") not in (None, value):
            self._follow_format(is_undone="undoes" in entry)
        if subject == "closure_ground" and self.answers.get(subject) != value:
            self._ask_anew(CLOSURE_DETAILS)
        self.answers[subject] = value
        self._remove_question(subject)
        if subject == RECESS_UNTIL:
            self.recess_until = value
        self._apply_naming(subject, value, entry)
        if subject == "participants":
            self.persons.add_listed(value)
        if subject == "closure_ground" and value:
            self.grounds.add(str(value))  # named after the closed part, a secret stays one (R86)
        if subject == "closure_ground" and self.closed is not None:
            self.closed["ground"] = value or None
        if subject == "permission" and isinstance(value, Mapping):
            self._apply_permission(value)
        if subject in EDITABLE_FIELDS:
            self.details[subject] = value

    def _apply_permission(self, value: Mapping[str, Any]) -> None:
        """Apply a decision on filming; one that says nothing takes the first one back."""
        if "allowed" in value:
            self.permissions[str(value["kind"])] = value
        else:
            self.permissions.pop(str(value["kind"]), None)

    def _apply_naming(self, subject: str, value: object, entry: Entry) -> None:
        """Apply a statement that says what a mark was, or of whom it is."""
        if "left_out" in entry:  # what the mark is now wants something else earlier
            self._left_out[int(entry["mark"])] = tuple(entry["left_out"])
            for mark in self.marks:
                mark.left_out = self._left_out.get(mark.number, ())
        if subject == "mark":
            self._name_mark(value, of_whom=bool(entry.get("of_whom")))
        if subject.startswith(OF_WHOM_PREFIX):
            self._name_person(int(subject.removeprefix(OF_WHOM_PREFIX)), value)

    def _follow_format(self, *, is_undone: bool) -> None:
        """Set aside what was said of the format until now, or take back what was set aside."""
        said = self._details_of(FORMAT_DETAILS) | {"format": self.details["format"]}
        self._ask_anew(FORMAT_DETAILS)
        formats = [row for row in self.earlier if "format" in row]
        if is_undone and formats:
            self.earlier.remove(formats[-1])
            self.answers |= formats[-1]
        else:
            self.earlier.append(said)

    def _details_of(self, beginnings: tuple[str, ...]) -> dict[str, Any]:
        """Return what was said of a decision."""
        return {name: said for name, said in self.answers.items() if name.startswith(beginnings)}

    def _ask_anew(self, beginnings: tuple[str, ...]) -> None:
        """Forget what was said about an earlier decision; the journal keeps it."""
        for subject in [name for name in self.answers if name.startswith(beginnings)]:
            del self.answers[subject]

    def _name_mark(self, value: object, *, of_whom: bool) -> None:
        """Name a mark: ``{"mark": id, "type": event}``."""
        if isinstance(value, Mapping):
            self._mark_names[int(value["mark"])] = str(value["type"])
            if of_whom:
                self._ask_of_whom(int(value["mark"]))
        for mark in self.marks:
            mark.type = self._mark_names.get(mark.number, mark.type)

    def _name_person(self, number: int, value: object) -> None:
        """Say of whom a mark is: ``{"id", "role", "name"}``, or nobody in particular."""
        self._mark_persons[number] = dict(value) if isinstance(value, Mapping) else None
        self._refresh_names()

    def _refresh_names(self) -> None:
        for mark in self.marks:
            mark.of = self.persons.with_present_name(self._mark_persons.get(mark.number))

    def _on_person(self, _part: int, entry: Entry) -> None:
        self.persons.apply(entry)
        self._refresh_names()

    def _on_person_removed(self, _part: int, entry: Entry) -> None:
        self.persons.apply_removed(entry)

    def _on_note(self, part: int, entry: Entry) -> None:
        self.notes.apply(part, entry)

    def _on_note_withdrawn(self, _part: int, entry: Entry) -> None:
        self.notes.withdraw(int(entry["note"]))

    def _on_receipt_printed(self, _part: int, entry: Entry) -> None:
        self.receipts.apply_printed(entry)

    def _on_receipt_scanned(self, _part: int, entry: Entry) -> None:
        self.receipts.apply_scanned(entry)

    def _on_receipt_withdrawn(self, _part: int, entry: Entry) -> None:
        self.receipts.apply_withdrawn(entry)

    def _on_receipt_encrypted(self, _part: int, entry: Entry) -> None:
        self.receipts.apply_encrypted(entry)

    def _on_ending(self, _part: int, _entry: Entry) -> None:
        self.phase = Phase.SEALING

    def _on_ended(self, _part: int, _entry: Entry) -> None:
        self.phase = Phase.SEALING
