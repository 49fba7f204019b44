"""Steps, seats and the walk: plain functions of what was tapped and heard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.api.room import FoundInput, SpokenSentence
from kiosk.commissioning.heard import Listening
from kiosk.commissioning.record import REPLACEMENTS, STEPS, Record
from kiosk.commissioning.seats import absent, assign, remove, seat_of
from kiosk.commissioning.walk import Walk, with_walk
from kiosk.config import Settings
from kiosk.selftest import CHECKS, CheckResult


def found(device: str, channel: int = 0, name: str = "") -> FoundInput:
    """Return an input that is there."""
    identifier = name or f"{device}#{channel}"
    return FoundInput(
        id=identifier, name=name, device=device, channel=channel, rate=48000, label="Mic"
    )


# -- record ----------------------------------------------------------------------------------------
def test_it_goes_on_at_the_first_open_step_after_each_interruption() -> None:
    record = Record().begin("p-1")
    for step in STEPS:
        assert record.next_step == step
        record = Record.from_json(json.loads(json.dumps(record.to_json())))
        record = record.with_result(step, "done")
    assert (record.next_step, record.unfinished) == (None, ())


def test_what_was_put_off_or_failed_stays_open_to_see() -> None:
    record = Record().begin("p-1")
    for step in STEPS:
        record = record.with_result(step, "done")
    record = record.with_result("network", "skipped", "later")
    record = record.with_result("camera", "failed").with_result("paper", "skipped", "not_needed")
    assert record.next_step is None
    assert record.unfinished == ("camera", "network")


@pytest.mark.parametrize("replaced", list(REPLACEMENTS))
def test_a_replacement_asks_again_only_for_what_it_concerns(replaced: str) -> None:
    record = Record().begin("p-1")
    for step in STEPS:
        record = record.with_result(step, "done")
    again = record.begin("p-2", replaced)
    assert again.plan == REPLACEMENTS[replaced]
    assert again.next_step == replaced
    assert {step for step in STEPS if again.result(step).state == "open"} == set(again.plan)


def results(*failed: str, code: str = "error") -> dict[str, dict[str, Any]]:
    """Return a result of every check; ``failed`` did not pass."""
    return {
        name: {"state": "failed", "code": code} if name in failed else {"state": "passed"}
        for name in CHECKS
    }


def test_what_is_done_again_is_tested_again() -> None:
    record = replace(Record(), checks=results())
    assert record.begin("p-1").due_checks(CHECKS) == CHECKS
    replaced = record.begin("p-1", "microphones")
    assert replaced.due_checks(CHECKS) == ("microphones", "speech_transmission")
    assert not record.begin("p-1", "paper").has_passed("paper")
    assert replaced.has_passed("paper")


def test_another_device_has_not_passed_what_the_one_before_it_has() -> None:
    record = replace(Record().begin("p-1"), checks=results())
    for step in STEPS:
        record = record.with_result(step, "done")
    printer = replace(record, draft={"printer": {"port": "/dev/usb/lp1"}}).applied()
    assert (printer.draft, printer.next_step) == ({}, "paper")
    assert printer.due_checks(CHECKS) == ("receipt_printer",)
    microphones = replace(record, draft={"microphones": []}).applied()
    assert microphones.due_checks(CHECKS) == ("microphones", "speech_transmission")
    assert microphones.next_step == "walk"
    assert replace(record, draft={"kiosk": {"room": "2"}}).applied() == record


@pytest.mark.parametrize(
    ("rows", "is_done"),
    [
        ({"scanner": ("passed", None), "receipt_printer": ("passed", None)}, True),
        ({"scanner": ("skipped", "not_fitted"), "receipt_printer": ("passed", None)}, True),
        ({"scanner": ("passed", None), "receipt_printer": ("skipped", "not_confirmed")}, False),
        ({"scanner": ("passed", None), "receipt_printer": ("failed", "printer_lost")}, False),
        ({"scanner": ("passed", None)}, False),
        ({}, False),
    ],
    ids=["both", "no-scanner", "nobody-looked", "failed", "one", "none"],
)
def test_a_step_is_done_by_what_has_passed_and_not_by_what_nobody_looked_at(
    rows: dict[str, tuple[str, str | None]], is_done: bool
) -> None:
    checks = {name: {"state": state, "code": code} for name, (state, code) in rows.items()}
    assert replace(Record(), checks=checks).has_passed("paper") is is_done


def test_a_report_made_again_tests_what_had_failed_but_not_what_a_step_has_left_so() -> None:
    record = replace(Record().begin("p-1"), checks=results("certificate", "delivery", "camera"))
    record = record.with_result("camera", "failed").with_result("network", "skipped", "later")
    assert record.due_checks(CHECKS) == ("certificate", "delivery")
    absent = replace(record, checks=results("headset", code="not_fitted"))
    assert absent.due_checks(CHECKS) == ()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["steps", "plan", "draft", "checks", "state", *STEPS]), inner
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["steps", "plan", "draft", "checks", "person"]), JSON))
def test_a_damaged_record_begins_anew_and_raises_nothing(value: dict[str, object]) -> None:
    record = Record.from_json(value)
    assert set(record.steps) <= set(STEPS)
    assert record.plan
    record.to_json()


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"check": "camera", "state": "passed"},
        {**CheckResult("camera", "passed").as_json(), "state": "splendid"},
        {**CheckResult("camera", "passed").as_json(), "limits": {"luma": {"least": "much"}}},
        CheckResult("clock", "passed").as_json(),
    ],
    ids=["empty", "part", "state", "limit", "other"],
)
def test_a_result_that_cannot_be_shown_is_none_and_its_check_is_due(row: dict[str, Any]) -> None:
    good = CheckResult("clock", "passed").as_json()
    record = Record.from_json({"checks": {"camera": row, "clock": good}})
    assert record.checks == {"clock": good}
    assert "camera" in record.due_checks(CHECKS)


@pytest.mark.parametrize("microphones", [7, ["x"], [{}], [{"name": "a"}]])
def test_a_draft_that_is_none_of_a_room_is_left_out(microphones: object) -> None:
    draft = {"microphones": microphones, "kiosk": {"room": "2"}, "printer": "lp0"}
    assert Record.from_json({"draft": draft}).draft == {"kiosk": {"room": "2"}}


# -- seats -----------------------------------------------------------------------------------------
def test_two_microphones_of_one_model_are_named_by_port_and_are_good_settings() -> None:
    rows = assign([], found("usb:1f00200000.usb/1.3"), "presiding")
    rows = assign(rows, found("usb:1f00200000.usb/1.4"), "witness")
    rows = assign(rows, found("serial:A1", 1), "spare")
    rows = assign(rows, found("serial:A1", 0), "spare")
    settings = Settings.model_validate({"microphones": rows})
    assert [(row.name, row.role, row.device, row.channel) for row in settings.microphones] == [
        ("presiding", "presiding", "usb:1f00200000.usb/1.3", 0),
        ("witness", "witness", "usb:1f00200000.usb/1.4", 0),
        ("spare", "spare", "serial:A1", 1),
        ("spare-2", "spare", "serial:A1", 0),
    ]


def test_a_new_microphone_at_a_seat_keeps_the_seat_and_its_settings() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "bench", "role": "presiding", "device": "serial:OLD", "noise_gate": True},
        {"name": "witness", "role": "witness", "device": "serial:W"},
    ]
    new = assign(rows, found("serial:NEW"), "presiding")
    assert (new[0]["name"], new[0]["device"], new[0]["noise_gate"]) == ("bench", "serial:NEW", True)
    assert new[1] == rows[1]
    assert rows[0]["device"] == "serial:OLD"


def test_a_microphone_that_is_moved_leaves_its_old_seat() -> None:
    rows = assign(assign([], found("a"), "presiding"), found("b"), "witness")
    rows = assign(rows, found("a"), "defender")
    assert [(row["role"], row["device"]) for row in rows] == [("witness", "b"), ("defender", "a")]
    assert [row["device"] for row in remove(rows, found("b"))] == ["a"]


def test_one_in_use_is_known_by_its_name_in_whatever_form_the_settings_name_it() -> None:
    rows = [{"name": "bench", "role": "presiding", "device": "usb:1-1.3"}]
    used = found("serial:A1", name="bench")
    assert seat_of(rows, used) == "presiding"
    assert absent(rows, [used]) == []
    assert absent(rows, [found("serial:A1")]) == ["presiding"]


# -- who is heard ----------------------------------------------------------------------------------
def room(seconds: float, **spoken_db: float) -> Iterator[dict[str, float]]:
    """Yield levels of three microphones of unequal gain; ``spoken_db``: how much each rises."""
    generator = np.random.default_rng(7)
    rest = {"presiding": -60.0, "witness": -38.0, "defender": -55.0}
    for _ in range(round(seconds * 10)):
        yield {
            name: level + spoken_db.get(name, 0.0) + float(generator.normal(0, 1))
            for name, level in rest.items()
        }


def listen(*parts: Iterator[dict[str, float]]) -> list[str]:
    """Return who is heard, each once in turn."""
    listening, said = Listening(), list[str]()
    for part in parts:
        for levels in part:
            if (name := listening.push(levels)) and said[-1:] != [name]:
                said.append(name)
    return said


def test_the_one_that_rises_is_heard_although_another_is_always_louder() -> None:
    speech = room(1, presiding=25, witness=8, defender=10)
    assert listen(room(1), speech, room(1)) == ["presiding"]


def test_nobody_is_heard_in_noise_a_knock_or_a_voice_between_two() -> None:
    assert listen(room(5)) == []
    assert listen(room(1), room(0.2, presiding=40), room(1)) == []
    assert listen(room(1), room(1, presiding=20, defender=20)) == []


def test_a_fan_that_starts_is_not_heard_for_ever() -> None:
    listening = Listening()
    for levels in room(1):
        listening.push(levels)
    heard = [listening.push(levels) for levels in room(60, defender=14)]
    assert heard[-1] == ""


def test_a_device_that_was_just_opened_is_not_heard_when_its_first_sound_comes() -> None:
    opened = [dict.fromkeys(("presiding", "witness", "defender"), -100.0)] * 3
    assert listen(iter(opened), room(3)) == []
    listening = Listening()
    for levels in (*opened, *room(1)):
        listening.push(levels)
    assert listening.is_quiet


# -- walk ------------------------------------------------------------------------------------------
SEATS = (("presiding", "presiding"), ("witness", "witness"))


def walk(*parts: Iterator[dict[str, float]], baselines: dict[str, float] | None = None) -> Walk:
    """Return the walk after ``parts``."""
    made = Walk(SEATS, baselines)
    for part in parts:
        for levels in part:
            made.push(levels)
    return made


def test_each_seat_gets_its_result_in_turn() -> None:
    made = walk(room(1), room(1, presiding=30))
    assert [seat.verdict for seat in made.seats] == ["right", "waiting"]
    assert made.seat is not None
    assert made.seat.name == "witness"
    for levels in (*room(1), *room(1, witness=20)):
        made.push(levels)
    assert made.is_right


def test_who_speaks_before_the_first_level_is_not_taken_for_noise() -> None:
    made = walk(room(0.5, presiding=30), room(0.1), room(1.5, presiding=30))
    assert made.seats[0].verdict == "right"


def test_what_is_still_being_said_at_one_seat_is_not_heard_for_the_next() -> None:
    made = walk(room(1), room(3, presiding=30), room(0.3), room(1, presiding=30))
    assert [seat.verdict for seat in made.seats] == ["right", "waiting"]
    for levels in (*room(1), *room(1, witness=20)):
        made.push(levels)
    assert made.is_right


def test_the_kiosks_own_voice_is_nobodys_and_the_rest_is_learnt_meanwhile() -> None:
    made = Walk(SEATS)
    for levels in (*room(1), *room(3, witness=30)):
        assert made.push(levels, is_prompting=True) is None
    for levels in room(1, presiding=30):
        made.push(levels)
    assert made.seats[0].verdict == "right"


def test_who_speaks_at_the_next_seat_without_a_pause_is_heard_there() -> None:
    made = walk(room(1), room(1, presiding=30), room(0.2), room(1.5, witness=20))
    assert made.is_right


@pytest.mark.parametrize(
    ("rises", "baselines", "verdict"),
    [
        ({"witness": 25}, {}, "other"),
        ({"presiding": 13}, {}, "quiet"),
        ({"presiding": 30}, {"presiding": -80.0}, "changed"),
        ({"presiding": 30}, {"presiding": -62.0}, "right"),
    ],
)
def test_what_is_wrong_at_a_seat_is_said(
    rises: dict[str, float], baselines: dict[str, float], verdict: str
) -> None:
    made = walk(room(1), room(1, **rises), baselines=baselines)
    assert made.seats[0].verdict == verdict
    made.ask_again(0)
    assert made.seats[0].verdict == "waiting"
    assert made.seat is made.seats[0]


def test_the_report_has_who_spoke_on_the_walk_beside_what_was_measured_at_rest() -> None:
    made = walk(room(1), room(1, presiding=30), room(1), room(1, presiding=30))
    made.ask_again(1)
    for levels in (*room(1), *room(1, presiding=30)):
        made.push(levels)  # at the seat of the witness, and the wrong microphone hears it
    assert [seat.verdict for seat in made.seats] == ["right", "other"]
    rest = {"level_db": -57.0, "noise_db": -60.0, "heard": False}
    row = {"state": "passed", "measured": {"presiding": rest, "witness": dict(rest)}}
    measured = with_walk({"microphones": row, "camera": {}}, made.seats)["microphones"]["measured"]
    assert measured["witness"] == rest
    assert measured["presiding"]["heard"] is True
    assert measured["presiding"]["level_db"] > -45
    assert measured["presiding"]["noise_db"] == -60.0
    assert with_walk({}, made.seats) == {}


def heard_sentence(
    source: str, start_ns: int, level_db: float | None, end_ns: int = 0
) -> SpokenSentence:
    return SpokenSentence(
        source=source, start_ns=start_ns, end_ns=end_ns or start_ns + 5, level_db=level_db
    )


def speech_of(made: Walk, *spoken: SpokenSentence) -> dict[str, Any]:
    """Return ``speech_db`` of each microphone that gets one in the report."""
    rest = {"level_db": -57.0, "noise_db": -60.0, "heard": False}
    measured: dict[str, Any] = {"presiding": rest, "witness": dict(rest)}
    row = {"state": "passed", "measured": measured}
    found = with_walk({"microphones": row}, made.seats, spoken)["microphones"]["measured"]
    return {name: row["speech_db"] for name, row in found.items() if "speech_db" in row}


def timed_walk(*, rise_db: float = 30.0) -> Walk:
    """Walk: the kiosk speaks up to 1,000, somebody at the first seat from 2,000 to 3,000."""
    made, at_ns = Walk(SEATS), 0
    for levels, is_prompting in (
        *((row, True) for row in room(1)),
        *((row, False) for row in (*room(1), *room(1, presiding=rise_db))),
    ):
        at_ns += 100
        made.push(levels, is_prompting=is_prompting, at_ns=at_ns)
    since_ns, result_ns = made.seats[0].spoken_ns
    assert since_ns == 1000
    assert 2600 < result_ns <= 3000
    return made


def test_the_report_has_how_loud_the_voice_detector_heard_the_sentence_at_the_seat() -> None:
    made = timed_walk()
    before, sentence = (
        heard_sentence("presiding", 500, -12.0),
        heard_sentence("presiding", 2100, -27),
    )
    assert speech_of(made, before, sentence) == {"presiding": -27.0}
    later = heard_sentence("presiding", 4000, -12.0)
    assert speech_of(made, sentence, later) == {"presiding": -27.0}


@pytest.mark.parametrize(
    "spoken",
    [
        [],
        [heard_sentence("presiding", 900, -12.0, 2600)],  # it began as the kiosk spoke
        [heard_sentence("presiding", 2100, None)],  # too short to tell
        [heard_sentence("witness", 2100, -27.0)],  # nobody was asked there yet
    ],
    ids=["nothing heard", "begun too early", "too short", "another seat"],
)
def test_without_a_sentence_of_its_own_a_seat_gets_no_level(spoken: list[SpokenSentence]) -> None:
    assert speech_of(timed_walk(), *spoken) == {}


def test_words_that_were_too_quiet_at_the_seat_are_no_measure_for_others() -> None:
    made = timed_walk(rise_db=13.0)
    assert made.seats[0].verdict == "quiet"
    assert speech_of(made, heard_sentence("presiding", 2100, -47.0)) == {}
