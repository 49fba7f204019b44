"""Remedies for a failing microphone: a spare or another microphone takes over, or none does.

Each is journalled with the person and the time; ``back`` undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
) -> dict[str, list[str]]:
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


@dataclass(frozen=True)
class _Request:
    """A valid request for a remedy for the microphone ``source``; ``to`` may be empty."""

    hearing: OpenHearing
    microphones: Mapping[str, Mapping[str, Any]]
    kind: str
    source: str
    to: str
    person: str

    @property
    def roles(self) -> MicrophoneRoles:
        return self.hearing.state.roles


def apply_remedy(
    hearing: OpenHearing,
    microphones: Iterable[Mapping[str, Any]],
    body: Mapping[str, Any],
    person: str,
) -> dict[str, Any]:
    """Apply a remedy; return the roles as they are now.

    Args:
        microphones: as in State.
        body: ``{"source", "remedy", "to"?}``.
        person: who asks for it.

    Raises:
        BadRequestError: no such microphone or remedy.
        NoSpareError, RemedyImpossibleError: not now; nothing was changed.
    """
    by_name = {str(microphone["name"]): microphone for microphone in microphones}
    roles = hearing.state.roles
    kind, source, to = str(body.get("remedy")), str(body.get("source")), str(body.get("to") or "")
    if kind not in REMEDIES:
        raise BadRequestError(f"a remedy is one of {', '.join(REMEDIES)}")
    if source not in by_name or source not in roles.current:
        raise BadRequestError(f"no microphone “{source}”")
    if to and to not in roles.current:
        raise BadRequestError(f"no microphone “{to}”")
    request = _Request(hearing, by_name, kind, source, to, person)
    if kind in (SPARE, MOVE):
        _move_role(request)
    elif kind == WITHOUT:
        _continue_without(request)
    else:
        _undo(request)
    return {"roles": dict(roles.current), "without": sorted(roles.waived)}


def _move_role(request: _Request) -> None:
    """Move the role to ``to``, or to the first spare that fits."""
    roles, source, to = request.roles, request.source, request.to
    if request.kind == MOVE and not to:
        raise BadRequestError("“to” is missing: which microphone takes the role?")
    if not roles.current[source]:
        raise RemedyImpossibleError(f"“{source}” has no role")
    if request.microphones[source]["kind"] == REMOTE_KIND:
        raise RemedyImpossibleError("a link cannot be replaced by a microphone")
    candidates = find_candidates(source, roles, request.microphones.values())
    names = candidates[SPARE]
    if request.kind == MOVE:
        names = [*candidates[MOVE], *names]
    if to and to not in names:
        raise RemedyImpossibleError(f"“{to}” cannot take over now")
    if not names:
        raise NoSpareError("no microphone can take over")
    successor = to or names[0]
    _append_move(request, source, successor, _leaving_role(roles, source, successor))


def _leaving_role(roles: MicrophoneRoles, source: str, to: str) -> str:
    """Return the role that leaves ``source``: the one that belongs to ``to``, else the newest."""
    assigned_role = roles.assigned.get(to)
    return assigned_role if assigned_role in roles.current[source] else roles.current[source][-1]


def _append_move(request: _Request, source: str, to: str, role: str) -> None:
    fields = {"source": source, "to": to, "role": role, "remedy": request.kind}
    request.hearing.append("role_moved", {**fields, "person": request.person})


def _continue_without(request: _Request) -> None:
    roles, source = request.roles, request.source
    if not roles.is_serving(source):
        raise RemedyImpossibleError("it has no role, or the court continues without it already")
    fields = {"source": source, "person": request.person}
    request.hearing.append("continue_without", {**fields, "roles": roles.current[source]})


def _undo(request: _Request) -> None:
    """Give the microphone its assigned role back, and end ``without``."""
    roles, source = request.roles, request.source
    assigned_role = roles.assigned.get(source)
    holder = None if assigned_role is None else roles.microphone_for(assigned_role)
    if source not in roles.waived and holder in (None, source):
        raise RemedyImpossibleError("there is nothing to undo")
    if holder is not None and holder != source and assigned_role is not None:
        _append_move(request, holder, source, assigned_role)
    if source in roles.waived:
        request.hearing.append("taken_back", {"source": source, "person": request.person})
