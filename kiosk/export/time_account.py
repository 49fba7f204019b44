"""The time account of a hearing: start to end = recorded + gaps, with who stopped it and why.

It is made from the journals alone. Positions are milliseconds from the first tap, each rounded
once, and every length is the difference of two positions, so that the lengths add up exactly.
Within one boot they come from the recording clock; across a power cut a gap has the length that
the recovery journalled, or none ("unknown"), which is stated and not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from kiosk.api.published import read_staff
from kiosk.clocks import NS_PER_S
from kiosk.errors import RecordingError
from kiosk.evidence.chain import Entry
from kiosk.export.permission import closed_parts, read_entries
from kiosk.export.protected_spans import ProtectedSpan
from kiosk.storage.hearing_folder import JOURNAL_FILE, part_folder_name

_NS_PER_MS = NS_PER_S // 1000
_REASONS = ("recess_reason", "failure_reason")
"""Statements that say why nothing was recorded."""


@dataclass(frozen=True)
class Loss:
    """A source that was missing or mute while the rest was recorded.

    Attributes:
        at_ms: start, from the beginning of its part.
        ms: length, None while it is unknown.
    """

    part: int
    source: str
    kind: str
    at_ms: int
    ms: int | None


@dataclass(frozen=True)
class Interval:
    """An interval of the hearing: recorded, or not.

    Attributes:
        kind: ``recorded``, ``closed`` (recorded, but not in the copy: S19) or ``gap``.
        part: its number; for a gap, the number of the part before it.
        begin_ms, ms: start from the first tap, and length (None: unknown).
        wall: wall time of its start, RFC 3339, ``""`` if it is not known.
        reason: of a gap: ``recess``, ``retire``, ``crash``, ``power``, ``shutdown``, …
        why: the reason that a person gave.
        person: id of the person who stopped, ``""`` for the kiosk itself.
    """

    kind: Literal["recorded", "closed", "gap"]
    part: int
    begin_ms: int
    ms: int | None
    wall: str = ""
    reason: str = ""
    why: str = ""
    person: str = ""


@dataclass(frozen=True)
class TimeAccount:
    """All intervals in order, and the losses within the recorded ones.

    Attributes:
        withheld: what was recorded and is not in the copy: a protected person is heard (S9).
    """

    intervals: tuple[Interval, ...]
    losses: tuple[Loss, ...]
    withheld: tuple[ProtectedSpan, ...] = ()

    def total_of(self, kind: str) -> int:
        """Return the milliseconds of all intervals of ``kind`` whose length is known."""
        return sum(interval.ms or 0 for interval in self.intervals if interval.kind == kind)

    @property
    def total_ms(self) -> int:
        """Milliseconds from start to end, without gaps of unknown length."""
        last = self.intervals[-1] if self.intervals else None
        return last.begin_ms + (last.ms or 0) if last else 0

    @property
    def unknown_gaps(self) -> int:
        """Number of gaps of unknown length."""
        return sum(interval.ms is None for interval in self.intervals)


@dataclass
class _PartTimes:
    number: int
    closed: bool
    tap_ns: int = 0
    stop_ns: int = 0
    boot: str = ""
    wall: str = ""
    gap_seconds: float | None = None
    opened: str = ""  # reason of its start
    ended: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    losses: list[Loss] = field(default_factory=list)
    power: bool = False


def build_time_account(folder: Path) -> TimeAccount:
    """Return the time account of the hearing in ``folder``.

    Raises:
        RecordingError: a journal was changed or cannot be read as one.
    """
    closed = closed_parts(folder)
    entries = read_entries(folder)
    try:
        parts = [_read_part(folder, number, entries, closed) for number in _part_numbers(entries)]
        losses = tuple(loss for part in parts for loss in part.losses)
        return TimeAccount(tuple(_intervals(parts)), losses)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError(f"{folder}: {error!r}", code="journal_broken") from error


def _part_numbers(entries: list[Entry]) -> list[int]:
    return sorted({int(entry["part"]) for entry in entries if entry["kind"] == "part_opened"})


def _read_part(folder: Path, number: int, entries: list[Entry], closed: set[int]) -> _PartTimes:
    """Read one part from the journals."""
    part = _PartTimes(number, number in closed)
    last_closed = 0
    for entry in entries:
        kind = entry["kind"]
        if kind == "part_closed":
            last_closed = int(entry["part"])
        if kind == "part_opened" and int(entry["part"]) == number:
            part.tap_ns, part.boot = int(entry.get("tap_ns") or 0), str(entry.get("boot_id", ""))
            part.gap_seconds, part.wall = entry.get("gap_seconds"), str(entry.get("at", ""))
            part.opened = str(entry.get("reason", ""))
        elif kind == "part_closed" and last_closed == number:
            part.ended, part.why = entry, str(entry.get("why") or "")
        elif kind == "statement" and last_closed == number and entry.get("subject") in _REASONS:
            part.why = str(entry.get("note") or entry.get("value") or "")
    _read_part_journal(folder / part_folder_name(number), part)
    return part


def _read_part_journal(folder: Path, part: _PartTimes) -> None:
    """Read the end and the losses from the part's own journal."""
    losses: dict[int, Loss] = {}
    entries = read_entries(folder) if (folder / JOURNAL_FILE).exists() else []
    if not entries:
        part.stop_ns = int(part.ended.get("t") or part.tap_ns)
    for entry in entries:
        if entry["kind"] == "closed":
            part.stop_ns = int(entry.get("stop_ns") or part.tap_ns)
        elif entry["kind"] in ("interruption", "interruption_ended"):
            number = int(entry.get("number", 0))
            if number == 0:  # the recorder itself: the gap after this part shows it
                part.power = entry.get("what") == "power"
                continue
            start = int(entry.get("start_ns") or part.tap_ns)
            seconds = entry.get("seconds")
            losses[number] = Loss(
                part.number,
                str(entry["source"]),
                str(entry["what"]),
                max(0, round((start - part.tap_ns) / _NS_PER_MS)),
                None if seconds is None else round(float(seconds) * 1000),
            )
    part.stop_ns = max(part.stop_ns, part.tap_ns)
    length = round((part.stop_ns - part.tap_ns) / _NS_PER_MS)
    if not part.closed:
        part.losses = [_clip_loss(loss, length) for _, loss in sorted(losses.items())]


