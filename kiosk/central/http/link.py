"""Link check: the server sends, counts in windows of 250 ms, and echoes datagrams.

Medians of windows counted by the receiver are what measures a line; what a sender has written is
not. The sending side uses BBR where the kernel has it (cubic reads far too low with some loss).
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from aiohttp import ClientPayloadError, web

from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.web import Doorkeeper, answer
from kiosk.clocks import wall_text, wall_time
from kiosk.goodput import WINDOW_S, Windows, median_mbit

LONGEST_S = 12.0
TOKEN_S = 120.0
WAIT_S = 10.0
PACKETS = 2000
TOKENS_PER_KIOSK = 20
BLOCK = 32 * 1024
UNSENT_BYTES = 64 * 1024
HEADER = struct.Struct(">16sIQQI")
SMALLEST, LARGEST = HEADER.size, 1200


@dataclass
class Count:
    """Bytes of one upload, by window since the first byte."""

    windows: Windows = field(default_factory=Windows)
    bytes: int = 0
    ended: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def add(self, size: int, now: float) -> bool:
        """Count ``size`` bytes at ``now`` (s, monotonic); return whether a window was finished."""
        before = int(self.windows.seconds / WINDOW_S)
        self.windows.add(size, now)
        self.bytes += size
        return int(self.windows.seconds / WINDOW_S) > before

    def full(self) -> list[int]:
        """Return the windows that have ended."""
        return self.windows.full

    async def more_than(self, windows: int) -> None:
        """Wait until more than ``windows`` have ended, or all has."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.ended or len(self.full()) > windows)

    def result(self) -> dict[str, Any]:
        """Return ``LinkCount`` of the contract."""
        windows = self.full()
        median = median_mbit(windows)
        return {
            "bytes": self.bytes,
            "seconds": round(self.windows.seconds, 3),
            "windows": windows,
            "median_mbit": None if median is None else round(median, 4),
        }


@dataclass
class Check:
    """One link check under way."""

    kiosk: str
    expires: float
    count: Count = field(default_factory=Count)
    taken: bool = False
    echoes: int = 0


