"""A delivery site behind a shaped link, for the benchmarks: kiosk, central system, peers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bench.processes import cpu_seconds
from kiosk.ipc import EventStream, serve_unix
from kiosk.sync.transport.connection import Connection
from tests.support.delivery_rig import (
    Central,
    Kiosk,
    make_template,
    temporary_central,
    temporary_kiosk,
)
from tests.support.network_link import CENTRE_ADDRESS, NetworkLink
from tests.support.waiting import wait_for

TIMEOUT_S = 300.0
CALL_BYTES, CALL_EVERY_S = 1200, 0.02  # 480 kbit/s


@dataclass
class DeliverySite:
    """A kiosk and a central system at both ends of a link."""

    link: NetworkLink
    central: Central
    kiosk: Kiosk

    def deliver(self, video: int) -> tuple[str, int]:
        """Request delivery of a hearing of two files of ``video`` bytes; return its id and size."""
        hearing = self.kiosk.make_hearing(video, files=1)
        self.kiosk.request("POST", "/v1/deliver", {})
        folder = self.kiosk.paths.hearings / hearing
        return hearing, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def wait_upload_flow(self, least: int = 100_000) -> None:
        """Wait until ``least`` more bytes have left the kiosk."""
        before = self.link.sent()
        wait_for(lambda: self.link.sent() - before > least, "bytes on the link", TIMEOUT_S)

    def cpu_seconds(self) -> tuple[float, float]:
        """Return the processor seconds so far of ``kiosk sync`` and of ``kiosk central``."""
        assert self.kiosk.running is not None
        assert self.central.running is not None
        return cpu_seconds(self.kiosk.running.pid), cpu_seconds(self.central.running.pid)

    def upload_with_curl(self, file: Path) -> tuple[float, float]:
        """Send ``file`` with ``curl -T`` to the same server; return seconds and its CPU seconds."""
        paths, upload = self.kiosk.paths, str(uuid.uuid4())
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        announcement = {
            "kind": "hearing",
            "owner": str(uuid.uuid4()),
            "path": "part-01/main/run-01/000000.m4s",
            "size": file.stat().st_size,
            "sha256": digest,
        }
        with self.link.court():
            connector = Connection(paths, self.central.url)
            client = connector.client()
            client.announce_upload(upload, announcement)
            begun = time.monotonic()
            curl = subprocess.Popen(
                [
                    *("curl", "--silent", "--show-error", "--fail", "-X", "PATCH", "-T", str(file)),
                    *("--cacert", str(paths.court_ca), "--cert", str(paths.device_certificate)),
                    *("--key", str(paths.device_key), "-H", "Tus-Resumable: 1.0.0"),
                    *("-H", "Upload-Offset: 0", "-H", "Expect:"),
                    *("-H", "Content-Type: application/offset+octet-stream"),
                    f"{self.central.url}/v1/tus/{upload}",
                ]
            )
            _, status, usage = os.wait4(curl.pid, 0)
            curl.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - begun
            state = client.wait_verified(upload, 30)["state"]
            connector.close()
        if curl.returncode or state != "complete":
            raise RuntimeError(f"curl ended with {curl.returncode}: {state}")
        return seconds, usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def site_template() -> Iterator[Path]:
    """Yield a folder with a central system and one enrolled kiosk, to be copied."""
    with tempfile.TemporaryDirectory(prefix="bd-") as name:
        make_template(Path(name))
        yield Path(name)


@contextlib.contextmanager
def running_site(template: Path, link: NetworkLink, **settings: object) -> Iterator[DeliverySite]:
    """Yield a running central system and kiosk at both ends of ``link``."""
    with (
        temporary_central(template, CENTRE_ADDRESS) as central,
        temporary_kiosk(template, central.url) as kiosk,
    ):
        kiosk.change_settings("central", poll_seconds=10.0, patch_mib=16, **settings)
        central.start()
        with link.court():
            kiosk.start()
        yield DeliverySite(link, central, kiosk)


@contextlib.contextmanager
def simulated_hearing(kiosk: Kiosk, hearing: str | None = None) -> Iterator[None]:
    """Answer as a recorder in the middle of a hearing would.

    Args:
        hearing: id of the hearing, whose levels are sent then; None: it is not told.
    """
    ready, end = threading.Event(), asyncio.Event()
    events = EventStream()
    loop = asyncio.new_event_loop()

    async def state(_: web.Request) -> web.Response:
        known = None if hearing is None else {"id": hearing}
        return web.json_response({"phase": "recording", "hearing": known})

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/v1/state", state)
        if hearing is not None:
            app.router.add_get("/v1/events", events.handle)
            events.send("levels", {"judge": {"rms_db": -30.0}})
        runner = await serve_unix(app, kiosk.paths.recorder_socket)
        ready.set()
        await end.wait()
        events.close()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        kiosk.paths.recorder_socket.unlink(missing_ok=True)
        loop.close()


@dataclass(frozen=True)
class SimulatedCall:
    """What a call had of the line.

    Attributes:
        delays: of each packet in ms, infinite where lost.
        mbit: rate of all frames that went to the centre meanwhile, the call's own among them.
    """

    delays: list[float]
    mbit: float

    @property
    def p95(self) -> float:
        """The 95th percentile of the delays."""
        return sorted(self.delays)[int(0.95 * len(self.delays))]


def simulate_call(link: NetworkLink, seconds: float) -> SimulatedCall:
    """Simulate a video call in one direction, from the court to the centre."""
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind((CENTRE_ADDRESS, 0))
    server.settimeout(1.0)
    with link.court():
        client = socket.socket(type=socket.SOCK_DGRAM)
    packets = int(seconds / CALL_EVERY_S)
    delays = [float("inf")] * packets

    def receive() -> None:
        run_in_time()
        with contextlib.suppress(TimeoutError):
            while True:
                data = server.recv(2048)
                sent = int.from_bytes(data[4:12])
                delays[int.from_bytes(data[:4])] = (time.monotonic_ns() - sent) / 1e6

    def send() -> None:
        run_in_time()
        begun = time.monotonic()
        for number in range(packets):
            time.sleep(max(0.0, begun + number * CALL_EVERY_S - time.monotonic()))
            head = number.to_bytes(4) + time.monotonic_ns().to_bytes(8)
            client.sendto(head.ljust(CALL_BYTES, b"\0"), server.getsockname())

    receiver, sender = threading.Thread(target=receive), threading.Thread(target=send)
    receiver.start()
    before, begun = link.sent(), time.monotonic()
    sender.start()
    sender.join()
    mbit = (link.sent() - before) * 8e-6 / (time.monotonic() - begun)
    receiver.join()
    server.close()
    client.close()
    return SimulatedCall(delays, mbit)


def run_in_time() -> None:
    """Give the calling thread priority: a call runs on another machine, not busy with ours."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
