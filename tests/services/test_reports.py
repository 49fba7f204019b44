"""``POST /v1/reports`` of the real recorder: what it signs and refuses, what no fault loses."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest

import kiosk
from kiosk.api.reports import MAX_REPORT_BYTES
from kiosk.config import KioskSettings, PathSettings, Settings
from kiosk.evidence.certificates import common_name
from kiosk.evidence.cms import check_signature
from kiosk.ipc import LocalClient, ServiceDownError, ServiceRefusedError
from kiosk.selftest.report import read_reports
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import KIOSK, RecorderProcess
from tests.support.mounts import sticks
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

PROBE = {"kind": "delivery_probe"}


@pytest.fixture
def own_recorder(make_recorder: MakeRecorder) -> RecorderProcess:
    """A recorder without devices, for tests that break it; not started."""
    return make_recorder(camera="none", microphones=None)


def self_test(**fields: Any) -> dict[str, Any]:
    """Return the request that saves a run of its own."""
    row = {"check": "clock", "state": "passed", "measured": {"offset_ms": 1.5}, "seconds": 0.1}
    run = {
        "started": f"2026-11-23T04:00:00.000Z#{uuid.uuid4()}",
        "ended": "2026-11-23T04:01:00.000Z",
        "results": [row | {"at": "2026-11-23T04:00:30.000Z"}],
    }
    return {"kind": "selftest", "selftest": run | fields}


def save(recorder: RecorderProcess, body: dict[str, Any]) -> Path:
    """Have a technician save ``body``; return the folder."""
    return recorder.paths.reports / str(recorder.post("/v1/reports", body, "technician")["id"])


def refusal(recorder: RecorderProcess, body: Any, role: str = "technician") -> tuple[int, str]:
    """Return status and code of a report that is refused."""
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post("/v1/reports", body, role)
    return refused.value.status, refused.value.code


def read_report(folder: Path) -> dict[str, Any]:
    """Return the content of a saved report."""
    return dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))


def test_the_recorder_says_who_and_where_and_signs(bare_recorder: RecorderProcess) -> None:
    claims: dict[str, Any] = {
        "person": "p-judge",
        "kiosk": "kiosk-9999",
        "software": "9",
        "id": "mine",
    }
    claims |= {"sequence": 10**9, "room": "1", "boot_id": "x", "baseline": "y", "passed": 99}
    body = self_test(**claims)
    folder = save(bare_recorder, body | claims)
    report = read_report(folder)
    assert report["person"] == "p-technician"
    assert (report["kiosk"], report["software"]) == (KIOSK, kiosk.__version__)
    assert (report["id"], report["kind"]) == (folder.name, "selftest")
    assert report["sequence"] < 100
    assert (report["baseline"], report["passed"]) == (None, 1)
    assert [row["check"] for row in report["results"] if row["state"] == "passed"] == ["clock"]
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=True)
    signed = folder / "SHA256SUMS", folder / "SHA256SUMS.p7s"
    assert common_name(check_signature(*signed, bare_recorder.court.ca)) == KIOSK


def test_a_probe_holds_what_the_recorder_says_and_nothing_else(
    bare_recorder: RecorderProcess,
) -> None:
    folder = save(bare_recorder, PROBE | {"person": "p-judge", "text": "sign this"})
    report = read_report(folder)
    assert set(report) == {"id", "contract", "kind", "at"}
    assert report["kind"] == "delivery_probe"


def test_the_same_run_saved_again_is_one_report(bare_recorder: RecorderProcess) -> None:
    body = self_test()
    first = save(bare_recorder, body)
    other = save(bare_recorder, self_test())
    assert save(bare_recorder, body) == first != other
    assert read_report(other)["sequence"] == read_report(first)["sequence"] + 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "verdict"},
        {"kind": "selftest"},
        self_test(results=[{"check": "clock"}]),
        self_test(results=[self_test()["selftest"]["results"][0] | {"check": "coffee"}]),
        self_test(results=self_test()["selftest"]["results"] * 2),
        self_test(started=5),
    ],
)
def test_what_is_no_report_is_refused(bare_recorder: RecorderProcess, body: Any) -> None:
    before = sorted(bare_recorder.paths.reports.glob("*"))
    assert refusal(bare_recorder, body) == (400, "bad_request")
    assert sorted(bare_recorder.paths.reports.glob("*")) == before


def test_a_huge_report_is_refused(bare_recorder: RecorderProcess) -> None:
    huge = self_test(devices=[{"name": "x" * MAX_REPORT_BYTES}])
    assert refusal(bare_recorder, huge) == (413, "report_too_large")
    assert refusal(bare_recorder, self_test(devices=[{"name": "x" * 2**21}]))[0] == 413


def test_only_a_technician_has_reports_signed(bare_recorder: RecorderProcess) -> None:
    assert refusal(bare_recorder, PROBE, "secretary") == (403, "sign_in_refused")
    for token in (None, "forged"):
        with pytest.raises(ServiceRefusedError) as refused:
            bare_recorder.call("POST", "/v1/reports", PROBE, token)
        assert (refused.value.status, refused.value.code) == (401, "token_expired")


@pytest.mark.root
def test_a_full_and_a_read_only_disk_are_told_and_leave_nothing_behind(
    own_recorder: RecorderProcess,
) -> None:
    data = own_recorder.paths.data
    with sticks(data, "reports", megabytes=1) as (disk,):
        own_recorder.start()
        body = self_test()
        filler = disk.folder / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(bytes(2**21))
        assert refusal(own_recorder, body) == (409, "disk_full")
        assert [path.name for path in disk.folder.iterdir()] == ["filler"]
        filler.unlink()
        disk.read_only()
        assert refusal(own_recorder, body) == (409, "disk_read_only")
        disk.read_only(False)
        assert read_report(save(own_recorder, body))["passed"] == 1
        own_recorder.stop()


def test_half_a_report_of_a_crash_is_never_read_and_is_removed(
    own_recorder: RecorderProcess,
) -> None:
    own_recorder.start()
    remains = own_recorder.paths.reports / ".unfinished" / str(uuid.uuid4())
    remains.mkdir(parents=True)
    (remains / "report.json").write_text(json.dumps({"kind": "selftest", "sequence": 7}))
    folder = save(own_recorder, self_test())
    assert read_report(folder)["sequence"] == 1
    assert sorted(own_recorder.paths.reports.iterdir()) == [folder]


def test_a_recorder_killed_in_the_middle_is_told_and_the_run_can_be_saved_again(
    own_recorder: RecorderProcess,
) -> None:
    own_recorder.start()
    token, body = own_recorder.sign_in("technician"), self_test()
    own_recorder.process.send_signal(signal.SIGSTOP)

    async def story() -> None:
        client = LocalClient(own_recorder.paths.recorder_socket, token)
        waiting = asyncio.create_task(client.post("/v1/reports", body, 60))
        _done, pending = await asyncio.wait({waiting}, timeout=0.5)
        assert pending
        own_recorder.process.send_signal(signal.SIGKILL)
        with pytest.raises(ServiceDownError):
            await waiting
        await client.close()

    asyncio.run(story())
    own_recorder.kill()
    own_recorder.start()
    folder = save(own_recorder, body)
    assert [report["id"] for report in read_reports(own_recorder.paths)] == [folder.name]


_SAVE_AS_NOBODY = """
import asyncio, sys
from pathlib import Path
from aiohttp import web
from kiosk.api.reports import SAVE_REPORT
from kiosk.auth.sign_in import Person
from kiosk.config import Settings
from kiosk.ipc import errors_as_json, serve_unix
from kiosk.services.local_api import add_routes
from kiosk.services.reports import ReportService

