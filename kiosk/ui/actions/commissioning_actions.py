"""Setting up the room on the screen: what each tap does (asyncio, no Kivy).

After each step the recorder keeps the record, so that a power cut or a sign-out costs no step.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kiosk import room_profile
from kiosk.api.room import FoundInput, FoundInputs, Room, SpokenSentence, SpokenSentences
from kiosk.api.upkeep import RESTART
from kiosk.clocks import recording_ns
from kiosk.commissioning.heard import Listening
from kiosk.commissioning.record import CHECKS_OF_STEP, Record, StepState
from kiosk.commissioning.seats import Row, assign, remove
from kiosk.commissioning.walk import Seat, Walk, with_walk
from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.hardware.ports import list_ports
from kiosk.hardware.tones import GOOD, WRONG
from kiosk.hearing.room.noise_baseline import load_noise_floors
from kiosk.ipc import LocalClient
from kiosk.selftest import CHECKS, SelfTestContext
from kiosk.selftest.model import Question
from kiosk.selftest.run import run_check
from kiosk.storage.paths import Paths
from kiosk.ui.actions.asked_person import AskedPerson
from kiosk.ui.actions.commissioning_codes import CommissioningCodes
from kiosk.ui.actions.commissioning_devices import CommissioningDevices
from kiosk.ui.actions.commissioning_report import CommissioningReport
from kiosk.ui.actions.commissioning_stick import CommissioningStick

log = logging.getLogger(__name__)
POLL_S = 0.5
INPUTS_S = 2.0
RESTART_S = 60.0
REST_S = 5.0
"""So long nobody speaks after the walk: noise is measured."""
PROMPT_S = 10.0
"""No sentence of the walk takes longer; a loudspeaker that hangs must not make the walk deaf."""


@dataclass(frozen=True)
class CommissioningState:
    """What the screen shows.

    Attributes:
        step: the step that is shown; empty: the list of all.
        room: what is set up, as the recorder says; None: it has not answered.
        inputs: sound inputs that are there; None: not asked yet.
        heard: id of the input that hears somebody now.
        chosen: the input whose seat is chosen now; empty: none.
        seats: results of the walk.
        asked_seat: index of the seat that is spoken at now.
        is_measured: the walk is over, and the room was measured with a sweep.
        running: the check that runs; ``restart``: the recorder takes the profile.
        question: what the person is asked.
        is_skip_asked: why the step is skipped is being asked.
        problem: alarm code of what did not work.
        detail: what the recorder said of it, for the technician.
        typed: the room's number as typed.
    """

    record: Record = field(default_factory=Record)
    step: str = ""
    room: Room | None = None
    inputs: tuple[FoundInput, ...] | None = None
    heard: str = ""
    chosen: str = ""
    seats: tuple[Seat, ...] = ()
    asked_seat: int = 0
    is_measured: bool = False
    running: str = ""
    question: Question | None = None
    is_skip_asked: bool = False
    problem: str = ""
    detail: str = ""
    typed: str | None = None


class CommissioningActions:
    """What a tap does.

    Args:
        settings: of this kiosk, as the screen was started.
        recorder, sync: the services; the recorder's client holds the technician's token.
        read_badge: waits for a badge.
        say: speaks ``(what, role, tone)``; ``what`` is the name of a sentence.
        is_speaking: whether the loudspeaker still says something: microphones hear it, too.
        on_change: called after every change.

    Attributes:
        on_language: called with the language that was chosen.
        on_finished: called when all is kept: screen and delivery take the new settings.
    """

    def __init__(
        self,
        settings: Settings,
        recorder: LocalClient,
        sync: LocalClient,
        read_badge: Callable[[float], Awaitable[str | None]],
        say: Callable[[str, str, tuple[float, ...]], None],
        is_speaking: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._settings, self._paths = settings, Paths.from_settings(settings.paths)
        self._recorder, self._sync = recorder, sync
        self._read_badge = read_badge
        self._say, self._is_speaking, self._notify_change = say, is_speaking, on_change
        self.on_language: Callable[[str], None] = lambda _language: None
        self.on_finished: Callable[[], Awaitable[None]] | None = None
        self.state = CommissioningState()
        self._listening = Listening()
        self._walk: Walk | None = None
        self._person = AskedPerson(lambda question: self._set(question=question))
        self.codes = CommissioningCodes(recorder, sync, on_change)
        self.devices = CommissioningDevices(on_change)
        self.stick = CommissioningStick(recorder, on_change)
        self.report = CommissioningReport(self._paths, sync, on_change)
        self._inputs_at = self._said_at = self._delivery_at = 0.0
        self._is_looking_in_vain = False

    # -- the whole ---------------------------------------------------------------------------------
    async def load(self) -> None:
        """Read how far the room is set up, and show the list of steps."""
        try:
            record = (await self._recorder.get("/v1/commissioning")).get("record") or {}
            room = Room.model_validate(await self._recorder.get("/v1/room"))
        except (KioskError, ValueError) as error:
            self._fail(error)
            return
        self._set(record=Record.from_json(record), room=room, step="", problem="", detail="")
        await self.report.load()

    def reset(self) -> None:
        """Forget what is shown: somebody else may come, and the recorder keeps the record."""
        self._walk = None
        self.codes.reset()
        self.stick.reset()
        self.report.reset()
        self.devices.leave()
        self.state = CommissioningState()

    async def begin(self, person: str, replaced: str = "") -> None:
        """Begin anew: everything, or what ``replaced`` concerns."""
        record = self.state.record.begin(person, replaced)
        if await self._keep(record):
            self.go_on()

    def go_on(self) -> None:
        """Show the first open step; the last one when none is open."""
        record = self.state.record
        self.show(record.next_step or record.plan[-1])

    def show(self, step: str) -> None:
        """Show ``step``; empty: the list."""
        self._walk = None
        self._listening = Listening()
        self.codes.start("")
        self.stick.leave()
        self.devices.leave()
        self._set(
            step=step,
            chosen="",
            heard="",
            is_skip_asked=False,
            problem="",
            detail="",
            typed=None,
            is_measured=False,
        )
        if step == "walk":
            self.start_walk()

    def back(self) -> None:
        """Show what was before."""
        state = self.state
        if state.is_skip_asked or state.chosen:
            self._set(is_skip_asked=False, chosen="")
        elif self.codes.state.purpose:
            self.codes.start("")
        elif self.devices.state.kind:
            self.devices.leave()
        elif self.stick.state.profiles is not None:
            self.stick.leave()
        else:
            self.show(state.record.before(state.step) or "")

    def ask_skip(self) -> None:
        """Ask why the step is skipped."""
        self._set(is_skip_asked=True)

    async def skip(self, reason: str) -> None:
        """Skip the step."""
        await self.finish("skipped", reason)

    async def finish(self, state: StepState, reason: str = "") -> None:
        """Keep what became of the step and show the next one."""
        if not self.state.step:
            return  # the technician was signed out meanwhile
        record = self.state.record.with_result(self.state.step, state, reason)
        if await self._keep(record):
            following = record.next_step
            self.show(following or "")

    async def _keep(self, record: Record) -> bool:
        """Have the recorder keep ``record``; return whether it did.

        What still runs after a sign-out knows an empty record: it would be kept in place of all.
        """
        if self.state.room is None:
            return False
        try:
            await self._recorder.call("PUT", "/v1/commissioning", {"record": record.to_json()})
        except KioskError as error:
            self._fail(error)
            return False
        self._set(record=record, problem="", detail="")
        return True

    async def _draft(self, table: str, value: Any) -> bool:
        """Add ``value`` to what is chosen and not in force yet."""
        record = self.state.record
        draft = room_profile.merge(record.draft, {table: value})
        return await self._keep(replace(record, draft=draft))

    async def apply(self) -> bool:
        """Make what was chosen the room's profile and let the recorder take it."""
        state = self.state
        if not state.record.draft or state.room is None:
            return True
        self._set(running="restart", problem="", detail="")
        try:
            # Read anew: the camera's screen may have kept its picture since the steps were opened.
            kept = Room.model_validate(await self._recorder.get("/v1/room"))
            profile = room_profile.merge(kept.profile, state.record.draft)
            answer = await self._recorder.call("PUT", "/v1/room", {"profile": profile})
            room = Room.model_validate(answer)
            if not room.is_in_force:
                await self._recorder.post(RESTART.path)
                room = await self._wait_in_force()
        except (KioskError, TimeoutError, ValueError) as error:
            self._set(running="")
            self._fail(error)
            return False
        self._set(running="", room=room, inputs=None)
        return await self._keep(self.state.record.applied())

    async def _wait_in_force(self) -> Room:
        """Return the room once the recorder runs with it."""
        async with asyncio.timeout(RESTART_S):
            while True:
                await asyncio.sleep(POLL_S)
                try:
                    room = Room.model_validate(await self._recorder.get("/v1/room", 2.0))
                except KioskError:
                    continue  # it is being restarted
                if room.is_in_force:
                    return room

    # -- language and room -------------------------------------------------------------------------
    async def choose_language(self, language: str) -> None:
        """Take the language of the kiosk."""
        self.on_language(language)
        if await self._draft("kiosk", {"language": language}):
            await self.finish("done")

    @property
    def room_number(self) -> str:
        """The room's number or name as it is now."""
        if self.state.typed is not None:
            return self.state.typed
        drafted = self.state.record.draft.get("kiosk", {}).get("room")
        return str(drafted or self.room_tables().get("kiosk", {}).get("room", ""))

    def type_room(self, key: str) -> None:
        """Add a digit to the room's number, or take the last one away (``key`` is empty)."""
        typed = self.state.typed or ""
        self._set(typed=typed[:-1] if not key else (typed + key)[:6])

    async def keep_room(self) -> None:
        """Keep the room's number."""
        number = self.room_number
        if number and await self._draft("kiosk", {"room": number}):
            await self.finish("done")

    async def take_profile(self, file: str) -> None:
        """Take over the profile of another room; language and number stay as chosen here."""
        chosen = self.stick.take(file)
        if chosen is None:
            return
        record = self.state.record
        draft = room_profile.merge(record.draft, chosen.profile)
        if "kiosk" in record.draft:
            draft = room_profile.merge(draft, {"kiosk": record.draft["kiosk"]})
        await self._keep(replace(record, draft=draft))

    def room_tables(self) -> Mapping[str, Any]:
        """Return the room's settings after the next start, without what is only drafted."""
        return self.state.room.settings if self.state.room else {}

    # -- microphones -------------------------------------------------------------------------------
    async def poll(self, is_shown: Callable[[], bool]) -> None:
        """Look for inputs while a step shows their levels: so they come ten times a second."""
        while True:
            await asyncio.sleep(POLL_S)
            state = self.state
            is_due = time.monotonic() - self._inputs_at >= INPUTS_S
            if is_shown() and state.room is None:
                await self.load()
            has_levels = state.step in ("microphones", "walk") and not state.running
            if is_shown() and has_levels and is_due:
                await self._find_inputs()
                self._inputs_at = time.monotonic()
            is_due = time.monotonic() - self._delivery_at >= INPUTS_S
            if is_shown() and state.step == "report" and is_due:
                await self.report.refresh()
                self._delivery_at = time.monotonic()
            if is_shown() and state.step == "court_keys" and is_due:
                await self.codes.refresh_keys()
                self._delivery_at = time.monotonic()

    async def _find_inputs(self) -> None:
        try:
            answer = await self._recorder.post("/v1/room/inputs", timeout=30.0)
            inputs = FoundInputs.model_validate(answer).inputs
        except (KioskError, ValueError) as error:
            self._is_looking_in_vain = True
            self._fail(error)
            return
        # It is shown every two seconds: what was wrong at the last look is over.
        if inputs != self.state.inputs or self._is_looking_in_vain:
            self._set(inputs=inputs, **({"problem": ""} if self._is_looking_in_vain else {}))
        self._is_looking_in_vain = False

    def take_levels(self, levels: Mapping[str, Any]) -> None:
        """Take the newest levels of all microphones: who is heard?"""
        state = self.state
        values = {
            name: float(row["rms_db"])
            for name, row in levels.items()
            if isinstance(row, Mapping) and isinstance(row.get("rms_db"), int | float)
        }
        if state.step == "microphones" and not state.chosen:
            heard = self._listening.push(values)
            if heard and heard != state.heard:
                self._set(heard=heard)
        elif state.step == "walk" and self._walk is not None and not self.devices.state.kind:
            own = {seat.name for seat in self._walk.seats}
            self._take_walk_levels({name: value for name, value in values.items() if name in own})

    def rows(self) -> list[Row]:
        """Return the microphones as chosen so far."""
        drafted = self.state.record.draft.get("microphones")
        return list(self.room_tables().get("microphones", []) if drafted is None else drafted)

    def choose_input(self, identifier: str) -> None:
        """Choose the seat of this input next."""
        self._set(chosen=identifier)

    async def seat(self, role: str) -> None:
        """Give the chosen input the seat ``role``; empty: none."""
        found = next((row for row in self.state.inputs or () if row.id == self.state.chosen), None)
        if found is None:
            return
        rows = assign(self.rows(), found, role) if role else remove(self.rows(), found)
        if await self._draft("microphones", rows):
            self._listening = Listening()
            self._set(chosen="", heard="")

    async def keep_microphones(self) -> None:
        """Make the microphones those of the room, in force at once."""
        if await self.apply():
            await self.finish("done" if self.rows() else "failed")

    # -- the walk ----------------------------------------------------------------------------------
    def start_walk(self) -> None:
        """Ask for the first seat."""
        seats = [(str(row["name"]), str(row["role"] or row["name"])) for row in self.rows()]
        self._walk = Walk(
            [seat for seat in seats if seat[1] not in ("spare", "remote")],
            load_noise_floors(self._paths),
        )
        self._show_walk()
        self._ask_for_seat(())

    def _show_walk(self) -> None:
        if self._walk is not None:
            self._set(seats=tuple(self._walk.seats), asked_seat=self._walk.asked)

    def _is_prompting(self) -> bool:
        """Return whether the microphones hear the loudspeaker."""
        return self._is_speaking() and time.monotonic() - self._said_at < PROMPT_S

    def _ask_for_seat(self, tone: tuple[float, ...]) -> None:
        seat = self._walk.seat if self._walk else None
        self._said_at = time.monotonic()
        self._say("speak_at" if seat else "walk_done", seat.role if seat else "", tone)

    def _take_walk_levels(self, levels: Mapping[str, float]) -> None:
        assert self._walk is not None
        is_prompting, at_ns = self._is_prompting(), recording_ns()
        if (seat := self._walk.push(levels, is_prompting=is_prompting, at_ns=at_ns)) is None:
            return
        is_right = seat.verdict == "right"
        self._show_walk()
        self._ask_for_seat(GOOD if is_right else WRONG)

    def ask_again(self, index: int) -> None:
        """Ask for one seat again."""
        if self._walk is not None:
            self._walk.ask_again(index)
            self._set(is_measured=False)
            self._show_walk()
            self._ask_for_seat(())

    async def finish_walk(self) -> None:
        """Measure all microphones at rest and with a sweep, as the baseline needs it, and go on.

        Where the sweep said something, a person reads it first: the next tap goes on.
        """
        walk = self._walk
        if not self.state.is_measured:
            await self._measure_room(walk)
            is_swept = self.state.record.checks["speech_transmission"]["code"] != "not_fitted"
            if is_swept and self.state.step == "walk":
                self._set(is_measured=True)
                return
        results = [self.state.record.checks[check] for check in CHECKS_OF_STEP["walk"]]
        is_done = results[0]["state"] == "passed" and results[1]["state"] != "failed"
        is_right = walk is not None and walk.is_right
        await self.finish("done" if is_done and is_right else "failed")

    async def _measure_room(self, walk: Walk | None) -> None:
        context = replace(self._context(), answer_seconds=REST_S)
        await self._run(CHECKS_OF_STEP["walk"], context)
        if walk is not None:
            checks = with_walk(self.state.record.checks, walk.seats, await self._spoken())
            self._set(record=replace(self.state.record, checks=checks))

    async def measure_again(self) -> None:
        """Measure the room again, as when it was not quiet."""
        await self._measure_room(self._walk)

    async def _spoken(self) -> tuple[SpokenSentence, ...]:
        """Return what the voice detector has heard; nothing if the recorder does not say."""
        try:
            answer = await self._recorder.get("/v1/room/spoken")
            return SpokenSentences.model_validate(answer).sentences
        except (KioskError, ValueError) as error:
            log.warning("how loud speech was is not known: %s", getattr(error, "code", "error"))
            return ()

    # -- checks ------------------------------------------------------------------------------------
    async def run_checks(self, step: str) -> bool:
        """Run the checks of ``step``; return whether all passed."""
        return await self._run(CHECKS_OF_STEP[step], self._context())

    async def _run(self, checks: tuple[str, ...], context: SelfTestContext) -> bool:
        results = dict(self.state.record.checks)
        try:
            for check in checks:
                self._set(running=check, problem="", detail="")
                result = await run_check(context, check)
                results[check] = result.as_json()
                self._set(record=replace(self.state.record, checks=results))
        finally:
            self._set(running="", question=None)
        await self._keep(self.state.record)
        return all(results[check]["state"] == "passed" for check in checks)

    async def finish_checked(self) -> None:
        """Go on from a step that has checks: done if the newest of each passed."""
        is_done = self.state.record.has_passed(self.state.step)
        await self.finish("done" if is_done else "failed")

    def leave_camera_untested(self) -> None:
        """Forget the camera's result: its picture is about to be set."""
        self._set(record=self.state.record.without_check("camera"))

    def ports(self) -> tuple[str, ...]:
        """Return the paths of what could be a receipt printer."""
        return tuple(port.path for port in list_ports("printer"))

    async def choose_printer(self, port: str) -> None:
        """Take ``port`` as the receipt printer's."""
        if await self._draft("printer", {"port": port}):
            await self.apply()

    async def keep_output(self) -> None:
        """Take the loudspeaker that was heard; the recorder refuses one that fits two."""
        address = self.devices.state.heard
        self.devices.leave()
        if address and await self._draft("voice", {"loudspeaker": address}):
            if await self.apply():
                self.devices.use(address, True)
            self.start_walk()

    async def keep_scanner(self, device: str) -> None:
        """Take the scanner ``device``."""
        self.devices.leave()
        if await self._draft("scanner", {"kind": "sane", "device": device}):
            await self.apply()

    def settings(self) -> Settings:
        """Return the settings with the room's profile as it is now."""
        tables = room_profile.merge(self._settings.model_dump(mode="json"), self.room_tables())
        return Settings.model_validate(tables)

    def _context(self) -> SelfTestContext:
        return SelfTestContext(
            self.settings(),
            self._paths,
            self._recorder,
            self._sync,
            ask=self._person.ask,
            read_badge=self._read_badge,
            commissioning=True,
        )

    def answer(self, is_yes: bool) -> None:
        """Take the person's answer."""
        self._person.answer(is_yes)

    # -- codes -------------------------------------------------------------------------------------
    async def send_code(self) -> None:
        """Hand the typed code over; what has changed by it is tested at once."""
        if await self.codes.send():
            await self.run_checks(self.state.step)

    # -- report ------------------------------------------------------------------------------------
    async def make_report(self) -> None:
        """Run what has not passed yet; have all signed as the baseline, and delivered."""
        if not await self.apply():
            return
        await self._run(self.state.record.due_checks(CHECKS), self._context())
        self._set(running="report")
        try:
            problem = await self.report.save(self._context(), self.state.record)
        finally:
            self._set(running="")
        if problem:
            self._set(problem=problem)
            return
        if await self._keep(self.state.record.with_result("report", "done")):
            await self._print_at_once()

    async def _print_at_once(self) -> None:
        """Print the report where the printer has printed its test; on another, by a tap."""
        if self.state.record.checks["receipt_printer"]["state"] == "passed":
            await self.print_report()

    async def print_report(self) -> None:
        """Print the report."""
        await self.report.print(self.settings())

    async def close(self) -> None:
        """Let screen and delivery take the room's settings; the record is kept already."""
        if self.on_finished is not None:
            await self.on_finished()

    def _fail(self, error: Exception) -> None:
        code = getattr(error, "code", "error")
        log.warning("setting up the room: %s", code)
        self._set(problem=code, detail=str(error) if code == "room_profile_refused" else "")

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()