class LinkCheck:
    """The link check's addresses; ``udp_port`` is set once the echo listens."""

    def __init__(self, door: Doorkeeper) -> None:
        self._door = door
        self._checks: dict[bytes, Check] = {}
        self.udp_port: int | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses."""
        return [
            web.post("/v1/link/token", self.token),
            web.get("/v1/link/down", self.down, allow_head=False),
            web.post("/v1/link/up", self.up),
            web.get("/v1/link/up", self.windows, allow_head=False),
        ]

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Begin a check."""
        kiosk = await self._door.kiosk(request)
        now = time.monotonic()
        self._checks = {key: check for key, check in self._checks.items() if check.expires > now}
        if sum(check.kiosk == kiosk.id for check in self._checks.values()) >= TOKENS_PER_KIOSK:
            raise RefusedError(429, "too_many", retry_after=60)
        token = secrets.token_bytes(16)
        self._checks[token] = Check(kiosk.id, now + TOKEN_S)
        return answer(
            {
                "token": token.hex(),
                "expires_at": wall_text(wall_time() + timedelta(seconds=TOKEN_S)),
                "window_ms": int(WINDOW_S * 1000),
                "udp_port": self.udp_port,
                "packets": PACKETS,
            }
        )

    async def down(self, request: web.Request) -> web.StreamResponse:
        """Send incompressible bytes for so many seconds."""
        await self._check(request)
        seconds = _seconds(request)
        response = web.StreamResponse()
        response.content_type = "application/octet-stream"
        _tune(request)
        await response.prepare(request)
        block, end = os.urandom(BLOCK), time.monotonic() + seconds
        try:
            while time.monotonic() < end and not _gone(request):
                await response.write(block)
                await asyncio.sleep(0)  # write() alone waits only when the line is full
            await response.write_eof()
        except ConnectionError:
            pass  # the client has heard enough
        return response

    async def up(self, request: web.Request) -> web.StreamResponse:
        """Count a body in windows."""
        check = await self._check(request)
        if check.taken:
            raise RefusedError(403, "token_unknown", "the token was used")
        check.taken = True
        count = check.count
        try:
            await asyncio.wait_for(_count(request, count), LONGEST_S)
        except (TimeoutError, ClientPayloadError, ConnectionError):
            pass  # what was counted counts
        finally:
            await _tell(count, ended=True)
        response = answer(count.result())
        response.force_close()
        return response

    async def windows(self, request: web.Request) -> web.StreamResponse:
        """Stream the windows of the POST with the same token."""
        count = (await self._check(request)).count
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        sent, ended = 0, False
        try:
            while not ended:
                async with asyncio.timeout(WAIT_S):
                    await count.more_than(sent)
                ended, windows = count.ended, count.full()
                lines = [{"window": n, "bytes": windows[n]} for n in range(sent, len(windows))]
                sent = len(windows)
                await response.write(b"".join(map(_line, lines)))
        except TimeoutError:
            pass  # nobody sends
        await response.write(_line(count.result()))
        await response.write_eof()
        return response

    async def _check(self, request: web.Request) -> Check:
        kiosk = await self._door.kiosk(request)
        try:
            token = bytes.fromhex(request.query.get("token", ""))
        except ValueError as error:
            raise malformed("token: not 32 hex digits") from error
        if len(token) != 16:
            raise malformed("token: not 32 hex digits")
        check = self._checks.get(token)
        if check is None or check.kiosk != kiosk.id or check.expires < time.monotonic():
            raise RefusedError(403, "token_unknown")
        return check

    def echo(self, datagram: bytes) -> bytes | None:
        """Return the answer to a datagram, or None: no token, no answer, never a longer one."""
        if not SMALLEST <= len(datagram) <= LARGEST:
            return None
        token, sequence, sent, _, _ = HEADER.unpack_from(datagram)
        check = self._checks.get(token)
        if check is None or check.expires < time.monotonic() or check.echoes >= PACKETS:
            return None
        check.echoes += 1
        head = HEADER.pack(token, sequence, sent, time.monotonic_ns(), check.echoes)
        return head + datagram[SMALLEST:]


class UdpEcho(asyncio.DatagramProtocol):
    """Echoes datagrams that carry a good token."""

    def __init__(self, check: LinkCheck) -> None:
        self._check = check
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (no isinstance: Python 3.11's is a DatagramTransport in name only)."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer at once."""
        echo = self._check.echo(data)
        if echo is not None and self._transport is not None:
            self._transport.sendto(echo, addr)


async def _count(request: web.Request, count: Count) -> None:
    while block := await request.content.readany():
        if count.add(len(block), time.monotonic()):
            await _tell(count)
    if count.bytes:
        count.add(0, time.monotonic())


async def _tell(count: Count, *, ended: bool = False) -> None:
    async with count.changed:
        count.ended = count.ended or ended
        count.changed.notify_all()


def _seconds(request: web.Request) -> float:
    try:
        seconds = float(request.query.get("seconds", "3"))
    except ValueError as error:
        raise malformed("seconds: not a number") from error
    if not 0.1 <= seconds <= LONGEST_S:
        raise malformed(f"seconds: 0.1 to {LONGEST_S:g}")
    return seconds


def _tune(request: web.Request) -> None:
    """Send with BBR where there is one, and keep little in the kernel: it would be sent late."""
    transport = request.transport
    sock = None if transport is None else transport.get_extra_info("socket")
    if transport is None or sock is None:
        return
    for option, value in (
        (socket.TCP_CONGESTION, b"bbr"),
        (socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES),
    ):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        except OSError:
            continue  # not on this kernel
    if isinstance(transport, asyncio.WriteTransport):
        transport.set_write_buffer_limits(high=UNSENT_BYTES)


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"
