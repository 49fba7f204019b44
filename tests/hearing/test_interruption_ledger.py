"""State keeps the newest interruptions and the totals; the disk keeps all (R24, S16)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api import recorder as api
from kiosk.api.recorder_calls import InterruptionQuery
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import Settings
from kiosk.export.minutes import build_minutes
from kiosk.hearing.room.errors import StepRefusedError
from kiosk.hearing.session.interruption_ledger import NEWEST, InterruptionLedger, read_ledger
from kiosk.recording.formats.records import Interruption
from tests.hearing.courtroom_rig import RULES, CourtroomRig
from tests.support.waiting import wait_for

GAPS = 7200
"""One a second for two hours."""
MAX_GROWTH = 4096
"""Bytes by which all of them may make State larger."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CourtroomRig]:
    made = CourtroomRig(tmp_path)
    yield made
    made.crash()


def add_gaps(rig: CourtroomRig, count: int, kind: str = "gap", first: int = 1) -> None:
    """Journal interruptions of the judge's microphone, 0.6 s each, and wait for them."""
    sink, start_ns = rig.parts[-1], recording_ns()
    before = total(rig)["count"]
    for number in range(first, first + count):
        begun_ns = start_ns + number * NS_PER_S
        sink.add_interruption(Interruption(number, "judge", kind, begun_ns))
        end_ns = begun_ns + NS_PER_S * 6 // 10
        sink.add_interruption(Interruption(number, "judge", kind, begun_ns, end_ns))
    seconds = pytest.approx(0.6 * (before + count))
    wait_for(lambda: total(rig)["seconds"] == seconds, "the ledger")


def total(rig: CourtroomRig, source: str = "judge") -> dict[str, Any]:
    """Return the totals of a source in State."""
    rows = rig.hearing()["interruption_totals"]
    found = [row for row in rows if row["source"] == source]
    return dict(found[0]) if found else {"source": source, "count": 0, "seconds": 0.0}


def size(rig: CourtroomRig) -> int:
    """Return the bytes of the hearing in State."""
    return len(json.dumps(rig.hearing()))


@pytest.mark.slow
def test_seven_thousand_gaps_make_state_hardly_larger_and_are_all_on_disk(
    rig: CourtroomRig,
) -> None:
    hearing_id = rig.begin()
    before = size(rig)
    add_gaps(rig, 2 * NEWEST)
    few = size(rig)
    add_gaps(rig, GAPS - 2 * NEWEST, first=2 * NEWEST + 1)
    assert size(rig) - before < MAX_GROWTH
    assert abs(size(rig) - few) < 100, "it does not grow with their number"
    assert total(rig) == {"source": "judge", "count": GAPS, "seconds": 0.6 * GAPS}

    pages: list[api.Interruption] = []
    while len(pages) < GAPS:
        query = InterruptionQuery(offset=len(pages), limit=1000)
        page = rig.courtroom.interruptions(query)
        assert (page.total, page.offset) == (GAPS, len(pages))
        pages += page.interruptions
    assert len(pages) == GAPS
    assert [row.to_json() for row in pages[-NEWEST:]] == rig.hearing()["interruptions"]
    assert rig.courtroom.interruptions(InterruptionQuery(offset=GAPS)).interruptions == ()

    shown = rig.hearing()
    rig.crash()
    rig.start()
    assert total(rig)["count"] == GAPS
    kept = {row["at"] for row in rig.hearing()["interruptions"]}
    assert {row["at"] for row in shown["interruptions"][1:]} <= kept
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)


def test_without_a_hearing_there_is_no_ledger(rig: CourtroomRig) -> None:
    with pytest.raises(StepRefusedError):
        rig.courtroom.interruptions(InterruptionQuery())


def test_the_minutes_name_every_failure_although_state_does_not(rig: CourtroomRig) -> None:
    hearing_id = rig.begin(format="offline")
    failures = 3 * NEWEST
    add_gaps(rig, failures, "stuck")
    assert len(rig.hearing()["interruptions"]) == NEWEST
    rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    minutes = build_minutes(rig.folder(hearing_id), RULES, Settings(), "en")
    lines = [line for row in minutes.fields for line in row.lines]
    found = [line for line in lines if "the device repeated itself" in line]
    assert len(found) == failures
    assert len(read_ledger(rig.folder(hearing_id))) == failures


def entry(number: int, seconds: float | None = None, **more: Any) -> dict[str, Any]:
    """Return an entry of a part's journal."""
    kind = "interruption" if seconds is None else "interruption_ended"
    row = {"kind": kind, "number": number, "source": "judge", "what": "dead", "at": str(number)}
    return row | ({} if seconds is None else {"seconds": seconds}) | more


def test_what_lasts_stays_and_short_ones_leave_first() -> None:
    ledger = InterruptionLedger()
    ledger.apply(1, entry(1))
    for number in range(2, 200):
        seconds = 14.0 if number == 2 else 0.03
        ledger.apply(1, entry(number))
        ledger.apply(1, entry(number, seconds))
    assert len(ledger.rows) == NEWEST
    assert [*ledger.rows][:2] == [(1, 1), (1, 2)], "it lasts; it was long"
    assert [*ledger.rows][-1] == (1, 199)
    row = ledger.apply(1, entry(1, 300.0, what="absent"))
    assert (row.kind, row.seconds, row.is_over) == ("absent", 300.0, True)
    assert ledger.totals["judge"].count == 199
    assert ledger.totals["judge"].seconds == pytest.approx(300 + 14 + 197 * 0.03)


def test_what_a_crash_cut_off_does_not_fill_the_ledger() -> None:
    """It has no end in its journal, and a later part has others."""
    ledger = InterruptionLedger()
    for part in range(1, 100):
        ledger.apply(part, entry(1))
        ledger.apply(part, entry(0, source="recorder", what="power"))
    assert len(ledger.rows) <= NEWEST
    assert {name: found.count for name, found in ledger.totals.items()} == {
        "judge": 99,
        "recorder": 99,
    }
