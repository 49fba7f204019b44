"""Remedies for a failing microphone: a spare or another microphone takes over, or none does.

Each is journalled with the person and the time; ``back`` undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kiosk.api.recorder import Microphone
from kiosk.api.recorder_calls import ApplyRemedy, MicrophoneDuties
from kiosk.api.states import MicrophoneKind, Remedy
from kiosk.errors import HearingError
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.room.microphone_roles import MicrophoneRoles
from kiosk.hearing.session.open_hearing import OpenHearing


class NoSpareError(HearingError):
    """No microphone can take the role over."""

    code = "no_spare"
    status = 409


class RemedyImpossibleError(HearingError):
    """This remedy does not fit this microphone now."""

    code = "remedy_impossible"
    status = 409


def find_candidates(
    name: str, roles: MicrophoneRoles, microphones: Iterable[Microphone]
) -> dict[Remedy, tuple[str, ...]]:
    """Return the microphones that could take over from ``name``: spares, and those to move to."""
    usable = [
        other.name
        for other in microphones
        if other.name != name
        and other.kind != MicrophoneKind.REMOTE
        and other.state.can_take_over
        and other.name not in roles.waived
    ]
    return {
        Remedy.SPARE: tuple(other for other in usable if not roles.current.get(other)),
        Remedy.MOVE: tuple(other for other in usable if roles.current.get(other)),
    }


def available_remedies(
    microphone: Microphone, roles: MicrophoneRoles, microphones: Iterable[Microphone]
) -> tuple[Remedy, ...]:
    """Return the remedies that are possible for ``microphone`` now."""
    name = microphone.name
    found: list[Remedy] = []
    if roles.is_serving(name) and microphone.state.is_failing:
        if microphone.kind != MicrophoneKind.REMOTE:
            candidates = find_candidates(name, roles, microphones)
            found += [remedy for remedy, names in candidates.items() if names]
        found.append(Remedy.WITHOUT)
    assigned_role = roles.assigned.get(name)
    if name in roles.waived or (
        assigned_role is not None and assigned_role not in roles.current[name]
    ):
        found.append(Remedy.BACK)
    return tuple(found)


def with_duties(
    microphones: Sequence[Microphone], roles: MicrophoneRoles | None
) -> tuple[Microphone, ...]:
    """Return ``microphones`` of State with their current roles and available remedies.

    Args:
        roles: of the open hearing, None where there is none: then nothing needs a remedy.
    """
    if roles is None:
        return tuple(microphones)
    found = []
    for microphone in microphones:
        name = microphone.name
        remedies = available_remedies(microphone, roles, microphones)
        candidates = find_candidates(name, roles, microphones)
        duties = {
            "role": roles.main_role(name),
            "roles": tuple(roles.current.get(name, ())),
            "without": name in roles.waived,
            "remedies": remedies,
            "remedy_targets": {kind: candidates[kind] for kind in candidates if kind in remedies},
        }
        found.append(microphone.model_copy(update=duties))
    return tuple(found)


@dataclass(frozen=True)
class _Step:
    """A valid request for a remedy, with what it works on."""

    hearing: OpenHearing
    microphones: Mapping[str, Microphone]
    request: ApplyRemedy
    person: str

    @property
    def roles(self) -> MicrophoneRoles:
        return self.hearing.state.roles


def apply_remedy(
    hearing: OpenHearing, microphones: Iterable[Microphone], request: ApplyRemedy, person: str
) -> MicrophoneDuties:
    """Apply a remedy; return the roles as they are now.

    Args:
        microphones: as in State.
        person: who asks for it.

    Raises:
        BadRequestError: no such microphone.
        NoSpareError, RemedyImpossibleError: not now; nothing was changed.
    """
    by_name = {microphone.name: microphone for microphone in microphones}
    roles = hearing.state.roles
    if request.source not in by_name or request.source not in roles.current:
        raise BadRequestError(f"source: no microphone “{request.source}”")
    if request.to and request.to not in roles.current:
        raise BadRequestError(f"to: no microphone “{request.to}”")
    step = _Step(hearing, by_name, request, person)
    match request.remedy:
        case Remedy.SPARE | Remedy.MOVE:
            _move_role(step)
        case Remedy.WITHOUT:
            _continue_without(step)
        case Remedy.BACK:
            _undo(step)
    return MicrophoneDuties(
        roles={name: tuple(found) for name, found in roles.current.items()},
        without=tuple(sorted(roles.waived)),
    )


def _move_role(step: _Step) -> None:
    """Move the role to ``to``, or to the first spare that fits."""
    roles, source, to = step.roles, step.request.source, step.request.to
    is_move = step.request.remedy == Remedy.MOVE
    if is_move and not to:
        raise BadRequestError("to: which microphone takes the role?")
    if not roles.current[source]:
        raise RemedyImpossibleError(f"“{source}” has no role")
    if step.microphones[source].kind == MicrophoneKind.REMOTE:
        raise RemedyImpossibleError("a link cannot be replaced by a microphone")
    candidates = find_candidates(source, roles, step.microphones.values())
    names = candidates[Remedy.SPARE]
    if is_move:
        names = (*candidates[Remedy.MOVE], *names)
    if to and to not in names:
        raise RemedyImpossibleError(f"“{to}” cannot take over now")
    if not names:
        raise NoSpareError("no microphone can take over")
    successor = to or names[0]
    _append_move(step, source, successor, _leaving_role(roles, source, successor))


def _leaving_role(roles: MicrophoneRoles, source: str, to: str) -> str:
    """Return the role that leaves ``source``: the one that belongs to ``to``, else the newest."""
    assigned_role = roles.assigned.get(to)
    return assigned_role if assigned_role in roles.current[source] else roles.current[source][-1]


def _append_move(step: _Step, source: str, to: str, role: str) -> None:
    fields = {"source": source, "to": to, "role": role, "remedy": step.request.remedy}
    step.hearing.append("role_moved", {**fields, "person": step.person})


def _continue_without(step: _Step) -> None:
    roles, source = step.roles, step.request.source
    if not roles.is_serving(source):
        raise RemedyImpossibleError("it has no role, or the court continues without it already")
    fields = {"source": source, "person": step.person}
    step.hearing.append("continue_without", {**fields, "roles": roles.current[source]})


def _undo(step: _Step) -> None:
    """Give the microphone its assigned role back, and end ``without``."""
    roles, source = step.roles, step.request.source
    assigned_role = roles.assigned.get(source)
    holder = None if assigned_role is None else roles.microphone_for(assigned_role)
    if source not in roles.waived and holder in (None, source):
        raise RemedyImpossibleError("there is nothing to undo")
    if holder is not None and holder != source and assigned_role is not None:
        _append_move(step, holder, source, assigned_role)
    if source in roles.waived:
        step.hearing.append("taken_back", {"source": source, "person": step.person})
