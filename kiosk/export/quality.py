"""The report for the presiding judge, from the journals of a hearing that has ended (S18).

УПК 347-1(2-1): the presiding judge checks completeness and quality. :func:`read_facts` reads what
the journals say; :func:`make_report` is a pure function over that, with limits of the rules data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from kiosk.api.quality import (
    CauseSeconds,
    LostSeconds,
    QualityReport,
    SeatQuality,
    UnclearPlace,
    Verdict,
    Withheld,
)
from kiosk.api.speech import SpokenPlace
from kiosk.clocks import NS_PER_S, format_wall, parse_set_wall
from kiosk.config import Settings
from kiosk.evidence.chain import Entry
from kiosk.export.errors import NotSealedError
from kiosk.export.minutes import is_loss, load_hearing_state, part_wall, recorded_roles
from kiosk.export.permission import closed_parts, read_entries
from kiosk.export.seats import Seat, find_seats
from kiosk.hardware.audibility.seat import LONGEST_NS, PAUSE_NS
from kiosk.hearing.session.hearing_state import PartTimes
from kiosk.hearing.session.interruption_ledger import Interruption
from kiosk.hearing.session.speech_ledger import DETECTOR_ENTRY, SPEECH_ENTRY, spoken_place
from kiosk.rules.rules import Rules
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hearing_folder import PART_FILE, part_folder_name

Turns = list[tuple[SpokenPlace, float | None]]
"""Places at which somebody speaks, with how well they can be made out."""
SWITCH_ENTRIES = ("seat_muted", "seat_unmuted")
WORST = 10
CUT_REASON = "crash"
LONGEST_UNTOLD_S = (LONGEST_NS + PAUSE_NS) / NS_PER_S
"""Before a power cut: who spoke then may stand nowhere, for a turn is told when it has ended."""
AT_ONCE_S = 1.0
"""What the first entry of a part says of the detector holds from its begin, if it comes so soon."""


@dataclass(frozen=True, slots=True)
class PartFacts:
    """A part of the recording.

    Attributes:
        wall: when it began, RFC 3339; empty: not known.
        withheld: why it cannot be played on this kiosk; None: it can.
        is_cut: a power cut or a killed process ended it.
    """

    seconds: float
    wall: str = ""
    withheld: Withheld | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the journals of a hearing say of its recording.

    Attributes:
        entries: ``speech``, ``speech_detector`` and those of the seats' switches, of the hearing's
            journal.
        losses: the ledger of interruptions.
        seats: by name of the microphone.
    """

    hearing_id: str
    case_number: str
    parts: Mapping[int, PartFacts]
    entries: tuple[Entry, ...] = ()
    losses: tuple[Interruption, ...] = ()
    seats: Mapping[str, Seat] = field(default_factory=dict)


def read_facts(folder: Path, settings: Settings) -> Facts:
    """Return what the journals in ``folder`` say.

    Raises:
        NotSealedError: the hearing goes on.
        RecordingError: a journal was changed (``journal_broken``) or cannot be read as one.
        StorageError: a file cannot be read.
    """
    state = load_hearing_state(folder)
    if state.phase.is_open:
        raise NotSealedError(f"{folder.name}: it goes on")
    unreadable, entries = closed_parts(folder), read_entries(folder)
    ends = {row["part"]: row.get("reason") for row in entries if row["kind"] == "part_closed"}
    kinds = (SPEECH_ENTRY, DETECTOR_ENTRY, *SWITCH_ENTRIES)
    return Facts(
        state.id,
        str(state.details.get("case_number") or ""),
        {
            number: PartFacts(
                times.seconds,
                part_wall(folder, number),
                _withheld(folder, number, times) if number in unreadable else None,
                ends.get(number) == CUT_REASON,
            )
            for number, times in sorted(state.parts.items())
        },
        tuple(entry for entry in entries if entry["kind"] in kinds),
        tuple(filter(is_loss, state.interruptions.rows.values())),
        find_seats(state, recorded_roles(folder, settings), entries),
    )


def _withheld(folder: Path, number: int, times: PartTimes) -> Withheld:
    """Return why a part that only the court can open is not played."""
    part = read_json_or_none(folder / part_folder_name(number) / PART_FILE)
    if times.closed or (part is not None and part.get("closed")):
        return "closed"
    return "damaged" if part is None else "encrypted"


