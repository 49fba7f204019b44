"""200 simulated kiosks against one ``kiosk central`` (SQLite, a folder), over mutual TLS.

Each kiosk has its own certificate and connections and sends what ``kiosk sync`` sends while a
hearing runs: every 30 s contract, schedule, staff, heartbeat; a journal head every 5 s; a filing
of 400 kB every 20 minutes (registered, sent, verified); every tenth one uploads constantly at 4
Mbit/s. The peer is the same server with one kiosk alone. Simulation and server share the machine's
processors.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from bench.measure import Measure
from bench.processes import cpu_seconds
from kiosk.evidence.chain import ChainHead
from kiosk.evidence.device_key import FileSigner
from kiosk.evidence.signer import sign_head
from tests.support.central_rig import TUS, Central, Kiosk, file_of, filing_body, new_id

KIOSKS = 200
SECONDS = 40.0
POLL_S, HEAD_S, FILING_S = 30.0, 5.0, 1200.0
FILING_BYTES = 400_000
UPLOADER_EVERY, UPLOAD_MBIT, PATCH_BYTES = 10, 4.0, 1_000_000
Json = dict[str, Any]
STATE = {"version": "1", "boot_id": "b", "queue": {"items": 3}, "storage": {"free_bytes": 10**11}}


@dataclass
class Load:
    """Requests and their durations."""

    small_ms: list[float] = field(default_factory=list)
    filings_s: list[float] = field(default_factory=list)
    uploaded: int = 0
    failures: Counter[str] = field(default_factory=Counter)


def run(repeats: int) -> list[Measure]:
    """Measure one kiosk alone, then all of them."""
    del repeats
    with (
        tempfile.TemporaryDirectory(prefix="bl-") as name,
        Central(Path(name) / "data") as central,
    ):
        kiosks = [central.enrol(f"fleet-{n:04d}", f"F{n}") for n in range(KIOSKS)]
        assert central.process is not None
        alone = Load()
        asyncio.run(simulate(kiosks[:1], alone, SECONDS / 4, hurry=True))
        load, before, begun = Load(), cpu_seconds(central.process.pid), time.monotonic()
        asyncio.run(simulate(kiosks, load, SECONDS))
        spent = time.monotonic() - begun
        cpu = (cpu_seconds(central.process.pid) - before) / spent
        memory = memory_mb(central.process.pid)
    if load.failures:
        raise RuntimeError(f"requests failed: {dict(load.failures)}")
    name = f"{KIOSKS} kiosks"
    print(
        f"bench: fleet: {len(load.small_ms) / spent:.0f} small requests/s, "
        f"{load.uploaded * 8e-6 / spent:.0f} Mbit/s of uploads, {len(load.filings_s)} filings",
        file=sys.stderr,
    )
    return [
        Measure(
            f"{name}: p99 of small requests", p99(load.small_ms), "ms", *peer_figure(alone, p99)
        ),
        Measure(
            f"{name}: median of small requests",
            median(load.small_ms),
            "ms",
            *peer_figure(alone, median),
        ),
        Measure(f"{name}: p99 of a filing, whole", p99(load.filings_s), "s"),
        Measure(f"{name}: server's processors", cpu, "cores"),
        Measure(f"{name}: server's memory", memory, "MB"),
    ]


def peer_figure(alone: Load, figure: Callable[[list[float]], float]) -> tuple[str, float]:
    """Return the one kiosk's figure as the peer's."""
    return "one kiosk alone", figure(alone.small_ms)


def p99(values: list[float]) -> float:
    """Return the 99th percentile, 0 without values."""
    return sorted(values)[int(0.99 * len(values))] if values else 0.0


def median(values: list[float]) -> float:
    """Return the median, 0 without values."""
    return sorted(values)[len(values) // 2] if values else 0.0


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


async def simulate(kiosks: list[Kiosk], load: Load, seconds: float, *, hurry: bool = False) -> None:
    """Run the kiosks for ``seconds``; with ``hurry`` they send ten times as often."""
    async with contextlib.AsyncExitStack() as stack:
        simulated_kiosks = [
            await stack.enter_async_context(connected_kiosk(kiosk, load, number))
            for number, kiosk in enumerate(kiosks)
        ]
        pace = 0.1 if hurry else 1.0
        tasks = [
            asyncio.create_task(job)
            for number, simulated_kiosk in enumerate(simulated_kiosks)
            for job in simulated_kiosk.jobs(pace, uploads=number % UPLOADER_EVERY == 1)
        ]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


@contextlib.asynccontextmanager
async def connected_kiosk(kiosk: Kiosk, load: Load, seed: int) -> AsyncIterator[SimulatedKiosk]:
    """Yield a kiosk with its own connections."""
    context = ssl.create_default_context(cafile=kiosk.ca)
    context.load_cert_chain(kiosk.certificate, kiosk.key_file)
    connector = aiohttp.TCPConnector(ssl=context, limit=2)
    async with aiohttp.ClientSession(kiosk.url, connector=connector) as session:
        yield SimulatedKiosk(
            session, FileSigner(kiosk.key_file, kiosk.certificate), load, Random(seed)
        )


class SimulatedKiosk:
    """One simulated kiosk."""

    def __init__(
        self, session: aiohttp.ClientSession, signer: FileSigner, load: Load, random: Random
    ) -> None:
        self._session = session
        self._signer = signer
        self._load = load
        self._random = random
        self._hearing, self._count = new_id(), 0

    def jobs(self, pace: float, *, uploads: bool) -> list[Any]:
        """Return its concurrent jobs."""
        jobs = [self._every(POLL_S * pace, self._poll), self._every(HEAD_S * pace, self._head)]
        jobs.append(self._every(FILING_S * pace, self._filing))
        return [*jobs, self._upload()] if uploads else jobs

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(self._random.uniform(0, seconds))
        while True:
            await work()
            await asyncio.sleep(seconds * self._random.uniform(0.8, 1.2))

    async def _small(self, method: str, path: str, body: Json | None = None) -> Json:
        begun = time.monotonic()
        async with self._session.request(method, path, json=body) as response:
            value: Json = await response.json()
            self._note(method, path, response.status)
        self._load.small_ms.append((time.monotonic() - begun) * 1000)
        return value

    async def _poll(self) -> None:
        for path in ("/v1/contract", "/v1/schedule?days=7", "/v1/staff"):
            await self._small("GET", path)
        await self._small("PUT", "/v1/state", STATE | {"kiosk_time": wall_text()})

    async def _head(self) -> None:
        self._count += 10
        digest = sha256(str(self._count).encode()).hexdigest()
        signature = sign_head(self._signer, self._hearing, 1, ChainHead(self._count, digest))
        head = {"part": 1, "count": self._count, "hash": digest, "signature": signature}
        await self._small("POST", f"/v1/hearings/{self._hearing}/heads", {"heads": [head]})

    async def _filing(self) -> None:
        begun, filing, content = time.monotonic(), new_id(), os.urandom(FILING_BYTES)
        answer = await self._small("PUT", f"/v1/filings/{filing}", filing_body(content))
        for file in answer["missing"]:
            await self._patch(file["address"], 0, content)
            await self._small("GET", f"/v1/uploads/{file['upload']}?wait=20")
        self._load.filings_s.append(time.monotonic() - begun)

    async def _upload(self) -> None:
        """Send an endless file at the rate of a court's connection."""
        upload, size = new_id(), 10**9
        announced = file_of("part-01/main/run-01/000000.m4s", b"") | {"size": size}
        await self._small(
            "PUT", f"/v1/uploads/{upload}", announced | {"kind": "hearing", "owner": new_id()}
        )
        block = os.urandom(PATCH_BYTES // 16)
        for offset in range(0, size, PATCH_BYTES):
            await self._patch(f"/v1/tus/{upload}", offset, paced_blocks(block))
            self._load.uploaded += PATCH_BYTES

    async def _patch(self, address: str, offset: int, body: bytes | AsyncIterator[bytes]) -> None:
        headers = TUS | {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        async with self._session.patch(address, data=body, headers=headers) as response:
            self._note("PATCH", address, response.status)

    def _note(self, method: str, path: str, status: int) -> None:
        if status >= 400:
            self._load.failures[f"{method} {path.split('/')[2]} {status}"] += 1


async def paced_blocks(block: bytes) -> AsyncIterator[bytes]:
    """Yield the bytes of one PATCH at the rate of a court's connection."""
    begun, sent = time.monotonic(), 0
    while sent < PATCH_BYTES:
        yield block
        sent += len(block)
        due = begun + sent * 8e-6 / UPLOAD_MBIT
        await asyncio.sleep(max(0.0, due - time.monotonic()))


def wall_text() -> str:
    """Return the current time in the kiosk's form."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
