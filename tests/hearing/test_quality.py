"""The report for the presiding judge: what is counted, and the verdict. Requirements: S18."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.export.quality import Facts, PartFacts, make_report, read_facts
from kiosk.export.seats import Seat
from kiosk.hearing.session.interruption_ledger import Interruption
from kiosk.rules import load_rules
from tests.hearing.courtroom_rig import courtroom_settings
from tests.support.hearing_builder import add_part, close_part, new_hearing
from tests.support.identity import Court

RULES = load_rules()
WALL = "2026-11-27T05:00:00.000Z"
SEATS = {"judge": Seat("presiding", ""), "witness": Seat("witness", "Ержан Т.")}


def turn(source: str, at: float, lasts: float, unclear: float = 0.0, **more: Any) -> dict[str, Any]:
    row = {"kind": "speech", "part": 1, "source": source, "part_seconds": at, "lasts": lasts}
    return row | {"unclear_seconds": unclear, "intelligibility": 0.9, "cause": "noise"} | more


def detector(at: float, *, works: bool, part: int = 1) -> dict[str, Any]:
    return {"kind": "speech_detector", "part": part, "part_seconds": at, "is_working": works}


LISTENED = detector(0.2, works=True)


def facts(*entries: dict[str, Any], losses: tuple[Interruption, ...] = (), **more: Any) -> Facts:
    parts = {1: PartFacts(600.0, WALL)}
    values: dict[str, Any] = {"parts": parts, "seats": SEATS, **more}
    return Facts("h", "2-15/2026", entries=entries, losses=losses, **values)


def loss(source: str, kind: str, seconds: float | None) -> Interruption:
    return Interruption(source, kind, WALL, 1, seconds)


def verdict(*entries: dict[str, Any], losses: tuple[Interruption, ...] = ()) -> str:
    return make_report(facts(*entries, losses=losses), RULES).verdict


def test_what_was_said_at_each_seat_and_how_well_it_can_be_made_out() -> None:
    report = make_report(
        facts(
            LISTENED,
            turn("judge", 1, 20, intelligibility=0.95),
            turn("witness", 30, 30, 4, intelligibility=0.8),
            turn("witness", 70, 10, 2, cause="far", intelligibility=0.6),
            turn("witness", 90, 10, 1, intelligibility=None),
        ),
        RULES,
    )
    judge, witness = report.seats
    assert (judge.role, judge.name, judge.seconds, judge.unclear_seconds) == (
        *("presiding", "", 20.0, 0.0),
    )
    assert (witness.name, witness.turns, witness.seconds) == ("Ержан Т.", 3, 50.0)
    assert [(row.cause, row.seconds) for row in witness.causes] == [("noise", 5.0), ("far", 2.0)]
    assert witness.intelligibility == 0.75, "weighted by the seconds that were judged"
    assert (report.spoken_seconds, report.unclear_seconds) == (70.0, 7.0)
    assert (witness.judged_seconds, report.judged_seconds) == (40.0, 60.0)


def test_how_much_quieter_or_overdriven_words_were_is_the_mean_over_their_seconds() -> None:
    quiet = {"cause": "quiet", "usual_db": -28.0}
    report = make_report(
        facts(
            LISTENED,
            turn("witness", 1, 20, 6, level_db=-42, **quiet),
            turn("witness", 30, 20, 2, level_db=-50, **quiet),
            turn("witness", 60, 20, 4, level_db=None, **quiet),
            turn("witness", 90, 20, 3, cause="clipped", clipped_share=0.1),
            turn("witness", 120, 20, 1),
        ),
        RULES,
    )
    measured = [
        (row.cause, row.seconds, row.below_usual_db, row.clipped_share)
        for row in report.seats[1].causes
    ]
    assert measured == [
        ("quiet", 12.0, 16.0, None),
        ("clipped", 3.0, None, 0.1),
        ("noise", 1.0, None, None),
    ]
    assert [row.below_usual_db for row in report.worst] == [14.0, None, None, 22.0, None]


def test_the_ten_worst_places_with_time_whose_and_why() -> None:
    turns = [turn("witness", n * 20.0, 10, n / 4, cause="far") for n in range(1, 13)]
    report = make_report(facts(LISTENED, turn("judge", 1, 500), *turns), RULES)
    assert (len(report.worst), report.places) == (10, 12)
    assert [row.unclear_seconds for row in report.worst] == [n / 4 for n in range(12, 2, -1)]
    worst = report.worst[0]
    assert (worst.source, worst.name, worst.role, worst.cause) == (
        *("witness", "Ержан Т.", "witness", "far"),
    )
    assert (worst.part, worst.part_seconds, worst.at) == (1, 240.0, "2026-11-27T05:04:00.000Z")


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ((turn("judge", 1, 100),), "usable"),
        ((turn("judge", 1, 100, 1.9),), "usable"),
        ((turn("judge", 1, 100, 2),), "hear_first"),
        ((turn("judge", 1, 100, 24),), "hear_first"),
        ((turn("judge", 1, 100, 25),), "unusable"),
        ((turn("judge", 1, 400), turn("witness", 410, 30, 14)), "hear_first"),
        ((turn("judge", 1, 400), turn("witness", 410, 30, 15)), "unusable"),
        ((turn("judge", 1, 400), turn("witness", 410, 29, 29)), "hear_first"),
        ((), "usable"),
    ],
    ids=("clear", "short", "place", "below", "share", "seat below", "seat", "few words", "silence"),
)
def test_the_verdict_follows_the_limits_of_the_rules(
    entries: tuple[dict[str, Any], ...], wanted: str
) -> None:
    assert verdict(LISTENED, *entries) == wanted


@pytest.mark.parametrize(
    ("losses", "wanted"),
    [
        ((loss("witness", "muted", 1.9),), "usable"),
        ((loss("witness", "muted", 2.0),), "hear_first"),
        ((loss("camera", "frozen", None),), "hear_first"),
        ((loss("witness", "muted", 30.0), loss("witness", "absent", 29.0)), "hear_first"),
        ((loss("witness", "muted", 30.0), loss("witness", "absent", 30.0)), "unusable"),
        ((loss("recorder", "power", 60.0),), "unusable"),
    ],
    ids=("short", "gap", "unknown", "below", "two kinds", "power"),
)
def test_what_is_not_recorded_counts_by_its_source(
    losses: tuple[Interruption, ...], wanted: str
) -> None:
    assert verdict(LISTENED, turn("judge", 1, 100), losses=losses) == wanted


def test_losses_are_listed_by_kind_and_an_unknown_length_is_said() -> None:
    losses = (loss("witness", "muted", 3), loss("witness", "muted", None), loss("x", "absent", 1))
    report = make_report(facts(LISTENED, losses=losses), RULES)
    seats = {row.source: row.lost for row in report.seats}
    (muted,) = seats["witness"]
    assert (muted.kind, muted.count, muted.seconds, muted.has_unknown) == ("muted", 2, 3.0, True)
    assert not seats["judge"]
    assert seats["x"][0].seconds == 1.0


@pytest.mark.parametrize(
    ("entries", "unchecked", "wanted"),
    [
        ((), 600.0, "unchecked"),
        ((LISTENED,), 0.0, "usable"),
        ((detector(0.2, works=False), detector(9, works=True)), 9.0, "hear_first"),
        ((detector(9, works=True),), 9.0, "hear_first"),
        ((LISTENED, detector(300, works=False)), 300.0, "unchecked"),
        ((LISTENED, detector(301, works=False)), 299.0, "hear_first"),
        ((LISTENED, detector(100, works=False), detector(101, works=True)), 1.0, "usable"),
        ((detector(0.2, works=True, part=2),), 600.0, "unchecked"),
        (({**LISTENED, "part_seconds": "x"},), 600.0, "unchecked"),
    ],
    ids=("none", "all", "late", "no begin", "half", "less", "short", "other part", "odd"),
)
def test_what_nobody_listened_to_is_not_called_good(
    entries: tuple[dict[str, Any], ...], unchecked: float, wanted: str
) -> None:
    report = make_report(facts(*entries), RULES)
    assert (report.unchecked_seconds, report.verdict) == (unchecked, wanted)


@pytest.mark.parametrize(
    "odd",
    [
        {"source": None},
        {"part": "one"},
        {"part": 7},
        {"lasts": None},
        {"lasts": 0},
        {"part_seconds": -1},
        {"intelligibility": "good"},
        {"unclear_seconds": []},
        {"unclear_seconds": -4.0},
        {"lasts": 1e999},
        {"usual_db": "loud", "level_db": -30},
        {"usual_db": 1e999, "level_db": -30},
        {"clipped_share": 1.2},
        {"clipped_share": []},
    ],
    ids=lambda odd: f"{next(iter(odd))}-{next(iter(odd.values()))}",
)
def test_one_line_that_cannot_be_read_harms_no_other_and_is_counted(odd: dict[str, Any]) -> None:
    report = make_report(facts(LISTENED, turn("judge", 1, 20), turn("witness", 30, 5) | odd), RULES)
    seats = {row.source: row.seconds for row in report.seats}
    assert (seats["judge"], seats["witness"], report.unreadable) == (20.0, 0.0, 1)
    assert report.verdict == "hear_first"


@pytest.mark.parametrize(
    ("seconds", "changes", "unchecked"),
    [
        (600.0, (LISTENED,), 62.0),
        (600.0, (LISTENED, detector(590, works=False), detector(599, works=True)), 62.0),
        (600.0, (LISTENED, detector(500, works=False)), 100.0),
        (40.0, (LISTENED,), 40.0),
    ],
    ids=("long", "late", "before", "short"),
)
def test_before_a_power_cut_nobody_knows_who_spoke(
    seconds: float, changes: tuple[dict[str, Any], ...], unchecked: float
) -> None:
    """A turn is told when it has ended: of the one that was cut off, silence was claimed."""
    parts = {1: PartFacts(seconds, WALL, is_cut=True)}
    report = make_report(facts(*changes, parts=parts), RULES)
    assert (report.unchecked_seconds, report.verdict != "usable") == (unchecked, True)


def test_a_name_that_is_withheld_stands_in_no_report(tmp_path: Path) -> None:
    """A pseudonym stands for it, also where the name was withheld after it had been said (S9)."""
    built = new_hearing(
        tmp_path / "hearings", Court.make(tmp_path / "court").device(), kind="criminal"
    )
    add_part(built, fragments=2, tap_ns=0)
    seen = person(1, "stand", "Ахметов А.")
    built.journal.append("person", seen)
    built.journal.append("person", seen | {"pseudonym": "Свидетель 1", "act": "УПК 97"})
    close_part(built, 1)
    built.journal.end({"person": "p1"})
    stand = (MicrophoneSettings(name="stand", device="virtual:s", role="witness"),)
    found = read_facts(built.folder, courtroom_settings(tmp_path, stand))
    report = make_report(found, RULES)
    assert [row.name for row in report.seats] == ["Свидетель 1"]
    assert "Ахметов" not in str(report.to_json())


@pytest.mark.parametrize(("reason", "is_cut"), [("crash", True), ("recess", False)])
def test_the_journal_says_which_part_was_cut_off(tmp_path: Path, reason: str, is_cut: bool) -> None:
    built = new_hearing(tmp_path / "hearings", Court.make(tmp_path / "court").device())
    part = add_part(built, fragments=2, tap_ns=0)
    part.end({"reason": reason})
    built.journal.append("part_closed", {"part": 1, "reason": reason})
    built.journal.seal_part(part)
    built.journal.end({"person": "p1"})
    assert read_facts(built.folder, courtroom_settings(tmp_path)).parts[1].is_cut is is_cut


@pytest.mark.parametrize(
    ("opened", "told", "withheld"),
    [
        ({}, {}, None),
        ({}, {"encrypted": True}, "encrypted"),
        ({"closed": True}, {"encrypted": True}, "closed"),
        ({}, {"closed": True, "encrypted": True}, "closed"),
        ({}, None, "damaged"),
    ],
    ids=["plain", "encrypted", "closed", "closed later", "damaged"],
)
def test_why_a_place_is_not_played_is_said_as_it_is(
    tmp_path: Path, opened: dict[str, Any], told: dict[str, Any] | None, withheld: str | None
) -> None:
    """An open part of a kiosk that encrypts everything was called closed."""
    built = new_hearing(tmp_path / "hearings", Court.make(tmp_path / "court").device())
    add_part(built, fragments=2, tap_ns=0)
    if opened:
        built.journal.append("part_opened", {"part": 1, **opened})
    close_part(built, 1)
    built.journal.end({"person": "p1"})
    part = built.folder / "part-01" / "part.json"
    known = json.loads(part.read_text("utf-8"))
    part.write_text("torn" if told is None else json.dumps(known | told), "utf-8")
    found = read_facts(built.folder, courtroom_settings(tmp_path))
    found = replace(found, entries=(turn("judge", 0.2, 1.0, 0.5),))
    (place,) = make_report(found, RULES).worst
    assert (place.withheld, place.can_play) == (withheld, withheld is None)


def switch(seconds: Any, *, off: bool, source: str = "witness") -> dict[str, Any]:
    kind = "seat_muted" if off else "seat_unmuted"
    return {"kind": kind, "source": source, "seconds": seconds, "t": 1}


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ((), 0.0),
        ((switch(0, off=True),), 600.0),
        ((switch(100.5, off=True), switch(130, off=False), switch(590, off=True)), 39.5),
        ((switch(100, off=True), switch("x", off=False), switch(110, off=False)), 10.0),
        ((switch(100, off=True, source="judge"), switch(7, off=False)), 0.0),
    ],
    ids=("never", "always", "twice", "odd", "other"),
)
def test_how_long_a_seat_had_switched_its_microphone_off(
    entries: tuple[dict[str, Any], ...], wanted: float
) -> None:
    """Of one that was off all the time it was claimed that nobody spoke there."""
    seats = {row.source: row for row in make_report(facts(LISTENED, *entries), RULES).seats}
    assert seats["witness"].switched_off_seconds == wanted


def test_words_too_few_to_tell_do_not_make_a_recording_unusable() -> None:
    assert verdict(LISTENED, turn("judge", 1, 1, 0.5, intelligibility=None)) == "usable"
    assert verdict(LISTENED, turn("judge", 1, 9, 2, intelligibility=None)) == "hear_first"


def person(number: int, seat: str, name: str) -> dict[str, Any]:
    return {"id": f"p{number}", "role": "witness", "name": name, "seat": seat, "by": "s1"}


def test_nobody_is_named_where_others_sat_too_and_roles_are_those_of_the_recording(
    tmp_path: Path,
) -> None:
    """The words of the first witness stood beside the name of the second one."""
    built = new_hearing(tmp_path / "hearings", Court.make(tmp_path / "court").device())
    add_part(built, fragments=2, tap_ns=0)
    for row in (person(1, "stand", "А."), person(2, "left", "Б."), person(1, "", "А.")):
        built.journal.append("person", row)
    built.journal.append("person", person(3, "stand", "В."))
    close_part(built, 1)
    built.journal.end({"person": "p1"})
    file = built.folder / "part-01" / "part.json"
    microphones = [{"name": "stand", "role": "witness"}, {"name": "left", "role": "plaintiff"}]
    file.write_text(json.dumps(json.loads(file.read_text()) | {"microphones": microphones}))
    now = (
        MicrophoneSettings(name="left", device="virtual:l", role="defendant_civil"),
        MicrophoneSettings(name="new", device="virtual:n", role="prosecutor"),
    )
    seats = read_facts(built.folder, courtroom_settings(tmp_path, now)).seats
    assert (seats["stand"].role, seats["stand"].name) == ("witness", "")
    assert (seats["left"].role, seats["left"].name, seats["left"].own_role) == (
        *("witness", "Б.", "plaintiff"),
    )


def test_words_before_somebody_was_named_at_the_seat_are_those_of_the_seat(tmp_path: Path) -> None:
    """Whoever spoke there first stood under the name of the person who came after them."""
    built = new_hearing(tmp_path / "hearings", Court.make(tmp_path / "court").device())
    add_part(built, fragments=2, tap_ns=recording_ns() - 100 * NS_PER_S)
    there = person(1, "stand", "Ержан Т.")
    built.journal.append("person", there)
    built.journal.append("person", there | {"left": WALL})
    close_part(built, 1)
    built.journal.append("person", there)
    add_part(built, fragments=2)
    close_part(built, 2)
    built.journal.end({"person": "p1"})
    stand = (MicrophoneSettings(name="stand", device="virtual:s", role="plaintiff"),)
    found = read_facts(built.folder, courtroom_settings(tmp_path, stand))
    said = (turn("stand", 70, 20, 4), turn("stand", 130, 30, 5), turn("stand", 0, 8, 3, part=2))
    parts = {number: PartFacts(600.0, WALL) for number in (1, 2)}
    lost = (loss("stand", "muted", 9.0),)
    report = make_report(replace(found, entries=said, parts=parts, losses=lost), RULES)
    assert [
        (row.role, row.name, row.seconds, row.unclear_seconds, len(row.lost))
        for row in report.seats
    ] == [("plaintiff", "", 50.0, 9.0, 1), ("witness", "Ержан Т.", 8.0, 3.0, 0)]
    assert [(row.name, row.role) for row in report.worst] == [
        *(("", "plaintiff"), ("", "plaintiff"), ("Ержан Т.", "witness")),
    ]


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ((20, 9), (20, 9), "hear_first"),
        ((20, 15), (20, 9), "unusable"),
        ((40, 0), (30, 15), "unusable"),
    ],
    ids=("clear", "the seat", "the person"),
)
def test_a_seat_decides_whoever_was_named_there_and_since_when(
    before: tuple[int, int], after: tuple[int, int], wanted: str
) -> None:
    seat = Seat("witness", "Ержан Т.", "witness", ((1, 200.0, True),))
    said = (turn("judge", 1, 90), turn("witness", 100, *before), turn("witness", 200, *after))
    report = make_report(facts(LISTENED, *said, seats={**SEATS, "witness": seat}), RULES)
    assert report.verdict == wanted


def test_a_recording_of_no_length_is_not_usable() -> None:
    assert make_report(facts(parts={}), RULES).verdict == "unusable"
