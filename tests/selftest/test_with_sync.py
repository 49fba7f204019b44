"""Link and delivery against the real delivery service and a real central system over TLS."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.ipc import LocalClient
from kiosk.selftest import CheckFinished, CheckResult, RunFinished, SelfTestContext, run_selftest
from tests.selftest.services import TOKEN, Recorder
from tests.support.delivery_rig import (
    Central,
    Kiosk,
    make_template,
    short_folder,
    temporary_central,
    temporary_kiosk,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    folder = short_folder()
    make_template(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def central(template: Path) -> Iterator[Central]:
    with temporary_central(template) as central:
        yield central


@pytest.fixture
def kiosk(template: Path, central: Central) -> Iterator[Kiosk]:
    with temporary_kiosk(template, central.url) as kiosk:
        yield kiosk


async def link_and_delivery(kiosk: Kiosk, patience: float) -> tuple[dict[str, CheckResult], Path]:
    """Return the results and the folder of the saved report."""
    server = await Recorder(kiosk.settings).start(kiosk.paths.recorder_socket)
    recorder = LocalClient(kiosk.paths.recorder_socket, TOKEN)
    sync = LocalClient(kiosk.paths.sync_socket)
    context = SelfTestContext(kiosk.settings, kiosk.paths, recorder, sync, check_seconds=patience)
    try:
        events = [event async for event in run_selftest(context, ("link", "delivery"))]
    finally:
        await recorder.close()
        await sync.close()
        await server.cleanup()
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.path is not None
    results = {
        event.result.check: event.result for event in events if isinstance(event, CheckFinished)
    }
    return results, last.path


def test_link_and_delivery_pass_and_the_report_arrives(central: Central, kiosk: Kiosk) -> None:
    central.start()
    kiosk.start()
    results, report = asyncio.run(link_and_delivery(kiosk, 30))
    assert results["link"].state == "passed", results["link"]
    assert results["link"].measured["down_mbit"] > 1
    assert results["delivery"].state == "passed", results["delivery"]
    assert results["delivery"].measured["central_sha256_match"] is True
    delivered = kiosk.wait_state("report", report.name, "delivered")
    assert delivered["central_sha256_match"] is True
    there = [path for path in central.data.rglob("*") if path.is_file()]
    sums = {hashlib.sha256(path.read_bytes()).hexdigest() for path in there}
    assert hashlib.sha256((report / "report.json").read_bytes()).hexdigest() in sums


def test_central_system_away(kiosk: Kiosk) -> None:
    kiosk.start()
    results, _report = asyncio.run(link_and_delivery(kiosk, 2))
    assert (results["link"].state, results["link"].code) == ("failed", "link_unreachable")
    assert results["delivery"].state == "failed"
    assert results["delivery"].code == "central_unreachable"
