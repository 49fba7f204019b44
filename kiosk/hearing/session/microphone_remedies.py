"""What the court can do about a microphone that fails: a spare, another microphone, or without.

Everything is journalled with who and when; ``back`` undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kiosk.errors import HearingError
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.room.microphone_roles import MicrophoneRoles
from kiosk.hearing.session.open_hearing import OpenHearing

SPARE, MOVE, WITHOUT, BACK = REMEDIES = ("spare", "move", "without", "back")
FAILING = frozenset({"absent", "dead", "muted", "quiet", "clipping", "humming"})
UNUSABLE = frozenset({"absent", "dead", "muted", "starting"})
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


def find_candidates(
    name: str, roles: MicrophoneRoles, microphones: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the microphones that could take over from ``name``, by remedy: ``spare``, ``move``."""
    found: dict[str, list[str]] = {SPARE: [], MOVE: []}
    for microphone in microphones:
        other = str(microphone["name"])
        usable = microphone["kind"] != REMOTE_KIND and microphone["state"] not in UNUSABLE
        if other != name and usable and other not in roles.waived:
            found[MOVE if roles.current.get(other) else SPARE].append(other)
    return found


def available_remedies(
    microphone: Mapping[str, Any], roles: MicrophoneRoles, microphones: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return the remedies that are possible for ``microphone`` now."""
    name = str(microphone["name"])
    found = []
    if roles.is_serving(name) and microphone["state"] in FAILING:
        if microphone["kind"] != REMOTE_KIND:
            found += [
                kind for kind, names in find_candidates(name, roles, microphones).items() if names
            ]
        found.append(WITHOUT)
    assigned_role = roles.assigned.get(name)
    if name in roles.waived or (
        assigned_role is not None and assigned_role not in roles.current[name]
    ):
        found.append(BACK)
    return found


def annotate_microphones(microphones: list[dict[str, Any]], roles: MicrophoneRoles | None) -> None:
    """Add current roles and available remedies to ``microphones`` of State.

    Args:
        roles: of the open hearing, None where there is none: then nothing needs a remedy.
    """
    for microphone in microphones:
        name = str(microphone["name"])
        microphone |= {
            "roles": [microphone["role"]],
            "without": False,
            "remedies": [],
            "remedy_targets": {},
        }
        if roles is not None:
            microphone |= {
                "role": roles.main_role(name),
                "roles": list(roles.current.get(name, [])),
            }
            microphone["without"] = name in roles.waived
            microphone["remedies"] = available_remedies(microphone, roles, microphones)
            candidates = find_candidates(name, roles, microphones)
            microphone["remedy_targets"] = {
                kind: names for kind, names in candidates.items() if kind in microphone["remedies"]
            }


class MicrophoneRemedy:
    """One request for a remedy.

    Args:
        hearing: the open hearing.
        microphones: as in State.
        body: ``{"source", "remedy", "to"?}``.
        person: who asks for it.

    Raises:
        BadRequestError: no such microphone or remedy.
    """

    def __init__(
        self,
        hearing: OpenHearing,
        microphones: list[dict[str, Any]],
        body: Mapping[str, Any],
        person: str,
    ) -> None:
        self._hearing, self._person = hearing, person
        self._roles = hearing.state.roles
        self._microphones = {str(microphone["name"]): microphone for microphone in microphones}
        self._source, self._to = str(body.get("source")), str(body.get("to") or "")
        self._kind = str(body.get("remedy"))
        if self._kind not in REMEDIES:
            raise BadRequestError(f"a remedy is one of {', '.join(REMEDIES)}")
        if self._source not in self._microphones or self._source not in self._roles.current:
            raise BadRequestError(f"no microphone “{self._source}”")
        if self._to and self._to not in self._roles.current:
            raise BadRequestError(f"no microphone “{self._to}”")

    def apply(self) -> dict[str, Any]:
        """Apply the remedy; return the roles as they are now.

        Raises:
            NoSpareError, RemedyImpossibleError: not now; nothing was changed.
        """
        {
            SPARE: self._move_to_spare,
            MOVE: self._move_to_other,
            WITHOUT: self._continue_without,
            BACK: self._undo,
        }[self._kind]()
        roles = self._roles
        return {"roles": dict(roles.current), "without": sorted(roles.waived)}

    def _move_to_spare(self) -> None:
        self._move_role(SPARE)

    def _move_to_other(self) -> None:
        if not self._to:
            raise BadRequestError("“to” is missing: which microphone takes the role?")
        self._move_role(MOVE)

    def _move_role(self, kind: str) -> None:
        """Move the role to ``to``, or to the first that fits."""
        if not self._roles.current[self._source]:
            raise RemedyImpossibleError(f"“{self._source}” has no role")
        if self._microphones[self._source]["kind"] == REMOTE_KIND:
            raise RemedyImpossibleError("a link cannot be replaced by a microphone")
        candidates = find_candidates(self._source, self._roles, self._microphones.values())
        names = candidates[SPARE]
        if kind == MOVE:
            names = [*candidates[MOVE], *names]
        if self._to and self._to not in names:
            raise RemedyImpossibleError(f"“{self._to}” cannot take over now")
        if not names:
            raise NoSpareError("no microphone can take over")
        self._append_move(
            self._source, self._to or names[0], self._leaving_role(self._to or names[0])
        )

    def _leaving_role(self, to: str) -> str:
        """Return the role that leaves: the one that belongs to ``to``, else the newest."""
        roles = self._roles.current[self._source]
        assigned_role = self._roles.assigned.get(to)
        return assigned_role if assigned_role in roles else roles[-1]

    def _append_move(self, source: str, to: str, role: str) -> None:
        fields = {"source": source, "to": to, "role": role, "remedy": self._kind}
        self._hearing.append("role_moved", {**fields, "person": self._person})

    def _continue_without(self) -> None:
        if not self._roles.is_serving(self._source):
            raise RemedyImpossibleError("it has no role, or the court continues without it already")
        fields = {"source": self._source, "person": self._person}
        self._hearing.append(
            "continue_without", {**fields, "roles": self._roles.current[self._source]}
        )

    def _undo(self) -> None:
        source, roles = self._source, self._roles
        assigned_role = roles.assigned.get(source)
        holder = None if assigned_role is None else roles.microphone_for(assigned_role)
        if source not in roles.waived and holder in (None, source):
            raise RemedyImpossibleError("there is nothing to undo")
        if holder is not None and holder != source and assigned_role is not None:
            self._append_move(holder, source, assigned_role)
        if source in roles.waived:
            self._hearing.append("taken_back", {"source": source, "person": self._person})
