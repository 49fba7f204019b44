"""The verdict on a line: the published model, the class, and the remedy (R30, R31)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.sync.link_check.call_quality import (
    PLAIN_G711,
    call_class,
    delay_impairment,
    loss_impairment,
    opinion_score,
    rating,
)
from kiosk.sync.link_check.line_verdict import (
    Flow,
    Line,
    judge,
    loaded_round_trip_ms,
    rate_verdict,
    round_trips_per_minute,
    slower_direction,
)
from kiosk.sync.link_check.link_check import ALONE_BYTES, FAST_BYTES, doubtful_direction

EVEN = (1.0,) * 100
CLEAN = Flow(0.0, EVEN)
GOOD = Line(CLEAN, CLEAN, 40.0, 0.0, 90.0, 0.0, 4.0, 8.0)


# -- G.107 -----------------------------------------------------------------------------------
def test_without_loss_and_delay_the_rating_is_the_recommendations() -> None:
    assert rating(0, 0) == rating(100, 0) == 93.2
    assert opinion_score(93.2) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(
    ("rated", "score"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)]
)
def test_scores_are_those_of_annex_b(rated: float, score: float) -> None:
    assert opinion_score(rated) == pytest.approx(score, abs=0.01)


def test_scores_stay_in_their_range() -> None:
    assert opinion_score(-5) == opinion_score(0) == opinion_score(3) == 1.0
    assert opinion_score(100) == opinion_score(200) == 4.5


@pytest.mark.parametrize(("delay", "cost"), [(100, 0.0), (150, 0.2), (200, 3.0), (400, 24.1)])
def test_delay_costs_what_the_formula_says(delay: float, cost: float) -> None:
    assert delay_impairment(delay) == pytest.approx(cost, abs=0.15)


def test_half_of_the_range_is_gone_when_the_loss_equals_the_robustness() -> None:
    assert loss_impairment(0.251) == pytest.approx(95 / 2)
    assert loss_impairment(0.043, PLAIN_G711) == pytest.approx(95 / 2)
    assert loss_impairment(0.05, burst_ratio=2) > loss_impairment(0.05)
    assert loss_impairment(-1) == 0
    assert loss_impairment(7) == loss_impairment(1)


def test_classes_are_those_of_g109() -> None:
    assert [call_class(rated) for rated in (80, 79.9, 50, 49.9)] == [
        *("heard", "gaps", "gaps", "unheard")
    ]


# -- the line --------------------------------------------------------------------------------
def test_a_good_line_is_heard_and_needs_nothing() -> None:
    found = judge(GOOD)
    assert (found.call, found.remedy, found.late) == ("heard", None, 0.0)
    assert found.score > 4.3


def test_a_fast_line_that_loses_every_fifth_packet_a_second_late_is_not_heard() -> None:
    bad = Flow(0.2, EVEN)
    found = judge(Line(bad, bad, 1800.0, up_mbit=1.2, down_mbit=1.2))
    assert (found.call, found.remedy) == ("unheard", "delay")
    assert found.score < 1.5
    slowed = judge(Line(bad, bad, 60.0, up_mbit=0.08, down_mbit=0.08))
    assert slowed.remedy == "loss", "what TCP makes of a lossy line is not its rate"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_worse_direction_decides(direction: str) -> None:
    found = judge(replace(GOOD, **{direction: Flow(0.09, EVEN)}))  # type: ignore[arg-type]
    assert (found.call, found.remedy, found.direction) == ("gaps", "loss", direction)


def test_no_direction_is_named_where_both_are_as_bad() -> None:
    poor, worse = Flow(0.09, EVEN), Flow(0.12, EVEN)
    found = judge(replace(GOOD, up=poor, down=worse))
    assert (found.call, found.direction) == ("gaps", None)
    assert judge(GOOD).direction is None
    unheard = judge(replace(GOOD, up=poor, down=Flow(0.5, EVEN)))
    assert (unheard.call, unheard.direction) == ("unheard", "down")


@pytest.mark.parametrize(
    ("down", "up", "direction"),
    [(5, 0.4, "up"), (0.4, 5, "down"), (0.4, 0.3, None), (5, 5, None), (1.0, 0.9, "up")],
)
def test_the_direction_that_alone_is_too_slow_is_named(
    down: float, up: float, direction: str | None
) -> None:
    assert slower_direction(down, up, 1.0) == direction


def test_packets_later_than_the_jitter_buffer_holds_are_lost() -> None:
    uneven = Flow(0.0, (1.0,) * 90 + (300.0,) * 10)
    found = judge(replace(GOOD, down=uneven))
    assert (found.call, found.remedy) == ("gaps", "jitter")
    assert found.late == pytest.approx(0.1)
    waits = Flow(0.0, (1.0,) * 90 + (140.0,) * 10)
    assert judge(replace(GOOD, down=waits)).late == 0


def test_a_distant_line_is_told_from_a_full_one() -> None:
    assert judge(replace(GOOD, rtt_ms=700.0)).remedy == "delay"
    full = Flow(0.4, (1.0,) * 40 + (300.0,) * 20)
    assert judge(replace(GOOD, up=full, up_mbit=0.3)).remedy == "rate"


@pytest.mark.parametrize(("rtt", "loss"), [(900.0, 0.0), (90.0, 0.3)])
def test_a_line_that_only_load_breaks_is_heard_and_says_so(rtt: float, loss: float) -> None:
    found = judge(replace(GOOD, loaded_rtt_ms=rtt, loaded_loss=loss))
    assert (found.call, found.remedy) == ("heard", "load")


def test_a_direction_of_which_nothing_arrives_is_not_heard() -> None:
    assert judge(replace(GOOD, down=Flow(1.0, ()))).call == "unheard"


@pytest.mark.parametrize(
    ("down", "up", "verdict"),
    [
        (5, 2, "good"),
        (5, 0.9, "below"),
        (0.5, 9, "below"),
        (1.04, 9, "borderline"),
        (9, 0.96, "borderline"),
        (1.06, 1.06, "good"),
        (0.94, 1.1, "below"),
    ],
)
def test_the_rate_is_judged_by_the_slower_direction(down: float, up: float, verdict: str) -> None:
    assert rate_verdict(down, up, 1.0, 0.05) == verdict


def test_responsiveness_leaves_the_slowest_of_twenty_out() -> None:
    assert loaded_round_trip_ms([100.0] * 19 + [9000.0]) == 100.0
    assert loaded_round_trip_ms([]) is None
    assert round_trips_per_minute(100.0) == 600


def test_a_full_line_is_told_also_where_the_load_beside_it_held_little() -> None:
    waits = Flow(0.0, tuple(4.0 * n for n in range(100)))
    found = judge(replace(GOOD, down=waits, down_mbit=0.2))
    assert (found.call, found.remedy, found.direction) == ("unheard", "rate", "down")
    assert judge(replace(GOOD, down=waits, down_mbit=2.0)).remedy == "jitter"


@pytest.mark.parametrize(
    ("up", "up_mbit", "down_mbit", "found"),
    [
        (CLEAN, 9.6, 5.1, ("down", FAST_BYTES)),
        (CLEAN, 5.0, 9.6, ("up", FAST_BYTES)),
        (CLEAN, 9.6, 9.0, None),
        (CLEAN, 20.0, 0.9, None),
        (CLEAN, 4.0, 2.0, None),
        (Flow(0.5, EVEN), 0.4, 0.7, ("down", ALONE_BYTES)),
        (Flow(0.5, EVEN), 0.4, 1.2, None),
    ],
)
def test_a_direction_that_the_other_held_up_is_tried_alone(
    up: Flow, up_mbit: float, down_mbit: float, found: tuple[str, int] | None
) -> None:
    line = replace(GOOD, up=up, up_mbit=up_mbit, down_mbit=down_mbit)
    assert doubtful_direction(line, 1.0) == found
