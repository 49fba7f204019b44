"""The life of a hearing in this room: start, marks, recess, retirement, resume, end, recovery.

One thread calls the steps (they sync to disk); any thread may ask for :meth:`Courtroom.state`.
Nothing the rules want to know stands before a start: it is asked while the recording runs.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import boot_id, recording_ns, wall_text, wall_time
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.panel import Panel
from kiosk.hardware.source import SourceSet
from kiosk.hardware.wall_clock import clock_state, is_trusted
from kiosk.hearing.alarms_now import AlarmBook, alarms_of
from kiosk.hearing.attention import Attention
from kiosk.hearing.capture import Capture, MakeRecorder
from kiosk.hearing.errors import AlreadyRecordingError, BadRequestError, StepRefusedError
from kiosk.hearing.link_result import link_result
from kiosk.hearing.publicity import CLOSED_MARK, OPENED_MARK, Publicity, is_closed, mark_of
from kiosk.hearing.readiness import readiness
from kiosk.hearing.record import BUTTON, HearingRecord
from kiosk.hearing.remedies import Remedy
from kiosk.hearing.roles import Roles
from kiosk.hearing.sealer import Sealer
from kiosk.hearing.session import Session
from kiosk.hearing.storages import Storages
from kiosk.recording.closing import Replaced, carry_out, pending
from kiosk.recording.envelope import Envelope
from kiosk.recording.hearing_book import HearingBook, Maker, hearing_of
from kiosk.recording.journal import Entry, read_chain
from kiosk.recording.names import JOURNAL
from kiosk.recording.part import PartRecorder
from kiosk.recording.recovery import Survivor, survey
from kiosk.recording.signer import Signer, device_signer
from kiosk.rules import Rules
from kiosk.storage.court_keys import CourtKeyError, CourtKeys, load_court_keys
from kiosk.storage.durable import make_folder
from kiosk.storage.layout import Layout

log = logging.getLogger(__name__)
CONTRACT = 1


class Courtroom:
    """What is recorded in this room, and how far it is.

    Args:
        sources: opened; they come up by themselves.
        panel: lamp and button; it may be absent.
        make_recorder: makes the writer of a part's media.
        changed: called after each change, from any thread.
        on_replaced: told (from the sealer's thread, perhaps twice) which plain files of a hearing
            are gone and what stands for them.
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
        on_replaced: Callable[[Path, list[Replaced]], None] = lambda _folder, _replaced: None,
    ) -> None:
        self.on_replaced = on_replaced
        self._settings = settings
        self._layout = layout
        self._rules = rules
        self._sources = sources
        self._panel = panel
        self.storages = Storages(settings, layout)
        self._store = self.storages.vault
        self._make_recorder = make_recorder or partial(PartRecorder, store=self._store)
        self._changed = changed
        self._lock = threading.RLock()
        self._current: Session | None = None
        self._signer: Signer | None = None
        self._storage_error: StorageError | None = None
        self._recovered: dict[str, Any] | None = None
        self._alarms = AlarmBook()
        self.attention = Attention(settings)
        self.publicity = Publicity(settings, layout, rules, self._store)
        self.sealer = Sealer()

    # -- steps ---------------------------------------------------------------------------------
    def start(self, hearing: Mapping[str, Any], person: str, tap_ns: int) -> dict[str, Any]:
        """Start recording ``hearing`` with everything captured from ``tap_ns`` on.

        Raises:
            AlreadyRecordingError: a hearing is open.
            CourtKeyError: it is closed and the court's keys are not pinned: nothing is recorded.
            StorageError: not even a folder can be made.
        """
        session = self._current
        if session is not None and session.record.phase != "sealing":
            raise AlreadyRecordingError(session.record.id)
        about = self._named(hearing)
        folder = self._layout.hearings / about["id"]
        record = self._new_record(about)
        envelope = self.publicity.envelope(record)
        make_folder = self._store.make_folder
        self.publicity.note(make_folder(folder), about, about.get("closure_ground"))
        capture = self._capture(make_folder(folder / "part-01"), tap_ns, envelope)
        try:
            book = HearingBook.create(
                folder, about, self._opened(person, tap_ns), self._maker(record)
            )
            session = Session(record, book, self._rules, capture)
            if record.closed is not None:
                ground = record.closed["ground"]
                session.write(
                    "court_closed", {"person": person, "tap_ns": tap_ns, "ground": ground}
                )
            self._keep_books(session, {"reason": "start", "person": person, "tap_ns": tap_ns})
        except StorageError:
            capture.stop()
            self._lamp(False)
            raise
        with self._lock:
            self._current = session
            self._recovered = None
        self._note_readiness(session)
        self._changed()
        return {"hearing_id": record.id, "part": 1}

    def _new_record(self, about: Mapping[str, Any]) -> HearingRecord:
        record = HearingRecord(dict(about), roles=Roles.of(self._settings.microphones))
        if is_closed(about):
            record.closed = {"since": "", "ground": about.get("closure_ground")}
        return record

    def _named(self, hearing: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``hearing`` with an id whose folder does not exist yet.

        A hearing that was ended and is started once more gets an id of its own: what was sealed
        is never touched.
        """
        about = dict(hearing)
        try:
            about["id"] = str(uuid.UUID(str(about["id"])))
        except (KeyError, ValueError):
            about["id"] = str(uuid.uuid4())
        if self._store.locate(self._layout.hearings / about["id"]).exists():
            about |= {"continues": about["id"], "id": str(uuid.uuid4())}
        return about

    def _opened(self, person: str, tap_ns: int) -> dict[str, Any]:
        clock = clock_state()
        return {"person": person, "tap_ns": tap_ns, "boot_id": boot_id(), "clock": clock}

    def _capture(self, folder: Any, tap_ns: int, envelope: Envelope) -> Capture:
        """Begin to capture into ``folder``; the lamp is on from now."""
        make = self._make_recorder
        capture = Capture(folder, self._settings, self._sources, make, envelope, self._store)
        self._lamp(True)
        capture.start(tap_ns)
        return capture

    def _keep_books(self, session: Session, fields: Mapping[str, Any]) -> None:
        """Open the books of the session's running part."""
        assert session.capture is not None
        part = session.record.part + 1
        closed = session.record.closed is not None
        about = {**self._about_sources(), "encrypted": session.capture.envelope.encrypted}
        book = session.book.open_part(part, {**fields, "closed": closed}, about)
        session.capture.keep_books(book)

    def _about_sources(self) -> dict[str, Any]:
        """Return what ``part.json`` says about sources and codecs."""
        settings = self._settings
        return {
            "room": settings.kiosk.room,
            "court": dict(settings.kiosk.court),
            "camera": settings.camera.model_dump(mode="json"),
            "microphones": [one.model_dump(mode="json") for one in settings.microphones],
            "codecs": {"main": ["h264", "aac"], "channels": ["flac"]},
            "devices": self._sources.devices(),
        }

    def _note_readiness(self, session: Session) -> None:
        """Write down what was not ready at the start; it is asked about, never waited for."""
        storages = self.storages.state(session.as_json(), None)
        clock = clock_state()
        keys = self.publicity.keys(session.record)
        items, failed = readiness(self._sources.state(), storages, clock, keys)
        session.write("readiness", {"items": items, "failed": failed, "clock": clock})
        checked = link_result(self._layout.link_checks, session.record.id)
        if checked is not None:
            session.write("link_check", {"result": checked})

    def mark(
        self, event: str, person: str, note: str = "", role: str = "", *, known: bool = True
    ) -> dict[str, Any]:
        """Mark ``event`` now.

        Args:
            known: the event must be one of the rules data.

        Raises:
            BadRequestError: no such event; StepRefusedError: no hearing is open.
        """
        session = self._open_session()
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
        answer = self._open_session().undo(person)
        self._changed()
        return answer

    def recess(self, person: str, why: str = "") -> dict[str, Any]:
        """Stop the capture at once for a recess."""
        return self._interrupt("recess", "recess", person, why)

    def retire(self, person: str, why: str = "") -> dict[str, Any]:
        """Stop the capture at once: the court retires to deliberate."""
        return self._interrupt("retire", "retirement", person, why)

    def _interrupt(self, reason: str, event: str, person: str, why: str) -> dict[str, Any]:
        session = self._open_session("recording")
        part = session.record.part
        self._stop_capture(session, reason, person, why)
        session.mark(event, person, why, "")
        self._changed()
        return {"hearing_id": session.record.id, "part": part, "phase": session.record.phase}

    def resume(self, person: str) -> dict[str, Any]:
        """Go on with the next part."""
        tap_ns = recording_ns()
        session = self._open_session("recess", "retired")
        self._next_part(session, {"reason": "resume", "person": person, "tap_ns": tap_ns})
        session.mark("resumed", person, "", "")
        self._changed()
        return {"hearing_id": session.record.id, "part": session.record.part}

    def _next_part(self, session: Session, fields: dict[str, Any]) -> None:
        part = session.record.part + 1
        envelope = self.publicity.envelope(session.record)
        folder = self._store.make_folder(session.book.part_folder(part))
        session.capture = self._capture(folder, fields["tap_ns"], envelope)
        self._keep_books_or_stop(session, fields)

    def _keep_books_or_stop(self, session: Session, fields: dict[str, Any]) -> None:
        """Open the books of the running part; without books nothing is captured."""
        assert session.capture is not None
        try:
            self._keep_books(session, fields)
        except StorageError:
            session.capture.stop()
            session.capture = None
            self._lamp(False)
            raise

    # -- open and closed -------------------------------------------------------------------------
    def hold(self, held: bool) -> None:
        """Write nothing more of what is captured until it is known how; nothing is lost."""
        session = self._current
        capture = session.capture if session is not None else None
        if capture is not None:
            capture.hold(held)

    def change_publicity(
        self, closed: bool, person: str, tap_ns: int, ground: Any = None, note: str = ""
    ) -> dict[str, Any]:
        """Close or open the hearing from ``tap_ns`` on; doing it twice changes nothing.

        Where something is captured, another part begins exactly there. Grounds may come later.

        Raises:
            BadRequestError: no such ground; StepRefusedError: no hearing is open.
            StorageError: the next part cannot be begun; nothing is captured then.
        """
        session = self._open_session()
        known = self.publicity.checked_ground(ground)
        record = session.record
        if closed != (record.closed is not None):
            wall = wall_text(wall_time() - timedelta(microseconds=(recording_ns() - tap_ns) / 1000))
            fields = {"person": person, "tap_ns": tap_ns, "since": wall, "note": note}
            if closed:
                session.write("court_closed", {**fields, "ground": known})
                self.publicity.note(session.book.folder, record.hearing, known)
            else:
                session.write("court_opened", fields)
            if session.capture is not None:
                self._hand_over(session, "closed" if closed else "opened", person, tap_ns)
            session.mark(mark_of(closed), person, note, "")
        elif closed and known:
            self.statement("closure_ground", known, note, person)
        self._changed()
        return {
            "hearing_id": record.id,
            "part": record.part,
            "phase": record.phase,
            "closed": record.closed,
        }

    def _hand_over(self, session: Session, reason: str, person: str, tap_ns: int) -> None:
        """End the running part at ``tap_ns`` and have the next one begin at that very moment."""
        old, part = session.capture, session.record.part
        assert old is not None
        try:
            envelope = self.publicity.envelope(session.record)
            folder = self._store.make_folder(session.book.part_folder(part + 1))
        except (CourtKeyError, StorageError) as error:
            log.error("the next part cannot be begun: %s", error)
            self._stop_capture(session, error.code, person, "", tap_ns)
            session.ask("failure_reason")
            if isinstance(error, StorageError):
                raise
            return
        new = self._capture(folder, tap_ns, envelope)
        fields = old.stop(tap_ns)
        session.close_part(part, {**fields, "reason": reason, "person": person}, "")
        session.capture = new
        self._keep_books_or_stop(session, {"reason": reason, "person": person, "tap_ns": tap_ns})
        name = f"{session.record.id}/{part}"
        self.sealer.submit(name, partial(session.seal_parts, upto=part))

    def close_since(
        self, person: str, body: Mapping[str, Any], tap_ns: int, ground: Any, note: str
    ) -> dict[str, Any]:
        """Declare closed all that was captured from an earlier moment on, and what follows.

        Args:
            body: ``{"since": RFC 3339}`` or ``{"mark": id}``.

        Raises:
            BadRequestError: no such moment or ground; StepRefusedError: no hearing is open.
            CourtKeyError: the court's keys are not pinned: the capture stops, nothing is replaced.
        """
        session = self._open_session()
        since = self._moment(session.record, body)
        known = self.publicity.checked_ground(ground)
        self.change_publicity(True, person, tap_ns, known, note)
        keys = load_court_keys(self._layout)
        upto = session.record.part - (session.capture is not None)
        told = {"since": wall_text(since), "upto": upto, "person": person}
        session.write_now("closing_since", {**told, "ground": known, "note": note})
        self.sealer.submit(session.record.id, partial(self._declare, session, keys))
        self._changed()
        return {"hearing_id": session.record.id, "since": told["since"], "parts": upto}

    def _moment(self, record: HearingRecord, body: Mapping[str, Any]) -> datetime:
        """Return the moment that ``body`` of ``close-since`` names."""
        number, text = body.get("mark"), body.get("since")
        if number is not None:
            text = next((mark.at for mark in record.marks if mark.number == number), None)
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise BadRequestError("since is no time, or there is no such mark") from error
        if moment.tzinfo is None:
            raise BadRequestError("since has no time zone")
        return moment

    def _declare(self, session: Session, keys: CourtKeys) -> None:
        """Replace the plain media of all declarations that wait for it."""
        path = session.book.store.locate(session.book.folder / JOURNAL)
        for declaration in pending(read_chain(path).entries):
            carry_out(session.book, keys, declaration, self.on_replaced)
        self._changed()

    def end(self, person: str) -> dict[str, Any]:
        """End the hearing: the capture stops now, sealing goes on behind."""
        session = self._open_session("recording", "recess", "retired")
        if session.capture is not None:
            self._stop_capture(session, "end", person, "")
        session.write("ending", {"person": person})
        self.sealer.submit(session.record.id, partial(self._seal_hearing, session, person))
        self._changed()
        return {"hearing_id": session.record.id, "phase": "sealing"}

    def _seal_hearing(self, session: Session, person: str) -> None:
        session.finish(person)
        with self._lock:
            if self._current is session:
                self._current = None
                self._recovered = None
        self._changed()

    def statement(self, subject: str, value: Any, note: str, person: str) -> dict[str, Any]:
        """Take an answer to an open question, or anything else for the minutes."""
        if not subject:
            raise BadRequestError("a statement needs a subject")
        session = self._open_session("recording", "recess", "retired", "sealing")
        if subject == "closure_ground":
            ground = self.publicity.checked_ground(value)
            self.publicity.note(session.book.folder, session.record.hearing, ground)
        if subject == "mark":
            self._check_naming(session.record, value)
        fields = {"subject": subject, "value": value, "note": note, "person": person}
        session.write("statement", fields)
        if subject == "recovered":
            self._recovered = None
        self._changed()
        return {"open_questions": session.open_questions()}

    def _check_naming(self, record: HearingRecord, value: Any) -> None:
        """Refuse a name for anything but a moment that was marked with the button."""
        told = value if isinstance(value, Mapping) else {}
        names = self._rules.events
        if told.get("type") not in names or told["type"] in (CLOSED_MARK, OPENED_MARK):
            raise BadRequestError(f"no event type “{told.get('type')}”", code="unknown_event")
        buttons = [mark.number for mark in record.marks if mark.type == BUTTON]
        if told.get("mark") not in buttons:
            raise BadRequestError("no mark of the button that has no name yet")

    def remedy(self, person: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do something about a microphone that fails; see :class:`Remedy`."""
        session = self._open_session()
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

    def _open_session(self, *phases: str) -> Session:
        session = self._current
        wanted = phases or ("recording", "recess", "retired")
        if session is None or session.record.phase not in wanted:
            phase = session.record.phase if session else "idle"
            raise StepRefusedError(f"not possible in phase “{phase}”")
        return session

    def _stop_capture(
        self, session: Session, reason: str, person: str, why: str, at_ns: int | None = None
    ) -> None:
        """End the running part; its books are closed and its seal follows behind."""
        capture = session.capture
        assert capture is not None
        part = session.record.part
        fields = capture.stop(at_ns)
        self.storages.note_part(capture.bytes, capture.seconds)
        self._sources.stop_encoder()
        self._lamp(False)
        session.close_part(part, {**fields, "reason": reason, "person": person}, why)
        name = f"{session.record.id}/{part}"
        self.sealer.submit(name, partial(session.seal_parts, upto=part))

    def _lamp(self, on: bool) -> None:
        """Switch the lamp (one that fails stops nothing)."""
        self._panel.lamp = on

    def right_lamp(self) -> None:
        """Make the lamp say the truth again, after a test of it."""
        self._lamp(self.capturing)

    # -- start and end of the service ----------------------------------------------------------
    def _maker(self, record: HearingRecord | None) -> Maker:
        if self._signer is None or self.storages.own_is_there:
            self._signer, _ = device_signer(self._layout, self._settings.kiosk.id)
        listen = partial(self._listen, record) if record is not None else lambda _part, _entry: None
        return Maker(
            self._settings.kiosk.id,
            self._signer,
            self._settings.recording.head_seconds,
            listen,
            self._storage_failed,
            self._store,
        )

    def _listen(self, record: HearingRecord, part: int, entry: Entry) -> None:
        with self._lock:
            record.apply(part, entry)
        if entry["kind"] not in ("media", "file", "head"):
            self._changed()

    def _storage_failed(self, error: StorageError | None) -> None:
        if error is not None:
            log.error("the journal cannot be written: %s", error)
        self._storage_error = error

    def recover(self) -> None:
        """Close what a crash left open; resume by itself what was being captured just now."""
        self.storages.before_recovery()
        survivors = survey(make_folder(self._layout.hearings), self._maker(None))
        open_ones = [survivor for survivor in survivors if not survivor.ended]
        for survivor in survivors:
            if open_ones and survivor is open_ones[-1]:
                self._take_up(survivor)
            else:
                survivor.ended = True
                self.sealer.submit(survivor.book.hearing_id, partial(self._seal_survivor, survivor))
        self.storages.after_recovery()

    def _seal_survivor(self, survivor: Survivor) -> None:
        """Seal a hearing that is not taken up; first what was declared closed is closed."""
        survivor.seal_parts()
        own = [entry for part, entry in survivor.entries if part == 0]
        for declaration in pending(own):
            carry_out(survivor.book, load_court_keys(self._layout), declaration, self.on_replaced)
        survivor.seal()

    def _take_up(self, survivor: Survivor) -> None:
        """Make ``survivor`` the current hearing again; resume it if it was capturing just now."""
        record = self._new_record(hearing_of(survivor.book.folder))
        for part, entry in survivor.entries:
            record.apply(part, entry)
        record.phase = "retired" if record.phase == "retired" else "recess"
        survivor.book.listen(partial(self._listen, record))
        session = Session(record, survivor.book, self._rules, None, unsealed=survivor.unsealed)
        with self._lock:
            self._current = session
        closed = record.part  # a part that is resumed now is none of this job's
        if survivor.capturing:
            self._after_crash(session, survivor)
        self.sealer.submit(record.id, partial(session.seal_parts, upto=closed))
        if record.replacing:
            self.sealer.submit(record.id, partial(self._declare_again, session))

    def _declare_again(self, session: Session) -> None:
        self._declare(session, load_court_keys(self._layout))

    def _after_crash(self, session: Session, survivor: Survivor) -> None:
        """Resume, or stay stopped and say so; the gap goes into the ledger either way."""
        tap_ns, trusted, part = recording_ns(), is_trusted(), session.record.part
        alive = survivor.alive
        gap = alive.gap_seconds(tap_ns, clock_trusted=trusted) if alive else None
        same_boot = alive is not None and alive.boot == boot_id()
        what = "crash" if same_boot else "power"
        soon = survivor.may_resume(clock_trusted=trusted)
        fields = {"reason": "recovered", "person": "", "tap_ns": tap_ns, "gap_seconds": gap}
        if not (soon and self._resumed(session, fields)):
            session.write("stopped", {"part": part, "reason": "too_late"})
            session.ask("recovered")
        lost = {"part": part, "number": 0, "source": "recorder", "what": what, "seconds": gap}
        session.write("interruption", lost)
        self._recovered = {"hearing_id": session.record.id, "gap_seconds": gap}
        log.warning("hearing %s was interrupted; resumed: %s", session.record.id, soon)

    def _resumed(self, session: Session, fields: dict[str, Any]) -> bool:
        """Resume by itself; say whether that was possible."""
        try:
            self._next_part(session, fields)
        except (StorageError, CourtKeyError):
            log.exception("hearing %s cannot be resumed", session.record.id)
            return False
        return True

    def shutdown(self, seconds: float) -> None:
        """End cleanly: close and seal the running part; the hearing can be resumed."""
        session = self._current
        if session is not None and session.capture is not None:
            self._stop_capture(session, "shutdown", "", "")
        self._lamp(False)
        self.attention.listening.stop()
        self.sealer.close(seconds)
        if session is not None:
            session.book.close()
        self.storages.close()

    # -- state ---------------------------------------------------------------------------------
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
        with self._lock:
            session = self._current
            hearing = session.as_json() if session is not None else None
            phase = session.record.phase if session is not None else "idle"
            proof = session.proof() if session is not None else None
        state: dict[str, Any] = {
            "contract": CONTRACT,
            "wall": wall_text(),
            "phase": phase,
            "recovered": self._recovered,
            "hearing": hearing,
            **self._sources.state(),
            **self.storages.state(hearing, self._storage_error),
            "clock": {"state": clock_state()},
            "proof": proof or {"state": "none", "age_seconds": None, "detail": "", "source": ""},
            "lamp": self._panel.lamp,
            "court_keys": self.publicity.keys(session.record if session is not None else None),
        }
        self.attention.show(state, session)
        found = [*alarms_of(state), *self._own_alarms()]
        state["alarms"] = self._alarms.update([*self.attention.alarms(found, state, session)])
        return state

    def _own_alarms(self) -> list[tuple[str, str]]:
        """Return the alarms that State itself does not tell."""
        found = []
        with suppress(OSError):  # a disk that is gone: nobody can tell, and storage says so
            if not self._layout.device_certificate.exists():
                found.append(("not_enrolled", "recorder"))
        if self._panel.state == "absent":
            found.append(("panel_absent", "panel"))
        if self.sealer.failing:
            found.append(("seal_failed", "storage"))
        return found
