"""One row of the list of faults in a recording: do the harm, see it told, mend it, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from faults.media import PartMedia, entries
from faults.sitting import SOURCES, Sitting
from faults.trial import Cost, NotSurvivedError
from kiosk.alarms import ALARMS
from kiosk.storage.hearing_folder import part_name
from tests.courtroom import Courtroom
from tests.waiting import wait_for


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        alarms: codes of which one must be shown, by ``source``.
        within_s: how soon.
        harm: does it, given the room; returns what mends it.
        ledger: sources with an interruption in the ledger; those may lose media, no others.
    """

    name: str
    alarms: Collection[str]
    source: str
    within_s: float
    harm: Callable[[Courtroom], Callable[[], None]]
    ledger: Collection[str] = ()
    lasts_s: float = 1.5


def told(state: dict[str, Any], row: Row) -> list[str]:
    """Return the alarms of the row that are on."""
    alarms = [(one["code"], one["source"]) for one in state.get("alarms", [])]
    return [code for code, source in alarms if code in row.alarms and source == row.source]


def trial(sitting: Sitting, row: Row) -> Cost:
    """Do the harm, mend it, judge.

    Raises:
        NotSurvivedError: not told, not in time, without a remedy, not healed by itself, not in
            the ledger with its seconds, or another source lost something.
    """
    hearing, part = sitting.hearing, sitting.part
    began = time.monotonic()
    mend = row.harm(sitting.room)
    try:
        noticed = _wait(sitting, began, lambda: bool(told(sitting.room.state(), row)), "the alarm")
        if sitting.strict and noticed > row.within_s:
            raise NotSurvivedError(f"noticed after {noticed:.2f} s, {row.within_s} s allowed")
        _require_remedy(told(sitting.room.state(), row))
        time.sleep(max(0.0, row.lasts_s - noticed))
    finally:
        mend()
    mended = time.monotonic()
    again = _wait(sitting, mended, lambda: _well(sitting.room.state(), row), "its end")
    sitting.room.wait_recorded(sitting.room.seconds_recorded() + 1.0)
    sitting.room.sign_in()
    sitting.room.ask("POST", "/v1/hearing/recess", {"reason": "trial"})
    media = sitting.judge(hearing / part_name(part))
    _require_ledger(hearing / part_name(part), row)
    return Cost(_lost(media, row, sitting.strict), again, noticed)


def _well(state: dict[str, Any], row: Row) -> bool:
    return bool(state) and not told(state, row)


def _wait(sitting: Sitting, since: float, done: Callable[[], bool], what: str) -> float:
    """Return the seconds from ``since`` until ``done``."""
    try:
        wait_for(done, what, sitting.limit_s)
    except AssertionError as error:
        alarms = [one["code"] for one in sitting.room.state().get("alarms", [])]
        raise NotSurvivedError(f"{error}; alarms: {', '.join(alarms)}") from error
    return time.monotonic() - since


def _require_remedy(codes: list[str]) -> None:
    for code in codes:
        if not ALARMS[code].staff:
            raise NotSurvivedError(f"the alarm {code} has no remedy")


def _require_ledger(part: Any, row: Row) -> None:
    """Check that what was interrupted is in the ledger, with the seconds."""
    ended: dict[str, list[Any]] = {}
    for line in entries(part):
        if line["kind"] == "interruption_ended":
            ended.setdefault(str(line["source"]), []).append(line.get("seconds"))
    for source in row.ledger:
        if source not in ended or None in ended[source]:
            raise NotSurvivedError(f"{source}: not in the ledger with its seconds")


def _lost(media: PartMedia, row: Row, strict: bool) -> dict[str, float]:
    """Return the media lost by the sources of the row.

    Raises:
        NotSurvivedError: another source lost something, or is not there.
    """
    lost: dict[str, float] = {}
    for name in SOURCES:
        if name not in media.spans:
            raise NotSurvivedError(f"{name}: nothing is recorded")
        holes = sum(end - start for start, end in media.spans[name].holes)
        if holes and strict and name not in row.ledger:  # a busy machine starves the camera
            raise NotSurvivedError(f"{name} lost {holes:.2f} s although it was well")
        if name in row.ledger:
            lost[name] = holes
    return lost
