"""An encoder that leaves pictures out or lags is slow; a frozen camera is something else."""

from __future__ import annotations

from kiosk.clocks import NS_PER_S
from kiosk.hardware.camera.encoder_monitor import EncoderMonitor

FPS = 25
PERIOD_NS = NS_PER_S // FPS


def run(
    watch: EncoderMonitor, first: int, count: int, every: int = 1, late_ns: int = 30_000_000
) -> int:
    """Give pictures number ``first`` on, each ``every``-th; return how many were missing."""
    missing = 0
    for number in range(first, first + count, every):
        captured_ns = number * PERIOD_NS
        missing += watch.push(captured_ns, captured_ns + late_ns)
    return missing


def test_left_out_pictures_are_counted_and_called_slow_and_it_recovers() -> None:
    watch = EncoderMonitor(FPS)
    assert run(watch, 0, 50) == 0
    assert not watch.is_slow
    assert run(watch, 50, 50, every=2) == 24
    assert watch.is_slow
    run(watch, 100, 30)
    assert watch.is_slow, "not over at once"
    run(watch, 130, 50)
    assert not watch.is_slow


def test_one_lost_picture_is_not_slow() -> None:
    watch = EncoderMonitor(FPS)
    run(watch, 0, 50)
    assert run(watch, 51, 50) == 1
    assert not watch.is_slow


def test_a_growing_queue_is_slow() -> None:
    watch = EncoderMonitor(FPS)
    run(watch, 0, 50)
    run(watch, 50, 25, late_ns=700_000_000)
    assert watch.is_slow
    run(watch, 75, 1)
    assert not watch.is_slow


def test_a_frozen_camera_is_not_a_slow_encoder() -> None:
    watch = EncoderMonitor(FPS)
    run(watch, 0, 50)
    assert run(watch, 150, 10) == 100
    assert not watch.is_slow
