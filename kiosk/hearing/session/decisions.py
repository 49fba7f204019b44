"""Checks what the court decides in the hearing: format, filming, broadcast (R20, R59-R65)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.api.states import Phase
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.formats import IN_THE_ROOM, offered_formats
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.rules import Rules

OPINIONS = ("agreed", "objected", "not_asked")
"""What the persons in the case said (R23, R65)."""


def check_format(context: HearingContext, state: HearingState, value: object) -> dict[str, Any]:
    """Return what the journal adds to a decision on the format: the rule that it departs from.

    What is no format is refused, and a state secret that would go over a network (R86, R87).
    """
    row = context.rules.forms.get(str(value))
    if row is None or row.group != "format":
        raise BadRequestError(f"no format “{value}”", code="unknown_format")
    if value != "offline" and context.publicity.is_secret(state):
        raise BadRequestError("a state secret is never heard online", code="secret_never_online")
    offered = offered_formats(state, context.rules)
    return {} if str(value) in offered else {"departs_from": "R87"}


def check_permission(rules: Rules, state: HearingState, value: object) -> dict[str, Any]:
    """Return what the journal adds to a decision on filming: the norm that it departs from.

    The court decides; that somebody has not consented is written down and holds nothing back.
    """
    said = value if isinstance(value, Mapping) else {}
    row = rules.permissions.get(str(said.get("kind")))
    if row is None:
        raise BadRequestError(f"no permission “{said.get('kind')}”", code="unknown_permission")
    if not isinstance(said.get("allowed"), bool) or said.get("opinions") not in OPINIONS:
        raise BadRequestError("permission: allowed and opinions are needed")
    needs_consent = state.details.get("kind") in row.consent_kinds
    if said["allowed"] and needs_consent and said["opinions"] != "agreed":
        return {"departs_from": "S15"}
    return {}


def decision_event(state: HearingState, subject: str, value: object) -> str:
    """Return the event that a decision in the hearing is; empty: the statement is none."""
    if state.phase is Phase.SEALING:
        return ""
    if subject == "permission":
        return "permission_decided"
    changed = subject == "format" and state.details.get("format") not in (None, value)
    return "format_decided" if changed else ""


def decided_before(state: HearingState, subject: str, value: object) -> dict[str, Any]:
    """Return what the mark of a decision keeps: what was so before, for whoever takes it back."""
    if subject != "permission" or not isinstance(value, Mapping):
        return {"subject": subject, "before": state.details.get(subject)}
    kind = str(value.get("kind"))
    return {"subject": subject, "before": dict(state.permissions.get(kind, {"kind": kind}))}


def undo_decision(context: HearingContext, hearing: OpenHearing, number: int, by: str) -> None:
    """Say again what was so before the decision that mark ``number`` was, if it was one.

    A state secret stays in the room, whatever the format was before (R86).
    """
    decision = hearing.state.decisions.get(number)
    if decision is None:
        return
    subject, before = decision["subject"], decision["before"]
    is_online = subject == "format" and before != IN_THE_ROOM
    if not (is_online and context.publicity.is_secret(hearing.state)):
        said = {"subject": subject, "value": before, "note": "", "person": by, "undoes": number}
        hearing.append("statement", said)
