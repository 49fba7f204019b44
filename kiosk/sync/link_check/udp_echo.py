"""Loss, jitter and round trip by echoed datagrams (shape: ``/v1/link/token`` of the contract)."""

from __future__ import annotations

import socket
import statistics
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# token, sequence, sender's ns, server's ns, packets the server has received
HEADER = struct.Struct(">16sIQQI")
PACKET_BYTES = 160  # an audio packet of 20 ms
PACKETS_PER_SECOND = 50
LAST_WAIT_S = 1.0
SILENCE_S = 2.0
PROGRESS_S = 0.25


@dataclass(frozen=True)
class EchoResult:
    """Result of the echo test.

    Attributes:
        loss: fraction of the packets that did not come back, 0 to 1.
        jitter_ms: interarrival jitter, RFC 3550 section 6.4.1.
        rtt_ms: median round trip.
        sent: packets sent.
        received: packets that came back.
    """

    loss: float
    jitter_ms: float
    rtt_ms: float
    sent: int
    received: int


@dataclass
class EchoStats:
    """Statistics of the received echoes; a duplicate counts once."""

    round_trips_ms: dict[int, float] = field(default_factory=dict)
    jitter_ms: float = 0.0
    _last_ms: float | None = None

    def add(self, sequence: int, round_trip_ms: float) -> None:
        """Count one echo."""
        if sequence in self.round_trips_ms:
            return
        self.round_trips_ms[sequence] = round_trip_ms
        if self._last_ms is not None:
            difference = abs(round_trip_ms - self._last_ms)
            self.jitter_ms += (difference - self.jitter_ms) / 16
        self._last_ms = round_trip_ms

    def result(self, sent: int) -> EchoResult | None:
        """Return the result, or None when nothing came back: that is unknown, not 100 % loss."""
        if not self.round_trips_ms:
            return None
        received = len(self.round_trips_ms)
        median_ms = statistics.median(self.round_trips_ms.values())
        return EchoResult(1 - received / sent, self.jitter_ms, median_ms, sent, received)


def measure_echo(
    address: tuple[str, int], token: bytes, seconds: float, progress: Callable[[float], None]
) -> EchoResult | None:
    """Send 50 small packets a second; return the result, or None where UDP is blocked.

    Args:
        address: host and UDP port of the echo.
        token: permits the echo.
        seconds: how long.
        progress: called a few times a second with the seconds gone; may raise to cancel.
    """
    try:
        family, _, _, _, target = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    except OSError:
        return None
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(target)
        except OSError:
            return None
        return _exchange(sock, token, seconds, progress)


def _exchange(
    sock: socket.socket, token: bytes, seconds: float, progress: Callable[[float], None]
) -> EchoResult | None:
    stats, started, reported = EchoStats(), time.monotonic(), 0.0
    total, sent = int(seconds * PACKETS_PER_SECOND), 0
    while sent < total:
        now = time.monotonic() - started
        if now >= sent / PACKETS_PER_SECOND:
            _send(sock, token, sent)
            sent += 1
        if now > SILENCE_S and not stats.round_trips_ms:
            return None
        if now - reported >= PROGRESS_S:
            reported = now
            progress(now)
        _receive(sock, token, stats, started + sent / PACKETS_PER_SECOND)
    end = time.monotonic() + LAST_WAIT_S
    while len(stats.round_trips_ms) < sent and time.monotonic() < end:
        _receive(sock, token, stats, end)
    return stats.result(sent)


def _send(sock: socket.socket, token: bytes, sequence: int) -> None:
    head = HEADER.pack(token, sequence, time.monotonic_ns(), 0, 0)
    try:
        sock.send(head.ljust(PACKET_BYTES, b"\0"))
    except OSError:  # refused or no route: counts as lost
        return


def _receive(sock: socket.socket, token: bytes, stats: EchoStats, until: float) -> None:
    """Receive one echo, waiting until ``until`` at most."""
    left = until - time.monotonic()
    if left <= 0:
        return
    sock.settimeout(left)
    try:
        data = sock.recv(2048)
    except OSError:  # time-out, or "port unreachable": then do not spin
        time.sleep(min(0.001, max(0.0, until - time.monotonic())))
        return
    now = time.monotonic_ns()
    if len(data) < HEADER.size:
        return
    own, sequence, sent_ns, _, _ = HEADER.unpack_from(data)
    if own == token:
        stats.add(sequence, (now - sent_ns) / 1e6)
