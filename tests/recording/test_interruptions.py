"""Tests of the interruption detector alone, with times from the test."""

from __future__ import annotations

import pytest

from kiosk.clocks import NS_PER_S
from kiosk.recording.capture.interruptions import InterruptionDetector
from kiosk.recording.formats.records import Interruption

PERIOD_NS = NS_PER_S // 25


@pytest.mark.parametrize(("state", "kinds"), [("starting", ["frozen"]), ("ok", [])])
def test_a_camera_that_restarts_within_half_a_second_is_an_interruption(
    state: str, kinds: list[str]
) -> None:
    found: list[Interruption] = []
    detector = InterruptionDetector(0, (), camera=True, on_interruption=found.append)
    detector.add_video(0, PERIOD_NS)
    detector.tick(NS_PER_S // 4, state, {})
    detector.add_video(NS_PER_S * 2 // 5, PERIOD_NS)
    detector.tick(NS_PER_S // 2, "ok", {})
    detector.add_video(NS_PER_S * 7 // 10, PERIOD_NS)
    ended = [interruption for interruption in found if interruption.end_ns is not None]
    assert [interruption.kind for interruption in ended] == kinds
    for interruption in ended:
        assert interruption.start_ns == PERIOD_NS
        assert interruption.end_ns == NS_PER_S * 2 // 5
