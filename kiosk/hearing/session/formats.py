"""Formats in which the open hearing may be held, as the rules see it (R20, R86, R87, R91)."""

from __future__ import annotations

from kiosk.hearing.session.hearing_state import HearingState
from kiosk.rules import Rules

IN_THE_ROOM = "offline"
"""Always possible (R91)."""
APPLICATION = "application"


def offered_formats(state: HearingState, rules: Rules) -> tuple[str, ...]:
    """Return the formats that are offered: a secret is heard in the room.

    A state secret always, another secret protected by law on a party's application (R87).
    """
    formats = tuple(row.id for row in rules.forms_of("format"))
    return (IN_THE_ROOM,) if _is_kept_in_the_room(state, rules) else formats


def _is_kept_in_the_room(state: HearingState, rules: Rules) -> bool:
    grounds = [rules.closure_grounds.get(name) for name in state.grounds]
    known = [ground for ground in grounds if ground is not None]
    if state.details.get("state_secret") or any(ground.never_online for ground in known):
        return True
    named = rules.closure_grounds.get(str((state.closed or {}).get("ground")))
    if named is None or not named.secret:
        return False
    answers = state.answers
    return (
        named.needs == APPLICATION
        or answers.get("closure_basis") == APPLICATION
        or bool(answers.get("closure_application"))
    )
