"""Fills both directions of the line at once for a moment, over HTTPS, and counts what is carried.

Counted is what has come: here by the kernel, there by the central system in windows of 250 ms. The
bytes that a program has written are off by up to 19 %; acknowledgements wait behind the download;
TLS records of 16 KiB make steps, so that small ones are sent. What else fills the line meanwhile is
no loss of its rate and is added: acknowledgements of the other direction, and the call's voice. A
direction ends early when it has carried enough for a slow line; its rate is a lower bound then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import IncompleteRead, RemoteDisconnected

from urllib3.exceptions import HTTPError

from kiosk.errors import CentralError, CentralUnreachableError
from kiosk.goodput import WINDOW_S
from kiosk.sync.link_check.line_verdict import Direction
from kiosk.sync.transport.central_client import POLL_TIMEOUT, CentralClient
from kiosk.sync.transport.central_session import (
    RefusedError,
    Traffic,
    check_response,
    response_object,
)

log = logging.getLogger(__name__)

LOAD_S, LONG_LOAD_S = 0.8, 2.0
"""Beside a train of packets, which tells the rate; alone."""
RISING_S = 0.35
"""So long the rate still rises."""
SAMPLE_S = 0.05
WINDOW_SAMPLES = 6
RECEIVED_BYTES, SENT_BYTES = 16 * 1024, 4 * 1024
RISING_WINDOWS = 2
LATE_S = 2.5
"""A line that gives no answer for so long after the load is judged by what was acknowledged."""
END_S = 5.0
ACKNOWLEDGEMENT_BYTES = 66  # its frame
PAYLOAD_SHARE = 1448 / 1514  # of a full frame


class Load:
    """A download and an upload at the same time, each in a thread and on a connection of its own.

    Args:
        down: client of the download.
        up: client of the upload.
        token: of the check.
        is_cancelled: whether to end early.
        seconds: how long.
        only: the one direction that is filled; None: both.
    """

    def __init__(
        self,
        down: CentralClient,
        up: CentralClient,
        token: str,
        is_cancelled: Callable[[], bool],
        seconds: float = LOAD_S,
        only: Direction | None = None,
    ) -> None:
        self._down, self._up, self._token = down, up, token
        self._is_cancelled, self._seconds = is_cancelled, seconds
        self._most_bytes: int | None = None
        self._samples: list[tuple[float, Traffic, Traffic]] = []
        self._mean_mbit: dict[Direction, float] = {}
        self._full_until: dict[Direction, float] = {}
        self._windows: list[int] = []
        self._sent_bytes = 0
        self._refusal: CentralError | None = None
        self._begun = self._end = float("inf")
        works: dict[Direction, Callable[[], None]] = {"down": self._receive, "up": self._send}
        self._transfers = {
            name: threading.Thread(target=self._run, args=(work,), name="link load", daemon=True)
            for name, work in works.items()
            if only in (None, name)
        }
        self._counter = threading.Thread(target=self._count, name="link load", daemon=True)

    def start(self, most_bytes: int | None = None) -> None:
        """Begin.

        Args:
            most_bytes: in a direction; None: as much as there is time for.
        """
        self._most_bytes = most_bytes
        self._begun = time.monotonic()
        self._end = self._begun + self._seconds
        for thread in (*self._transfers.values(), self._counter):
            thread.start()

    def wait(self) -> None:
        """Wait until it is over, or all that was asked for has been carried."""
        for thread in self._transfers.values():
            thread.join(max(0.0, self._end - time.monotonic()))
        self._end = min(self._end, time.monotonic())

    def is_over(self) -> bool:
        """Return whether the load has ended."""
        return time.monotonic() >= self._end or self._is_cancelled()

    def rates(self) -> tuple[float, float]:
        """End the load; return what was carried down and up, in Mbit/s.

        Raises:
            RefusedError: the central system refused one.
            CentralUnreachableError: it ended one in the middle.
        """
        if "down" in self._transfers:
            self._down.session.sockets.abort()  # what is on its way does not count any more
        if (sending := self._transfers.get("up")) is not None:
            sending.join(max(0.0, self._end + LATE_S - time.monotonic()))
            self._up.session.sockets.abort()
        for thread in (*self._transfers.values(), self._counter):
            thread.join(END_S)
        if self._refusal is not None:
            raise self._refusal
        times = [at for at, _, _ in self._samples]
        down = [traffic for _, traffic, _ in self._samples]
        up = [traffic for _, _, traffic in self._samples]
        received = self._held_mbit("down", times, [each.bytes_received for each in down])
        sent = windows_mbit(self._windows)
        if sent is None:
            sent = self._held_mbit("up", times, [each.bytes_acknowledged for each in up])
        received += acknowledgements_mbit(times, [each.segments_received for each in up])
        sent += acknowledgements_mbit(times, [each.segments_sent for each in down])
        least = self._mean_mbit
        return max(received, least.get("down", 0.0)), max(sent, least.get("up", 0.0))

    def _held_mbit(
        self, direction: Direction, times: Sequence[float], counts: Sequence[int]
    ) -> float:
        """Return the rate that holds while the direction is full, by the kernel's counts."""
        until = self._full_until.get(direction, float("inf"))
        count = sum(at <= until for at in times)
        return held_mbit(times[:count], counts[:count])

    def _note_mean(self, direction: Direction, size: int) -> None:
        """Note that all has been carried: from the request on, which is a lower bound."""
        seconds = time.monotonic() - self._begun
        self._mean_mbit[direction] = size / seconds * 8e-6

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except RefusedError as error:
            self._refusal = error
        except (CentralError, HTTPError, OSError, ValueError, KeyError) as error:
            if not self.is_over() and _is_ended_there(error):  # a restart says nothing of the line
                self._refusal = CentralUnreachableError("link check: ended in the middle")
            log.debug("link check: %s", type(error).__name__)  # what came counts

    def _receive(self) -> None:
        session, seconds = self._down.session, self._seconds + END_S
        most = self._most_bytes
        limit = "" if most is None else f"&bytes={most}"  # an earlier release sends more
        query = f"token={self._token}&seconds={seconds:g}{limit}"
        url = self._down.full_url(f"/v1/link/down?{query}")
        with contextlib.closing(
            session.request("GET", url, timeout=POLL_TIMEOUT, stream=True)
        ) as response:
            check_response(response)
            received = 0
            while not self.is_over() and (block := response.raw.read1(RECEIVED_BYTES)):
                received += len(block)
                if most is not None and received >= most:
                    self._full_until["down"] = time.monotonic() - self._begun
                    self._note_mean("down", received)
                    return
            if not self.is_over():  # less than was asked for: a limit there, and no slow line
                self._refusal = CentralUnreachableError("link check: ended in the middle")

    def _send(self) -> None:
        session = self._up.session
        url = self._up.full_url(f"/v1/link/up?token={self._token}")
        headers = {"Content-Type": "application/octet-stream"}
        response = session.request("POST", url, data=self._random_blocks(), headers=headers)
        answer = response_object(response)
        if "up" in self._full_until:
            self._note_mean("up", self._sent_bytes)
        self._windows = read_windows(answer, self._sent_bytes)

    def _random_blocks(self) -> Iterator[bytes]:
        """Yield incompressible blocks until it is over, or enough."""
        block, most = os.urandom(SENT_BYTES), self._most_bytes
        while not self.is_over() and (most is None or self._sent_bytes < most):
            self._sent_bytes += len(block)
            yield block
        if not self.is_over():
            self._full_until["up"] = time.monotonic() - self._begun

    def _count(self) -> None:
        """Note the kernel's counts of what is filled until the end."""
        while not self.is_over():
            down, up = (
                client.session.sockets.traffic() if name in self._transfers else Traffic()
                for name, client in (("down", self._down), ("up", self._up))
            )
            self._samples.append((time.monotonic() - self._begun, down, up))
            time.sleep(SAMPLE_S)