async def main():
    settings = Settings.model_validate_json(sys.argv[1])
    app = web.Application(middlewares=[errors_as_json])
    async def authorize(*_):
        return Person("p-technician", "T", ("technician",))
    add_routes(app, [SAVE_REPORT], ReportService(settings).routes(), authorize)
    await serve_unix(app, settings.paths.run / "recorder.sock")
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root's rights")
@pytest.mark.parametrize("forbidden", ["reports", "identity"])
def test_missing_rights_are_told(forbidden: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rights-") as name:
        folder = Path(name)
        paths = PathSettings(data=folder / "data", run=folder / "run")
        folder.chmod(0o755)
        for part in ("data/reports", "data/identity", "run"):
            (folder / part).mkdir(parents=True)
            os.chown(folder / part, 65534, 65534)
        os.chown(paths.data / forbidden, 0, 0)
        (paths.data / forbidden).chmod(0o700)
        settings = Settings(kiosk=KioskSettings(id="k-1"), paths=paths)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable]
        server = subprocess.Popen([*command, "-c", _SAVE_AS_NOBODY, settings.model_dump_json()])
        socket = paths.run / "recorder.sock"
        try:
            wait_for(socket.exists, "the service")
            with pytest.raises(ServiceRefusedError) as refused:
                asyncio.run(_post_probe(socket))
            assert (refused.value.status, refused.value.code) == (409, "storage_failed")
            (paths.data / forbidden).chmod(0o777)
            os.chown(paths.data / forbidden, 65534, 65534)
            assert asyncio.run(_post_probe(socket))["id"]
        finally:
            server.kill()
            server.wait()


async def _post_probe(socket: Path) -> dict[str, Any]:
    client = LocalClient(socket)
    try:
        return await client.post("/v1/reports", PROBE)
    finally:
        await client.close()
