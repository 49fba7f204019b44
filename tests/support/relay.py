"""Carry packets between two TUN devices, late and with some lost: ``relay FD FD DELAY_MS LOSS``."""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from random import Random

MTU = 2048


class Direction:
    """One direction: packets wait in order until their time has come."""

    def __init__(self, source: int, target: int, delay_s: float, loss: float, seed: int) -> None:
        self.source = source
        self._target = target
        self._delay = delay_s
        self._loss = loss
        self._random = Random(seed)
        self._waiting: deque[tuple[float, bytes]] = deque()

    def receive(self) -> None:
        """Take what has come in."""
        due = time.monotonic() + self._delay
        while True:
            try:
                packet = os.read(self.source, MTU)
            except BlockingIOError:
                return
            if self._random.random() >= self._loss:
                self._waiting.append((due, packet))

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
    delay_s, loss = float(sys.argv[3]) / 1000, float(sys.argv[4])
    directions = {
        first: Direction(first, other, delay_s, loss, 1),
        other: Direction(other, first, delay_s, loss, 2),
    }
    poll = select.epoll()
    for descriptor in directions:
        poll.register(descriptor, select.EPOLLIN)
    due: list[float] = []
    while True:
        wait = max(0.0, min(due) - time.monotonic()) if due else -1.0
        for descriptor, event in poll.poll(wait):
            if event & select.EPOLLIN:
                directions[descriptor].receive()
            else:
                return
        pending = [direction.send_due() for direction in directions.values()]
        due = [moment for moment in pending if moment is not None]


if __name__ == "__main__":
    main()
