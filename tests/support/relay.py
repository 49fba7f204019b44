"""Carry packets between two TUN devices, late, unevenly, with some lost, in their order.

``relay FD FD DELAY_MS LOSS JITTER_MS``; a line ``DELAY_MS LOSS JITTER_MS`` on its standard input
changes what it does to packets that come from then on.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from collections.abc import Sequence
from random import Random

MTU = 2048


class Direction:
    """One direction: packets wait in order until their time has come."""

    def __init__(self, source: int, target: int, quality: Sequence[float], seed: int) -> None:
        self.source = source
        self._target, self._last_due = target, 0.0
        self.set_quality(quality)
        self._random = Random(seed)
        self._waiting: deque[tuple[float, bytes]] = deque()

    def set_quality(self, quality: Sequence[float]) -> None:
        """Set delay (ms), loss and jitter (ms)."""
        delay_ms, self._loss, jitter_ms = quality
        self._delay, self._jitter = delay_ms / 1000, jitter_ms / 1000

    def receive(self) -> None:
        """Take what has come in."""
        now = time.monotonic()
        while True:
            try:
                packet = os.read(self.source, MTU)
            except BlockingIOError:
                return
            if self._random.random() >= self._loss:
                late = self._delay + self._jitter * self._random.random()
                self._last_due = max(self._last_due, now + late)
                self._waiting.append((self._last_due, packet))

    def send_due(self) -> float | None:
        """Pass on what is due; return when the next one is (monotonic), or None."""
        while self._waiting:
            due, packet = self._waiting[0]
            if due > time.monotonic():
                return due
            self._waiting.popleft()
            try:
                os.write(self._target, packet)
            except OSError:  # the device is down, or full: a line loses such packets
                continue
        return None


def main() -> None:
    """Relay until killed."""
    first, other = int(sys.argv[1]), int(sys.argv[2])
    quality = [float(argument) for argument in sys.argv[3:6]]
    directions = {
        first: Direction(first, other, quality, 1),
        other: Direction(other, first, quality, 2),
    }
    poll = select.epoll()
    for descriptor in (*directions, sys.stdin.fileno()):
        poll.register(descriptor, select.EPOLLIN)
    due: list[float] = []
    while True:
        wait = max(0.0, min(due) - time.monotonic()) if due else -1.0
        for descriptor, event in poll.poll(wait):
            if not event & select.EPOLLIN:
                return
            if descriptor in directions:
                directions[descriptor].receive()
            else:
                quality = [float(word) for word in sys.stdin.readline().split()]
                for direction in directions.values():
                    direction.set_quality(quality)
        pending = [direction.send_due() for direction in directions.values()]
        due = [moment for moment in pending if moment is not None]


if __name__ == "__main__":
    main()
