"""Which microphone serves whom during a hearing: the settings, and what was moved since.

A role stays a role when its microphone fails: a spare takes it, another microphone takes it too,
or the court continues without. Told by the journal alone (``role_moved``, ``continue_without``,
``taken_back``), so that it is the same after a crash. Tracks keep their microphones' names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.config import Microphone

SPARE = "spare"
"""Role of a microphone that serves nobody yet."""


@dataclass
class Roles:
    """Roles by microphone.

    Attributes:
        home: role of each microphone by the settings; spares are not in it.
        now: roles of each microphone now, its own first; a microphone out of service has none.
        without: microphones that the court continues without.
    """

    home: dict[str, str] = field(default_factory=dict)
    now: dict[str, list[str]] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, microphones: Iterable[Microphone]) -> Roles:
        """Return the roles of the settings."""
        home = {one.name: one.role for one in microphones}
        return cls(
            {name: role for name, role in home.items() if role != SPARE},
            {name: [] if role == SPARE else [role] for name, role in home.items()},
        )

    def serves(self, name: str) -> bool:
        """Say whether somebody is recorded by ``name``; a source that is no microphone serves."""
        return bool(self.now.get(name, [name])) and name not in self.without

    def role(self, name: str) -> str:
        """Return the role to show for ``name``."""
        roles = self.now.get(name, [])
        return roles[0] if roles else SPARE

    def holder(self, role: str) -> str | None:
        """Return the microphone that has ``role`` now."""
        return next((name for name, roles in self.now.items() if role in roles), None)

    # -- lines of the journal ------------------------------------------------------------------
    def moved(self, entry: Mapping[str, Any]) -> None:
        """Take a ``role_moved`` line."""
        source, to, role = str(entry["source"]), str(entry["to"]), str(entry["role"])
        if role in self.now.get(source, []) and to in self.now:
            self.now[source].remove(role)
            place = 0 if self.home.get(to) == role else len(self.now[to])
            self.now[to].insert(place, role)
            self.without.discard(to)

    def left(self, entry: Mapping[str, Any]) -> None:
        """Take a ``continue_without`` line."""
        self.without.add(str(entry["source"]))

    def taken_back(self, entry: Mapping[str, Any]) -> None:
        """Take a ``taken_back`` line: the end of ``continue_without``."""
        self.without.discard(str(entry["source"]))
