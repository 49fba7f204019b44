"""The sample clock: true capture times out of late, jittering, drifting deliveries."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.sample_clock import (
    SampleClock,
    StampedBlock,
    join_blocks,
    lower_hull,
)
from kiosk.hardware.child_process.protocol import pack_audio, unpack_audio

RATE = 48_000
BLOCK = 960
START_NS = 5_000_000_000_000


class Card:
    """A sound card with a crystal of its own; deliveries are late by a random amount."""

    def __init__(self, ppm: float, seed: int = 1) -> None:
        self.rate = RATE * (1 + ppm * 1e-6)
        self.clock = SampleClock(RATE)
        self._random = random.Random(seed)
        self.index = 0

    def true_ns(self, index: int) -> float:
        return START_NS + index * NS_PER_S / self.rate

    def block(self, extra_ns: float = 0.0) -> list[StampedBlock]:
        """Deliver the next block, late by jitter and by ``extra_ns``."""
        self.index += BLOCK
        late = min(15e6, self._random.expovariate(1 / 2e6)) + extra_ns
        arrival = round(self.true_ns(self.index) + late)
        return list(self.clock.push(arrival, BLOCK, b""))

    def errors_ms(self, blocks: list[StampedBlock]) -> Iterator[float]:
        for block in blocks:
            yield (block.start_ns - self.true_ns(block.index)) / 1e6


@pytest.mark.parametrize("ppm", [-100, 0, 100, 250])
def test_an_hour_of_drift_is_followed(ppm: float) -> None:
    card = Card(ppm)
    worst = 0.0
    for _ in range(3600 * RATE // BLOCK // 4):  # a quarter of an hour: 90 ms at 100 ppm
        worst = max([worst, *map(abs, card.errors_ms(card.block()))])
    assert worst < 8
    assert card.clock.epoch == 0


def test_backlog_after_a_stall_keeps_its_true_times() -> None:
    card = Card(20)
    for _ in range(500):
        card.block()
    errors: list[float] = []
    for step in range(12):  # 220 ms of blocks arrive at once
        errors += card.errors_ms(card.block(extra_ns=max(0.0, 220e6 - step * 20e6)))
    for _ in range(50):
        errors += card.errors_ms(card.block())
    assert len(errors) >= 62
    assert max(map(abs, errors)) < 8
    assert card.clock.epoch == 0


def test_lost_samples_begin_a_new_epoch_at_the_right_time() -> None:
    card = Card(0)
    for _ in range(500):
        card.block()
    lost_ns = 120e6
    after: list[StampedBlock] = []
    for _ in range(100):  # from here on the card's count lags behind time by 120 ms
        after += card.block(extra_ns=lost_ns)
    assert {block.epoch for block in after} == {1}
    errors = [(b.start_ns - lost_ns - card.true_ns(b.index)) / 1e6 for b in after]
    assert max(map(abs, errors)) < 8


def test_late_first_blocks_do_not_keep_the_clock_late() -> None:
    """A device that is opened on a busy machine; smoothed, it would stay late for seconds."""
    card = Card(0)
    errors: list[float] = []
    for number in range(60):
        late_ns = max(0, 150_000_000 - number * 5_000_000)
        errors += card.errors_ms(card.block(late_ns))
    assert max(errors) > 50, "the first ones cannot be known better"
    assert max(map(abs, errors[40:])) < 12, "as soon as one block came in time"
    assert card.index == 60 * BLOCK


def test_no_sample_is_passed_over() -> None:
    card = Card(50)
    indices = [b.index for _ in range(1000) for b in card.block()]
    assert indices == list(range(0, 1000 * BLOCK, BLOCK))


def test_lower_hull() -> None:
    points = [(0.0, 1.0), (1.0, 5.0), (2.0, 0.0), (3.0, 4.0), (4.0, 1.0)]
    assert lower_hull(points) == [(0.0, 1.0), (2.0, 0.0), (4.0, 1.0)]


def test_blocks_that_follow_each_other_are_joined_and_others_are_not() -> None:
    blocks = [
        StampedBlock(0, 0, 1000, 2, b"aabb"),
        StampedBlock(0, 2, 2000, 1, b"cc"),
        StampedBlock(0, 9, 3000, 1, b"dd"),
        StampedBlock(1, 10, 4000, 1, b"ee"),
    ]
    assert list(join_blocks(blocks)) == [
        StampedBlock(0, 0, 1000, 3, b"aabbcc"),
        StampedBlock(0, 9, 3000, 1, b"dd"),
        StampedBlock(1, 10, 4000, 1, b"ee"),
    ]


def test_no_more_than_so_many_are_joined() -> None:
    blocks = [StampedBlock(0, number, number, 1, b"xx") for number in range(5)]
    assert [block.frames for block in join_blocks(blocks, limit=4)] == [4, 1]


def test_blocks_come_out_of_the_pipe_as_they_went_in() -> None:
    sent = [(5, b"\x01\x00\x02\x00"), (9, b"\x03\x00\x04\x00\x05\x00\x06\x00")]
    assert unpack_audio(pack_audio(2, sent)) == (2, [(5, 1, sent[0][1]), (9, 2, sent[1][1])])
