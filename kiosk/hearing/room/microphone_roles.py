"""Assigns roles to microphones during a hearing: from the settings, changed by remedies.

When a microphone fails, a spare takes its role, another microphone takes it as well, or the court
continues without it. The roles follow from the journal alone (``role_moved``,
``continue_without``, ``taken_back``), so that they are the same after a crash. Tracks keep the
names of their microphones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.config import MicrophoneSettings

SPARE = "spare"
"""Role of a microphone that has no person yet."""


@dataclass
class MicrophoneRoles:
    """The roles of each microphone.

    Attributes:
        assigned: role of each microphone in the settings, without spares.
        current: roles of each microphone now, the assigned one first; none if out of service.
        waived: microphones that the court continues without.
    """

    assigned: dict[str, str] = field(default_factory=dict)
    current: dict[str, list[str]] = field(default_factory=dict)
    waived: set[str] = field(default_factory=set)

    @classmethod
    def from_settings(cls, microphones: Iterable[MicrophoneSettings]) -> MicrophoneRoles:
        """Return the roles that the settings assign."""
        roles = {microphone.name: microphone.role for microphone in microphones}
        return cls(
            {name: role for name, role in roles.items() if role != SPARE},
            {name: [] if role == SPARE else [role] for name, role in roles.items()},
        )

    def is_serving(self, name: str) -> bool:
        """Return whether ``name`` records somebody; sources that are no microphones always do."""
        return bool(self.current.get(name, [name])) and name not in self.waived

    def main_role(self, name: str) -> str:
        """Return the role to show for ``name``."""
        roles = self.current.get(name, [])
        return roles[0] if roles else SPARE

    def microphone_for(self, role: str) -> str | None:
        """Return the microphone that has ``role`` now, or None."""
        return next((name for name, roles in self.current.items() if role in roles), None)

    # -- journal entries -----------------------------------------------------------------------
    def apply_role_moved(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``role_moved`` entry."""
        source, to, role = str(entry["source"]), str(entry["to"]), str(entry["role"])
        if role in self.current.get(source, []) and to in self.current:
            self.current[source].remove(role)
            place = 0 if self.assigned.get(to) == role else len(self.current[to])
            self.current[to].insert(place, role)
            self.waived.discard(to)

    def apply_continue_without(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``continue_without`` entry."""
        self.waived.add(str(entry["source"]))

    def apply_taken_back(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``taken_back`` entry: the end of ``continue_without``."""
        self.waived.discard(str(entry["source"]))
