"""The local API of ``kiosk recorder``: one handler for each operation of the contract.

A step needs the token of a person who signed in; :mod:`kiosk.services.peers` says which local user
may call at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp import web

from kiosk.api import recorder_calls as calls
from kiosk.api import recorder_operations as operations
from kiosk.api.base import Model
from kiosk.api.recorder import RecorderState
from kiosk.api.upkeep import GET_SIGN_IN, SIGN_OUT, SignedIn
from kiosk.auth.person import Person, RoleError
from kiosk.auth.sign_in import SignInDesk
from kiosk.auth.tokens import TokenIssuer, load_token_secret
from kiosk.errors import RequestError
from kiosk.ipc import EventStream, errors_as_json
from kiosk.selftest import recorder_checks as checks
from kiosk.selftest.sweep_check import check_speech_transmission
from kiosk.services.alarm_log import AlarmLogService
from kiosk.services.camera import CameraService
from kiosk.services.court_keys import CourtKeyService
from kiosk.services.device_turn import DeviceTurn
from kiosk.services.exports import ExportService
from kiosk.services.filing_keys import FilingKeyService
from kiosk.services.headset_signals import HeadsetSignals
from kiosk.services.listening import ListeningService
from kiosk.services.local_api import Call, Route, add_routes, bearer_token
from kiosk.services.machine_watch import MachineWatch
from kiosk.services.minutes import MinutesService
from kiosk.services.morning_check import MorningCheckService
from kiosk.services.peers import check_peer
from kiosk.services.persons_and_notes import MAX_BODY_BYTES, PersonAndNoteService
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.rehearsal import RehearsalService
from kiosk.services.reports import ReportService
from kiosk.services.room import RoomService
from kiosk.services.second_storage import SecondStorageService
from kiosk.services.secretary_call import SecretaryCallService
from kiosk.services.service_life import ServiceLife
from kiosk.services.step_runner import StepRunner
from kiosk.services.stick_profiles import StickProfileService
from kiosk.services.support import SupportService
from kiosk.services.upkeep import RestartRefusedError, UpkeepService, refuse_in_hearing

log = logging.getLogger(__name__)
STAFF_WATCH_S = 2.0
BADGE_THREADS = 8


class RecorderApi:
    """The handlers.

    Args:
        steps: runs the steps of a hearing.
        mark_changed: publishes the state again, soon.
        life: of this process.
        stop: ends it in order.

    Attributes:
        is_testing_device: whether a device is being tested, so that its button marks nothing.
    """

    def __init__(
        self,
        core: RecorderCore,
        steps: StepRunner,
        events: EventStream,
        mark_changed: Callable[[], None],
        life: ServiceLife,
        stop: Callable[[], None],
    ) -> None:
        self._core, self._steps, self._events = core, steps, events
        self._courtroom = core.courtroom
        self._mark_changed = mark_changed
        self._starting: str | None = None
        self._device_turn = DeviceTurn(lambda: core.courtroom.open_hearing_id or self._starting)
        self._desk = SignInDesk(
            core.paths,
            core.settings.kiosk.id,
            lambda: core.courtroom.open_hearing_id is not None,
        )
        # Badges that wait for their turn take no thread from anything else.
        self._badge_executor = ThreadPoolExecutor(BADGE_THREADS, thread_name_prefix="badges")
        idle_s = core.settings.ui.staff_idle_minutes * 60.0
        self._tokens = TokenIssuer(load_token_secret(core.paths.token_secret), idle_s)
        self.exports = ExportService(core.settings, events)
        self._reports = ReportService(core.settings, core.courtroom.take_commissioning)
        self.filing_keys = FilingKeyService(core.paths.escrow_keys, core.paths.public_keys)
        self.machine = MachineWatch(mark_changed)
        self._rehearsal = RehearsalService(core.settings, core.sources, events, self._device_turn)
        core.courtroom.kept_minute.is_rehearsing = lambda: (
            self._rehearsal.is_running or core.sources.is_measured
        )
        self.room = RoomService(
            core.settings,
            core.settings_file,
            lambda: core.courtroom.open_hearing_id,
            turns=lambda: tuple(core.courtroom.turns_outside),
        )
        self._listening = ListeningService(
            core.courtroom,
            steps,
            lambda token, roles: self._require_role(self._tokens.owner(token), roles),
            mark_changed,
        )
        self._camera = CameraService(core, self.room)
        self._upkeep = UpkeepService(life, self._check_restart, stop)
        self.alarm_log = AlarmLogService(core.paths.alarm_log)
        self._support = SupportService(core, life, self._reports, self.alarm_log)
        self._persons_and_notes = PersonAndNoteService(core.courtroom, steps)
        self.headset_signals = HeadsetSignals(core.settings.headset.device)
        self.secretary_call = SecretaryCallService(core, steps, self.headset_signals)
        self._second_storage = SecondStorageService(
            core.settings, lambda: core.courtroom.open_hearing_id is not None
        )
        self.morning_check = MorningCheckService(
            core.settings, core.paths, core.sources, self._is_room_busy, mark_changed
        )
        kept_minute = core.courtroom.kept_minute
        self.morning_check.is_minute_kept = lambda: kept_minute.state() is not None
        core.further_alarms = lambda: [
            *self._desk.alarms,
            *self.filing_keys.alarms(),
            *self.machine.alarms(),
            *self.room.alarms(),
            *self.morning_check.alarms(),
        ]

    @property
    def is_testing_device(self) -> bool:
        """Whether a device is being tested or rehearsed with."""
        return self._device_turn.is_taken

    def application(self) -> web.Application:
        """Return the application of the local socket."""
        app = web.Application(
            middlewares=[errors_as_json, check_peer], client_max_size=MAX_BODY_BYTES
        )
        routes: list[Route] = [
            (operations.GET_STATE, self._get_state),
            (operations.GET_EVENTS, self._get_events),
            (operations.GET_DEVICES, self._get_devices),
            (operations.SIGN_IN, self._sign_in),
            (GET_SIGN_IN, self._get_sign_in),
            (SIGN_OUT, self._sign_out),
            (operations.GET_STAFF, self._get_staff),
            (operations.OPEN_FILING_KEY, self._open_filing_key),
            (operations.START_HEARING, self._start),
            (operations.DECLINE_MINUTE, self._decline_minute),
            (operations.ADD_MARK, self._add_mark),
            (operations.UNDO_MARK, self._undo_mark),
            (operations.END_OATH, self._end_oath),
            (operations.GET_INTERRUPTIONS, self._get_interruptions),
            (operations.RECESS, self._recess),
            (operations.RETIRE, self._retire),
            (operations.RESUME, self._resume),
            (operations.CLOSE_HEARING, self._close),
            (operations.OPEN_HEARING, self._open),
            (operations.CLOSE_SINCE, self._close_since),
            (operations.END_HEARING, self._end),
            (operations.RECORD_STATEMENT, self._record_statement),
            (operations.APPLY_REMEDY, self._apply_remedy),
            *(
                (call, partial(self._test_device, name))
                for name, call in operations.DEVICE_TESTS.items()
            ),
            *self._rehearsal.routes(),
            *self._listening.routes(),
            *self._persons_and_notes.routes(),
            *self.secretary_call.routes(),
            *self._reports.routes(),
            *self.room.routes(),
            *self._camera.routes(),
            *self.exports.routes(),
            *MinutesService(self._core.settings).routes(),
            *self._upkeep.routes(),
            *self.alarm_log.routes(),
            *self._second_storage.routes(),
            *self._support.routes(),
            *CourtKeyService(self._core.settings).routes(),
            *StickProfileService(self._core.settings, self._core.settings_file).routes(),
        ]
        add_routes(app, operations.RECORDER_OPERATIONS, routes, self._authorize)
        return app

    async def _authorize(self, request: web.Request, roles: tuple[str, ...]) -> Person:
        """Return who calls, by the token.

        Raises:
            TokenError: nobody; RoleError: somebody who may not.
        """
        return self._require_role(self._tokens.check(bearer_token(request)), roles)

    def _require_role(self, signed_in: Person, roles: tuple[str, ...]) -> Person:
        """Return ``signed_in`` with the roles that the list gives now.

        Raises:
            TokenError: not listed any more; RoleError: none of ``roles``.
        """
        person = self._desk.as_listed(signed_in)
        if not person.has_role(roles):
            raise RoleError(f"needs one of the roles {', '.join(roles)}")
        return person

    # -- state, sign-in ----------------------------------------------------------------------------
    async def _get_state(self, _call: Call) -> RecorderState:
        return self._courtroom.state()

    async def _get_events(self, call: Call) -> web.StreamResponse:
        return await self._events.handle(call.http)

    async def _get_devices(self, _call: Call) -> Model:
        devices = [*self._core.sources.devices(), self._core.panel.describe()]
        return calls.Devices(devices=tuple(devices))

    async def _sign_in(self, call: Call) -> Model:
        proof = await call.read(calls.SignIn)
        desk, place = self._desk, proof.place
        if proof.badge is not None:
            find = partial(desk.find_by_badge, proof.badge, place)
        elif proof.person is not None and proof.pin is not None:
            find = partial(desk.find_by_pin, proof.person, proof.pin, place)
        else:
            raise RequestError("person: a person with a pin, or a badge, is needed")
        executor = None if proof.badge is None else self._badge_executor
        person = await asyncio.get_running_loop().run_in_executor(executor, find)
        token = self._tokens.issue(person)
        if proof.place == "screen":
            await self._listening.sign_in(person, token)
        return calls.StaffSession(
            token=token, person=person.id, name=person.name, roles=person.roles
        )

    async def _get_sign_in(self, call: Call) -> Model:
        return SignedIn(person=call.person.id, roles=call.person.roles)

    async def _sign_out(self, call: Call) -> Model:
        self._tokens.end(bearer_token(call.http))
        await self._listening.look()
        return SignedIn(person=call.person.id, roles=call.person.roles)

    async def _get_staff(self, _call: Call) -> Model:
        people = await asyncio.to_thread(self._desk.people)
        return calls.ListedPeople(people=tuple(people))

    async def watch_staff(self) -> None:
        """Read the staff list again as it changes; publish the alarms that follow."""
        while True:
            try:
                if await asyncio.to_thread(self._desk.refresh):
                    self._mark_changed()
            except Exception:  # the next look tries again
                log.exception("the staff list cannot be watched")
            await asyncio.sleep(STAFF_WATCH_S)

    async def _open_filing_key(self, call: Call) -> Model:
        request = await call.read(calls.WrappedKey)
        answer = await asyncio.to_thread(self.filing_keys.open, request)
        log.info("%s opens an unfinished filing", call.person.id)
        return answer

    # -- steps of a hearing ------------------------------------------------------------------------
    async def _start(self, call: Call) -> Model:
        request = await call.read(calls.StartHearing)
        hearing = request.hearing or {"adhoc": True}
        start = partial(self._courtroom.start, with_minute_before=request.with_minute_before)
        person, tap_ns = call.person.id, call.received_ns
        # What is recorded begins with the tap, and a slow disk opens the hearing seconds later.
        self._starting = str(hearing.get("id", ""))
        self._device_turn.make_way()
        self.morning_check.make_way()
        try:
            return await self._steps.run(lambda: start(hearing, person, tap_ns))
        finally:
            self._starting = None

    async def _decline_minute(self, call: Call) -> Model:
        hearing = (await call.read(calls.DueHearing)).hearing_id
        return await self._steps.run(lambda: self._courtroom.decline_minute(hearing))

    async def _add_mark(self, call: Call) -> Model:
        mark = await call.read(calls.AddMark)
        person = call.person.id
        return await self._steps.run(
            lambda: self._courtroom.add_mark(mark.type, person, mark.note, mark.role, of=mark.of)
        )

    async def _undo_mark(self, call: Call) -> Model:
        mark, person = (await call.read(calls.UndoMark)).mark, call.person.id
        return await self._steps.run(lambda: self._courtroom.undo_mark(person, mark))

    async def _end_oath(self, call: Call) -> Model:
        mark = (await call.read(calls.EndOath)).mark
        return await self._steps.run(lambda: self._courtroom.end_oath(mark, call.person.id))

    async def _get_interruptions(self, call: Call) -> Model:
        query = call.read_query(calls.InterruptionQuery)
        return await asyncio.to_thread(self._courtroom.interruptions, query)

    async def _recess(self, call: Call) -> Model:
        reason = (await call.read(calls.StepReason)).reason
        return await self._steps.run(lambda: self._courtroom.recess(call.person.id, reason))

    async def _retire(self, call: Call) -> Model:
        reason = (await call.read(calls.StepReason)).reason
        return await self._steps.run(lambda: self._courtroom.retire(call.person.id, reason))

    async def _resume(self, call: Call) -> Model:
        return await self._steps.run(lambda: self._courtroom.resume(call.person.id))

    async def _end(self, call: Call) -> Model:
        return await self._steps.run(lambda: self._courtroom.end(call.person.id))

    async def _record_statement(self, call: Call) -> Model:
        statement = await call.read(calls.Statement)
        person = call.person.id
        return await self._steps.run(lambda: self._courtroom.record_statement(statement, person))

    async def _apply_remedy(self, call: Call) -> Model:
        request = await call.read(calls.ApplyRemedy)
        person = call.person.id
        return await self._steps.run(lambda: self._courtroom.apply_remedy(request, person))

    # -- open and closed ---------------------------------------------------------------------------
    # These steps divide what is captured exactly at the tap. From the tap until the step is done
    # nothing is written, only kept in memory: what was captured after the tap must be on the disk
    # in the other part's form alone.
    async def _close(self, call: Call) -> Model:
        with self._courtroom.held_writing(call.received_ns):
            request = await call.read(calls.CloseHearing)
            return await self._change_publicity(call, True, request.ground, request.note)

    async def _open(self, call: Call) -> Model:
        with self._courtroom.held_writing(call.received_ns):
            note = (await call.read(calls.OpenHearing)).note
            return await self._change_publicity(call, False, None, note)

    async def _change_publicity(
        self, call: Call, closed: bool, ground: str | None, note: str
    ) -> Model:
        person, tap_ns = call.person.id, call.received_ns
        return await self._steps.run(
            lambda: self._courtroom.change_publicity(closed, person, tap_ns, ground, note)
        )

    async def _close_since(self, call: Call) -> Model:
        with self._courtroom.held_writing(call.received_ns):
            request = await call.read(calls.CloseSince)
            person, tap_ns = call.person.id, call.received_ns
            return await self._steps.run(
                lambda: self._courtroom.close_retroactively(person, request, tap_ns)
            )

    # -- upkeep ------------------------------------------------------------------------------------
    async def _check_restart(self, _call: Call) -> None:
        """Check that the recorder may end now; a hearing that begins meanwhile resumes by itself.

        Raises:
            RestartRefusedError: a hearing is open or being sealed, a copy is made, or a device is
                tested.
        """
        if self._courtroom.open_hearing_id is not None:
            raise refuse_in_hearing()
        if self._courtroom.is_sealing or self.exports.is_copying or self.is_testing_device:
            raise RestartRefusedError("it seals, copies or tests a device")

    def _is_room_busy(self) -> bool:
        """Return whether a hearing is open, or a device is tested."""
        is_open = self._courtroom.open_hearing_id is not None or self._starting is not None
        return is_open or self.is_testing_device

    # -- device tests ------------------------------------------------------------------------------
    async def _test_device(self, name: str, call: Call) -> Model:
        test = await call.read(calls.TestDevice)
        answer = await self._device_turn.run(call, lambda: self._run_device_test(name, test))
        if answer.state == "passed":
            await self.morning_check.forget_mended(name, answer.measured)
        return answer

    async def _run_device_test(self, name: str, test: calls.TestDevice) -> calls.DeviceTestAnswer:
        core, courtroom, seconds = self._core, self._courtroom, test.seconds or 0.0
        settings, paths, sources = core.settings, core.paths, core.sources
        tests: dict[str, Callable[[], Awaitable[calls.DeviceTestAnswer]]] = {
            "camera": lambda: checks.check_camera(
                settings, sources, paths, seconds, is_baseline=test.commissioning
            ),
            "microphones": lambda: checks.check_microphones(settings, sources, seconds),
            "speech_transmission": lambda: check_speech_transmission(
                settings, sources, paths, is_baseline=test.commissioning
            ),
            "headset": lambda: checks.check_headset(settings, seconds),
            "panel": lambda: checks.check_panel(
                core.panel, lambda: courtroom.is_capturing, courtroom.sync_lamp, seconds
            ),
            "storage": lambda: checks.check_storage(settings, paths),
            "mirror": lambda: checks.check_mirror(settings, courtroom.state().mirror),
            "clock": checks.check_clock,
            "certificate": lambda: checks.check_certificate(settings, paths),
            "machine": checks.check_machine,
            "court_keys": lambda: checks.check_court_keys(paths),
        }
        return await tests[name]()
