"""The life of a hearing in this room: start, marks, recess, retirement, resume, end.

One thread calls the steps (they sync to disk); any thread may ask for :meth:`Courtroom.state`.
Nothing the rules want to know stands before a start: it is asked while the recording runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.config import Settings
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.source import SourceSet
from kiosk.hearing.monitoring.monitor import Attention
from kiosk.hearing.monitoring.state import StateReport
from kiosk.hearing.room.context import Premises
from kiosk.hearing.room.errors import AlreadyRecordingError, BadRequestError, StepRefusedError
from kiosk.hearing.room.storage_monitor import Storages
from kiosk.hearing.session.crash_recovery import TakingUp
from kiosk.hearing.session.current_hearing import Present
from kiosk.hearing.session.hearing_state import BUTTON
from kiosk.hearing.session.journal_options import BookKeeping
from kiosk.hearing.session.microphone_remedies import Remedy
from kiosk.hearing.session.open_hearing import Session
from kiosk.hearing.session.part_capture import MakeRecorder
from kiosk.hearing.session.part_controller import Parts
from kiosk.hearing.session.publicity import CLOSED_MARK, OPENED_MARK, Publicity
from kiosk.hearing.session.publicity_change import Declaring, OnReplaced
from kiosk.hearing.session.seal_queue import Sealer
from kiosk.hearing.session.start import Opening
from kiosk.hearing.session.statements import Answers
from kiosk.recording.capture.part_recorder import PartRecorder
from kiosk.recording.repair.reencrypt import Replaced
from kiosk.rules import Rules
from kiosk.storage.paths import Layout


class Courtroom:
    """What is recorded in this room, and how far it is.

    Args:
        sources: opened; they come up by themselves.
        panel: lamp and button; it may be absent.
        make_recorder: makes the writer of a part's media.
        changed: called after each change, from any thread.
        on_replaced: told (from the sealer's thread, perhaps twice) which plain files of a hearing
            are gone and what stands for them.

    Attributes:
        sealer, on_replaced: looked up anew for each job; they may be replaced.
    """

    def __init__(
        self,
        settings: Settings,
        layout: Layout,
        rules: Rules,
        sources: SourceSet,
        panel: Panel,
        make_recorder: MakeRecorder | None = None,
        changed: Callable[[], None] = lambda: None,
        on_replaced: OnReplaced = lambda _folder, _replaced: None,
    ) -> None:
        self.on_replaced = on_replaced
        self._changed = changed
        self._rules = rules
        self._sources = sources
        self.storages = Storages(settings, layout)
        self.attention = Attention(settings)
        self.publicity = Publicity(settings, layout, rules, self.storages.vault)
        self.sealer = Sealer()
        self._present = Present(changed)
        on = Premises(settings, layout, rules, sources, panel, self.storages)
        make = make_recorder or partial(PartRecorder, store=on.store)
        books = BookKeeping(on, self._present)
        self._parts = Parts(on, self.publicity, make, self._submit)
        self._opening = Opening(on, self.publicity, self._parts, books)
        self._answers = Answers(rules, self._present, self.publicity)
        self._declaring = Declaring(
            layout,
            self._present,
            self.publicity,
            self._parts,
            self._answers,
            self._submit,
            self._replaced,
        )
        self._taking_up = TakingUp(
            on, self._present, self._parts, books, self._declaring, self._submit
        )
        self._report = StateReport(
            on, self._present, self.publicity, self.attention, lambda: self.sealer.failing
        )

    def _submit(self, name: str, job: Callable[[], None]) -> None:
        self.sealer.submit(name, job)

    def _replaced(self, folder: Path, replaced: list[Replaced]) -> None:
        self.on_replaced(folder, replaced)

    # -- steps ---------------------------------------------------------------------------------
    def start(self, hearing: Mapping[str, Any], person: str, tap_ns: int) -> dict[str, Any]:
        """Start recording ``hearing`` with everything captured from ``tap_ns`` on.

        Raises:
            AlreadyRecordingError: a hearing is open.
            CourtKeyError: it is closed and the court's keys are not pinned: nothing is recorded.
            StorageError: not even a folder can be made.
        """
        if (open_one := self.busy) is not None:
            raise AlreadyRecordingError(open_one)
        session = self._opening.open(hearing, person, tap_ns)
        self._present.enter(session)
        self._opening.note_readiness(session)
        self._changed()
        return {"hearing_id": session.record.id, "part": 1}

    def mark(
        self, event: str, person: str, note: str = "", role: str = "", *, known: bool = True
    ) -> dict[str, Any]:
        """Mark ``event`` now.

        Args:
            known: the event must be one of the rules data.

        Raises:
            BadRequestError: no such event; StepRefusedError: no hearing is open.
        """
        session = self._present.open_session()
        if known and event not in self._rules.events:
            raise BadRequestError(f"no event type “{event}”", code="unknown_event")
        closing = {CLOSED_MARK: True, OPENED_MARK: False}.get(event)
        if closing is not None and closing != (session.record.closed is not None):
            self.change_publicity(closing, person, recording_ns(), note=note)
            return {"mark": session.record.marks[-1].as_json()}
        mark = session.mark(event, person, note, role)
        self._changed()
        return {"mark": mark}

    def button(self) -> None:
        """Mark the moment at which the button was pressed; nothing happens without a hearing."""
        with suppress(StepRefusedError):
            self.mark(BUTTON, "", known=False)

    def undo(self, person: str) -> dict[str, Any]:
        """Withdraw the newest mark that a person made; nothing is erased.

        Raises:
            StepRefusedError: there is none.
        """
        answer = self._present.open_session().undo(person)
        self._changed()
        return answer

    def recess(self, person: str, why: str = "") -> dict[str, Any]:
        """Stop the capture at once for a recess."""
        return self._interrupt("recess", "recess", person, why)

    def retire(self, person: str, why: str = "") -> dict[str, Any]:
        """Stop the capture at once: the court retires to deliberate."""
        return self._interrupt("retire", "retirement", person, why)

    def _interrupt(self, reason: str, event: str, person: str, why: str) -> dict[str, Any]:
        session = self._present.open_session("recording")
        part = session.record.part
        self._parts.end(session, reason, person, why)
        session.mark(event, person, why, "")
        self._changed()
        return {"hearing_id": session.record.id, "part": part, "phase": session.record.phase}

    def resume(self, person: str) -> dict[str, Any]:
        """Go on with the next part."""
        tap_ns = recording_ns()
        session = self._present.open_session("recess", "retired")
        fields = {"reason": "resume", "person": person, "tap_ns": tap_ns}
        self._parts.begin_next(session, fields)
        session.mark("resumed", person, "", "")
        self._changed()
        return {"hearing_id": session.record.id, "part": session.record.part}

    def end(self, person: str) -> dict[str, Any]:
        """End the hearing: the capture stops now, sealing goes on behind."""
        session = self._present.open_session()
        if session.capture is not None:
            self._parts.end(session, "end", person, "")
        session.write("ending", {"person": person})
        self._submit(session.record.id, partial(self._seal_hearing, session, person))
        self._changed()
        return {"hearing_id": session.record.id, "phase": "sealing"}

    def _seal_hearing(self, session: Session, person: str) -> None:
        session.finish(person)
        self._present.leave(session)
        self._changed()

    # -- open and closed -----------------------------------------------------------------------
    def hold(self, held: bool) -> None:
        """Write nothing more of what is captured until it is known how; nothing is lost."""
        session = self._current
        capture = session.capture if session is not None else None
        if capture is not None:
            capture.hold(held)

    def change_publicity(
        self, closed: bool, person: str, tap_ns: int, ground: Any = None, note: str = ""
    ) -> dict[str, Any]:
        """Close or open the hearing from ``tap_ns`` on; see :meth:`Declaring.change`."""
        return self._declaring.change(closed, person, tap_ns, ground, note)

    def close_since(
        self, person: str, body: Mapping[str, Any], tap_ns: int, ground: Any, note: str
    ) -> dict[str, Any]:
        """Declare closed what was captured from an earlier moment; see :meth:`Declaring.since`."""
        return self._declaring.since(person, body, tap_ns, ground, note)

    # -- besides -------------------------------------------------------------------------------
    def statement(self, subject: str, value: Any, note: str, person: str) -> dict[str, Any]:
        """Take an answer, or anything else for the minutes; see :meth:`Answers.take`."""
        return self._answers.take(subject, value, note, person)

    def remedy(self, person: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do something about a microphone that fails; see :class:`Remedy`."""
        session = self._present.open_session()
        microphones = self._sources.state()["microphones"]
        answer = Remedy(session, microphones, body, person).apply()
        self._changed()
        return answer

    def listen(self, body: Mapping[str, Any]) -> None:
        """Begin to play the last minutes in the headset; see :class:`Listening`."""
        session = self._current
        self.attention.listening.start(session.capture if session else None, body)

    def watch(self) -> None:
        """Look at clock, remote link and reminder; to be called several times a second."""
        if self.attention.poll(self._current, self._sources.state()["microphones"]):
            self._changed()

    def right_lamp(self) -> None:
        """Make the lamp say the truth again, after a test of it."""
        self._parts.lamp(self.capturing)

    # -- start and end of the service ----------------------------------------------------------
    def recover(self) -> None:
        """Close what a crash left open; resume by itself what was being captured just now."""
        self._taking_up.recover()

    def shutdown(self, seconds: float) -> None:
        """End cleanly: close and seal the running part; the hearing can be resumed."""
        session = self._current
        if session is not None and session.capture is not None:
            self._parts.end(session, "shutdown", "", "")
        self._parts.lamp(False)
        self.attention.listening.stop()
        self.sealer.close(seconds)
        if session is not None:
            session.book.close()
        self.storages.close()

    # -- state ---------------------------------------------------------------------------------
    @property
    def _current(self) -> Session | None:
        return self._present.session

    @property
    def capturing(self) -> bool:
        """Whether a part is being captured now."""
        session = self._current
        return session is not None and session.capture is not None

    @property
    def busy(self) -> str | None:
        """Id of the open hearing, None where there is none."""
        session = self._current
        if session is None or session.record.phase == "sealing":
            return None
        return session.record.id

    def state(self) -> dict[str, Any]:
        """Return State (docs/interfaces.md)."""
        return self._report.state()