def make_report(facts: Facts, rules: Rules) -> QualityReport:
    """Return the report of ``facts``, with the verdict by the limits of ``rules``."""
    speech = [entry for entry in facts.entries if entry["kind"] == SPEECH_ENTRY]
    turns: dict[str, Turns] = {}
    unreadable = 0
    for entry in speech:
        place = spoken_place(entry)
        if place is None or place.part not in facts.parts:
            unreadable += 1
            continue
        value = entry.get("intelligibility")
        turns.setdefault(str(entry["source"]), []).append(
            (place, None if value is None else float(value))
        )
    losses: dict[str, list[Interruption]] = {}
    for row in facts.losses:
        losses.setdefault(row.source, []).append(row)
    names = dict.fromkeys((*facts.seats, *sorted(turns), *sorted(losses)))
    seats = tuple(
        row
        for name in names
        for row in _seats(name, facts, turns.get(name, []), losses.get(name, []))
    )
    places = _places(facts, turns)
    report = QualityReport(
        hearing_id=facts.hearing_id,
        case_number=facts.case_number,
        verdict="usable",
        seconds=_rounded(part.seconds for part in facts.parts.values()),
        spoken_seconds=_rounded(row.seconds for row in seats),
        judged_seconds=_rounded(row.judged_seconds for row in seats),
        unclear_seconds=_rounded(row.unclear_seconds for row in seats),
        unchecked_seconds=_unchecked_seconds(facts),
        unreadable=unreadable,
        seats=seats,
        worst=places[:WORST],
        places=len(places),
    )
    return report.model_copy(update={"verdict": _verdict(report, rules)})


def _rounded(seconds: Iterable[float]) -> float:
    return round(math.fsum(seconds), 1)


def _seats(
    source: str, facts: Facts, turns: Turns, losses: list[Interruption]
) -> Iterator[SeatQuality]:
    """Yield what is known of a source: of the seat itself, and of whoever was named there later."""
    seat = facts.seats.get(source, Seat())
    unnamed = [row for row in turns if seat.at(row[0]) != seat]
    if not unnamed:
        yield _seat(source, seat, facts, turns, losses)
        return
    yield _seat(source, Seat(seat.own_role), facts, unnamed, losses)
    if named := [row for row in turns if seat.at(row[0]) == seat]:
        row = _seat(source, seat, facts, named, [])
        yield row.model_copy(update={"switched_off_seconds": 0.0})  # that stands above


def _seat(
    source: str, seat: Seat, facts: Facts, turns: Turns, losses: list[Interruption]
) -> SeatQuality:
    places = [place for place, _ in turns]
    judged = [(place.seconds, value) for place, value in turns if value is not None]
    weight = math.fsum(seconds for seconds, _ in judged)
    return SeatQuality(
        source=source,
        role=seat.role,
        name=seat.name,
        turns=len(turns),
        seconds=_rounded(place.seconds for place in places),
        judged_seconds=round(weight, 1),
        unclear_seconds=_rounded(place.unclear_seconds for place in places),
        causes=_causes(places),
        intelligibility=(
            round(math.fsum(seconds * value for seconds, value in judged) / weight, 3)
            if weight
            else None
        ),
        lost=_lost(losses),
        switched_off_seconds=_switched_off_seconds(source, facts),
    )


def _causes(places: Iterable[SpokenPlace]) -> tuple[CauseSeconds, ...]:
    """Return what disturbed, for how long and how much, what disturbed longest first."""
    by_cause: dict[str, list[SpokenPlace]] = {}
    for place in places:
        if place.unclear_seconds:
            by_cause.setdefault(place.cause, []).append(place)
    causes = (
        CauseSeconds(
            cause=cause,
            seconds=_rounded(row.unclear_seconds for row in rows),
            below_usual_db=_mean(1, ((row.below_usual_db, row.unclear_seconds) for row in rows)),
            clipped_share=_mean(3, ((row.clipped_share, row.unclear_seconds) for row in rows)),
        )
        for cause, rows in by_cause.items()
    )
    return tuple(sorted(causes, key=lambda row: -row.seconds))


def _mean(digits: int, rows: Iterable[tuple[float | None, float]]) -> float | None:
    """Return the mean of values by their seconds; None: none is known."""
    known = [(value, seconds) for value, seconds in rows if value is not None]
    whole = math.fsum(seconds for _, seconds in known)
    return round(math.fsum(v * s for v, s in known) / whole, digits) if whole else None


def _switched_off_seconds(source: str, facts: Facts) -> float:
    """Return for how much of the recording a seat had switched its microphone off."""
    total, since = 0.0, None
    for entry in facts.entries:
        at = entry.get("seconds")
        is_of_seat = entry["kind"] in SWITCH_ENTRIES and entry.get("source") == source
        if not (is_of_seat and isinstance(at, int | float)):
            continue
        if since is not None:
            total += max(0.0, at - since)
        since = float(at) if entry["kind"] == SWITCH_ENTRIES[0] else None
    if since is not None:
        total += max(0.0, math.fsum(part.seconds for part in facts.parts.values()) - since)
    return round(total, 1)


