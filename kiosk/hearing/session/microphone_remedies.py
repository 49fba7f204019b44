"""What the court can do about a microphone that fails: a spare, another microphone, or without.

Everything is journalled with who and when; ``back`` undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kiosk.errors import HearingError
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.room.microphone_roles import Roles
from kiosk.hearing.session.open_hearing import Session

SPARE, MOVE, WITHOUT, BACK = REMEDIES = ("spare", "move", "without", "back")
FAILING = frozenset({"absent", "dead", "muted", "quiet", "clipping", "humming"})
USELESS = frozenset({"absent", "dead", "muted", "starting"})
"""A microphone in one of these states cannot take anything over."""
REMOTE_KIND = "remote"


class NoSpareError(HearingError):
    """No microphone can take the role over."""

    code = "no_spare"
    status = 409


class RemedyImpossibleError(HearingError):
    """This remedy does not fit this microphone now."""

    code = "remedy_impossible"
    status = 409


def targets(name: str, roles: Roles, microphones: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return which microphones could take over from ``name``: ``spare`` and ``move``."""
    found: dict[str, list[str]] = {SPARE: [], MOVE: []}
    for one in microphones:
        other = str(one["name"])
        fit = other != name and one["kind"] != REMOTE_KIND and one["state"] not in USELESS
        if fit and other not in roles.without:
            found[MOVE if roles.now.get(other) else SPARE].append(other)
    return found


def possible(
    microphone: Mapping[str, Any], roles: Roles, microphones: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return the remedies that are possible for ``microphone`` now."""
    name = str(microphone["name"])
    found = []
    if roles.serves(name) and microphone["state"] in FAILING:
        if microphone["kind"] != REMOTE_KIND:
            found += [kind for kind, names in targets(name, roles, microphones).items() if names]
        found.append(WITHOUT)
    home = roles.home.get(name)
    if name in roles.without or (home is not None and home not in roles.now[name]):
        found.append(BACK)
    return found


def show(microphones: list[dict[str, Any]], roles: Roles | None) -> None:
    """Put present roles and possible remedies into ``microphones`` of State.

    Args:
        roles: of the open hearing, None where there is none: then nothing needs a remedy.
    """
    for one in microphones:
        name = str(one["name"])
        one |= {"roles": [one["role"]], "without": False, "remedies": [], "remedy_targets": {}}
        if roles is not None:
            one |= {"role": roles.role(name), "roles": list(roles.now.get(name, []))}
            one["without"] = name in roles.without
            one["remedies"] = possible(one, roles, microphones)
            choices = targets(name, roles, microphones)
            one["remedy_targets"] = {k: v for k, v in choices.items() if k in one["remedies"]}


class Remedy:
    """One request for a remedy.

    Args:
        session: the open hearing.
        microphones: as in State.
        body: ``{"source", "remedy", "to"?}``.
        person: who asks for it.

    Raises:
        BadRequestError: no such microphone or remedy.
    """

    def __init__(
        self,
        session: Session,
        microphones: list[dict[str, Any]],
        body: Mapping[str, Any],
        person: str,
    ) -> None:
        self._session, self._person = session, person
        self._roles = session.record.roles
        self._microphones = {str(one["name"]): one for one in microphones}
        self._source, self._to = str(body.get("source")), str(body.get("to") or "")
        self._kind = str(body.get("remedy"))
        if self._kind not in REMEDIES:
            raise BadRequestError(f"a remedy is one of {', '.join(REMEDIES)}")
        if self._source not in self._microphones or self._source not in self._roles.now:
            raise BadRequestError(f"no microphone “{self._source}”")
        if self._to and self._to not in self._roles.now:
            raise BadRequestError(f"no microphone “{self._to}”")

    def apply(self) -> dict[str, Any]:
        """Do it; return the roles now.

        Raises:
            NoSpareError, RemedyImpossibleError: not now; nothing was changed.
        """
        {
            SPARE: self._to_spare,
            MOVE: self._to_other,
            WITHOUT: self._without,
            BACK: self._back,
        }[self._kind]()
        roles = self._roles
        return {"roles": dict(roles.now), "without": sorted(roles.without)}

    def _to_spare(self) -> None:
        self._hand_over(SPARE)

    def _to_other(self) -> None:
        if not self._to:
            raise BadRequestError("“to” is missing: which microphone takes the role?")
        self._hand_over(MOVE)

    def _hand_over(self, kind: str) -> None:
        """Move the role to ``to``, or to the first that fits."""
        if not self._roles.now[self._source]:
            raise RemedyImpossibleError(f"“{self._source}” has no role")
        if self._microphones[self._source]["kind"] == REMOTE_KIND:
            raise RemedyImpossibleError("a link cannot be replaced by a microphone")
        fit = targets(self._source, self._roles, self._microphones.values())
        names = fit[SPARE] if kind == SPARE else [*fit[MOVE], *fit[SPARE]]
        if self._to and self._to not in names:
            raise RemedyImpossibleError(f"“{self._to}” cannot take over now")
        if not names:
            raise NoSpareError("no microphone can take over")
        self._move(self._source, self._to or names[0], self._which(self._to or names[0]))

    def _which(self, to: str) -> str:
        """Return the role that leaves: the one that belongs to ``to``, else the newest."""
        held = self._roles.now[self._source]
        home = self._roles.home.get(to)
        return home if home in held else held[-1]

    def _move(self, source: str, to: str, role: str) -> None:
        fields = {"source": source, "to": to, "role": role, "remedy": self._kind}
        self._session.write("role_moved", {**fields, "person": self._person})

    def _without(self) -> None:
        if not self._roles.serves(self._source):
            raise RemedyImpossibleError("it has no role, or the court continues without it already")
        fields = {"source": self._source, "person": self._person}
        self._session.write("continue_without", {**fields, "roles": self._roles.now[self._source]})

    def _back(self) -> None:
        source, roles = self._source, self._roles
        home = roles.home.get(source)
        holder = None if home is None else roles.holder(home)
        if source not in roles.without and holder in (None, source):
            raise RemedyImpossibleError("there is nothing to undo")
        if holder is not None and holder != source and home is not None:
            self._move(holder, source, home)
        if source in roles.without:
            self._session.write("taken_back", {"source": source, "person": self._person})
