"""Simulated kiosks: each with its certificate, its connections and the requests of ``kiosk sync``.

Many run in one process (aiohttp): a thousand real ``kiosk sync`` need a thousand machines. What
they send is real: mutual TLS, signed heads, filings and uploads whose hash the server checks.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import aiohttp

from kiosk.evidence.chain import ChainHead
from kiosk.evidence.device_key import FileSigner
from kiosk.evidence.signer import sign_head
from tests.support.central_rig import TUS, file_of, filing_body, new_id

POLLED = ("/v1/contract", "/v1/schedule?days=7", "/v1/staff", "/v1/filings")
PATCH_BYTES = 1_000_000
BLOCKS_PER_PATCH = 16
CONNECTIONS = 3  # sync has a thread for urgent deliveries, one for the rest, one that polls
KEEP_ALIVE_S = 75.0
Json = dict[str, Any]
STATE = {"version": "1", "boot_id": "b", "queue": {"items": 3}, "storage": {"free_bytes": 10**11}}


@dataclass(frozen=True)
class Identity:
    """What a kiosk needs to call the central system."""

    url: str
    certificate: Path
    key_file: Path
    ca: Path


@dataclass(frozen=True)
class Mix:
    """How often a kiosk sends what, in seconds between two of a kind; 0: never.

    Attributes:
        poll_s: contract, schedule, staff, changed filings and heartbeat.
        head_s: a signed head of a journal.
        filing_s: a filing of ``filing_bytes``: registered, sent, verified.
        filing_bytes: size of its document.
        uploader_every: every so many kiosks sends a recording all the time.
        upload_mbit: the rate of that.
        warm_up_s: the first connections are spread over so many seconds; nothing of them counts
            but how long a request took that had to connect first.
        seconds: measured after that.
    """

    poll_s: float = 30.0
    head_s: float = 5.0
    filing_s: float = 1200.0
    filing_bytes: int = 400_000
    uploader_every: int = 10
    upload_mbit: float = 4.0
    warm_up_s: float = 30.0
    seconds: float = 40.0


@dataclass
class Load:
    """What was sent in the measured time, and how long it took."""

    small_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)  # on a new connection, at any time
    filings_s: list[float] = field(default_factory=list)
    uploaded: int = 0
    requests: int = 0  # small ones, at any time
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, other: Load) -> None:
        """Add what another process has sent."""
        self.small_ms += other.small_ms
        self.first_ms += other.first_ms
        self.filings_s += other.filings_s
        self.uploaded += other.uploaded
        self.requests += other.requests
        self.failures += other.failures


def simulate_in_processes(kiosks: Sequence[Identity], mix: Mix, processes: int) -> Load:
    """Run the kiosks in ``processes`` processes; return what all of them did."""
    load, spawn = Load(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        shares = [kiosks[number::processes] for number in range(processes)]
        for one in pool.map(simulate, shares, [mix] * processes):
            load.add(one)
    if load.failures:
        raise RuntimeError(f"requests failed: {dict(load.failures)}")
    return load


def simulate(kiosks: Sequence[Identity], mix: Mix) -> Load:
    """Run the kiosks in this process; return what they did."""
    return asyncio.run(_simulate(kiosks, mix))


async def _simulate(kiosks: Sequence[Identity], mix: Mix) -> Load:
    load = Load()
    async with contextlib.AsyncExitStack() as stack:
        jobs: list[Any] = []
        for number, identity in enumerate(kiosks):
            kiosk = await stack.enter_async_context(_connected(identity, mix, load, number))
            jobs += kiosk.jobs(
                uploads=bool(mix.uploader_every) and number % mix.uploader_every == 1
            )
        tasks = [asyncio.create_task(job) for job in jobs]
        await asyncio.sleep(mix.warm_up_s)
        load.small_ms.clear()
        load.filings_s.clear()
        load.uploaded = 0
        await asyncio.wait(tasks, timeout=mix.seconds)
        measured = Load()
        measured.add(load)  # what is cut off by the end does not count
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                measured.failures[type(result).__name__] += 1
    return measured


@contextlib.asynccontextmanager
async def _connected(
    identity: Identity, mix: Mix, load: Load, seed: int
) -> AsyncIterator[SimulatedKiosk]:
    """Yield a kiosk with its own connections."""
    context = ssl.create_default_context(cafile=identity.ca)
    context.load_cert_chain(identity.certificate, identity.key_file)
    connector = aiohttp.TCPConnector(ssl=context, limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S)
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_mark_new_connection)
    async with aiohttp.ClientSession(
        identity.url, connector=connector, trace_configs=[trace]
    ) as session:
        signer = FileSigner(identity.key_file, identity.certificate)
        yield SimulatedKiosk(session, signer, mix, load, Random(seed))


async def _mark_new_connection(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object
) -> None:
    """Note in the request's own context that it had to connect first."""
    if context.trace_request_ctx is not None:
        context.trace_request_ctx["connects"] = True


