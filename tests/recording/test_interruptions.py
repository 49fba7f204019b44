"""Tests of the interruption detector alone, with times from the test."""

from __future__ import annotations

import pytest

from kiosk.api.states import MicrophoneState
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


def test_a_microphone_without_sound_is_an_interruption_of_its_own_kind() -> None:
    found: list[Interruption] = []
    detector = InterruptionDetector(0, ("judge",), camera=False, on_interruption=found.append)

    def tick(second: int, state: MicrophoneState, since_ns: int | None = None) -> None:
        now_ns = second * NS_PER_S
        detector.add_audio("judge", now_ns - NS_PER_S, now_ns)
        detector.tick(now_ns, "off", {"judge": (state, since_ns)})

    tick(1, MicrophoneState.OK)
    tick(2, MicrophoneState.OK)
    tick(3, MicrophoneState.MUTED, NS_PER_S * 5 // 2)
    tick(4, MicrophoneState.STUCK, NS_PER_S * 5 // 2)  # it shows what it is
    tick(5, MicrophoneState.OK)
    tick(6, MicrophoneState.STUCK, NS_PER_S * 11 // 2)
    detector.finish(NS_PER_S * 7)
    rows = [interruption for interruption in found if interruption.end_ns is not None]
    assert [(row.kind, row.start_ns, row.end_ns) for row in rows] == [
        ("stuck", NS_PER_S * 5 // 2, NS_PER_S * 5),
        ("stuck", NS_PER_S * 11 // 2, NS_PER_S * 7),
    ]


def test_a_device_that_is_gone_may_turn_out_to_refuse() -> None:
    found: list[Interruption] = []
    detector = InterruptionDetector(0, ("judge",), camera=False, on_interruption=found.append)
    for second, state in enumerate((MicrophoneState.DEAD, MicrophoneState.REFUSED), 1):
        detector.tick(second * NS_PER_S, "off", {"judge": (state, None)})
    detector.add_audio("judge", 3 * NS_PER_S, 4 * NS_PER_S)
    assert [(row.kind, row.end_ns) for row in found] == [("dead", None), ("refused", 3 * NS_PER_S)]
