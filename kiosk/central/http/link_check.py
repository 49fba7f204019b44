"""Link check: the server sends, counts in windows of 250 ms, and echoes datagrams.

The receiver's medians over windows measure a connection; the bytes a sender has written do not.
The sending side uses BBR where the kernel has it: cubic is far too slow with some loss. The
requests of a check may come to several servers; datagrams come to the one that gave the token.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from aiohttp import ClientPayloadError, web

from kiosk.central.data.database import Database
from kiosk.central.errors import malformed
from kiosk.central.http.json_api import KioskAuthenticator, json_response
from kiosk.central.http.link_records import (
    TOKEN_LIFETIME_S,
    begin_check,
    find_check,
    publish_count,
    read_count,
    use_upload,
)
from kiosk.central.http.queries import query_flag
from kiosk.goodput import WINDOW_S, ThroughputWindows, median_mbit

MAX_SECONDS = 12.0
MAX_BYTES = 1 << 30
IDLE_TIMEOUT_S = 10.0
MAX_ECHOES = 2000
BLOCK_BYTES = 32 * 1024
UNSENT_BYTES = 64 * 1024
HEADER = struct.Struct(">16sIQQI")
MIN_DATAGRAM_BYTES, MAX_DATAGRAM_BYTES = HEADER.size, 1200


@dataclass
class ByteCounter:
    """Counter of an upload's bytes, by window since the first byte."""

    windows: ThroughputWindows = field(default_factory=ThroughputWindows)
    bytes: int = 0
    is_ended: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def add(self, size: int, now: float) -> bool:
        """Count ``size`` bytes at ``now`` (s, monotonic); return whether a window has ended."""
        before = int(self.windows.seconds / WINDOW_S)
        self.windows.add(size, now)
        self.bytes += size
        return int(self.windows.seconds / WINDOW_S) > before

    def complete_windows(self) -> list[int]:
        """Return the windows that have ended."""
        return self.windows.complete

    async def wait_for_more(self, windows: int) -> None:
        """Wait until more than ``windows`` have ended, or the upload has."""
        async with self.changed:
            await self.changed.wait_for(
                lambda: self.is_ended or len(self.complete_windows()) > windows
            )

    def result(self) -> dict[str, Any]:
        """Return ``LinkCount`` of the contract."""
        windows = self.complete_windows()
        median = median_mbit(windows)
        return {
            "bytes": self.bytes,
            "seconds": round(self.windows.seconds, 3),
            "windows": windows,
            "median_mbit": None if median is None else round(median, 4),
        }


@dataclass
class EchoSession:
    """What is echoed under a token: until when (s, monotonic), and how many datagrams were."""

    expires: float
    echoes: int = 0


