"""Makes the view for the display in the hall from the court's list and the open hearing (R54, S14).

It names no hearing that the list hides, that was closed here, or that is not clearly open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from kiosk.api.hall import HallCall, HallRow, HallStatus, HallView, PublicCase, public_case
from kiosk.api.hearing import Hearing
from kiosk.api.persons import HearingPerson
from kiosk.api.states import ClockState, Phase
from kiosk.clocks import format_wall, parse_set_wall, wall_time
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.room.court_list import hides_number
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.line_ledger import REMOTE_FORMATS

STATUS_OF_PHASE = {
    Phase.IDLE: HallStatus.ENDED,
    Phase.RECORDING: HallStatus.IN_SESSION,
    Phase.RECESS: HallStatus.RECESS,
    Phase.RETIRED: HallStatus.RETIRED,
    Phase.SEALING: HallStatus.ENDED,
}
UNBEGUN = (HallStatus.LISTED, HallStatus.NEXT)
STREAM = "web_stream"
"""Permission of the rules: an internet stream."""
NOT_ONLINE = {"online": False, "is_streamed": False}
Publicity = Literal["open", "closed", "unclear"]


@dataclass(frozen=True)
class OpenRow:
    """The hearing that is open, as the hall may see it.

    Attributes:
        ids: under which the list may have it.
        row: how it is shown if the list does not have it; ``case`` is None where it is hidden.
        is_withheld: the name of somebody is withheld, also in the title (S9).
    """

    ids: frozenset[str]
    row: HallRow
    is_withheld: bool = False


def hall_rows(
    listed: Sequence[Hearing],
    current: OpenRow | None,
    closed_here: Collection[str],
    ended: Collection[str],
) -> tuple[HallRow, ...]:
    """Return the rows, those without a time last.

    Args:
        listed: today's hearings.
        closed_here: ids of hearings that were closed in this room, the open one's with them.
        ended: ids of the hearings that have ended today.
    """
    rows: list[HallRow] = []
    is_open_listed = False
    for hearing in listed:
        case = public_case(hearing, closed_here)
        if current is not None and hearing.id in current.ids:
            is_open_listed = True
            if case is not None and current.is_withheld:
                case = current.row.case  # the list's title may name whom the court protects
            change: dict[str, Any] = {
                "case": case if current.row.case else None,
                "starts_at": _start_of(hearing),
            }
            change |= {} if change["case"] else NOT_ONLINE
            rows.append(current.row.model_copy(update=change))
            continue
        rows.append(
            HallRow(
                status=HallStatus.ENDED if hearing.id in ended else HallStatus.LISTED,
                publicity=_listed_publicity(hearing, closed_here),
                starts_at=_start_of(hearing),
                case=case,
                online=case is not None
                and hearing.format in REMOTE_FORMATS
                and hearing.id not in ended,
            )
        )
    if current is not None and not is_open_listed:
        rows.append(current.row)
    rows.sort(key=lambda row: (row.starts_at is None, row.starts_at or ""))
    return tuple(_with_next(rows))


def _start_of(hearing: Hearing) -> str | None:
    starts = hearing.starts_at
    return None if starts is None else format_wall(starts)


def _listed_publicity(hearing: Hearing, closed_here: Collection[str]) -> Publicity:
    if hearing.is_closed or hearing.id in closed_here:
        return "closed"
    return "unclear" if hearing.hides_title else "open"


def _with_next(rows: Sequence[HallRow]) -> Iterator[HallRow]:
    """Yield the rows; the first one that has not begun is the next one."""
    first = next((row for row in rows if row.status in UNBEGUN), None)
    for row in rows:
        yield row.model_copy(update={"status": HallStatus.NEXT}) if row is first else row


def open_row(state: HearingState, *, is_hidden: bool) -> OpenRow:
    """Return the open hearing as the hall may see it.

    Args:
        is_hidden: nobody outside may know what is heard, as the rules of closing say.
    """
    said = state.details.get("publicity", "open")
    publicity: Publicity = "open" if said == "open" else "unclear"
    case = None if is_hidden or publicity != "open" else _case_of(state)
    row = HallRow(
        status=STATUS_OF_PHASE[state.phase],
        publicity="closed" if state.closed is not None else publicity,
        starts_at=state.started if parse_set_wall(state.started) else None,
        until=state.recess_until,
        case=case,
        online=case is not None
        and state.phase.is_open
        and state.details.get("format") in REMOTE_FORMATS,
        is_streamed=case is not None and state.phase.is_open and STREAM in state.allowed,
    )
    return OpenRow(frozenset(state.listed_ids), row, bool(state.persons.withheld))


def hall_calls(
    persons: Sequence[HearingPerson], known_roles: Collection[str], *, is_hidden: bool
) -> tuple[HallCall, ...]:
    """Return who is called in, by role and number; a name is in no call (R54, S10).

    Args:
        known_roles: those of the rules: another word of the list could say anything.
        is_hidden: nobody outside may know what is heard; so no role either.
    """
    calls = []
    for place, person in enumerate(persons, 1):
        if not person.called:
            continue
        role = "" if is_hidden or person.role not in known_roles else person.role
        same = [row.id for row in persons if row.role == role]
        number = same.index(person.id) + 1 if role else place
        calls.append(HallCall(role=role, number=number, since=person.called))
    return tuple(sorted(calls, key=lambda call: call.since))


def _case_of(state: HearingState) -> PublicCase | None:
    """Return what names the open hearing, by its details and statements; odd ones name nothing."""
    try:
        number = str(state.details.get("case_number") or "")
        return PublicCase(number=number, title=state.title or "")
    except ValidationError:
        return None


def _hides(listed: Sequence[Hearing], state: HearingState) -> bool:
    """Return whether the list hides the open hearing, by its id or by the number of its case."""
    own = any(row.id in state.listed_ids and row.hides_title for row in listed)
    return own or hides_number(listed, str(state.details.get("case_number") or ""))


def build_hall_view(context: HearingContext) -> HallView:
    """Return the view; any thread may call it, it waits for no disk."""
    kiosk, publicity = context.settings.kiosk, context.publicity
    is_day_known = clock_state() is not ClockState.UNSET
    today = wall_time().astimezone(ZoneInfo(kiosk.timezone)).date()
    known = publicity.court_list.hearings_on(today)
    with context.current.lock:
        hearing = context.current.hearing
        state = hearing.state if hearing is not None else None
        closed_here = publicity.closed_hearings(state)
        current = None
        calls: tuple[HallCall, ...] = ()
        if state is not None:
            current = open_row(
                state, is_hidden=publicity.hides_title(state) or _hides(known, state)
            )
            is_hidden = current.row.case is None
            if state.phase.is_open:
                persons = tuple(state.persons.rows.values())
                calls = hall_calls(persons, context.rules.roles, is_hidden=is_hidden)
    return HallView(
        wall=format_wall(),
        court={str(language): name for language, name in kiosk.court.items()},
        room=kiosk.room,
        is_day_known=is_day_known,
        rows=hall_rows(
            known if is_day_known else [], current, closed_here, publicity.ended_hearings.on(today)
        ),
        calls=calls,
    )
