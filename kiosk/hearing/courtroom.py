"""The steps of a hearing in this room: start, marks, recess, retirement, resume, end.

One thread calls the steps; any thread may call :meth:`Courtroom.state`. A step takes effect at
once. A disk that is slow, hung or full does not hold it up: it is written as soon as the disk
takes it, in its order, and until then an alarm says so.
Questions of the rules never delay a start: they are asked while the recording runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from kiosk.api.hall import HallView
from kiosk.api.notes import AddNote, NoteAnswer
from kiosk.api.persons import PersonAnswer, SavePerson
from kiosk.api.receipts import KeepReceipt, ReceiptAnswer
from kiosk.api.recorder import AlarmKey, RecorderState
from kiosk.api.recorder_calls import (
    ApplyRemedy,
    CloseSince,
    CloseSinceAnswer,
    DueHearing,
    EndedHearing,
    InterruptionPage,
    InterruptionQuery,
    ListenBack,
    MarkAnswer,
    MicrophoneDuties,
    OpenQuestions,
    PublicityAnswer,
    ResumedHearing,
    StartedHearing,
    Statement,
    StepAnswer,
)
from kiosk.api.reports import TestedCheck
from kiosk.api.states import LampState, Phase
from kiosk.clocks import recording_ns
from kiosk.config import Settings
from kiosk.hardware.audibility.seat import Turn
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.monitoring.hall_view import build_hall_view
from kiosk.hearing.monitoring.invariant_monitor import InvariantMonitor
from kiosk.hearing.monitoring.known_inputs import KnownInputs
from kiosk.hearing.monitoring.listen_back import PlaybackRefusedError
from kiosk.hearing.monitoring.monitor import HearingMonitor
from kiosk.hearing.monitoring.panel_watch import PanelWatch
from kiosk.hearing.monitoring.state import StateBuilder
from kiosk.hearing.room.errors import AlreadyRecordingError, BadRequestError, StepRefusedError
from kiosk.hearing.room.speech_levels import SpeechLevels
from kiosk.hearing.room.storage_monitor import StorageMonitor
from kiosk.hearing.session import (
    crash_recovery,
    note_steps,
    person_steps,
    publicity_change,
    receipt_steps,
)
from kiosk.hearing.session.context import CourtroomEvents, HearingContext
from kiosk.hearing.session.current_hearing import CurrentHearing
from kiosk.hearing.session.decisions import undo_decision
from kiosk.hearing.session.hearing_state import BUTTON_MARK
from kiosk.hearing.session.interruption_ledger import read_ledger
from kiosk.hearing.session.kept_minute import KeptMinute
from kiosk.hearing.session.microphone_remedies import apply_remedy
from kiosk.hearing.session.oath import end_oath
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController, PartFactory
from kiosk.hearing.session.publicity import CLOSED_EVENT, OPENED_EVENT, Publicity
from kiosk.hearing.session.removals import removals_followed
from kiosk.hearing.session.seal_queue import SealQueue
from kiosk.hearing.session.secretary_call import SecretaryCall
from kiosk.hearing.session.start import record_readiness, start_hearing
from kiosk.hearing.session.statements import record_statement
from kiosk.recording.part import Part
from kiosk.rules import Rules
from kiosk.storage.paths import Paths

MAX_TURNS = 200
"""Of speech outside hearings that are remembered."""
STEP_WAIT_S = 1.0
"""A step waits no longer for the disk: with what it does itself it takes less than 2 s."""


class Courtroom:
    """The recorder of one courtroom: steps of the hearing and State.

    Args:
        sources: opened; they come up by themselves.
        panel: lamp and button; it may be absent.
        make_part: makes a part.
        events: functions to call when something happens.

    Attributes:
        turns_outside: of speech since the last hearing, the newest last.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        rules: Rules,
        sources: Sources,
        panel: Panel,
        make_part: PartFactory = Part,
        events: CourtroomEvents | None = None,
    ) -> None:
        events = events or CourtroomEvents()
        self._rules = rules
        self._sources = sources
        self._on_change = events.on_change
        self._speech_levels = SpeechLevels(paths.speech_levels)
        self.storage = StorageMonitor(settings, paths)
        self.seal_queue = SealQueue()
        self.monitor = HearingMonitor(settings)
        self.inputs = KnownInputs(paths.known_inputs, sources.devices)
        self.turns_outside: deque[Turn] = deque(maxlen=MAX_TURNS)
        if sources.speech is not None:
            sources.speech.usual_level = self.usual_speech_level
        self._current_hearing = CurrentHearing(events.on_change)
        publicity = Publicity(settings, paths, rules, self.storage.store)
        self._context = HearingContext(
            settings,
            paths,
            rules,
            sources,
            panel,
            self.storage,
            publicity,
            self._current_hearing,
            self.seal_queue,
            events,
        )
        self.panel_watch = PanelWatch(panel, sources)
        call_file = paths.recorder_run / "secretary-call"
        self.secretary_call = SecretaryCall(call_file, self._current_hearing)
        self._parts = PartController(self._context, make_part)
        self.kept_minute = KeptMinute(self._context)
        self.invariants = InvariantMonitor(self._context, self._parts)
        self._state_builder = StateBuilder(
            self._context,
            self.monitor,
            self.inputs,
            self.invariants,
            self.kept_minute,
            self._panel_alarms,
        )

    # -- steps ---------------------------------------------------------------------------------
    def start(
        self,
        details: Mapping[str, Any],
        person: str,
        tap_ns: int,
        *,
        with_minute_before: bool = False,
    ) -> StartedHearing:
        """Start recording the hearing ``details`` with everything captured from ``tap_ns`` on.

        Args:
            with_minute_before: keep what :class:`.KeptMinute` has of it, too.

        Raises:
            AlreadyRecordingError: a hearing is open.
            CourtKeyError: it is closed and the court's keys are not pinned: nothing is recorded.
            StorageError: not even a folder can be made.
        """
        if (open_id := self.open_hearing_id) is not None:
            raise AlreadyRecordingError(open_id)
        before = self.kept_minute.take(str(details.get("id", "")) if with_minute_before else "")
        seconds = 0.0 if before is None else before.seconds_until(tap_ns)
        before = before if seconds else None
        hearing = start_hearing(self._context, self._parts, details, person, tap_ns, before)
        record_readiness(self._context, hearing)
        self._finish_step(hearing)
        part = hearing.state.part
        return StartedHearing(
            hearing_id=hearing.state.id, part=part, kept_seconds=round(seconds, 1)
        )

    def decline_minute(self, hearing: str) -> DueHearing:
        """Overwrite what is kept before ``hearing``; see :meth:`.KeptMinute.decline`."""
        self.kept_minute.decline(hearing)
        self._on_change()
        return DueHearing(hearing_id=hearing)

    def add_mark(
        self,
        event: str,
        person: str,
        note: str = "",
        role: str = "",
        *,
        of: str = "",
        known: bool = True,
    ) -> MarkAnswer:
        """Mark ``event`` now.

        Args:
            of: id of the person whom it concerns.
            known: the event must be one of the rules data.

        Raises:
            BadRequestError: no such event, no such person; StepRefusedError: no hearing is open.
        """
        hearing = self._current_hearing.require()
        row = self._rules.events.get(event)
        if known and (row is None or row.made_by == "kiosk"):  # those are steps, not words
            raise BadRequestError(f"no event type “{event}”", code="unknown_event")
        marked = hearing.state.persons.find(of).marked() if of else None
        closing = {CLOSED_EVENT: True, OPENED_EVENT: False}.get(event)
        if closing is not None and closing != (hearing.state.closed is not None):
            self.change_publicity(closing, person, recording_ns(), note=note)
            return MarkAnswer(mark=hearing.state.marks[-1].describe())
        if closing is not None and (said := hearing.declared_already(closing)) is not None:
            return MarkAnswer(mark=said.describe())
        with removals_followed(hearing, person):
            mark = hearing.add_mark(event, person, note, role, marked)
        if of:
            person_steps.end_call(hearing, of, person)
        self._finish_step(hearing)
        return MarkAnswer(mark=mark)

    def mark_from_button(self) -> None:
        """Mark the moment at which the button was pressed; nothing happens without a hearing."""
        with suppress(StepRefusedError):
            self.add_mark(BUTTON_MARK, "", known=False)

    def undo_mark(self, person: str, wanted: int | None = None) -> MarkAnswer:
        """Withdraw the newest mark that a person made; nothing is erased.

        Args:
            wanted: number of the mark that is meant; one that is withdrawn already stays so.

        Raises:
            StepRefusedError: there is none, or another one was made since.
        """
        hearing = self._current_hearing.require()
        if (done := hearing.withdrawn_mark(wanted)) is not None:
            return MarkAnswer(mark=done)
        with removals_followed(hearing, person):
            mark = hearing.undo_mark(person, wanted)
        undo_decision(self._context, hearing, mark.id, person)
        self._finish_step(hearing)
        return MarkAnswer(mark=mark)

    def end_oath(self, number: int, person: str) -> MarkAnswer:
        """End what mark ``number`` began to say; see :func:`.oath.end_oath`."""
        hearing = self._current_hearing.require()
        mark = end_oath(hearing, self._sources, self._rules, number, person)
        self._finish_step(hearing)
        return MarkAnswer(mark=mark.describe())

    def recess(self, person: str, why: str = "") -> StepAnswer:
        """Stop the capture at once for a recess."""
        return self._interrupt("recess", "recess", person, why)

    def retire(self, person: str, why: str = "") -> StepAnswer:
        """Stop the capture at once: the court retires to deliberate."""
        return self._interrupt("retire", "retirement", person, why)

    def _interrupt(self, reason: str, event: str, person: str, why: str) -> StepAnswer:
        hearing = self._current_hearing.require(Phase.RECORDING)
        part = hearing.state.part
        self._parts.stop(hearing, reason, person, why)
        hearing.add_mark(event, person, why, "")
        self._finish_step(hearing)
        return StepAnswer(hearing_id=hearing.state.id, part=part, phase=hearing.state.phase)

    def resume(self, person: str) -> ResumedHearing:
        """Continue with the next part."""
        tap_ns = recording_ns()
        hearing = self._current_hearing.require(Phase.RECESS, Phase.RETIRED)
        fields = {"reason": "resume", "person": person, "tap_ns": tap_ns}
        self._parts.start_next(hearing, fields)
        hearing.add_mark("resumed", person, "", "")
        self._finish_step(hearing)
        return ResumedHearing(hearing_id=hearing.state.id, part=hearing.state.part)

    def end(self, person: str) -> EndedHearing:
        """End the hearing: the capture stops now; the seal is made in the background."""
        hearing = self._current_hearing.require()
        if hearing.capture is not None:
            self._parts.stop(hearing, "end", person, "")
        self._take_last_turns(hearing)  # later the journal is sealed
        self.monitor.court_line.end(hearing)
        hearing.append("ending", {"person": person})
        self._context.publicity.remember(hearing.state)
        self._finish_step(hearing)
        self.seal_queue.submit(hearing.state.id, partial(self._seal_hearing, hearing, person))
        return EndedHearing(hearing_id=hearing.state.id, phase=Phase.SEALING)

    def _take_last_turns(self, hearing: OpenHearing) -> None:
        """Journal also the turns that go on, as far as they were heard."""
        if (speech := self._sources.speech) is not None:
            hearing.add_turns(speech.take_all_turns())

    def _seal_hearing(self, hearing: OpenHearing, person: str) -> None:
        self._context.publicity.save_remembered()
        hearing.seal(person)
        totals = hearing.state.speech.describe()
        self._speech_levels.add(row for row in totals if not self.inputs.is_replaced(row.source))
        self._current_hearing.clear(hearing)
        self._on_change()

    def _finish_step(self, hearing: OpenHearing) -> None:
        """Show the step, and give the disk a moment to take it; what it does not take is owed."""
        self._on_change()
        if self.storage.store.is_prompt:
            hearing.settle(STEP_WAIT_S)

    # -- open and closed -----------------------------------------------------------------------
    def held_writing(self, tap_ns: int) -> AbstractContextManager[None]:
        """Hold captured media in memory from ``tap_ns`` on; nothing is lost meanwhile."""
        return self._parts.hold.held(tap_ns)

    def change_publicity(
        self, closed: bool, person: str, tap_ns: int, ground: str | None = None, note: str = ""
    ) -> PublicityAnswer:
        """Close or open the hearing; see :func:`.publicity_change.close_or_open`."""
        hearing = self._current_hearing.require()
        answer = publicity_change.close_or_open(
            self._context, self._parts, closed, person, tap_ns, ground, note
        )
        self._finish_step(hearing)
        return answer

    def close_retroactively(
        self, person: str, request: CloseSince, tap_ns: int
    ) -> CloseSinceAnswer:
        """Close it from an earlier moment; see :func:`.publicity_change.close_retroactively`."""
        hearing = self._current_hearing.require()
        answer = publicity_change.close_retroactively(
            self._context, self._parts, request, person, tap_ns
        )
        self._finish_step(hearing)
        return answer

    # -- other steps ---------------------------------------------------------------------------
    def record_statement(self, request: Statement, person: str) -> OpenQuestions:
        """Record an answer or another statement; see :func:`.statements.record_statement`."""
        answer = record_statement(self._context, request, person)
        if (hearing := self.current) is not None:
            self._finish_step(hearing)
        return answer

    def save_person(self, request: SavePerson, by: str) -> PersonAnswer:
        """Add or change a person; see :func:`.person_steps.save_person`."""
        hearing = self._current_hearing.require()
        answer = person_steps.save_person(self._context, request, by)
        self._finish_step(hearing)
        return answer

    def remove_person(self, identifier: str, by: str) -> PersonAnswer:
        """Remove a person; see :func:`.person_steps.remove_person`."""
        hearing = self._current_hearing.require()
        answer = person_steps.remove_person(self._context, identifier, by)
        self._finish_step(hearing)
        return answer

    def add_note(self, request: AddNote, by: str) -> NoteAnswer:
        """Keep a note; see :func:`.note_steps.add_note`."""
        hearing = self._current_hearing.require()
        answer = note_steps.add_note(hearing, request, by)
        self._finish_step(hearing)
        return answer

    def withdraw_note(self, number: int, by: str) -> NoteAnswer:
        """Withdraw a note; see :func:`.note_steps.withdraw_note`."""
        hearing = self._current_hearing.require()
        answer = note_steps.withdraw_note(hearing, number, by)
        self._finish_step(hearing)
        return answer

    def note_receipt_printed(self, mark: int, by: str) -> ReceiptAnswer:
        """Journal that a receipt was printed; see :func:`.receipt_steps.note_printed`."""
        hearing = self._current_hearing.require()
        answer = receipt_steps.note_printed(hearing, mark, by)
        self._finish_step(hearing)
        return answer

    def keep_receipt(self, request: KeepReceipt, by: str) -> ReceiptAnswer:
        """Keep the scan of a signed receipt; see :func:`.receipt_steps.keep_scan`."""
        hearing = self._current_hearing.require()
        answer = receipt_steps.keep_scan(self._context, hearing, request, by)
        self._finish_step(hearing)
        return answer

    def withdraw_receipt(self, scan: int, by: str) -> ReceiptAnswer:
        """Withdraw a scan; see :func:`.receipt_steps.withdraw_scan`."""
        hearing = self._current_hearing.require()
        answer = receipt_steps.withdraw_scan(hearing, scan, by)
        self._finish_step(hearing)
        return answer

    def apply_remedy(self, request: ApplyRemedy, person: str) -> MicrophoneDuties:
        """Apply a remedy for a failing microphone; see :mod:`.microphone_remedies`."""
        hearing = self._current_hearing.require()
        microphones = self._sources.describe_microphones()
        answer = apply_remedy(hearing, microphones, request, person)
        self._finish_step(hearing)
        return answer

    def start_listen_back(self, request: ListenBack) -> None:
        """Start playing the last minutes in the headset; see :class:`ListenBack`."""
        hearing = self.current
        if hearing is not None and hearing.capture is None:
            state, is_own = hearing.state, str(request.hearing_id) == hearing.state.id
            if is_own and (state.phase.is_open or state.pending_closures):
                raise PlaybackRefusedError("it goes on: what was closed may be plain still")
        self.monitor.listen_back.start(hearing.capture if hearing else None, request)

    def poll(self) -> None:
        """Check clock, remote links, reminder and data; called several times a second."""
        changed = self.storage.check_durability()
        changed |= self.invariants.poll(self.current)
        changed |= self.inputs.poll(self.current)
        changed |= self.panel_watch.poll(self.current)
        changed |= self.kept_minute.poll()
        speech = self._sources.speech
        turns = speech.take_turns() if speech is not None else []
        hearing = self.current
        if hearing is not None:
            hearing.note_detector(speech is not None and speech.is_working)
        if hearing is None:
            self.turns_outside.extend(turns)
        else:
            self.turns_outside.clear()
        if turns and hearing is not None and hearing.state.phase.is_open:
            hearing.add_turns(turns)
            changed = True
        if self.monitor.poll(self.current, self._sources.describe_microphones()) or changed:
            self._on_change()

    def usual_speech_level(self, name: str) -> float | None:
        """Return how loud speech usually is at a microphone; of another device nothing is known."""
        return None if self.inputs.is_replaced(name) else self._speech_levels.usual(name)

    def take_commissioning(self, results: Sequence[TestedCheck]) -> None:
        """Make the devices in use, and how loud speech was at them, what is known of the room."""
        self.inputs.accept([row.check for row in results if row.state == "passed"])
        self._speech_levels.begin_anew(results)

    def sync_lamp(self) -> None:
        """Set the lamp to match the capture again, after a lamp test."""
        self._parts.set_lamp(LampState.SLOW if self.is_capturing else LampState.OFF)

    # -- start and end of the service ----------------------------------------------------------
    def recover(self) -> None:
        """Close what a crash left open; resume the hearing that was being captured just before."""
        crash_recovery.recover(self._context, self._parts)

    def shutdown(self, seconds: float) -> None:
        """End cleanly: close and seal the running part; the hearing can be resumed."""
        self.kept_minute.close()
        hearing = self.current
        if hearing is not None and hearing.capture is not None:
            self._parts.stop(hearing, "shutdown", "", "")
        if hearing is not None and hearing.state.phase.is_open:
            self._take_last_turns(hearing)
        self._parts.set_lamp(LampState.OFF)
        self.monitor.listen_back.stop()
        self.seal_queue.close(seconds)
        if hearing is not None:
            hearing.journal.close()
        self.storage.close()

    def abort(self) -> None:
        """Release threads and files and write nothing more, as a killed process does."""
        self.kept_minute.close()
        self.seal_queue.close(0)
        if (hearing := self.current) is not None:
            hearing.abort()
        self.storage.close(0.5)

    def _panel_alarms(self) -> list[AlarmKey]:
        return [*self.secretary_call.alarms(), *self.panel_watch.alarms()]

    # -- state ---------------------------------------------------------------------------------
    @property
    def current(self) -> OpenHearing | None:
        """The hearing that is open or being sealed, or None."""
        return self._current_hearing.hearing

    @property
    def is_capturing(self) -> bool:
        """Whether a part is being captured now."""
        hearing = self.current
        return hearing is not None and hearing.capture is not None

    @property
    def open_hearing_id(self) -> str | None:
        """Id of the open hearing, None where there is none."""
        hearing = self.current
        if hearing is None or hearing.state.phase == Phase.SEALING:
            return None
        return hearing.state.id

    @property
    def is_sealing(self) -> bool:
        """Whether a hearing is being sealed; one that cannot be sealed now does not count."""
        return not self.seal_queue.failing_hearings and not self.seal_queue.wait_idle(0)

    def interruptions(self, query: InterruptionQuery) -> InterruptionPage:
        """Return a page of the open hearing's whole ledger of interruptions, from the disk.

        Raises:
            StepRefusedError: no hearing is open; StorageError: a journal cannot be read.
        """
        hearing = self.current
        if hearing is None:
            raise StepRefusedError("no hearing is open")
        rows = read_ledger(self._context.store.locate(hearing.journal.folder))
        page = rows[query.offset : query.offset + query.limit]
        return InterruptionPage(
            total=len(rows),
            offset=query.offset,
            interruptions=tuple(row.describe() for row in page),
        )

    def state(self) -> RecorderState:
        """Return State."""
        return self._state_builder.build()

    def hall_view(self) -> HallView:
        """Return what everybody may see of today's hearings."""
        return build_hall_view(self._context)