class SimulatedKiosk:
    """One simulated kiosk."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        signer: FileSigner,
        mix: Mix,
        load: Load,
        random: Random,
    ) -> None:
        self._session = session
        self._signer = signer
        self._mix = mix
        self._load = load
        self._random = random
        self._hearing, self._count = new_id(), 0
        self._tags: dict[str, str] = {}

    def jobs(self, *, uploads: bool) -> list[Any]:
        """Return its concurrent jobs."""
        mix = self._mix
        kinds = (
            (mix.poll_s, self._poll),
            (mix.head_s, self._head),
            (mix.filing_s, self._filing),
        )
        jobs = [self._every(seconds, work) for seconds, work in kinds if seconds]
        return [*jobs, self._upload()] if uploads else jobs

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(self._random.uniform(0, max(seconds, self._mix.warm_up_s * 0.8)))
        while True:
            await work()
            await asyncio.sleep(seconds * self._random.uniform(0.8, 1.2))

    async def _small(
        self, method: str, path: str, body: Json | None = None, headers: Json | None = None
    ) -> Json:
        begun, context = time.monotonic(), {"connects": False}
        async with self._session.request(
            method, path, json=body, headers=headers, trace_request_ctx=context
        ) as response:
            text = await response.read()
            value: Json = await response.json() if text else {}
            self._note(method, path, response)
        spent = (time.monotonic() - begun) * 1000
        self._load.requests += 1
        (self._load.first_ms if context["connects"] else self._load.small_ms).append(spent)
        return value

    async def _poll(self) -> None:
        for path in POLLED:
            tag = self._tags.get(path)
            await self._small("GET", path, headers={"If-None-Match": tag} if tag else None)
        await self._small("PUT", "/v1/state", STATE | {"kiosk_time": wall_text()})

    async def _head(self) -> None:
        self._count += 10
        digest = sha256(str(self._count).encode()).hexdigest()
        signature = sign_head(self._signer, self._hearing, 1, ChainHead(self._count, digest))
        head = {"part": 1, "count": self._count, "hash": digest, "signature": signature}
        await self._small("POST", f"/v1/hearings/{self._hearing}/heads", {"heads": [head]})

    async def _filing(self) -> None:
        begun, filing, content = time.monotonic(), new_id(), os.urandom(self._mix.filing_bytes)
        answer = await self._small("PUT", f"/v1/filings/{filing}", filing_body(content))
        for file in answer["missing"]:
            await self._patch(file["address"], 0, content)
            state: Json = {}
            while state.get("state") in (None, "verifying"):
                state = await self._wait(f"/v1/uploads/{file['upload']}?wait=20")
            if state["state"] != "complete":
                self._load.failures[f"filing {state['state']}"] += 1
        self._load.filings_s.append(time.monotonic() - begun)

    async def _wait(self, path: str) -> Json:
        """Ask for something that may take its time: no small request."""
        async with self._session.get(path) as response:
            value: Json = await response.json()
            self._note("GET", path, response)
        return value

    async def _upload(self) -> None:
        """Send an endless recording at the rate of a court's connection."""
        await asyncio.sleep(self._random.uniform(0, self._mix.warm_up_s * 0.8))
        block = os.urandom(PATCH_BYTES // BLOCKS_PER_PATCH)
        while True:
            upload, size = new_id(), 50 * PATCH_BYTES
            announced = file_of("part-01/main/run-01/000000.m4s", b"") | {"size": size}
            await self._small(
                "PUT", f"/v1/uploads/{upload}", announced | {"kind": "hearing", "owner": new_id()}
            )
            for offset in range(0, size - PATCH_BYTES, PATCH_BYTES):  # never complete: no mismatch
                await self._patch(f"/v1/tus/{upload}", offset, self._paced(block))
                self._load.uploaded += PATCH_BYTES

    async def _paced(self, block: bytes) -> AsyncIterator[bytes]:
        """Yield the bytes of one PATCH at the rate of a court's connection."""
        begun, sent = time.monotonic(), 0
        while sent < PATCH_BYTES:
            yield block
            sent += len(block)
            due = begun + sent * 8e-6 / self._mix.upload_mbit
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _patch(self, address: str, offset: int, body: bytes | AsyncIterator[bytes]) -> None:
        headers = TUS | {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        async with self._session.patch(address, data=body, headers=headers) as response:
            self._note("PATCH", address, response)

    def _note(self, method: str, path: str, response: aiohttp.ClientResponse) -> None:
        if path in POLLED and "ETag" in response.headers:
            self._tags[path] = response.headers["ETag"]
        if response.status >= 400:
            self._load.failures[f"{method} {path.split('/')[2]} {response.status}"] += 1


def wall_text() -> str:
    """Return the current time in the kiosk's form."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
