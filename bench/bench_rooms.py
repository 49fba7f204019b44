"""2,000 simulated kiosks against two ``kiosk central`` over one Postgres and one S3 store.

Everything is real: HAProxy passes TLS through, Postgres is Debian's, the S3 store is OpenStack
Swift. Each kiosk sends what it sends in ``fleet``; uploads are scaled down, because Swift, the
servers, Postgres and the kiosks share one machine: every two hundredth kiosk uploads at 2 Mbit/s,
and a filing of 40 kB comes once an hour. ``KIOSK_BENCH_ROOMS`` is another number of kiosks,
``KIOSK_BENCH_PACE=0.5`` lets each of them ask half as often. Takes about 4 GB of memory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from bench.bench_fleet import median, p99, print_traffic
from bench.court_fleet import enrol_fleet
from bench.measure import Measure
from bench.processes import cpu_seconds, proportional_set_size
from bench.simulated_kiosks import Identity, Mix, simulate_in_processes
from kiosk.central.data.database import Database
from kiosk.central.server import open_authority
from tests.central.balancer import HAPROXY, balancer
from tests.central.external_services import postgres
from tests.central.swift_server import BUCKET, CREDENTIALS, missing_swift, swift
from tests.support.central_rig import Central

KIOSKS = int(os.environ.get("KIOSK_BENCH_ROOMS", "2000"))
PACE = float(os.environ.get("KIOSK_BENCH_PACE", "1"))
P99_GOAL_MS = 100.0
MIX = Mix(
    poll_s=30.0 / PACE,
    head_s=5.0 / PACE,
    filing_s=3600.0 / PACE,
    filing_bytes=40_000,
    uploader_every=200,
    upload_mbit=2.0 * PACE,
    warm_up_s=90.0,
    seconds=120.0,
)
STATEMENTS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"


@dataclass
class Site:
    """Two running servers, their database, and the kiosks as they reach the balancer."""

    servers: list[Central]
    database: Database
    kiosks: list[Identity]

    def statements(self) -> int:
        """Return how many statements Postgres has executed, transactions' ends included."""
        with self.database.read() as connection:
            return int(connection.execute(text(STATEMENTS)).scalar_one())

    def pids(self) -> list[int]:
        """Return the processes of the servers."""
        return [server.process.pid for server in self.servers if server.process is not None]


def run(repeats: int) -> list[Measure]:
    """Measure the kiosks once."""
    del repeats
    reason = missing_swift() or (None if HAPROXY.exists() else "the Debian package haproxy")
    if reason is not None:
        print(f"bench: rooms skipped: {reason}", file=sys.stderr)
        return []
    with running_site() as site:
        before, statements, begun = _cpu(site), site.statements(), time.monotonic()
        load = simulate_in_processes(site.kiosks, MIX, 2)
        spent = time.monotonic() - begun
        cores = (_cpu(site) - before) / spent
        memory = max(proportional_set_size(pid) / 1e6 for pid in site.pids())
        per_request = (site.statements() - statements) / load.requests
    print_traffic("rooms", load, MIX.seconds)
    name = f"{KIOSKS} kiosks, 2 servers, Postgres, S3"
    asked = KIOSKS * (5 / MIX.poll_s + 1 / MIX.head_s)
    return [
        Measure(f"{name}: p99 of small requests", p99(load.small_ms), "ms", "goal", P99_GOAL_MS),
        Measure(f"{name}: median of small requests", median(load.small_ms), "ms"),
        Measure(f"{name}: p99 of requests that connect first", p99(load.first_ms), "ms"),
        Measure(
            f"{name}: small requests", len(load.small_ms) / MIX.seconds, "/s", "asked for", asked
        ),
        Measure(f"{name}: statements a small request, uploads' included", per_request, ""),
        Measure(f"{name}: p99 of a filing, whole", p99(load.filings_s), "s"),
        Measure(f"{name}: servers' processors", cores, "cores"),
        Measure(f"{name}: memory of the larger server", memory, "MB"),
    ]


def _cpu(site: Site) -> float:
    return sum(cpu_seconds(pid) for pid in site.pids())


@contextlib.contextmanager
def running_site() -> Iterator[Site]:
    """Run everything; the kiosks are enrolled, and none has called yet."""
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory(prefix="br-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        endpoint = stack.enter_context(swift())
        url = stack.enter_context(postgres(shared_preload_libraries="pg_stat_statements"))
        options = ("--database", url, "--store", f"s3://{BUCKET}/kz?endpoint={endpoint}")
        servers = [Central(folder / part, options, database=url) for part in ("a", "b")]
        stack.enter_context(servers[0])
        shutil.copytree(servers[0].data / "authority", servers[1].data / "authority")
        stack.enter_context(servers[1])
        database = stack.enter_context(contextlib.closing(Database(url)))
        with database.write() as connection:
            connection.execute(text("CREATE EXTENSION pg_stat_statements"))
        fleet = enrol_fleet(database, open_authority(servers[0].data), folder / "k", KIOSKS)
        address = stack.enter_context(balancer(folder, servers))
        yield Site(servers, database, [replace(kiosk, url=address) for kiosk in fleet])
