"""Rows of ``order.toml``: what is due when in a hearing (R46-R53, S10-S14, S25)."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from kiosk.rules.model import Identifier, SourceStatus, TableRow

When = Literal["course", "turn", "closed", "reopen"]
AnnouncedPart = Literal["introductory_and_operative", "operative", "none"]


class RoleGroup(TableRow):
    """Roles for which the same is due; a step names the group or single roles."""

    id: Identifier
    roles: tuple[Identifier, ...]


class OrderStep(TableRow):
    """An event that is due at a point of the hearing; nothing is forbidden by it.

    Attributes:
        of: roles or groups of the persons it is due for, each by himself; none: once in all.
        when: ``course``: in the order of the file; ``turn``: when the person is heard; ``closed``:
            at once while the hearing is closed; ``reopen``: while it is closed, right before what
            it is needed for.
        place: where the person takes part; None: either.
        minor: whether the person is under sixteen; None: either (S12).
        institution: whether the person takes part by the means of an institution (АПК 133-3(3)).
        with_roles: due only if somebody with one of these roles takes part.
        met_by: done if somebody with each of these roles takes part.
        once: due only after all of these.
        needed_for: events that should not come before it.
        everybody: whoever is heard needs it; missing also before a mark that names nobody.
    """

    event: Identifier
    of: tuple[Identifier, ...] = ()
    kinds: tuple[Identifier, ...] = ()
    when: When = "course"
    place: Literal["hall", "online"] | None = None
    minor: bool | None = None
    institution: bool | None = None
    with_roles: tuple[Identifier, ...] = ()
    met_by: tuple[Identifier, ...] = ()
    once: tuple[Identifier, ...] = ()
    needed_for: tuple[Identifier, ...] = ()
    everybody: bool = False
    status: SourceStatus
    source: tuple[str, ...] = Field(min_length=1)


class FollowUpRule(TableRow):
    """After ``after`` the events ``expect`` are likely, once ``once_done`` have happened.

    Attributes:
        kinds, formats: of the hearing; empty: all.
        unnamed: only while nobody said whom ``after`` was of.
    """

    after: Identifier
    expect: tuple[Identifier, ...]
    kinds: tuple[Identifier, ...] = ()
    formats: tuple[Identifier, ...] = ()
    once_done: tuple[Identifier, ...] = ()
    unnamed: bool = False


class AnnouncementRule(TableRow):
    """How much of the act is announced in open session.

    Attributes:
        closed: only in a closed hearing.
        closed_ground: only where the ground of closing keeps the announcement closed as well.
    """

    part: AnnouncedPart
    kinds: tuple[Identifier, ...] = ()
    closed: bool = False
    closed_ground: bool = False
    status: SourceStatus
    source: tuple[str, ...] = Field(min_length=1)


class WithoutMinutes(TableRow):
    """A session or an instance of which no minutes are kept.

    Attributes:
        recorded: whether it may be recorded.
    """

    session: Identifier | None = None
    instance: Identifier | None = None
    kinds: tuple[Identifier, ...]
    recorded: bool
    status: SourceStatus
    source: tuple[str, ...] = Field(min_length=1)


class Order(TableRow):
    """The whole of ``order.toml``."""

    group: tuple[RoleGroup, ...]
    step: tuple[OrderStep, ...]
    follow: tuple[FollowUpRule, ...]
    announcement: tuple[AnnouncementRule, ...]
    without_minutes: tuple[WithoutMinutes, ...]

    @cached_property
    def _groups(self) -> dict[Identifier, tuple[Identifier, ...]]:
        return {row.id: row.roles for row in self.group}

    def roles_of(self, names: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
        """Return the roles that ``names`` (roles or groups) stand for, in their order."""
        return tuple(role for name in names for role in self._groups.get(name, (name,)))