def _is_ended_there(error: BaseException) -> bool:
    """Return whether the other end closed or refused the connection; silence is the line's."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ConnectionError | IncompleteRead | RemoteDisconnected):
            return True
        found = found.__cause__ or found.__context__
    return False


def held_mbit(times: Sequence[float], counts: Sequence[int]) -> float:
    """Return the rate that holds, in Mbit/s: the median over windows, once it no longer rises.

    Args:
        times: of the samples, in s since the begin.
        counts: bytes carried by then.
    """
    risen = [(at, count) for at, count in zip(times, counts, strict=True) if at >= RISING_S]
    length = max(1, min(WINDOW_SAMPLES, len(risen) - 1))  # a busy machine takes fewer samples
    windows = zip(risen, risen[length:], strict=False)
    rates = [(end - begin) / (until - since) for (since, begin), (until, end) in windows]
    return statistics.median(rates) * 8e-6 if rates else 0.0


def read_windows(answer: Mapping[str, object], sent_bytes: int) -> list[int]:
    """Return the bytes that came in each window, as the central system says.

    Raises:
        ValueError: no such list, or more than was sent: the rate is judged without it.
    """
    rows = answer.get("windows")
    if isinstance(rows, list):
        windows = [row for row in rows if type(row) is int and row >= 0]
        if len(windows) == len(rows) and sum(windows) <= sent_bytes:
            return windows
    raise ValueError("no list of what came")


def windows_mbit(windows: Sequence[int]) -> float | None:
    """Return the rate that holds by the central system's windows, or None for too few."""
    risen = windows[RISING_WINDOWS:]
    return statistics.median(risen) * 8e-6 / WINDOW_S if risen else None


def acknowledgements_mbit(times: Sequence[float], segments: Sequence[int]) -> float:
    """Return what empty segments took of the line, as payload in Mbit/s."""
    frames = [count * round(ACKNOWLEDGEMENT_BYTES * PAYLOAD_SHARE) for count in segments]
    return held_mbit(times, frames)
