"""How a TCP connection fares, by the kernel's own account: ``TCP_INFO`` of Linux."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

_SIZE = 160
# Offsets in ``struct tcp_info`` of <linux/tcp.h>.
_UNACKNOWLEDGED, _RTT_US, _RETRANSMITTED, _BYTES, _DATA_SEGMENTS_OUT = 24, 68, 100, 120, 156


class TcpHealth(NamedTuple):
    """One open connection; the numbers only grow, but for ``unacknowledged`` and ``rtt_ms``.

    Attributes:
        port: its own, by which it is known as long as it is open.
        unacknowledged: segments that were sent and not acknowledged yet.
        rtt_ms: smoothed round trip.
        retransmitted: segments sent again.
        data_segments: segments with data that were sent, those sent again among them.
        bytes_acknowledged: bytes that came to the other end.
        bytes_received: bytes that came here.
    """

    port: int
    unacknowledged: int
    rtt_ms: float
    retransmitted: int
    data_segments: int
    bytes_acknowledged: int
    bytes_received: int


def read_tcp_health(sock: socket.socket) -> TcpHealth | None:
    """Return how ``sock`` fares, or None: it is closed, or the kernel does not say."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
        port = int(sock.getsockname()[1])
    except OSError:
        return None
    if len(info) < _SIZE:
        return None

    def number(offset: int, form: str = "=I") -> int:
        return int(struct.unpack_from(form, info, offset)[0])

    return TcpHealth(
        port,
        number(_UNACKNOWLEDGED),
        number(_RTT_US) / 1000,
        number(_RETRANSMITTED),
        number(_DATA_SEGMENTS_OUT),
        number(_BYTES, "=Q"),
        number(_BYTES + 8, "=Q"),
    )
