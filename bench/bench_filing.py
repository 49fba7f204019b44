"""From the last page in the scanner to the registration number, through the real services.

The first figure is ten pages from the eSCL scanner on loopback: the time from the last page on the
disk to the number (page checks, encoding, PDF/A, hashes, registration by sync at the central system
over TLS). The second is 60 coloured pages over 1 Mbit/s, from submission to the number; the bytes
follow later. It runs in a network namespace whose loopback is that slow (tbf) and is skipped
without the right to create one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.measure import Measure, median_of
from bench.sample_pages import KAZAKH, draw_text, scan_image
from kiosk.config import ScannerSettings, Settings
from kiosk.filing.model import Page
from kiosk.filing.service import FilingService
from kiosk.hardware.scanner.events import PageReady
from kiosk.hardware.virtual.claim_pages import draw_claim_page
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.ipc import LocalClient
from kiosk.rules import load_rules
from kiosk.storage.paths import Paths
from tests.support import delivery_rig

PAGES, COLOUR_PAGES = 10, 60
GOAL, GOAL_SLOW = 0.4, 2.0
SLOW_LINE = "tc qdisc add dev lo root tbf rate 1mbit burst 4k latency 400ms"


@contextlib.asynccontextmanager
async def filing_service(settings: Settings) -> AsyncIterator[FilingService]:
    """Yield a filing service that uses the real sync."""
    client = LocalClient(Paths.from_settings(settings.paths).sync_socket)
    try:
        async with FilingService(settings, load_rules(), client) as service:
            yield service
    finally:
        await client.close()


async def scan_and_submit(settings: Settings, scan: Path) -> float:
    """Scan the pages in the feeder; return the seconds from the last page to the number.

    Page imaging has started before: the scan starts it, and the scanner here has its first pages
    sooner than any with paper.
    """
    async with filing_service(settings) as service:
        await service.worker.prepare(scan, 0, scan.parent)
        filing = service.create("claim", "kk")
        arrived = 0.0
        async for event in filing.scan(filing.scan_session()):
            if isinstance(event, PageReady):
                arrived = time.monotonic()
        done = await service.submit(filing)
        spent = time.monotonic() - arrived
    if done.registration.state != "registered":
        raise RuntimeError(f"not registered: {done.registration}")
    return spent


async def submit_colour_pages(settings: Settings, scan: Path) -> float:
    """Submit 60 coloured pages, checked before; return the seconds to the number."""
    async with filing_service(settings) as service:
        filing = service.create("claim", "kk")
        assert filing.folder.key is not None
        for number in range(1, COLOUR_PAGES + 1):
            filing.folder.key.encrypt_file(scan, filing.folder.page_file(number))
            filing.folder.save(filing.record.with_page(Page(number=number)))
            await filing.rotate_page(number)  # checks it, as after its scan
        started = time.monotonic()
        done = await service.submit(filing)
        spent = time.monotonic() - started
    if done.registration.state != "registered":
        raise RuntimeError(f"not registered: {done.registration}")
    return spent


def measure(repeats: int, slow: bool) -> list[float]:
    """Return the seconds of each run, each with its own central system and sync."""
    found = []
    with tempfile.TemporaryDirectory(prefix="bf") as name:
        folder = Path(name)
        (template := folder / "t").mkdir()
        delivery_rig.make_template(template)
        if slow:
            subprocess.run(SLOW_LINE.split(), check=True)
        scan = scan_image(
            draw_claim_page(3) if slow else draw_text(KAZAKH), folder, skew=0.5, noise=2.0, seed=1
        )
        with delivery_rig.temporary_central(template) as central:
            central.start()
            for _ in range(repeats):
                with (
                    delivery_rig.temporary_kiosk(template, central.url) as kiosk,
                    VirtualScanner([scan] * PAGES) as scanner,
                ):
                    kiosk.start()
                    device = ScannerSettings(
                        device=scanner.device, sane_config_dir=scanner.config_dir
                    )
                    settings = kiosk.settings.model_copy(update={"scanner": device})
                    work = submit_colour_pages if slow else scan_and_submit
                    found.append(asyncio.run(work(settings, scan)))
    return found


def measure_slow(repeats: int) -> list[float]:
    """Return the same for the slow connection; empty where namespaces are not permitted."""
    if shutil.which("unshare") is None or shutil.which("tc") is None:
        return []
    code = "import json; from bench.bench_filing import measure; "
    code += f"print(json.dumps(measure({repeats}, True)))"
    inner = f'ip link set lo up mtu 1500 && exec "{sys.executable}" -c "{code}"'
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", inner], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        print(
            "bench: slow connection skipped: namespaces or tbf are not permitted", file=sys.stderr
        )
        return []
    found: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def run(repeats: int) -> list[Measure]:
    """Measure both figures."""
    what = "to the registration number"
    measures = [
        median_of(f"last of {PAGES} pages {what}", "s", measure(repeats, False), "goal", [GOAL])
    ]
    slow = measure_slow(repeats)
    if slow:
        name = f"{COLOUR_PAGES} coloured pages {what}, 1 Mbit/s"
        measures.append(median_of(name, "s", slow, "goal", [GOAL_SLOW]))
    return measures
