"""``kiosk recorder`` as a process: devices, courtroom, local API and their life. Wiring only.

Requests are authenticated by the sign-in token; SO_PEERCRED is logged. Steps of a hearing run in
one thread, one after the other; the event loop only hands on, so that state, levels and watchdog
never wait for a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import struct
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiohttp import web

from kiosk.auth.sign_in import (
    Person,
    RoleError,
    StaffDirectory,
    TokenError,
    TokenIssuer,
    load_token_secret,
)
from kiosk.clocks import recording_ns
from kiosk.hardware.virtual.panel import press_mock_button
from kiosk.hearing.monitoring.monitor import POLL_S
from kiosk.hearing.room.errors import AlreadyRecordingError, BadRequestError
from kiosk.ipc import EventStream, Handler, errors_as_json, read_json, serve_unix
from kiosk.selftest import recorder_checks
from kiosk.services.exports import ExportService
from kiosk.services.filing_keys import FilingKeyService
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.watchdog import notify, ping_watchdog

log = logging.getLogger(__name__)
T = TypeVar("T")
COURT_ROLES = ("secretary", "judge", "presiding")
TECHNICIAN_ROLES = ("technician",)
STATE_INTERVAL_S, LEVELS_INTERVAL_S = 1.0, 0.1
SHUTDOWN_S = 15.0
"""systemd allows 20 s (TimeoutStopSec)."""
HUNG_STEP_S = 10.0
"""A step that takes longer than this counts as hung (watchdog)."""
PREVIEW_SIZE = (640, 360)


class RecorderService:
    """Everything of ``kiosk recorder``; :meth:`run` lives until SIGTERM or SIGINT.

    Args:
        core: its courtroom has recovered.
    """

    def __init__(self, core: RecorderCore) -> None:
        self.settings = settings = core.settings
        self.paths = core.paths
        self.sources, self.panel, self.courtroom = core.sources, core.panel, core.courtroom
        core.on_change, core.on_button_press = self._mark_changed, self._on_button_press
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._events = EventStream()
        self._hearing_executor = ThreadPoolExecutor(1, thread_name_prefix="hearing")
        self._step_started_at: float | None = None
        self._device_test_lock = asyncio.Lock()
        self.staff = StaffDirectory(self.paths.staff)
        idle_s = settings.ui.staff_idle_minutes * 60.0
        self.tokens = TokenIssuer(load_token_secret(self.paths.token_secret), idle_s)
        self.exports = ExportService(
            settings, lambda request: self._authorize(request, COURT_ROLES), self._events
        )
        self.filing_keys = FilingKeyService(self.paths.escrow_keys)

    # -- life ----------------------------------------------------------------------------------
    async def run(self) -> None:
        """Serve until a signal comes; then close and seal what runs, so that it can go on."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        self._loop.add_signal_handler(signal.SIGUSR1, press_mock_button, self.settings.panel)
        runner = await serve_unix(self._app(), self.paths.recorder_socket)
        tasks = [
            asyncio.create_task(self._publish_states()),
            asyncio.create_task(self._publish_levels()),
            asyncio.create_task(self._poll_courtroom()),
            asyncio.create_task(self.filing_keys.run()),
            asyncio.create_task(ping_watchdog(self._is_healthy)),
        ]
        notify("READY=1")
        log.info("recorder of %s runs", self.settings.kiosk.id)
        await self._stop.wait()
        notify("STOPPING=1")
        await self.exports.close()
        await self._run_step(lambda: self.courtroom.shutdown(SHUTDOWN_S))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._events.close()
        await runner.cleanup()
        with contextlib.suppress(FileNotFoundError):
            self.paths.recorder_socket.unlink()
        await asyncio.to_thread(self.sources.close)
        self.panel.close()
        self._hearing_executor.shutdown(wait=False)

    def _is_healthy(self) -> bool:
        """Return whether no step of a hearing hangs."""
        started_at = self._step_started_at
        loop = self._loop
        return started_at is None or loop is None or loop.time() - started_at < HUNG_STEP_S

    async def _run_step(self, step: Callable[[], T]) -> T:
        """Run one step of the hearing in the hearing thread, after those before it."""
        loop = asyncio.get_running_loop()

        def timed() -> T:
            self._step_started_at = loop.time()
            try:
                return step()
            finally:
                self._step_started_at = None

        return await asyncio.shield(loop.run_in_executor(self._hearing_executor, timed))

    def _mark_changed(self) -> None:
        """Publish the state again, now; called from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._changed.set)

    def _on_button_press(self) -> None:
        """Add a mark to the running hearing (in gpiozero's thread)."""
        if not self._device_test_lock.locked():
            with contextlib.suppress(RuntimeError):  # the service is ending
                self._hearing_executor.submit(self.courtroom.mark_from_button)

    async def _publish_states(self) -> None:
        while True:
            self._changed.clear()
            try:
                self._events.send("state", self._state())
            except Exception:  # a state that cannot be serialised must not stop the publisher
                log.exception("the state cannot be published")
            # not wait_for: in Python 3.11 it loses a cancellation that comes with the event
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATE_INTERVAL_S):
                    await self._changed.wait()

    async def _poll_courtroom(self) -> None:
        while True:
            try:
                await self._run_step(self.courtroom.poll)
            except Exception:  # the next poll tries again
                log.exception("the watch failed")
            await asyncio.sleep(POLL_S)

    async def _publish_levels(self) -> None:
        while True:
            if levels := self.sources.levels():
                self._events.send("levels", levels)
            await asyncio.sleep(LEVELS_INTERVAL_S)

    def _state(self) -> dict[str, Any]:
        width, height = PREVIEW_SIZE
        preview = {"path": str(self.paths.preview), "width": width, "height": height}
        return self.courtroom.state() | {"preview": preview}

    # -- API -----------------------------------------------------------------------------------
    def _app(self) -> web.Application:
        app = web.Application(middlewares=[errors_as_json, _log_peer])
        add = app.router
        add.add_get("/v1/state", self._get_state)
        add.add_get("/v1/events", self._events.handle)
        add.add_get("/v1/devices", self._get_devices)
        add.add_post("/v1/sign-in", self._sign_in)
        add.add_post("/v1/filing-keys/open", self._open_filing_key)
        add.add_post("/v1/hearings", self._start)
        self.exports.add_routes(app)
        add.add_post("/v1/hearing/marks", self._requires_court_role(self._mark))
        add.add_post("/v1/hearing/marks/undo", self._requires_court_role(self._undo))
        add.add_post("/v1/hearing/recess", self._requires_court_role(self._recess))
        add.add_post("/v1/hearing/retire", self._requires_court_role(self._retire))
        add.add_post("/v1/hearing/resume", self._requires_court_role(self._resume))
        add.add_post("/v1/hearing/close", self._exact_at_tap(self._close))
        add.add_post("/v1/hearing/open", self._exact_at_tap(self._open))
        add.add_post("/v1/hearing/close-since", self._exact_at_tap(self._close_since))
        add.add_post("/v1/hearing/end", self._requires_court_role(self._end))
        add.add_post("/v1/hearing/statements", self._requires_court_role(self._statement))
        add.add_post("/v1/hearing/remedies", self._requires_court_role(self.courtroom.apply_remedy))
        add.add_post("/v1/hearing/listen", self._start_listen_back)
        add.add_delete("/v1/hearing/listen", self._requires_court_role(self._stop_listen_back))
        for name in ("camera", "microphones", "panel", "storage", "clock", "court_keys"):
            add.add_post(f"/v1/tests/{name}", self._device_test_handler(name))
        return app

    def _authorize(self, request: web.Request, roles: tuple[str, ...]) -> Person:
        """Return who calls, by the token.

        Raises:
            TokenError: nobody; RoleError: somebody who may not.
        """
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            raise TokenError("not signed in")
        person = self.tokens.check(token)
        if not person.has_role(roles):
            raise RoleError(f"needs one of the roles {', '.join(roles)}")
        return person

    async def _get_state(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._state())

    async def _get_devices(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"devices": [*self.sources.device_entries(), self.panel.device_entry()]}
        )

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        if isinstance(body.get("badge"), str):
            person = self.staff.find_by_badge(body["badge"])
        elif isinstance(body.get("pin"), str):
            person = await asyncio.to_thread(self.staff.find_by_pin, body["pin"])
        else:
            raise BadRequestError("a badge or a pin is needed")
        answer = {"token": self.tokens.issue(person), "person": person.id}
        return web.json_response({**answer, "name": person.name, "roles": list(person.roles)})

    async def _open_filing_key(self, request: web.Request) -> web.StreamResponse:
        person = self._authorize(request, COURT_ROLES)
        answer = await asyncio.to_thread(self.filing_keys.open, await read_json(request))
        log.info("%s opens an unfinished filing", person.id)
        return web.json_response(answer)

    async def _start(self, request: web.Request) -> web.StreamResponse:
        tap_ns = recording_ns()  # before anything else: what is said now is recorded
        person = self._authorize(request, COURT_ROLES)
        hearing = (await read_json(request)).get("hearing") or {"adhoc": True}
        if not isinstance(hearing, dict):
            raise BadRequestError("hearing is not an object")
        try:
            answer = await self._run_step(lambda: self.courtroom.start(hearing, person.id, tap_ns))
        except AlreadyRecordingError as error:
            body = {"code": error.code, "message": str(error), "hearing_id": error.hearing_id}
            return web.json_response(body, status=error.status)
        return web.json_response(answer, status=201)

    def _requires_court_role(
        self, step: Callable[[str, dict[str, Any]], dict[str, Any]]
    ) -> Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]:
        """Return the handler of a step that secretary and judge may take."""

        async def handle(request: web.Request) -> web.StreamResponse:
            person = self._authorize(request, COURT_ROLES)
            body = await read_json(request)
            return web.json_response(await self._run_step(lambda: step(person.id, body)))

        return handle

    def _exact_at_tap(
        self, step: Callable[[str, dict[str, Any], int], dict[str, Any]]
    ) -> Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]:
        """Return the handler of a step that divides what is captured exactly at the tap.

        From the tap until the step is done nothing is written, only kept in memory: whatever was
        captured after it must lie on the disk in the other part's form alone.
        """

        async def handle(request: web.Request) -> web.StreamResponse:
            tap_ns = recording_ns()
            person = self._authorize(request, COURT_ROLES)
            self.courtroom.pause_writing(True)
            try:
                body = await read_json(request)
                answer = await self._run_step(lambda: step(person.id, body, tap_ns))
            finally:
                self.courtroom.pause_writing(False)
            return web.json_response(answer)

        return handle

    def _close(self, person: str, body: dict[str, Any], tap_ns: int) -> dict[str, Any]:
        ground, note = body.get("ground"), _optional_text(body, "note")
        return self.courtroom.change_publicity(True, person, tap_ns, ground, note)

    def _open(self, person: str, body: dict[str, Any], tap_ns: int) -> dict[str, Any]:
        return self.courtroom.change_publicity(
            False, person, tap_ns, note=_optional_text(body, "note")
        )

    def _close_since(self, person: str, body: dict[str, Any], tap_ns: int) -> dict[str, Any]:
        ground, note = body.get("ground"), _optional_text(body, "note")
        return self.courtroom.close_retroactively(person, body, tap_ns, ground, note)

    def _mark(self, person: str, body: dict[str, Any]) -> dict[str, Any]:
        note, role = _optional_text(body, "note"), _optional_text(body, "role")
        return self.courtroom.add_mark(_optional_text(body, "type"), person, note, role)

    def _undo(self, person: str, _body: dict[str, Any]) -> dict[str, Any]:
        return self.courtroom.undo_mark(person)

    def _recess(self, person: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.courtroom.recess(person, _optional_text(body, "reason"))

    def _retire(self, person: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.courtroom.retire(person, _optional_text(body, "reason"))

    def _resume(self, person: str, _body: dict[str, Any]) -> dict[str, Any]:
        return self.courtroom.resume(person)

    def _end(self, person: str, _body: dict[str, Any]) -> dict[str, Any]:
        return self.courtroom.end(person)

    def _statement(self, person: str, body: dict[str, Any]) -> dict[str, Any]:
        subject, note = _optional_text(body, "subject"), _optional_text(body, "note")
        return self.courtroom.record_statement(subject, body.get("value"), note, person)

    async def _start_listen_back(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request, COURT_ROLES)
        body = await read_json(request)
        await self._run_step(lambda: self.courtroom.start_listen_back(body))
        answer = await asyncio.to_thread(self.courtroom.monitor.listen_back.wait_started)
        self._mark_changed()
        return web.json_response({"listening": answer})

    def _stop_listen_back(self, _authorize: str, _body: dict[str, Any]) -> dict[str, Any]:
        self.courtroom.monitor.listen_back.stop()
        self._mark_changed()
        return {"listening": None}

    def _device_test_handler(
        self, name: str
    ) -> Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]:
        """Return the handler of a device's test, which only a technician may run."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self._authorize(request, TECHNICIAN_ROLES)
            body = await read_json(request)
            if (open_hearing := self.courtroom.open_hearing_id) is not None:
                raise AlreadyRecordingError(open_hearing)
            seconds = body.get("seconds") or 0.0
            if not isinstance(seconds, int | float) or not 0 <= seconds <= 300:
                raise BadRequestError("seconds must be between 0 and 300")
            async with self._device_test_lock:
                return web.json_response(await self._run_device_test(name, float(seconds)))

        return handle

    async def _run_device_test(self, name: str, seconds: float) -> dict[str, Any]:
        if name == "camera":
            return await recorder_checks.check_camera(
                self.settings, self.sources, self.paths, seconds
            )
        if name == "microphones":
            return await recorder_checks.check_microphones(self.settings, self.sources, seconds)
        if name == "panel":
            courtroom = self.courtroom
            return await recorder_checks.check_panel(
                self.panel, lambda: courtroom.is_capturing, courtroom.sync_lamp, seconds
            )
        if name == "storage":
            return await recorder_checks.check_storage(self.settings, self.paths)
        if name == "court_keys":
            return await recorder_checks.check_court_keys(self.paths)
        return await recorder_checks.check_clock()


def _optional_text(body: dict[str, Any], key: str) -> str:
    """Return the text at ``key``, ``""`` where there is none."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequestError(f"{key} is not text")
    return value


@web.middleware
async def _log_peer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log which local user sent a request that changes something (SO_PEERCRED)."""
    if request.method == "POST" and request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        if peer is not None:
            found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid, uid, _gid = struct.unpack("3i", found)
            log.info("%s from process %d of user %d", request.path, pid, uid)
    return await handler(request)
