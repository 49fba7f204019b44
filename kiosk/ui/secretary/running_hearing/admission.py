"""Who may stay in a closed part, and who has to leave (R54, R73; УПК 350(1)); no Kivy.

Participants and those who were called stay. Whoever may only watch needs the court's permission.
"""

from __future__ import annotations

from kiosk.api.persons import HearingPerson
from kiosk.api.recorder import RunningHearing
from kiosk.rules import Rules

WATCHES = "observe"
"""Rights of a role that may only watch, as in ``roles.toml``."""


def must_leave(rules: Rules, hearing: RunningHearing, person: HearingPerson) -> bool:
    """Return whether somebody is asked to leave: the hearing is closed, and they only watch."""
    role = rules.roles.get(person.role)
    is_there = not person.left and person.attendance != "absent"
    only_watches = role is not None and role.rights == WATCHES
    return hearing.closed is not None and is_there and only_watches and not person.admitted
