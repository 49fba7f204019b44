"""Copies through the recorder's API: media, progress, cancelling, who may."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kiosk.api.exports import EXPORT_OPERATIONS
from kiosk.api.operations import COURT_ROLES
from kiosk.auth.person import Person, RoleError
from kiosk.config import ExportSettings, PathSettings, Settings
from kiosk.export.recipient import needs_warning
from kiosk.export.removable_drive import VIRTUAL_MARKER, find_drives
from kiosk.ipc import EventStream, LocalClient, ServiceRefusedError, errors_as_json, serve_unix
from kiosk.services.exports import ExportService
from kiosk.services.local_api import add_routes
from tests.support.hearing_builder import new_hearing, sealed_hearing
from tests.support.identity import Court

pytestmark = pytest.mark.slow


class ExportRig:
    """A kiosk's data with one sealed hearing, and a medium."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stick = folder / "media" / "STICK"
        self.stick.mkdir(parents=True)
        (folder / "media" / VIRTUAL_MARKER).touch()
        paths = PathSettings(data=folder / "data", run=folder / "run")
        media = ExportSettings(media=(folder / "media",))
        self.settings = Settings(paths=paths, export=media)
        self.signer = Court.make(folder / "court").device()
        self.hearing = sealed_hearing(paths.data / "hearings", self.signer, parts=1).name
        self.allowed = True

    async def authorize(self, _: web.Request, roles: tuple[str, ...]) -> Person:
        assert roles == COURT_ROLES
        if not self.allowed:
            raise RoleError("not you")
        return Person("p-1", "A. Secretary", ("secretary",))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[LocalClient]:
        """Serve the calls on a socket."""
        events = EventStream()
        service = ExportService(self.settings, events)
        app = web.Application(middlewares=[errors_as_json])
        app.router.add_get("/v1/events", events.handle)
        add_routes(app, EXPORT_OPERATIONS, service.routes(), self.authorize)
        socket = self.folder / "s"
        runner = await serve_unix(app, socket)
        client = LocalClient(socket)
        try:
            yield client
        finally:
            await service.close()
            events.close()
            await client.close()
            await runner.cleanup()

    def wanted(self, **more: Any) -> dict[str, Any]:
        whom = {"given_to": "Омаров С.", "warned": True}
        wanted = {"hearing_id": self.hearing, "medium": str(self.stick), "language": "ru"}
        return {**wanted, **whom, **more}


@pytest.fixture
def rig(tmp_path: Path) -> ExportRig:
    return ExportRig(tmp_path)


