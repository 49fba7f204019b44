"""The ledger is what is missing between durable pictures: all of it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import SoundlessPeriod
from kiosk.recording.capture.interruptions import EDGE_NS, InterruptionDetector
from kiosk.recording.formats.records import CAMERA, Interruption

PERIOD_NS = NS_PER_S // 25
TICK_NS = NS_PER_S // 10


@dataclass
class Ledger:
    """A detector of a room with a camera alone, and its entries by number."""

    entries: dict[int, Interruption] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.detector = InterruptionDetector(0, (), PERIOD_NS, self.add)

    def add(self, interruption: Interruption) -> None:
        self.entries[interruption.number] = interruption

    def record(
        self, pictures: list[tuple[int, int]], stop_ns: int, delay_ns: int, state: str = "ok"
    ) -> None:
        """Let ``pictures`` be received at once and become durable after ``delay_ns``."""
        received = durable = 0
        for now_ns in range(0, stop_ns + TICK_NS, TICK_NS):
            while received < len(pictures) and pictures[received][0] <= now_ns:
                self.detector.receive_picture(pictures[received][0])
                received += 1
            while durable < received and pictures[durable][0] + delay_ns <= now_ns:
                self.detector.add_pictures([pictures[durable]])
                durable += 1
            self.detector.tick(now_ns, state, {})
        self.detector.add_pictures(pictures[durable:])
        self.detector.finish(stop_ns)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries.values()]


Steps = list[tuple[int, bool]]
"""Periods from one picture to the next, and whether the encoder was restarted in between."""


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([1, 1, 1, 1, 2, 3, 10, 14, 40, 80]), st.booleans()), max_size=60
    ),
    first=st.integers(0, 40),
    rest=st.integers(1, 40),
    delay_ns=st.sampled_from([0, NS_PER_S // 3, 3 * NS_PER_S]),
    state=st.sampled_from(["ok", "slow", "frozen"]),
)
@example(steps=[(10, True)], first=0, rest=1, delay_ns=0, state="ok")
@example(steps=[(1, False)] * 5 + [(2, False), (80, True)], first=0, rest=1, delay_ns=0, state="ok")
def test_the_entries_are_exactly_the_gaps(
    steps: Steps, first: int, rest: int, delay_ns: int, state: str
) -> None:
    pictures = [(first * PERIOD_NS, 1)]
    for periods, is_restart in steps:
        at_ns, session = pictures[-1]
        pictures.append((at_ns + periods * PERIOD_NS, session + is_restart))
    stop_ns = pictures[-1][0] + rest * PERIOD_NS
    ledger = Ledger()
    ledger.record(pictures, stop_ns, delay_ns, state)

    ends = [0, *(at_ns + PERIOD_NS for at_ns, _ in pictures)]
    gaps = list(zip(ends, [*(at_ns for at_ns, _ in pictures), stop_ns], strict=True))
    edges = {gaps[0], gaps[-1]}
    missing = [
        (start, end)
        for start, end in gaps
        if end - start > (EDGE_NS if (start, end) in edges else PERIOD_NS // 2)
    ]
    entries = list(ledger.entries.values())
    assert all(entry.end_ns is not None for entry in entries), "none is left open"
    for start, end in missing:
        assert any(entry.start_ns <= start and end <= (entry.end_ns or 0) for entry in entries), (
            "every gap is in an entry"
        )
    told_s = sum(entry.seconds or 0.0 for entry in entries)
    assert told_s == pytest.approx(sum(end - start for start, end in missing) / NS_PER_S)
    alone = [entry for entry in entries if entry.pictures is None]
    assert {(entry.start_ns, entry.end_ns) for entry in alone} <= set(missing)


def times(*numbers: int, session: int = 1) -> list[tuple[int, int]]:
    """Return the pictures of these numbers."""
    return [(number * PERIOD_NS, session) for number in numbers]


def test_a_camera_that_restarts_within_a_moment_has_an_entry_of_its_own() -> None:
    ledger = Ledger()
    ledger.record([*times(*range(10)), *times(*range(18, 30), session=2)], 30 * PERIOD_NS, 0)
    (entry,) = ledger.entries.values()
    assert (entry.source, entry.kind) == (CAMERA, "frozen")
    assert (entry.start_ns, entry.end_ns) == (10 * PERIOD_NS, 18 * PERIOD_NS)


@pytest.mark.parametrize(("state", "kind"), [("ok", "dropped"), ("slow", "encoder")])
def test_pictures_that_are_left_out_near_each_other_share_an_entry(state: str, kind: str) -> None:
    ledger = Ledger()
    ledger.record(times(*range(0, 50, 2), *range(50, 200)), 200 * PERIOD_NS, 0, state)
    (entry,) = ledger.entries.values()
    assert (entry.kind, entry.pictures) == (kind, 25)
    assert entry.seconds == pytest.approx(1.0)
    assert (entry.start_ns, entry.end_ns) == (PERIOD_NS, 50 * PERIOD_NS)
    assert ledger.detector.skipped_pictures == 25


def test_one_shared_entry_a_minute_at_most() -> None:
    """Pictures left out for half an hour are no twenty thousand entries."""
    ledger = Ledger()
    ledger.record(times(*range(0, 1800 * 25, 2)), 1800 * NS_PER_S, 0)
    assert 29 <= len(ledger.entries) <= 31
    assert sum(entry.pictures or 0 for entry in ledger.entries.values()) == 1800 * 25 // 2 - 1


@pytest.mark.parametrize(("state", "kind"), [("ok", "frozen"), ("absent", "absent")])
def test_a_camera_that_gives_nothing_for_a_second_is_told_while_it_lasts(
    state: str, kind: str
) -> None:
    ledger = Ledger()
    for at_ns, session in times(*range(25)):
        ledger.detector.receive_picture(at_ns)
        ledger.detector.add_pictures([(at_ns, session)])
    ledger.detector.tick(2 * NS_PER_S, state, {})
    assert ledger.entries == {}
    ledger.detector.tick(2 * NS_PER_S + 1, state, {})
    (entry,) = ledger.entries.values()
    assert (entry.kind, entry.start_ns, entry.end_ns) == (kind, NS_PER_S, None)


def test_pictures_on_their_way_to_a_slow_disk_are_not_missing() -> None:
    ledger = Ledger()
    ledger.record(times(*range(250)), 10 * NS_PER_S, 8 * NS_PER_S)
    assert ledger.entries == {}


def test_a_picture_that_stands_still_is_told_and_a_gap_is_not_told_twice() -> None:
    ledger = Ledger()
    pictures = times(*range(250))
    since_ns = 2 * NS_PER_S
    for at_ns, session in pictures:
        ledger.detector.receive_picture(at_ns)
        ledger.detector.add_pictures([(at_ns, session)])
        is_still = since_ns + 5 * NS_PER_S < at_ns < 9 * NS_PER_S
        ledger.detector.tick(at_ns, "frozen", {}, since_ns if is_still else None)
    ledger.detector.tick(12 * NS_PER_S, "frozen", {}, None)  # it is restarted: nothing comes
    ledger.detector.receive_picture(12 * NS_PER_S)
    ledger.detector.add_pictures([(12 * NS_PER_S, 2)])
    ledger.detector.tick(12 * NS_PER_S, "frozen", {}, since_ns)  # the same picture again
    ledger.detector.finish(12 * NS_PER_S + PERIOD_NS)
    spans = [(e.kind, e.start_ns, e.end_ns) for e in ledger.entries.values()]
    assert spans == [
        ("still", since_ns, 9 * NS_PER_S),
        ("frozen", 10 * NS_PER_S, 12 * NS_PER_S),
        ("still", 12 * NS_PER_S, 12 * NS_PER_S + PERIOD_NS),
    ]


def test_a_microphone_without_sound_is_an_interruption_of_its_own_kind() -> None:
    found: list[Interruption] = []
    half_ns = NS_PER_S // 2
    detector = InterruptionDetector(0, ("judge",), picture_ns=None, on_interruption=found.append)

    def tick(second: int, state: MicrophoneState, start: int = 0, end: int | None = None) -> None:
        """Look once; the period begins and ends at so many half seconds."""
        now_ns, end_ns = second * NS_PER_S, None if end is None else end * half_ns
        detector.add_audio("judge", now_ns - NS_PER_S, now_ns)
        period = SoundlessPeriod(state, start * half_ns, end_ns) if start else None
        detector.tick(now_ns, "off", {"judge": (state, period)})

    muted, stuck, ok = MicrophoneState.MUTED, MicrophoneState.STUCK, MicrophoneState.OK
    tick(1, ok)
    tick(2, ok)
    tick(3, muted, 5)
    tick(4, stuck, 5)  # it shows what it is
    tick(5, stuck, 5, 9)
    tick(6, stuck, 5, 9)
    tick(7, muted, 12, 13)  # it began and ended between two looks
    tick(8, stuck, 15)
    detector.finish(NS_PER_S * 9)
    rows = [interruption for interruption in found if interruption.end_ns is not None]
    assert [(row.kind, row.start_ns // half_ns, (row.end_ns or 0) // half_ns) for row in rows] == [
        ("stuck", 5, 9),
        ("muted", 12, 13),
        ("stuck", 15, 18),
    ]


def test_what_was_without_sound_before_the_part_is_not_lost_in_it() -> None:
    found: list[Interruption] = []
    start_ns = 100 * NS_PER_S
    detector = InterruptionDetector(
        start_ns, ("a", "b"), picture_ns=None, on_interruption=found.append
    )
    before = SoundlessPeriod(MicrophoneState.MUTED, 10 * NS_PER_S, 90 * NS_PER_S)
    lasting = SoundlessPeriod(MicrophoneState.MUTED, 10 * NS_PER_S)
    states = {"a": (MicrophoneState.OK, before), "b": (MicrophoneState.MUTED, lasting)}
    detector.tick(start_ns, "off", states)
    for name in states:
        detector.add_audio(name, start_ns, start_ns + 5 * NS_PER_S)
    detector.finish(start_ns + 5 * NS_PER_S)
    ended = [row for row in found if row.end_ns is not None]
    assert [(row.source, row.seconds) for row in ended] == [("b", 5.0)]


def test_a_device_that_is_gone_may_turn_out_to_refuse() -> None:
    found: list[Interruption] = []
    detector = InterruptionDetector(0, ("judge",), None, found.append)
    for second, state in enumerate((MicrophoneState.DEAD, MicrophoneState.REFUSED), 1):
        detector.tick(second * NS_PER_S, "off", {"judge": (state, None)})
    detector.add_audio("judge", 3 * NS_PER_S, 4 * NS_PER_S)
    assert [(row.kind, row.end_ns) for row in found] == [("dead", None), ("refused", 3 * NS_PER_S)]
