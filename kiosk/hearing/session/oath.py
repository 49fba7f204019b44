"""The end of an oath or an explanation, and whether it was heard (R50, R51; УПК 352, 360, 370(2)).

Both begin with their mark. Whether an oath was heard is asked of the microphone of the person who
swears, an explanation of that of the presiding judge; it blocks nothing. How long it was heard, and
who spoke at the same time, is asked of the turns of speech (:mod:`.oath_speech`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from kiosk.clocks import NS_PER_S, boot_id
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.room.microphone_roles import SPARE
from kiosk.hearing.session.hearing_state import HearingState, Mark
from kiosk.hearing.session.oath_speech import (
    SaidMeanwhile,
    Span,
    least_oath_seconds,
    said_meanwhile,
)
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.rules import Rules
from kiosk.rules.explanations import spoken_events

REMOTE = "remote"
"""Role of the microphone through which those who take part by technical means are heard."""
WITNESS = "witness"
PRESIDING = "presiding"
OATH = "oath"


def end_oath(hearing: OpenHearing, sources: Sources, rules: Rules, number: int, by: str) -> Mark:
    """Journal the end of the oath or explanation that mark ``number`` began; return the mark.

    Raises:
        BadRequestError: there is none, it was withdrawn, or it has ended already.
    """
    mark = _find_begun(hearing.state, rules, number)
    name = _microphone_of(hearing.state, mark)
    said = None if name is None else _said(hearing, sources, rules, mark, name)
    heard = None if name is None else _was_heard(hearing.state, sources, mark, name)
    if said is not None:  # a cough, or words that were said in a recess, are no oath
        heard = said.seconds > 0
        said = said if heard else None
    fields = {
        "mark": number,
        "person": by,
        "microphone": name or "",
        "heard": heard,
        "said_seconds": None if said is None else said.seconds,
        "is_short": None if said is None else said.seconds < _least_seconds(hearing, rules, mark),
        "also": None if said is None else _roles_at(hearing.state, said.also),
    }
    hearing.append_here("oath_ended" if mark.type == OATH else "explanation_ended", fields)
    return mark


def _said(
    hearing: OpenHearing, sources: Sources, rules: Rules, mark: Mark, name: str
) -> SaidMeanwhile | None:
    """Return for how long it was said, and who else spoke; None: nobody listened all the time."""
    part, speech = hearing.state.parts.get(mark.part), sources.speech
    microphone = next((row for row in sources.microphones if row.name == name), None)
    if part is None or speech is None or microphone is None:
        return None
    begun_ns = part.tap_ns + round(mark.part_seconds * NS_PER_S)
    if not (microphone.knows_speech and microphone.is_silence_known(begun_ns)):
        return None
    running = speech.running_turns  # first: one that ends meanwhile is told twice, not lost
    hearing.add_turns(speech.take_turns())
    recorded = _recorded_since(hearing.state, begun_ns)
    return said_meanwhile((*hearing.recent_turns, *running), name, recorded, rules)


def _recorded_since(state: HearingState, begun_ns: int) -> list[Span]:
    """Return what was recorded since then in this boot: what is said in a recess is not."""
    parts = [part for part in state.parts.values() if part.boot == boot_id()]
    ends = [sys.maxsize if part.stop_ns is None else part.stop_ns for part in parts]
    spans = [(max(part.tap_ns, begun_ns), end) for part, end in zip(parts, ends, strict=True)]
    return [span for span in spans if span[0] < span[1]]


def _least_seconds(hearing: OpenHearing, rules: Rules, mark: Mark) -> float:
    if mark.type != OATH:
        return float(rules.limit("oath.explained_seconds"))
    return least_oath_seconds(rules, str(hearing.state.details.get("language") or ""))


def _roles_at(state: HearingState, names: Iterable[str]) -> list[str]:
    """Return the roles at microphones, each once; of one that serves nobody its name."""
    roles = ((name, state.roles.main_role(name)) for name in names)
    return list(dict.fromkeys(name if role == SPARE else role for name, role in roles))


def _find_begun(state: HearingState, rules: Rules, number: int) -> Mark:
    spoken = spoken_events(rules.explanations.values()) | {OATH}
    for mark in state.marks_in_force:
        if (mark.number, mark.ended) == (number, "") and mark.type in spoken:
            return mark
    raise BadRequestError("no such oath or explanation, or it has ended", code="unknown_mark")


def _microphone_of(state: HearingState, mark: Mark) -> str | None:
    """Return the microphone at which whoever speaks is heard; None: there is none."""
    if mark.type != OATH:
        return state.roles.microphone_for(PRESIDING)
    person = state.persons.rows.get(mark.of.id) if mark.of is not None else None
    if person is not None and person.seat:
        return person.seat
    is_online = person is not None and person.attendance == "online"
    roles = [REMOTE] if is_online else [person.role, WITNESS] if person is not None else [WITNESS]
    found = (state.roles.microphone_for(role) for role in roles)
    return next((name for name in found if name is not None), None)


def _was_heard(state: HearingState, sources: Sources, mark: Mark, name: str) -> bool | None:
    """Return whether somebody spoke there since the mark; None: it cannot be known.

    Silence is claimed only where it was listened all the time: not while the process that listens
    starts, is late, or was down.
    """
    part = state.parts.get(mark.part)
    microphone = next((row for row in sources.microphones if row.name == name), None)
    if part is None or microphone is None or part.boot != boot_id():
        return None
    begun_ns = part.tap_ns + round(mark.part_seconds * NS_PER_S)
    spoken_ns = microphone.last_speech_ns
    if spoken_ns is not None and spoken_ns > begun_ns:
        recorded = _recorded_since(state, begun_ns)
        return True if any(begin < spoken_ns <= end for begin, end in recorded) else None
    return False if microphone.is_silence_known(begun_ns) else None