def run_with_client(rig: ExportRig, steps: Callable[[LocalClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(100), rig.client() as client:
            await steps(client)

    asyncio.run(run())


async def until(client: LocalClient, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first ``export`` event that is wanted."""
    async for name, value in client.events():
        if name == "export" and wanted(value):
            return dict(value)
    raise AssertionError("the events ended")


def test_a_copy_is_made_and_told(rig: ExportRig) -> None:
    async def steps(client: LocalClient) -> None:
        (medium,) = (await client.get("/v1/exports/media"))["media"]
        assert medium["path"] == str(rig.stick)
        assert medium["free_bytes"] > 0
        (hearing,) = (await client.get("/v1/hearings"))["hearings"]
        assert (hearing["id"], hearing["closed"], hearing["delivered"]) == (
            rig.hearing,
            "none",
            False,
        )
        slip = await client.get("/v1/hearing/slip")
        assert (slip["hearing_id"], slip["sealed"]) == (rig.hearing, True)
        begun = await client.post("/v1/exports", rig.wanted(application="№ 17"))
        done = await until(client, lambda step: step["state"] != "running")
        assert (done["state"], done["id"]) == ("done", begun["id"])
        assert (Path(done["folder"]) / "index.html").is_file()
        (entry,) = (await client.get("/v1/exports"))["copies"]
        assert (entry["by"], entry["application"], entry["state"]) == ("p-1", "№ 17", "done")
        assert (entry["given_to"], entry["warned"]) == ("Омаров С.", True)
        page = (Path(done["folder"]) / "index.html").read_text("utf-8")
        assert "Омаров С." in page
        assert "282(4)" in page
        listed = json.loads((Path(done["folder"]) / "manifest.json").read_text("utf-8"))
        assert (listed["given_to"], listed["warned"]) == ("Омаров С.", True)

    run_with_client(rig, steps)


def test_no_copy_of_a_civil_case_before_its_taker_was_warned(rig: ExportRig) -> None:
    """АПК 282(4): nobody named, or not warned; a name of blanks is none."""

    async def steps(client: LocalClient) -> None:
        (hearing,) = (await client.get("/v1/hearings"))["hearings"]
        assert hearing["needs_warning"]
        nobody: list[dict[str, Any]] = [{"given_to": ""}, {"given_to": " \u200b "}]
        for more in [{"warned": False}, *nobody]:
            with pytest.raises(ServiceRefusedError) as refused:
                await client.post("/v1/exports", rig.wanted(**more))
            assert refused.value.code == "export_not_warned"
        assert (await client.get("/v1/exports"))["copies"] == []
        assert list(rig.stick.iterdir()) == []

    run_with_client(rig, steps)


@pytest.mark.parametrize("kind", [None, "civil", "admin_justice", "criminal", "admin_offence"])
def test_where_nobody_has_said_the_kind_of_case_the_warning_is_needed(kind: str | None) -> None:
    """It may be a civil one (АПК 282(4))."""
    assert needs_warning(kind) == (kind not in ("criminal", "admin_offence"))


def test_no_command_line_names_anybody(rig: ExportRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on the machine may read it; who takes it, and the application, are typed."""
    begun: list[str] = []
    create = asyncio.create_subprocess_exec

    async def spy(*command: str, **more: Any) -> asyncio.subprocess.Process:
        begun.extend(command)
        return await create(*command, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)

    async def steps(client: LocalClient) -> None:
        await client.post("/v1/exports", rig.wanted(application="of Омаров\n--originals=yes"))
        assert (await until(client, lambda step: step["state"] != "running"))["state"] == "done"
        (entry,) = (await client.get("/v1/exports"))["copies"]
        assert entry["application"] == "of Омаров --originals=yes"

    run_with_client(rig, steps)
    assert "export" in begun
    assert not [word for word in begun if "Омаров" in word]


def test_a_copy_that_is_said_to_have_failed_does_not_go_on(
    rig: ExportRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one could be begun on the same stick meanwhile."""
    odd, pid = rig.folder / "odd", rig.folder / "pid"
    odd.write_text(f"#!/bin/sh\necho $$ > {pid}\necho no JSON\nexec sleep 300\n")
    odd.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(odd))

    async def steps(client: LocalClient) -> None:
        await client.post("/v1/exports", rig.wanted())
        failed = await until(client, lambda step: step["state"] != "running")
        assert (failed["state"], failed["code"]) == ("failed", "export_failed")
        process = Path(f"/proc/{pid.read_text().strip()}")
        while process.exists() and "Z" not in (process / "stat").read_text().split()[2]:
            await asyncio.sleep(0.02)

    run_with_client(rig, steps)


def test_a_copy_is_cancelled_and_leaves_nothing(rig: ExportRig) -> None:
    async def steps(client: LocalClient) -> None:
        begun = await client.post("/v1/exports", rig.wanted())
        with pytest.raises(ServiceRefusedError) as busy:
            await client.post("/v1/exports", rig.wanted())
        assert busy.value.code == "export_running"
        answer = await client.call("DELETE", f"/v1/exports/{begun['id']}", timeout=60)
        assert (answer["state"], answer["code"]) == ("cancelled", "export_cancelled")
        assert list(rig.stick.iterdir()) == []
        again = (await client.post("/v1/exports", rig.wanted()))["id"]
        ended = await until(client, lambda x: x["id"] == again and x["state"] != "running")
        assert ended["state"] == "done"

    run_with_client(rig, steps)


def test_refusals_come_at_once(rig: ExportRig) -> None:
    unsealed = new_hearing(rig.settings.paths.data / "hearings", rig.signer).folder.name
    path = rig.settings.paths.data / "hearings" / rig.hearing / "part-01" / "part.json"

    async def steps(client: LocalClient) -> None:
        async def code(**more: Any) -> str:
            with pytest.raises(ServiceRefusedError) as refused:
                await client.post("/v1/exports", rig.wanted(**more))
            return refused.value.code

        assert await code(hearing_id=unsealed) == "export_not_sealed"
        assert await code(hearing_id="../../etc") == "hearing_unknown"
        assert await code(medium="/tmp") == "export_medium_failed"
        assert await code(medium=7) == "bad_request"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"closed": True}))
        assert await code() == "export_closed"
        rig.allowed = False
        assert await code() == "sign_in_refused"

    run_with_client(rig, steps)


def test_a_drive_is_what_is_mounted_below_the_folders_of_media(tmp_path: Path) -> None:
    roots = (tmp_path / "media",)
    names = ("USB DISK", "plain")
    for name in names:
        (tmp_path / "media" / name).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    mounts = tmp_path / "mountinfo"
    escaped = str(tmp_path / "media" / "USB DISK").replace(" ", "\\040")
    mounts.write_text(
        f"30 1 8:1 / {escaped} rw,nosuid - vfat /dev/sda1 rw\n"
        f"31 1 8:17 / {tmp_path / 'elsewhere'} rw - exfat /dev/sdb1 rw\n"
        f"32 1 0:5 / {tmp_path} rw - tmpfs tmpfs rw\n"
        f"33 1 8:3 / {tmp_path / 'media' / 'gone'} rw - vfat /dev/sdc1 rw\n"
        "broken line\n"
    )
    found = find_drives(roots, mounts)
    assert [(drive.name, drive.file_system) for drive in found] == [("USB DISK", "vfat")]