class LinkCheckApi:
    """Handlers of the link check; ``udp_port`` is set once the echo listens."""

    def __init__(self, authenticator: KioskAuthenticator, database: Database) -> None:
        self._authenticator = authenticator
        self._database = database
        self._echo_sessions: dict[bytes, EchoSession] = {}
        self.udp_port: int | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/v1/link/token", self.post_token),
            web.get("/v1/link/down", self.get_down, allow_head=False),
            web.post("/v1/link/up", self.post_up),
            web.get("/v1/link/up", self.get_up_windows, allow_head=False),
        ]

    async def post_token(self, request: web.Request) -> web.StreamResponse:
        """Begin a check and return its token, and in how many seconds it may begin."""
        kiosk = await self._authenticator.authenticate(request)
        token = secrets.token_bytes(16)
        is_planned = query_flag(request, "planned")
        expires_at, start_in_s = await self._database.run_write(
            lambda connection: begin_check(connection, kiosk.id, token.hex(), is_planned=is_planned)
        )
        now = time.monotonic()
        self._echo_sessions = {
            key: session for key, session in self._echo_sessions.items() if session.expires > now
        }
        self._echo_sessions[token] = EchoSession(now + start_in_s + TOKEN_LIFETIME_S)
        return json_response(
            {
                "token": token.hex(),
                "expires_at": expires_at,
                "window_ms": int(WINDOW_S * 1000),
                "udp_port": self.udp_port,
                "packets": MAX_ECHOES,
                "start_in_s": start_in_s,
            }
        )

    async def get_down(self, request: web.Request) -> web.StreamResponse:
        """Send incompressible bytes for the requested time, at most as many as requested."""
        await self._find_token(request)
        seconds, left = _seconds(request), _most_bytes(request)
        response = web.StreamResponse()
        response.content_type = "application/octet-stream"
        _tune_socket(request)
        await response.prepare(request)
        block, end = os.urandom(BLOCK_BYTES), time.monotonic() + seconds
        try:
            while left > 0 and time.monotonic() < end and not _is_closed(request):
                await response.write(block[:left])
                left -= len(block)
                await asyncio.sleep(0)  # write() alone waits only when the socket is full
            await response.write_eof()
        except ConnectionError:
            pass  # the client has received enough
        return response

    async def post_up(self, request: web.Request) -> web.StreamResponse:
        """Count a body in windows."""
        token, counter = await self._find_token(request), ByteCounter()
        await self._database.run_write(lambda connection: use_upload(connection, token))
        publishing = asyncio.create_task(self._publish(token, counter))
        try:
            await asyncio.wait_for(_count_body(request, counter), MAX_SECONDS)
        except (TimeoutError, ClientPayloadError, ConnectionError):
            pass  # the bytes so far count
        finally:
            await _notify(counter, is_ended=True)
            await publishing
        response = json_response(counter.result())
        response.force_close()
        return response

    async def _publish(self, token: str, counter: ByteCounter) -> None:
        """Record the windows as they end, beside the counting, and finally the result."""
        windows, is_ended = 0, False
        while not is_ended:
            await counter.wait_for_more(windows)
            windows, is_ended = len(counter.complete_windows()), counter.is_ended
            await self._database.run_write(
                partial(publish_count, token=token, count=counter.result(), is_ended=is_ended)
            )

    async def get_up_windows(self, request: web.Request) -> web.StreamResponse:
        """Stream the windows of the POST with the same token."""
        token = await self._find_token(request)
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        sent, silent_since = 0, time.monotonic()
        while True:
            count, is_ended = await self._database.run_read(
                lambda connection: read_count(connection, token)
            )
            windows = count["windows"] if count is not None else []
            lines = [{"window": n, "bytes": windows[n]} for n in range(sent, len(windows))]
            if lines:
                sent, silent_since = len(windows), time.monotonic()
                await response.write(b"".join(map(_json_line, lines)))
            if is_ended or time.monotonic() - silent_since > IDLE_TIMEOUT_S:  # no upload has come
                break
            await asyncio.sleep(WINDOW_S)
        await response.write(_json_line(count or ByteCounter().result()))
        await response.write_eof()
        return response

    async def _find_token(self, request: web.Request) -> str:
        """Return the token of a running check of the calling kiosk, in hex.

        Raises:
            RefusedError: 400, no token; 403, unknown, another kiosk's or over.
        """
        kiosk = await self._authenticator.authenticate(request)
        try:
            token = bytes.fromhex(request.query.get("token", ""))
        except ValueError as error:
            raise malformed("token: not 32 hex digits") from error
        if len(token) != 16:
            raise malformed("token: not 32 hex digits")
        await self._database.run_read(
            lambda connection: find_check(connection, kiosk.id, token.hex())
        )
        return token.hex()

    def echo(self, datagram: bytes) -> bytes | None:
        """Return the answer to a datagram, never longer than that, or None without a token."""
        if not MIN_DATAGRAM_BYTES <= len(datagram) <= MAX_DATAGRAM_BYTES:
            return None
        token, sequence, sent, _, _ = HEADER.unpack_from(datagram)
        session = self._echo_sessions.get(token)
        if session is None or session.expires < time.monotonic() or session.echoes >= MAX_ECHOES:
            return None
        session.echoes += 1
        head = HEADER.pack(token, sequence, sent, time.monotonic_ns(), session.echoes)
        return head + datagram[MIN_DATAGRAM_BYTES:]


class UdpEcho(asyncio.DatagramProtocol):
    """UDP endpoint that echoes datagrams with a valid token."""

    def __init__(self, link_check: LinkCheckApi) -> None:
        self._link_check = link_check
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport (no isinstance: Python 3.11's is no DatagramTransport)."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Echo the datagram."""
        echo = self._link_check.echo(data)
        if echo is not None and self._transport is not None:
            self._transport.sendto(echo, addr)


async def _count_body(request: web.Request, counter: ByteCounter) -> None:
    while block := await request.content.readany():
        if counter.add(len(block), time.monotonic()):
            await _notify(counter)
    if counter.bytes:
        counter.add(0, time.monotonic())


async def _notify(counter: ByteCounter, *, is_ended: bool = False) -> None:
    async with counter.changed:
        counter.is_ended = counter.is_ended or is_ended
        counter.changed.notify_all()


def _seconds(request: web.Request) -> float:
    try:
        seconds = float(request.query.get("seconds", "3"))
    except ValueError as error:
        raise malformed("seconds: not a number") from error
    if not 0.1 <= seconds <= MAX_SECONDS:
        raise malformed(f"seconds: 0.1 to {MAX_SECONDS:g}")
    return seconds


def _most_bytes(request: web.Request) -> int:
    text = request.query.get("bytes", str(MAX_BYTES))
    if not re.fullmatch("[0-9]{1,10}", text) or not 1 <= int(text) <= MAX_BYTES:
        raise malformed(f"bytes: 1 to {MAX_BYTES}")
    return int(text)


def _tune_socket(request: web.Request) -> None:
    """Use BBR where available, and a small send buffer: what it holds is sent late."""
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
            continue  # this kernel does not have it
    if isinstance(transport, asyncio.WriteTransport):
        transport.set_write_buffer_limits(high=UNSENT_BYTES)


def _is_closed(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _json_line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"