def _clip_loss(loss: Loss, length: int) -> Loss:
    """Return ``loss``; if it was not ended, it lasts until the end of its part."""
    left = max(0, length - loss.at_ms)
    return replace(loss, ms=left if loss.ms is None else min(loss.ms, left))


def _intervals(parts: list[_PartTimes]) -> Iterator[Interval]:
    """Yield parts and the gaps between them, with positions from the first tap."""
    place, anchor_ns, anchor_ms = 0, parts[0].tap_ns if parts else 0, 0
    previous: _PartTimes | None = None
    for part in parts:
        if previous is not None:
            gap = _gap(previous, part, place, anchor_ns, anchor_ms)
            yield gap
            if part.boot != previous.boot:
                anchor_ns, anchor_ms = part.tap_ns, place + (gap.ms or 0)
            place += gap.ms or 0
        end = anchor_ms + round((part.stop_ns - anchor_ns) / _NS_PER_MS)
        kind: Literal["recorded", "closed"] = "closed" if part.closed else "recorded"
        yield Interval(kind, part.number, place, max(0, end - place), part.wall)
        place, previous = max(place, end), part


def _gap(
    previous: _PartTimes, after: _PartTimes, place: int, anchor_ns: int, anchor_ms: int
) -> Interval:
    """Return the gap between two parts."""
    ms: int | None
    if after.boot == previous.boot:
        ms = max(0, anchor_ms + round((after.tap_ns - anchor_ns) / _NS_PER_MS) - place)
    else:
        ms = None if after.gap_seconds is None else max(0, round(after.gap_seconds * 1000))
    reason = str(previous.ended.get("reason") or "unknown")
    if reason == "crash" and previous.power:
        reason = "power"
    person, why = str(previous.ended.get("person") or ""), previous.why
    if previous.closed or after.closed:  # nothing said about a closed part leaves it
        why = ""
    return Interval("gap", previous.number, place, ms, "", reason, why, person)


def names_by_person(staff: object) -> dict[str, str]:
    """Return names by person id, from the JSON of ``published/staff.json``."""
    return {row.person: row.name for row in read_staff(staff).rows if row.name}