def _lost(losses: list[Interruption]) -> tuple[LostSeconds, ...]:
    kinds = dict.fromkeys(row.kind for row in losses)
    return tuple(
        LostSeconds(
            kind=kind,
            count=sum(row.kind == kind for row in losses),
            seconds=_rounded(row.seconds or 0.0 for row in losses if row.kind == kind),
            has_unknown=any(row.kind == kind and row.seconds is None for row in losses),
        )
        for kind in kinds
    )


def _places(facts: Facts, turns: Mapping[str, Turns]) -> tuple[UnclearPlace, ...]:
    """Return the places that are hard to make out, those with the most such seconds first."""
    found = [
        _place(source, place, facts)
        for source, rows in turns.items()
        for place, _ in rows
        if place.unclear_seconds
    ]
    return tuple(sorted(found, key=lambda row: (-row.unclear_seconds, row.part, row.part_seconds)))


def _place(source: str, place: SpokenPlace, facts: Facts) -> UnclearPlace:
    part, seat = facts.parts[place.part], facts.seats.get(source, Seat()).at(place)
    began = parse_set_wall(part.wall)
    at = "" if began is None else format_wall(began + timedelta(seconds=place.part_seconds))
    return UnclearPlace(
        source=source,
        role=seat.role,
        name=seat.name,
        at=at,
        can_play=part.withheld is None,
        withheld=part.withheld,
        **place.model_dump(),
    )


def _unchecked_seconds(facts: Facts) -> float:
    """Return the recorded seconds in which no voice detector listened, or nobody knows that."""
    total = 0.0
    for number, part in facts.parts.items():
        changes = sorted(_detector_changes(facts.entries, number))
        if changes and changes[0][0] <= AT_ONCE_S:
            changes[0] = (0.0, changes[0][1])
        if part.is_cut:
            known = max(0.0, part.seconds - LONGEST_UNTOLD_S)
            changes = [*(row for row in changes if row[0] < known), (known, False)]
        since, is_working = 0.0, False
        for at, works in (*changes, (part.seconds, False)):
            until = min(at, part.seconds)
            if not is_working:
                total += max(0.0, until - since)
            since, is_working = max(since, until), works
    return round(total, 1)


def _detector_changes(entries: Iterable[Entry], part: int) -> list[tuple[float, bool]]:
    """Return when the detector began or ceased to listen in ``part``; odd lines are left out."""
    found = []
    for entry in entries:
        at, works = entry.get("part_seconds"), entry.get("is_working")
        is_of_part = entry["kind"] == DETECTOR_ENTRY and entry.get("part") == part
        if is_of_part and isinstance(at, int | float) and isinstance(works, bool):
            found.append((max(0.0, float(at)), works))
    return found


def _verdict(report: QualityReport, rules: Rules) -> Verdict:
    """Return the verdict by the limits; they are ours, for the code gives no number."""

    def share(name: str) -> float:
        return float(rules.limit(f"quality.{name}_percent")) / 100

    shortest = float(rules.limit("quality.place_seconds"))
    decides = float(rules.limit("quality.seat_seconds"))
    lost = [(math.fsum(kind.seconds for kind in row.lost), row.lost) for row in report.seats]
    is_unusable = (
        _is_share(report.unclear_seconds, report.judged_seconds, share("unclear"))
        or any(
            judged >= decides and _is_share(unclear, judged, share("seat_unclear"))
            for unclear, judged in _unclear_by_seat(report)
        )
        or any(_is_share(seconds, report.seconds, share("lost")) for seconds, _ in lost)
        or not report.seconds
    )
    if is_unusable:
        return "unusable"
    if _is_share(report.unchecked_seconds, report.seconds, share("unchecked")):
        return "unchecked"
    has_places = any(row.unclear_seconds >= shortest for row in report.worst)
    has_gaps = any(
        seconds >= shortest or any(kind.has_unknown for kind in kinds) for seconds, kinds in lost
    )
    is_doubtful = report.unchecked_seconds >= shortest or report.unreadable
    return "hear_first" if has_places or has_gaps or is_doubtful else "usable"


def _unclear_by_seat(report: QualityReport) -> Iterator[tuple[float, float]]:
    """Yield unclear and judged seconds of each person at a seat, and of each seat as a whole."""
    seats: dict[str, list[SeatQuality]] = {}
    for row in report.seats:
        seats.setdefault(row.source, []).append(row)
    for rows in seats.values():
        for group in (*([row] for row in rows), rows):
            yield (
                math.fsum(row.unclear_seconds for row in group),
                math.fsum(row.judged_seconds for row in group),
            )


def _is_share(part: float, whole: float, share: float) -> bool:
    return part > 0 and whole > 0 and part >= share * whole
