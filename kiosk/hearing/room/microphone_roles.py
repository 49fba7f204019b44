"""Which microphone serves whom during a hearing: the settings, and what was moved since.

When a microphone fails, a spare takes its role, another microphone takes it too, or the court
continues without. Derived from the journal alone (``role_moved``, ``continue_without``,
``taken_back``), so that it is the same after a crash. Tracks keep their microphones' names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.config import MicrophoneSettings

SPARE = "spare"
"""Role of a microphone that serves nobody yet."""


@dataclass
class MicrophoneRoles:
    """MicrophoneRoles by microphone.

    Attributes:
        assigned: role of each microphone by the settings; spares are not in it.
        current: roles of each microphone now, its own first; a microphone out of service has none.
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
        """Return whether ``name`` records somebody; a source that is no microphone always does."""
        return bool(self.current.get(name, [name])) and name not in self.waived

    def main_role(self, name: str) -> str:
        """Return the role to show for ``name``."""
        roles = self.current.get(name, [])
        return roles[0] if roles else SPARE

    def microphone_for(self, role: str) -> str | None:
        """Return the microphone that has ``role`` now."""
        return next((name for name, roles in self.current.items() if role in roles), None)

    # -- lines of the journal ------------------------------------------------------------------
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
