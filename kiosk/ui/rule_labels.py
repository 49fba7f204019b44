"""Labels of the rules data for the screen; an unknown id is shown as it is."""

from __future__ import annotations

import re

from kiosk.hearing.session.hearing_state import BUTTON_MARK
from kiosk.locale import Translator
from kiosk.rules.load import load_rules
from kiosk.rules.model import LabelledRow
from kiosk.rules.rules import Rules
from kiosk.ui.formatting import sentence_case

# The documents most visitors hand in, and the events marked at any time of a hearing. This is the
# order of buttons, not law; ids that the rules data lacks are left out.
COMMON_TYPES = (
    "claim",
    "application",
    "motion",
    "complaint",
    "response",
    "evidence",
    "power_of_attorney",
    "letter",
    "other",
)
FREQUENT_EVENTS = (
    "motion_made",
    "motion_decided",
    "questioning",
    "documents_examined",
    "challenges",
    "debates",
    "announcement",
)
_BRACKETS = re.compile(r"\s*\([^)]*\)")


class RuleLabels:
    """Labels in the translator's language.

    Args:
        translate: the translator of the screen.
        rules: the rules data; None: what is shipped.
    """

    def __init__(self, translate: Translator, rules: Rules | None = None) -> None:
        self._translate = translate
        self.rules = rules or load_rules()

    def _label(self, row: LabelledRow | None, identifier: str) -> str:
        return self._translate.pick(row.label.as_map()) if row else identifier.replace("_", " ")

    def event(self, event: str) -> str:
        """Return the label of an event type."""
        if event == BUTTON_MARK:
            return self._translate.gettext("moment marked with the button")
        return self._label(self.rules.events.get(event), event)

    def role(self, role: str) -> str:
        """Return the label of a role, without what is in brackets."""
        if role == "remote":
            return self._translate.gettext("remote participants")
        return _BRACKETS.sub("", self._label(self.rules.roles.get(role), role))

    def kind(self, kind: str) -> str:
        """Return the label of a case kind; empty for none."""
        return self._label(self.rules.case_kinds.get(kind), kind) if kind else ""

    def kind_title(self, kind: str) -> str:
        """Return the label of a case kind as a button's text."""
        return sentence_case(self.kind(kind))

    def kinds(self) -> tuple[str, ...]:
        """Return the ids of the case kinds."""
        return tuple(self.rules.case_kinds)

    def form(self, form: str) -> str:
        """Return the short label of a format or publicity."""
        label = self._label(self.rules.forms.get(form), form)
        return sentence_case(_BRACKETS.sub("", label).split(",")[0])

    def event_order(self, kind: str | None) -> tuple[str, ...]:
        """Return the ids of the event types that a person may mark; of any kind, if not known."""
        known = kind if kind in self.rules.case_kinds else None
        return tuple(row.id for row in self.rules.events_for(known))

    def frequent_events(self, kind: str | None) -> tuple[str, ...]:
        """Return the ids of those that are needed at any time."""
        offered = self.event_order(kind)
        return tuple(event for event in FREQUENT_EVENTS if event in offered)

    def note_templates(self) -> tuple[tuple[str, str], ...]:
        """Return id and label of each template of a note."""
        rows = self.rules.note_templates.values()
        return tuple((row.id, sentence_case(self._label(row, row.id))) for row in rows)

    def roles_of(self, kind: str, first: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the ids of the roles of a case kind (of any, if not known), ``first`` before."""
        known = kind in self.rules.case_kinds
        roles = [row.id for row in self.rules.roles.values() if not known or kind in row.kinds]
        return tuple(dict.fromkeys([*(role for role in first if role in roles), *roles]))

    def legal_bases(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return id and norm of each legal basis of a remote part (of any kind, if not known)."""
        known = kind in self.rules.case_kinds
        rows = self.rules.legal_bases.values()
        return tuple((row.id, row.norm) for row in rows if not known or kind in row.kinds)

    def formats(self) -> tuple[tuple[str, str], ...]:
        """Return id and label of each format of a hearing."""
        rows = self.rules.forms.values()
        return tuple((row.id, self.form(row.id)) for row in rows if row.group == "format")

    def sessions(self) -> tuple[tuple[str, str], ...]:
        """Return id and label of each kind of session that is not the usual one."""
        return tuple((row.id, self.form(row.id)) for row in self.rules.forms_of("session"))

    def typed_questions(self) -> frozenset[str]:
        """Return the ids of the questions of the rules whose answers are typed."""
        return frozenset(row.id for row in self.rules.questions.values() if row.typed)

    def sentence_questions(self) -> frozenset[str]:
        """Return the ids of the questions whose typed answer is a sentence (R77)."""
        return frozenset(row.id for row in self.rules.questions.values() if row.letters)

    def closure_grounds(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return id and label of each closure ground of a case kind (of all, if not known)."""
        known = kind in self.rules.case_kinds
        rows = (
            self.rules.closure_grounds_for(kind) if known else self.rules.closure_grounds.values()
        )
        return tuple((row.id, sentence_case(self._label(row, row.id))) for row in rows)

    def deferrals(self) -> frozenset[str]:
        """Return the ids of the grounds on which the state fee is paid after the decision."""
        return frozenset(row.id for row in self.rules.state_fee.exemption if row.deferred)

    def permissions(self) -> tuple[tuple[str, str], ...]:
        """Return id and label of each kind of filming and broadcast that the court may allow."""
        rows = self.rules.permissions.values()
        return tuple((row.id, sentence_case(self._label(row, row.id))) for row in rows)

    def needs_consent(self, permission: str, kind: str) -> bool:
        """Return whether the persons in a case of ``kind`` must agree (УПК 345(6))."""
        row = self.rules.permissions.get(permission)
        return row is not None and kind in row.consent_kinds

    def online_service(self, identifier: str) -> tuple[str, str]:
        """Return what an online service is called, and what it is for."""
        row = self.rules.online_services[identifier]
        pick = self._translate.pick
        return sentence_case(pick(row.label.as_map())), pick(row.purpose.as_map())

    # -- documents -----------------------------------------------------------------------------

    def document_type(self, identifier: str) -> str:
        """Return the label of a document type."""
        return sentence_case(self._label(self.rules.document_types.get(identifier), identifier))

    def groups(self) -> tuple[str, ...]:
        """Return the groups of document types: the common ones, then each case kind."""
        return ("common", *self.rules.case_kinds)

    def group(self, group: str) -> str:
        """Return the label of a group."""
        return (
            self._translate.gettext("Most common") if group == "common" else self.kind_title(group)
        )

    def types_of(self, group: str) -> tuple[str, ...]:
        """Return the document types of a group that a visitor hands in, most common first."""
        if group == "common":
            return tuple(t for t in COMMON_TYPES if t in self.rules.document_types)
        rows = [row.id for row in self.rules.document_types_for(group) if row.visitor]
        first = [t for t in COMMON_TYPES if t in rows and t != "other"]
        last = [t for t in rows if t == "other"]
        return (*first, *(t for t in rows if t not in first and t not in last), *last)
