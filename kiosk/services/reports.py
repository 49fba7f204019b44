"""Saves and signs reports: the one place on the kiosk that signs them.

A report is made below ``reports/.unfinished/`` and gets its name when it is sealed: no reader meets
half a report. Remains of a crash are removed before the next one is made.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kiosk.api.base import Model
from kiosk.api.reports import (
    MAX_REPORT_BYTES,
    SAVE_REPORT,
    NewReport,
    SavedReport,
    SelfTestRun,
    TestedCheck,
)
from kiosk.clocks import format_wall
from kiosk.commissioning.record import STEPS
from kiosk.config import Settings
from kiosk.errors import RequestError, StorageError
from kiosk.evidence.device_key import load_device_signer
from kiosk.evidence.seal import seal_folder
from kiosk.selftest.model import CHECKS
from kiosk.selftest.report import CONTRACT, REPORT, build_report, read_reports
from kiosk.services.local_api import Call, Route
from kiosk.storage.atomic_io import make_folder, sync_folder, write_json
from kiosk.storage.paths import Paths
from kiosk.storage.volume import STORAGE_ERRORS, failure_state

_UNFINISHED = ".unfinished"
_CODES = {"full": "disk_full", "read_only": "disk_read_only", "gone": "disk_gone"}


class ReportTooLargeError(RequestError):
    """A report has more bytes than the kiosk signs."""

    code = "report_too_large"
    status = 413


class ReportService:
    """The call that saves a report.

    Args:
        settings: of this kiosk; its id and room go into each report.
        on_commissioned: called when a baseline is saved, with the results of its checks.
    """

    def __init__(
        self,
        settings: Settings,
        on_commissioned: Callable[[Sequence[TestedCheck]], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._on_commissioned = on_commissioned
        self._paths = Paths.from_settings(settings.paths)
        self._lock = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the operation with its handler."""
        return [(SAVE_REPORT, self._save_report)]

    async def _save_report(self, call: Call) -> Model:
        if len(await call.http.read()) > MAX_REPORT_BYTES:
            raise ReportTooLargeError(f"a report has at most {MAX_REPORT_BYTES} bytes")
        request = await call.read(NewReport)
        async with self._lock:  # reports are numbered
            return await asyncio.to_thread(self._save, request, call.person.id)

    async def save_support(self, bundle: dict[str, Any]) -> SavedReport:
        """Save a support bundle as a report; see :meth:`_write`."""
        content = {"contract": CONTRACT, "kind": "support", "at": format_wall(), "bundle": bundle}
        async with self._lock:
            return await asyncio.to_thread(self._write, content)

    def _save(self, request: NewReport, person: str) -> SavedReport:
        if request.kind == "delivery_probe":
            content = {"contract": CONTRACT, "kind": request.kind, "at": format_wall()}
            return self._write(content)
        run = _checked_run(request)
        earlier = read_reports(self._paths)
        for report in earlier:
            if (report.get("started"), report.get("ended")) == (run.started, run.ended):
                return SavedReport(id=str(report["id"]), report=report)  # its answer was lost
        saved = self._write(build_report(self._settings, run, earlier, person))
        if run.commissioning:
            self._on_commissioned(run.results)
        return saved

    def _write(self, content: dict[str, Any]) -> SavedReport:
        """Write ``content`` as a sealed folder.

        Raises:
            StorageError: the disk is full, read-only or gone, or refuses.
            RecordingError: the device key cannot be used.
        """
        identifier = str(uuid.uuid4())
        report = {"id": identifier, **content}
        unfinished = self._paths.reports / _UNFINISHED
        folder = unfinished / identifier
        try:
            _remove(unfinished)
            make_folder(folder, 0o755)  # the touch screen shows it
            write_json(folder / REPORT, report, 0o644)
            signer, _enrolled = load_device_signer(self._paths, self._settings.kiosk.id)
            seal_folder(folder, signer)
            folder.rename(self._paths.reports / identifier)
            sync_folder(self._paths.reports)
        except STORAGE_ERRORS as error:
            code = _CODES.get(failure_state(error), StorageError.code)
            raise StorageError(f"the report cannot be saved: {error}", code=code) from error
        finally:
            _remove(unfinished)
        return SavedReport(id=identifier, report=report)


def _remove(folder: Path) -> None:
    """Remove a folder, if it is there and the disk permits."""
    shutil.rmtree(folder, ignore_errors=True)


def _checked_run(request: NewReport) -> SelfTestRun:
    """Return the run.

    Raises:
        RequestError: there is none, or its checks are not those of a self-test.
    """
    if request.selftest is None:
        raise RequestError("selftest: the run is missing")
    checks = [row.check for row in request.selftest.results]
    if len(set(checks)) != len(checks) or not set(checks) <= set(CHECKS):
        raise RequestError("selftest.results: a check is unknown or comes twice")
    if not set(request.selftest.steps) <= set(STEPS):
        raise RequestError("selftest.steps: a step is unknown")
    return request.selftest
