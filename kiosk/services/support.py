"""The call "help by phone": saves the support bundle as a signed report, and onto a drive."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

from kiosk.api.base import Model, read_leniently
from kiosk.api.sync import SyncState
from kiosk.api.upkeep import GET_SERVICE, SEND_SUPPORT, AskSupport, ServiceStatus, SupportBundle
from kiosk.errors import KioskError, StorageError
from kiosk.ipc import LocalClient
from kiosk.services.alarm_log import AlarmLogService
from kiosk.services.local_api import Call, Route
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.reports import ReportService
from kiosk.services.service_life import ServiceLife
from kiosk.services.stick import find_stick
from kiosk.services.support_bundle import build_bundle
from kiosk.storage.atomic_io import write_json
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Model)
CODE_LENGTH, ANSWER_S = 6, 3.0


class SupportService:
    """Collects what the support needs, and nothing about a person or a case.

    Args:
        core: of the recorder.
        life: of its process.
        reports: saves and signs.
        alarms: its last alarms.
    """

    def __init__(
        self, core: RecorderCore, life: ServiceLife, reports: ReportService, alarms: AlarmLogService
    ) -> None:
        self._core, self._life, self._reports, self._alarms = core, life, reports, alarms

    def routes(self) -> list[Route]:
        """Return the operation with its handler."""
        return [(SEND_SUPPORT, self._send)]

    async def _send(self, call: Call) -> Model:
        to_drive = (await call.read(AskSupport)).to_drive
        if to_drive:  # that there is no stick is told before a report is signed and sent
            await asyncio.to_thread(find_stick, self._core.settings)
        bundle = await self._collect()
        saved = await self._reports.save_support(bundle)
        code = saved.id[:CODE_LENGTH].upper()
        file = await asyncio.to_thread(self._copy, code, saved.report) if to_drive else ""
        log.info("%s asks for help by phone: %s", call.person.id, code)
        return SupportBundle(code=code, report=saved.id, file=file)

    async def _collect(self) -> dict[str, Any]:
        core = self._core
        sync = LocalClient(core.paths.sync_socket)
        try:
            state = await _ask(sync, "/v1/state", SyncState)
            service = await _ask(sync, GET_SERVICE.path, ServiceStatus)
        finally:
            await sync.close()
        devices = [*core.sources.devices(), core.panel.describe()]
        return await asyncio.to_thread(
            build_bundle,
            core.settings,
            core.paths,
            core.courtroom.state(),
            state,
            {"recorder": self._life.status(), "sync": service},
            devices,
            self._alarms.rows(),
        )

    def _copy(self, code: str, report: dict[str, Any]) -> str:
        """Write the bundle onto the first removable drive; return the name of the file.

        Raises:
            StorageError: there is none, or it refuses.
        """
        stick = find_stick(self._core.settings)
        name = f"kiosk-support-{code}.json"
        try:
            write_json(stick / name, report, 0o644)
        except STORAGE_ERRORS as error:
            said = f"the drive refuses: {error}"
            raise StorageError(said, code="export_medium_failed") from error
        return name


async def _ask(client: LocalClient, path: str, model: type[M]) -> M | None:
    """Return what sync says; None: nothing."""
    try:
        return read_leniently(model, await client.get(path, ANSWER_S))[0]
    except (KioskError, ValueError) as error:
        log.info("support bundle: sync does not answer: %s", error)
        return None
