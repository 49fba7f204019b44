"""Copies for the parties as part of the recorder's API; see docs/interfaces.md.

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from kiosk.auth.sign_in import Person
from kiosk.config import Settings
from kiosk.evidence.seal import is_sealed
from kiosk.export.chain_receipt import read_slip
from kiosk.export.errors import (
    ExportError,
    MediumBusyError,
    MediumError,
    NotSealedError,
)
from kiosk.export.log import copies_of
from kiosk.export.permission import require_copyable
from kiosk.export.removable_drive import Medium, SealedHearings, find_media
from kiosk.hearing.room.errors import BadRequestError
from kiosk.ipc import EventStream, read_json
from kiosk.storage.hearing_folder import HEARING
from kiosk.storage.paths import Layout

log = logging.getLogger(__name__)
_STOP_S = 10.0


class Exports:
    """The calls about copies. One copy at a time.

    Args:
        person: returns who calls a request (secretary or judge) or raises.
        events: where ``export`` events go.
    """

    def __init__(
        self, settings: Settings, person: Callable[[web.Request], Person], events: EventStream
    ) -> None:
        self._settings = settings
        self._layout = Layout.of(settings.paths)
        self._person = person
        self._events = events
        self._hearings = SealedHearings(self._layout)
        self._process: asyncio.subprocess.Process | None = None
        self._state: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False

    def add_routes(self, app: web.Application) -> None:
        """Add the calls to the recorder's application."""
        app.router.add_get("/v1/hearings", self._get_hearings)
        app.router.add_get("/v1/hearing/slip", self._get_slip)
        app.router.add_get("/v1/exports", self._get_exports)
        app.router.add_get("/v1/exports/media", self._get_media)
        app.router.add_post("/v1/exports", self._start)
        app.router.add_delete("/v1/exports/{id}", self._cancel)

    async def close(self) -> None:
        """End a copy that is being made; what it left is removed at the next try."""
        if self._task is not None:
            await self._stop()

    # -- calls -----------------------------------------------------------------------------------
    async def _get_hearings(self, request: web.Request) -> web.StreamResponse:
        self._person(request)
        return web.json_response({"hearings": await asyncio.to_thread(self._hearings.listed)})

    async def _get_slip(self, request: web.Request) -> web.StreamResponse:
        self._person(request)
        slip = await asyncio.to_thread(self._slip, request.query.get("hearing_id", ""))
        return web.json_response(slip)

    def _slip(self, wanted: str) -> dict[str, Any]:
        """Return the slip of a hearing; without an id, of the one begun last.

        Raises:
            ExportError: there is no hearing; RecordingError: nothing of it is signed yet.
        """
        root = self._layout.hearings
        folders = [one for one in root.glob("*") if (one / HEARING).is_file()]
        chosen = [one for one in folders if wanted in ("", one.name)]
        if not chosen:
            raise ExportError("no such hearing", code="hearing_unknown")
        newest = max(chosen, key=lambda one: (one / HEARING).stat().st_mtime)
        return read_slip(newest).as_json()

    async def _get_exports(self, request: web.Request) -> web.StreamResponse:
        self._person(request)
        copies = await asyncio.to_thread(copies_of, self._layout)
        return web.json_response({"running": self._state, "copies": copies})

    async def _get_media(self, request: web.Request) -> web.StreamResponse:
        self._person(request)
        media = await asyncio.to_thread(self._media)
        return web.json_response({"media": [one.as_json() for one in media]})

    def _media(self) -> list[Medium]:
        own = self._settings.paths.mirror
        roots = [Path(root) for root in self._settings.export.media]
        return [one for one in find_media(roots) if own is None or not _holds(one.path, own)]

    async def _start(self, request: web.Request) -> web.StreamResponse:
        person = self._person(request)
        body = await read_json(request)
        hearing, medium = _text(body, "hearing_id"), _text(body, "medium")
        language = body.get("language") or self._settings.kiosk.language
        if language not in ("kk", "ru"):
            language = "kk"
        await asyncio.to_thread(self._check, hearing, medium)
        if self._task is not None and not self._task.done():
            raise MediumBusyError("another copy is being made")
        copy_id = str(uuid.uuid4())
        arguments = [hearing, "--to", medium, "--language", language, "--by", person.person]
        application = str(body.get("application") or "")[:500]
        arguments += [f"--application={application}", "--id", copy_id]
        self._state = {"id": copy_id, "hearing_id": hearing, "medium": medium, "state": "running"}
        self._state |= {"stage": "checking", "done": 0, "total": 0}
        self._cancelled = False
        self._events.send("export", self._state)
        self._task = asyncio.create_task(self._run(arguments))
        return web.json_response({"id": copy_id}, status=202)

    def _check(self, hearing: str, medium: str) -> None:
        """Refuse at once what would be refused anyway.

        Raises:
            ExportError: unknown or unsealed hearing, closed hearing, no such medium.
        """
        with contextlib.suppress(ValueError):
            hearing = str(uuid.UUID(hearing))
            folder = self._layout.hearings / hearing
            if folder.is_dir():
                if not is_sealed(folder):
                    raise NotSealedError(f"{hearing}: not sealed yet")
                require_copyable(folder)
                if medium not in [one.path for one in self._media()]:
                    raise MediumError(f"{medium}: no such medium")
                return
        raise ExportError("no such hearing", code="hearing_unknown")

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        self._person(request)
        state = self._state
        if state is None or state["id"] != request.match_info["id"]:
            raise ExportError("no such copy is being made", code="hearing_unknown")
        await self._stop()
        return web.json_response(self._state)

    # -- the child -------------------------------------------------------------------------------
    async def _stop(self) -> None:
        self._cancelled = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=_STOP_S)
            if not done and self._process is not None:  # a medium that hangs
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()

    async def _run(self, arguments: list[str]) -> None:
        """Run the child and tell what it tells."""
        last: dict[str, Any] = {"state": "failed", "code": "export_failed"}
        try:
            last = await self._follow(arguments, last)
        except (OSError, ValueError) as error:
            log.error("the copy cannot be made: %s", error)
        finally:
            if last["state"] == "running" or last.get("code") == "export_failed":
                # it ended without a word: before it could hear us, or killed
                word = "cancelled" if self._cancelled else "failed"
                last = {"state": word, "code": f"export_{word}"}
            self._tell(last)

    async def _follow(self, arguments: list[str], last: dict[str, Any]) -> dict[str, Any]:
        command = [*_low_priority(), sys.executable, "-m", "kiosk.cli", "export", *arguments]
        command += ["--progress-json", "--settings-from-stdin", "--parent", str(os.getpid())]
        self._process = process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._settings.model_dump_json().encode())
        process.stdin.close()
        if self._cancelled:
            process.terminate()
        async for line in process.stdout:
            last = json.loads(line)
            if last["state"] == "running":
                self._tell(last)
        await process.wait()
        return last

    def _tell(self, step: dict[str, Any]) -> None:
        step.pop("message", None)  # technical, and may name folders
        self._state = {**(self._state or {}), **step}
        self._events.send("export", self._state)


def _low_priority() -> list[str]:
    """Return the prefix that gives way to a recording: processor and disk."""
    prefix = []
    if nice := shutil.which("nice"):
        prefix += [nice, "-n", "15"]
    if ionice := shutil.which("ionice"):
        prefix += [ionice, "-c", "2", "-n", "7"]
    return prefix


def _holds(medium: str, mirror: Path) -> bool:
    return mirror.is_relative_to(medium)


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise BadRequestError(f"{key} is needed")
    return value
