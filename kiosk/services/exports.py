"""Exports for the parties, as part of the recorder's API (docs/interfaces.md).

A copy is made by ``kiosk export`` as a child process with low priority for processor and disk, so
that a running recording is not disturbed; it ends with the recorder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import uuid
from typing import Any

from kiosk.api import exports as api
from kiosk.api.base import Model, read_leniently
from kiosk.api.exports import ExportEvent
from kiosk.api.persons import as_one_line
from kiosk.config import Settings
from kiosk.evidence.seal import is_sealed
from kiosk.export.chain_receipt import read_chain_receipt
from kiosk.export.errors import (
    DriveBusyError,
    DriveError,
    ExportError,
    NotSealedError,
)
from kiosk.export.log import list_exports
from kiosk.export.minutes import load_hearing_state
from kiosk.export.permission import require_exportable
from kiosk.export.recipient import MAX_NAME, needs_warning
from kiosk.export.removable_drive import SealedHearingList, drives_for_copies
from kiosk.ipc import EventStream
from kiosk.services.local_api import Call, Route
from kiosk.storage.hearing_folder import HEARING_FILE
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
STOP_TIMEOUT_S = 10.0
MAX_APPLICATION = 500


class ExportService:
    """Handlers for exports; one export runs at a time.

    Args:
        events: where ``export`` events go.
    """

    def __init__(self, settings: Settings, events: EventStream) -> None:
        self._settings = settings
        self._paths = Paths.from_settings(settings.paths)
        self._events = events
        self._hearings = SealedHearingList(self._paths)
        self._process: asyncio.subprocess.Process | None = None
        self._newest: ExportEvent | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [
            (api.LIST_HEARINGS, self._list_hearings),
            (api.GET_CHAIN_RECEIPT, self._get_chain_receipt),
            (api.LIST_EXPORTS, self._list_exports),
            (api.LIST_DRIVES, self._get_drives),
            (api.START_EXPORT, self._start),
            (api.CANCEL_EXPORT, self._cancel),
        ]

    async def close(self) -> None:
        """End a copy that is being made; what it left is removed at the next try."""
        if self._task is not None:
            await self._stop_child()

    # -- calls -----------------------------------------------------------------------------------
    @property
    def is_copying(self) -> bool:
        """Whether a copy is being made."""
        return self._task is not None and not self._task.done()

    async def _list_hearings(self, _call: Call) -> Model:
        hearings = await asyncio.to_thread(self._hearings.rows)
        return api.SealedHearings(hearings=tuple(hearings))

    async def _get_chain_receipt(self, call: Call) -> Model:
        wanted = call.http.query.get("hearing_id", "")
        return await asyncio.to_thread(self._read_chain_receipt, wanted)

    def _read_chain_receipt(self, wanted: str) -> api.ChainReceipt:
        """Return the slip of a hearing; without an id, of the one begun last.

        Raises:
            ExportError: there is no hearing; RecordingError: nothing of it is signed yet.
        """
        root = self._paths.hearings
        folders = [path.parent for path in root.glob(f"*/{HEARING_FILE}") if path.is_file()]
        chosen = [folder for folder in folders if wanted in ("", folder.name)]
        if not chosen:
            raise ExportError("no such hearing", code="hearing_unknown")
        newest = max(chosen, key=lambda folder: (folder / HEARING_FILE).stat().st_mtime)
        return read_chain_receipt(newest)

    async def _list_exports(self, _call: Call) -> Model:
        rows = await asyncio.to_thread(list_exports, self._paths)
        exports, problems = read_leniently(api.Exports, {"running": None, "copies": rows})
        for problem in problems:
            log.warning("log of exports: %s", problem)
        return exports.model_copy(update={"running": self._newest})

    async def _get_drives(self, _call: Call) -> Model:
        drives = await asyncio.to_thread(drives_for_copies, self._settings)
        return api.RemovableDrives(media=tuple(drives))

    async def _start(self, call: Call) -> Model:
        request = await call.read(api.StartExport)
        hearing, medium = request.hearing_id, request.medium
        language = request.language or self._settings.kiosk.language
        if language not in ("kk", "ru"):
            language = "kk"
        given_to = as_one_line(request.given_to)[:MAX_NAME]
        is_warned = request.warned and bool(given_to)
        await asyncio.to_thread(self._check, hearing, medium, is_warned)
        if self.is_copying:
            raise DriveBusyError("another copy is being made")
        copy_id = str(uuid.uuid4())
        arguments = [hearing, "--to", medium, "--language", language, "--by", call.person.id]
        arguments += ["--id", copy_id]
        arguments += ["--warned"] if is_warned else []
        self._cancelled = False
        self._publish(ExportEvent(id=copy_id, hearing_id=hearing, medium=medium))
        typed = f"{given_to}\n{as_one_line(request.application)[:MAX_APPLICATION]}"
        self._task = asyncio.create_task(self._run_export(arguments, typed))
        return api.StartedExport(id=copy_id)

    def _check(self, hearing: str, medium: str, is_warned: bool) -> None:
        """Refuse at once what would be refused anyway.

        Raises:
            ExportError: unknown or unsealed hearing, closed hearing, nobody warned, no such medium.
        """
        with contextlib.suppress(ValueError):
            hearing = str(uuid.UUID(hearing))
            folder = self._paths.hearings / hearing
            if folder.is_dir():
                if not is_sealed(folder):
                    raise NotSealedError(f"{hearing}: not sealed yet")
                require_exportable(folder)
                kind = load_hearing_state(folder).details.get("kind")
                if needs_warning(kind) and not is_warned:
                    raise ExportError("nobody was warned", code="export_not_warned")
                if medium not in [drive.path for drive in drives_for_copies(self._settings)]:
                    raise DriveError(f"{medium}: no such medium")
                return
        raise ExportError("no such hearing", code="hearing_unknown")

    async def _cancel(self, call: Call) -> Model:
        if self._newest is None or self._newest.id != call.http.match_info["id"]:
            raise ExportError("no such copy is being made", code="hearing_unknown")
        await self._stop_child()
        return self._newest

    # -- the child -------------------------------------------------------------------------------
    async def _stop_child(self) -> None:
        self._cancelled = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=STOP_TIMEOUT_S)
            if not done and self._process is not None:  # a medium that hangs
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()

    async def _run_export(self, arguments: list[str], typed: str) -> None:
        """Run the child process and publish its progress.

        Args:
            typed: who takes the copy and by which application, a line each: for no command line.
        """
        last: dict[str, Any] = {"state": "failed", "code": "export_failed"}
        try:
            last = await self._run_child(arguments, typed, last)
        except (OSError, ValueError) as error:  # a path holds the case number: no log gets it
            said = error.strerror if isinstance(error, OSError) else type(error).__name__
            log.error("the copy cannot be made: %s", said)
        finally:
            if last["state"] == "running" or last.get("code") == "export_failed":
                # it ended without a word: before it could hear us, or killed
                word = "cancelled" if self._cancelled else "failed"
                last = {"state": word, "code": f"export_{word}"}
            self._publish_progress(last)

    async def _run_child(
        self, arguments: list[str], typed: str, last: dict[str, Any]
    ) -> dict[str, Any]:
        command = [*_low_priority(), sys.executable, "-m", "kiosk.cli", "export", *arguments]
        command += ["--progress-json", "--settings-from-stdin", "--parent", str(os.getpid())]
        self._process = process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{self._settings.model_dump_json()}\n{typed}".encode())
            process.stdin.close()
            if self._cancelled:
                process.terminate()
            async for line in process.stdout:
                last = json.loads(line)
                if last["state"] == "running":
                    self._publish_progress(last)
            await process.wait()
        finally:
            if process.returncode is None:  # said to have failed, it must not go on writing
                process.kill()
        return last

    def _publish_progress(self, step: dict[str, Any]) -> None:
        """Publish a line of the child; its message stays here: it may name folders."""
        known = self._newest.to_json() if self._newest is not None else {}
        self._publish(ExportEvent.model_validate({**known, **step}))

    def _publish(self, event: ExportEvent) -> None:
        self._newest = event
        self._events.send("export", event.to_json())


def _low_priority() -> list[str]:
    """Return the prefix that gives way to a recording: processor and disk."""
    prefix = []
    if nice := shutil.which("nice"):
        prefix += [nice, "-n", "15"]
    if ionice := shutil.which("ionice"):
        prefix += [ionice, "-c", "2", "-n", "7"]
    return prefix
