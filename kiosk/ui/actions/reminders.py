"""What the secretary should not forget now: a pure function of State, list and clock (S16, R70).

A reminder is a sentence of :mod:`kiosk.alarms` with what to do. It forbids nothing, it can be
dismissed, and it says nothing while nobody knows the time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kiosk.api.hearing import Hearing
from kiosk.api.recorder import RecorderState, RunningHearing
from kiosk.api.states import ClockState, Phase
from kiosk.clocks import parse_wall
from kiosk.config import HearingSettings

SOON, FORGOTTEN, MISSING, RECESS_OVER = (
    "hearing_soon",
    "start_forgotten",
    "persons_missing",
    "recess_over",
)
MOST_NAMES = 3


@dataclass(frozen=True)
class Reminder:
    """One reminder.

    Attributes:
        code: of :mod:`kiosk.alarms`.
        keys: what is dismissed with it: the same reminder of the same hearing, or of its persons.
        source: what its sentence names: a time of day, or persons (for staff alone).
        hearing_id: the hearing of the list that it wants started.
    """

    code: str
    keys: frozenset[str]
    source: str = ""
    hearing_id: str = ""


@dataclass(frozen=True)
class ReminderInputs:
    """What decides which reminders are due.

    Attributes:
        recorder: its present State; None: it is not heard, so nothing is known.
        listed: today's hearings.
        done: ids of those that were held.
        is_speaking: people speak in the room.
        now: wall time.
    """

    recorder: RecorderState | None
    listed: tuple[Hearing, ...]
    done: Collection[str]
    is_speaking: bool
    now: datetime
    zone: ZoneInfo


def _key(code: str, what: str) -> frozenset[str]:
    return frozenset((f"{code} {what}",))


def reminders(inputs: ReminderInputs, settings: HearingSettings) -> list[Reminder]:
    """Return what is due, the most urgent first."""
    recorder = inputs.recorder
    if recorder is None or recorder.clock.state is ClockState.UNSET:
        return []
    if recorder.phase is Phase.IDLE:
        return [*_forgotten(inputs, settings), *_soon(inputs, settings)]
    if recorder.hearing is None:
        return []
    if recorder.phase is Phase.RECORDING:
        return list(_missing(recorder.hearing, inputs.now, settings))
    if recorder.phase in (Phase.RECESS, Phase.RETIRED):
        return list(_recess_over(recorder.hearing, inputs))
    return []


def _forgotten(inputs: ReminderInputs, settings: HearingSettings) -> Iterator[Reminder]:
    """Yield that people speak at the hour of a hearing and nobody has started it.

    After the first one was dismissed the next one counts whose hour it is.
    """
    if not (settings.remind_forgotten_start and inputs.is_speaking):
        return
    for hearing in inputs.listed:
        if hearing.is_due(inputs.now) and hearing.id not in inputs.done:
            yield Reminder(FORGOTTEN, _key(FORGOTTEN, hearing.id), hearing_id=hearing.id)


def _soon(inputs: ReminderInputs, settings: HearingSettings) -> Iterator[Reminder]:
    """Yield that the next hearing begins within some minutes (R70)."""
    before = timedelta(minutes=settings.remind_before_minutes)
    for hearing in inputs.listed:
        starts = hearing.starts_at
        if starts is None or hearing.id in inputs.done:
            continue
        if timedelta(0) < starts - inputs.now <= before:
            time = starts.astimezone(inputs.zone).strftime("%H:%M")
            yield Reminder(SOON, _key(SOON, hearing.id), time)
            return


def _missing(
    hearing: RunningHearing, now: datetime, settings: HearingSettings
) -> Iterator[Reminder]:
    """Yield of whom nothing is noted, some minutes after the start: neither come nor absent."""
    started = parse_wall(hearing.started)
    late = timedelta(minutes=settings.remind_missing_minutes)
    if not settings.remind_missing_minutes or started is None or now - started < late:
        return
    missing = [p for p in hearing.persons if not p.attendance and not p.left]
    if not missing:
        return
    names = [person.name or person.role for person in missing]
    more = f" +{len(names) - MOST_NAMES}" if len(names) > MOST_NAMES else ""
    keys = frozenset(f"{MISSING} {hearing.id} {person.id}" for person in missing)
    yield Reminder(MISSING, keys, ", ".join(names[:MOST_NAMES]) + more)


def _recess_over(hearing: RunningHearing, inputs: ReminderInputs) -> Iterator[Reminder]:
    """Yield that the end of the recess that the court has said is there."""
    until = parse_wall(hearing.recess_until)
    if until is not None and inputs.now >= until:
        time = until.astimezone(inputs.zone).strftime("%H:%M")
        yield Reminder(RECESS_OVER, _key(RECESS_OVER, f"{hearing.id} {hearing.recess_until}"), time)
