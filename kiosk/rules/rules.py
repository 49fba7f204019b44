"""All rules of a version, with queries for the other packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from kiosk.rules.errors import UnknownRuleError
from kiosk.rules.explanations import Explanation
from kiosk.rules.model import (
    ApplicantField,
    CallVerdict,
    CaseKind,
    ClosureEffect,
    ClosureGround,
    DocumentType,
    EventType,
    HearingForm,
    Instance,
    LanguageRow,
    LegalBasis,
    Limit,
    LinkRemedy,
    LinkVerdict,
    MinutesFields,
    Mrp,
    NoteTemplate,
    Oath,
    OnlineService,
    Permission,
    Proceeding,
    Question,
    Role,
    StateFee,
    UnrecordedSpan,
)
from kiosk.rules.order_model import Order
from kiosk.rules.text import case_number_key

T = TypeVar("T")


_CASE_NUMBER = re.compile(r"^\d{4}-\d{2}-\d{2}-\d([а-я]?)/\d+(?:\(\d+\))?$")


def _find_row(table: Mapping[str, T], name: str, identifier: str) -> T:
    """Return the row ``identifier`` of ``table`` or raise :class:`UnknownRuleError`."""
    try:
        return table[identifier]
    except KeyError:
        raise UnknownRuleError(f"no {name} “{identifier}” in the rules data") from None


@dataclass(frozen=True)
class Rules:
    """The rules data of one version; every table keeps the order of its file.

    Attributes:
        version: version of the data as a whole; stored with the decisions based on it.
        checked: date when the sources were last read.
    """

    version: str
    checked: date
    note: str
    document_types: Mapping[str, DocumentType]
    applicant_fields: Mapping[str, ApplicantField]
    case_kinds: Mapping[str, CaseKind]
    proceedings: Mapping[str, Proceeding]
    instances: Mapping[str, Instance]
    roles: Mapping[str, Role]
    forms: Mapping[str, HearingForm]
    legal_bases: Mapping[str, LegalBasis]
    closure_grounds: Mapping[str, ClosureGround]
    closure_effect: ClosureEffect
    permissions: Mapping[str, Permission]
    events: Mapping[str, EventType]
    note_templates: Mapping[str, NoteTemplate]
    order: Order
    unrecorded_spans: tuple[UnrecordedSpan, ...]
    short_protocols: tuple[MinutesFields, ...]
    full_protocols: tuple[MinutesFields, ...]
    oath: Oath
    state_fee: StateFee
    mrp: tuple[Mrp, ...]
    limits: Mapping[str, Limit]
    link_verdicts: Mapping[str, LinkVerdict]
    call_verdicts: Mapping[str, CallVerdict]
    link_remedies: Mapping[str, LinkRemedy]
    online_services: Mapping[str, OnlineService]
    languages: Mapping[str, LanguageRow]
    questions: Mapping[str, Question]
    explanations: Mapping[str, Explanation]

    # -- rows ------------------------------------------------------------------------------------
    def document_type(self, identifier: str) -> DocumentType:
        """Return a document type; raise :class:`UnknownRuleError` if there is none."""
        return _find_row(self.document_types, "document type", identifier)

    def role(self, identifier: str) -> Role:
        """Return a role; raise :class:`UnknownRuleError` if there is none."""
        return _find_row(self.roles, "role", identifier)

    def event(self, identifier: str) -> EventType:
        """Return an event type; raise :class:`UnknownRuleError` if there is none."""
        return _find_row(self.events, "event", identifier)

    def limit(self, identifier: str) -> Any:  # noqa: ANN401 (numbers, texts, None)
        """Return the value of a limit (None: unknown); raise UnknownRuleError if there is none."""
        return _find_row(self.limits, "limit", identifier).value

    # -- choices ---------------------------------------------------------------------------------
    def document_types_for(
        self, kind: str | None = None, *, format_: str = "offline", closed: bool = False
    ) -> tuple[DocumentType, ...]:
        """Return the document types that can be filed, in the order of the table.

        Args:
            kind: case kind; None gives every type.
            format_: hearing format (R49: some exist offline only).
            closed: whether the case is closed (S19).
        """
        if kind is not None:
            _find_row(self.case_kinds, "case kind", kind)
        return tuple(
            row
            for row in self.document_types.values()
            if (kind is None or kind in row.kinds)
            and format_ in row.formats
            and (row.when_closed or not closed)
        )

    def roles_for(self, kind: str, *, closed: bool = False) -> tuple[Role, ...]:
        """Return the roles of a case kind; a closed hearing has no observers (R54)."""
        _find_row(self.case_kinds, "case kind", kind)
        return tuple(
            row
            for row in self.roles.values()
            if kind in row.kinds and not (closed and row.rights == "observe")
        )

    def instance_of(self, case_number: str) -> str:
        """Return the instance that a case number names; empty: it cannot be read.

        ``6003-25-00-4к/1454``: a case in cassation (practice; no act was read).
        """
        found = _CASE_NUMBER.match(case_number_key(case_number))
        letter = found[1] if found else None
        return next((row.id for row in self.instances.values() if row.letter == letter), "")

    def closure_grounds_for(self, kind: str) -> tuple[ClosureGround, ...]:
        """Return the closure grounds of a case kind."""
        _find_row(self.case_kinds, "case kind", kind)
        return tuple(row for row in self.closure_grounds.values() if kind in row.kinds)

    def forms_of(self, group: str) -> tuple[HearingForm, ...]:
        """Return the values of ``publicity``, ``format`` or ``session``."""
        return tuple(row for row in self.forms.values() if row.group == group)

    def oath_text(self, language: str, kind: str = "criminal") -> str | None:
        """Return the statute's oath, or None: then the presiding judge reads it out.

        There is no fallback to another language and no translation.
        """
        if kind not in self.oath.kinds:
            return None
        return next((row.text for row in self.oath.text if row.language == language), None)

    # -- the course of a hearing -----------------------------------------------------------------
    def events_for(self, kind: str | None, *, only_manual: bool = True) -> tuple[EventType, ...]:
        """Return the event types of a case kind (None: of any), in the order of the table.

        Args:
            kind: case kind, or None if it is not known yet.
            only_manual: leave out events that the kiosk sets itself (recess, link lost, ...).
        """
        return tuple(
            row
            for row in self.events.values()
            if (kind is None or kind in row.kinds)
            and (not only_manual or row.made_by == "secretary")
        )

    def can_record(self, completed_events: Iterable[str]) -> bool:
        """Return whether capture is allowed now: not between retirement and announcement."""
        done = list(completed_events)
        for span in self.unrecorded_spans:
            begun = [number for number, mark in enumerate(done) if mark == span.start]
            if begun and span.until not in done[begun[-1] :]:
                return False
        return True

    def full_protocol(self, kind: str) -> MinutesFields:
        """Return the fields of the full minutes of a kind of case; of an unknown kind the first."""
        fitting = [row for row in self.full_protocols if kind in row.kinds]
        return (fitting or self.full_protocols)[0]

    def short_protocol(self, kind: str) -> MinutesFields:
        """Return the short protocol of a case kind; while it is not known, the criminal one's."""
        fitting = [row for row in self.short_protocols if kind in row.kinds]
        return (fitting or self.short_protocols)[0]

    def open_questions(
        self, hearing: Mapping[str, Any], answers: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Return the unanswered questions of the rules about a running hearing (R20, R21, R56).

        Args:
            hearing: a hearing as in the schedule; fields may be missing (ad hoc).
            answers: the newest answer by question.
        """
        named = answers.get("closure_ground") or hearing.get("closure_ground")
        ground = self.closure_grounds.get(str(named or ""))
        return tuple(
            row.id
            for row in self.questions.values()
            if row.id not in answers
            and not hearing.get(row.id)
            and row.is_due(hearing, answers, ground)
        )
