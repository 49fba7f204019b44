"""Any sequence of taps, faults and restarts: what is shown, written, sealed and told is the same.

The real courtroom runs in virtual time on simulated devices, one thread at a time. The suite draws
the same sequences in every run; ``KIOSK_DEEP_STEPS=50000 pytest --hypothesis-profile=explore``
looks for new ones. A sequence that fails is printed as the steps that lead to it; only ``explore``
takes the minutes to find a shorter one.
"""

from __future__ import annotations

import base64
import logging
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase as RunPhase
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kiosk.api.notes import AddNote
from kiosk.api.persons import SavePerson
from kiosk.api.receipts import KeepReceipt, receipt_code
from kiosk.api.recorder_calls import CloseSince, Statement
from kiosk.api.states import Phase
from kiosk.clocks import format_wall
from tests.support.room_oracle import RoomOracle
from tests.support.simulated_courtroom import MICROPHONES, simulated, sworn_court

RUNS = 3
"""Beside each other, on as many processors."""
STEPS_IN_SEQUENCE = 30
STEPS = int(os.environ.get("KIOSK_DEEP_STEPS", "2400"))
SHORT_S, LONG_S = 0.4, 6.0
SETTLE_S = 0.05
"""The screen is told of a change within this time."""
WAITS = st.sampled_from((0.0, SHORT_S, 1.0, 2.5, LONG_S))
GROUND, SECRET = "civ_adoption", "state_secret"
KINDS: dict[str, dict[str, Any]] = {
    "open": {},
    "closed": {"publicity": "closed", "closure_ground": GROUND},
    "secret": {"publicity": "closed", "state_secret": True},
}


def name_of(kind: str, answer: Any) -> str:
    """Return the id of what was told, as its entry has it."""
    row = getattr(answer, {"person_removed": "person"}.get(kind, kind))
    return str(row.id)


def shared_memory() -> str | None:
    """Return a folder in memory, if there is one: nothing here needs a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def step(act: Callable[..., None]) -> Callable[..., None]:
    """Check after ``act`` that all is true."""

    @wraps(act)
    def act_and_check(room: Room, **drawn: Any) -> None:
        act(room, **drawn)
        room.check()

    return act_and_check


class Room(RuleBasedStateMachine):
    """A courtroom in which anything happens."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._could_not_recover = False
        self._folder = Path(tempfile.mkdtemp(prefix="room-", dir=shared_memory()))

    @initialize(seed=st.integers(0, 2**16), has_mirror=st.booleans())
    def boot(self, seed: int, has_mirror: bool) -> None:
        authority, secrets = sworn_court()
        logging.disable(logging.CRITICAL)
        self._stack.callback(logging.disable, logging.NOTSET)
        self.room = self._stack.enter_context(
            simulated(self._folder, seed, secrets, authority, has_mirror=has_mirror)
        )
        self.oracle = RoomOracle(self.room)
        self.room.start_recorder()
        self.room.pass_time(2)

    # -- taps ----------------------------------------------------------------------------------
    def is_in(self, *phases: Phase) -> bool:
        return self.room.is_running and self.room.state.phase in phases

    @precondition(lambda self: self.is_in(Phase.IDLE, Phase.SEALING))
    @rule(kind=st.sampled_from(sorted(KINDS)))
    @step
    def start(self, kind: str) -> None:
        details = {"id": str(uuid.UUID(int=len(self.room.taps) + 1)), "kind": "civil"} | KINDS[kind]
        now = self.room.world.now_ns
        self.room.tap("start", lambda courtroom: courtroom.start(details, "p1", now))

    @precondition(lambda self: self.is_in(Phase.RECORDING))
    @rule()
    @step
    def mark(self) -> None:
        self.tell("mark", lambda courtroom: courtroom.add_mark("oath", "p1"))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(person=st.sampled_from(("", "p1", "p2", "p3")))
    @step
    def mark_of(self, person: str) -> None:
        """Mark a questioning, of somebody who may not be there (any more)."""
        self.tell("mark", lambda courtroom: courtroom.add_mark("questioning", "p1", of=person))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(mark=st.integers(1, 4), person=st.sampled_from(("", "p1", "p2", "p3")))
    @step
    def name_person(self, mark: int, person: str) -> None:
        request = Statement(subject=f"of_whom:{mark}", value=person)
        self.tell("statement", lambda courtroom: courtroom.record_statement(request, "p1"),
                  request.subject)  # fmt: skip

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(person=st.sampled_from(("", "p1", "p2")), seat=st.sampled_from(("", *MICROPHONES)))
    @step
    def save_person(self, person: str, seat: str) -> None:
        request = SavePerson(id=person, name="A", role="witness", seat=seat)
        self.tell("person", lambda courtroom: courtroom.save_person(request, "p1"))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(person=st.sampled_from(("p1", "p2")))
    @step
    def remove_person(self, person: str) -> None:
        self.tell("person_removed", lambda courtroom: courtroom.remove_person(person, "p1"))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(mark=st.sampled_from((None, 1, 2)), ago_s=st.sampled_from((0.0, 3.0)))
    @step
    def note(self, mark: int | None, ago_s: float) -> None:
        request = AddNote(text="N", mark=mark, ago_seconds=ago_s)
        self.tell("note", lambda courtroom: courtroom.add_note(request, "p1"))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(
        event=st.sampled_from(("oath", "warning_false_testimony", "receipt_taken")),
        person=st.sampled_from(("", "p1", "p2")),
    )
    @step
    def speak_or_sign(self, event: str, person: str) -> None:
        """Begin an oath, a warning or a receipt, of somebody who may not be there (any more)."""
        self.tell("mark", lambda courtroom: courtroom.add_mark(event, "p1", of=person))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(mark=st.integers(1, 4))
    @step
    def end_words(self, mark: int) -> None:
        """End an oath or a warning that may never have begun, or has ended (R50, R51)."""
        hearing = self.open_hearing
        tap = self.room.tap("end_words", lambda courtroom: courtroom.end_oath(mark, "p1"))
        if tap.answer is not None:
            is_oath = tap.answer.mark.type == "oath"
            self.oracle.note_told(
                hearing, "oath_ended" if is_oath else "explanation_ended", str(mark)
            )

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(mark=st.integers(1, 4), code=st.sampled_from(("", "own", "other")))
    @step
    def scan_receipt(self, mark: int, code: str) -> None:
        """Scan a receipt, once or again, of a mark that may be none (R48)."""
        hearing = self.open_hearing
        codes = {"": (), "own": (receipt_code(hearing, mark),), "other": (receipt_code("x", mark),)}
        pdf = base64.b64encode(b"%PDF-1.7 signed")
        request = KeepReceipt(mark=mark, codes=codes[code], pdf=pdf)
        tap = self.room.tap("scan", lambda courtroom: courtroom.keep_receipt(request, "p1"))
        if tap.answer is not None:
            assert code != "other", "a receipt of another hearing was kept"
            scan = str(tap.answer.receipt.scan)
            self.oracle.note_told(hearing, "receipt_scanned", scan)

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(scan=st.integers(1, 2))
    @step
    def withdraw_scan(self, scan: int) -> None:
        hearing = self.open_hearing
        tap = self.room.tap("withdraw", lambda courtroom: courtroom.withdraw_receipt(scan, "p1"))
        if tap.answer is not None:
            self.oracle.note_told(hearing, "receipt_withdrawn", str(scan))

    @property
    def open_hearing(self) -> str:
        courtroom = self.room.courtroom
        assert courtroom is not None
        return courtroom.open_hearing_id or ""

    def tell(self, kind: str, act: Callable[[Any], Any], known: str = "") -> None:
        """Tap something that the journal must have from then on, if it is not refused.

        Args:
            known: what names it among those of its ``kind``; "": the answer does.
        """
        courtroom = self.room.courtroom
        assert courtroom is not None
        hearing = courtroom.open_hearing_id
        tap = self.room.tap(kind, act)
        if tap.answer is not None and hearing is not None:
            self.oracle.note_told(hearing, kind, known or name_of(kind, tap.answer))

    @precondition(lambda self: self.is_in(Phase.RECORDING))
    @rule()
    @step
    def undo(self) -> None:
        self.room.tap("undo", lambda courtroom: courtroom.undo_mark("p1"))

    @precondition(lambda self: self.is_in(Phase.RECORDING))
    @rule(retires=st.booleans())
    @step
    def stop(self, retires: bool) -> None:
        self.room.tap(
            "stop", lambda courtroom: (courtroom.retire if retires else courtroom.recess)("p1")
        )

    @precondition(lambda self: self.is_in(Phase.RECESS, Phase.RETIRED))
    @rule()
    @step
    def resume(self) -> None:
        self.room.tap("resume", lambda courtroom: courtroom.resume("p1"))

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(ground=st.sampled_from((None, GROUND, SECRET)))
    @step
    def close(self, ground: str | None) -> None:
        now = self.room.world.now_ns
        self.room.tap(
            "close",
            lambda courtroom: courtroom.change_publicity(True, "p1", now, ground),
            holds=True,
        )

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule()
    @step
    def open(self) -> None:
        now = self.room.world.now_ns
        self.room.tap(
            "open", lambda courtroom: courtroom.change_publicity(False, "p1", now), holds=True
        )

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule(ago_s=st.sampled_from((0.5, 3.0, 30.0)))
    @step
    def close_since(self, ago_s: float) -> None:
        now = self.room.world.now_ns
        since = format_wall(self.room.world.wall() - timedelta(seconds=ago_s))
        request = CloseSince(since=since, ground=GROUND)
        self.room.tap(
            "close_since",
            lambda courtroom: courtroom.close_retroactively("p1", request, now),
            holds=True,
        )

    @precondition(lambda self: self.is_in(Phase.RECORDING, Phase.RECESS, Phase.RETIRED))
    @rule()
    @step
    def end(self) -> None:
        self.room.tap("end", lambda courtroom: courtroom.end("p1"))

    # -- faults --------------------------------------------------------------------------------
    @rule(state=st.sampled_from(("stalled", "full", "failing", "read_only", "gone")))
    @step
    def break_disk(self, state: str) -> None:
        self.room.disks["data"].state = state

    @rule(state=st.sampled_from(("stalled", "full", "failing", "read_only", "gone")))
    @step
    def break_mirror(self, state: str) -> None:
        self.room.disks["mirror"].state = state

    @rule()
    @step
    def mend_disks(self) -> None:
        for disk in self.room.disks.values():
            disk.state = "ok"

    @rule(
        source=st.sampled_from((*MICROPHONES, "camera")),
        fault=st.sampled_from(("killed", "frozen", "unplugged", "plugged", "encoder_dead")),
    )
    @step
    def break_source(self, source: str, fault: str) -> None:
        room = self.room
        device = room.camera if source == "camera" else room.microphones[source]
        match fault:
            case "killed":
                device.kills += 1
            case "frozen":
                device.is_frozen = True
            case "encoder_dead":
                room.camera.is_encoder_dead = True
            case _:
                device.is_plugged = fault == "plugged"
        self.oracle.note_trouble()

    @precondition(lambda self: self.can_be_killed)
    @rule(after_s=st.sampled_from((0.5, 5.0)))
    @step
    def kill_recorder(self, after_s: float) -> None:
        room = self.room
        phase = room.state.phase
        self._could_not_recover &= phase is Phase.IDLE  # else it was started again since
        room.kill_recorder()
        self.oracle.forget_what_no_disk_was_given()
        is_known = self.oracle.is_on_a_disk(phase)
        room.pass_time(after_s)
        self.start_again(phase is Phase.RECORDING, is_known=is_known)

    @property
    def can_be_killed(self) -> bool:
        """Whether the own disk can be read at the next start; the copy may be absent."""
        return self.room.disks["data"].state in ("ok", "full", "read_only")

    def start_again(self, was_recording: bool, *, is_known: bool) -> None:
        room = self.room
        room.tap_boot()
        room.start_recorder()
        self.oracle.note_trouble()
        room.pass_time(SETTLE_S)
        is_recording = room.state.phase is Phase.RECORDING
        if self._could_not_recover or not is_known:
            was_recording |= is_recording  # it may do now what it could not do then
        assert was_recording or not is_recording, "it records and nobody asked for it"
        can_write = "ok" in {disk.state for disk in room.disks_of_recorder}
        must_record = was_recording and can_write and is_known
        assert is_recording or not must_record, "it does not go on"
        could_not = was_recording or self._could_not_recover or not is_known
        self._could_not_recover = could_not and not is_recording

    @rule(seconds=WAITS)
    @step
    def wait(self, seconds: float) -> None:
        self.room.pass_time(seconds)

    # -- what must be true ---------------------------------------------------------------------
    def check(self) -> None:
        self.room.pass_time(SETTLE_S)
        if any(disk.state != "ok" for disk in self.room.disks.values()):
            self.oracle.note_trouble()
        if not all(device.is_plugged for device in self.room.devices.values()):
            self.oracle.note_trouble()
        self.oracle.check()

    def teardown(self) -> None:
        try:
            if hasattr(self, "room") and sys.exc_info()[0] is None:
                self._finish()
        finally:
            self._stack.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _finish(self) -> None:
        """Mend everything, end the hearing, and look at what there is."""
        room = self.room
        self.mend_disks()
        for device in room.devices.values():
            device.is_plugged = True
        room.pass_time(10)
        if room.state.phase.is_open:
            self.end()
        room.world.wait_until(lambda: room.state.phase is Phase.IDLE, "the seal", 300)
        room.pass_time(15)
        assert room.courtroom is not None
        store = room.courtroom.storage.store
        names = [folder.name for folder in room.hearing_folders]
        room.world.wait_until(lambda: all(map(store.is_synced, names)), "two copies", 300)
        self.oracle.check()
        self.oracle.check_hearings()
        self.oracle.check_told()
        self.oracle.check_receipts()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(RUNS))
def test_any_sequence_is_true(number: int) -> None:
    examples = max(1, STEPS // STEPS_IN_SEQUENCE // RUNS)
    options = settings(max_examples=examples, stateful_step_count=STEPS_IN_SEQUENCE)
    if not options.derandomize:
        run_state_machine_as_test(Room, settings=options)
        return
    options = settings(options, phases=[RunPhase.generate])
    run_state_machine_as_test(seed(number)(Room), settings=options)


Steps = tuple[tuple[str, dict[str, Any]], ...]
KNOWN: dict[str, Steps] = {
    "the own disk lacks whole files behind its hole when the mirror is back": (
        ("boot", {"seed": 205, "has_mirror": True}),
        ("break_disk", {"state": "full"}),
        ("start", {"kind": "closed"}),
        ("kill_recorder", {"after_s": 5.0}),
        ("break_mirror", {"state": "gone"}),
        ("wait", {"seconds": 0.4}),
        ("end", {}),
    ),
    "an open hearing is started while a closed one waits for its disk": (
        ("boot", {"seed": 104, "has_mirror": True}),
        ("break_disk", {"state": "stalled"}),
        ("start", {"kind": "closed"}),
        ("end", {}),
        ("start", {"kind": "open"}),
    ),
    "a closed hearing is started while an open one waits for its disk": (
        ("boot", {"seed": 104, "has_mirror": True}),
        ("break_disk", {"state": "stalled"}),
        ("start", {"kind": "open"}),
        ("end", {}),
        ("start", {"kind": "closed"}),
    ),
    "no disk has taken the retirement before the kill": (
        ("boot", {"seed": 366, "has_mirror": False}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "gone"}),
        ("stop", {"retires": True}),
        ("mend_disks", {}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "a disk has taken the retirement when it was back": (
        ("boot", {"seed": 366, "has_mirror": False}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "gone"}),
        ("stop", {"retires": True}),
        ("mend_disks", {}),
        ("wait", {"seconds": 1.0}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "the own disk takes nothing of a hearing, and is full at the restart": (
        ("boot", {"seed": 104, "has_mirror": True}),
        ("break_disk", {"state": "stalled"}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "full"}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "the own disk is full for a while before the restart": (
        ("boot", {"seed": 104, "has_mirror": True}),
        ("start", {"kind": "open"}),
        ("break_disk", {"state": "full"}),
        ("wait", {"seconds": 6.0}),
        ("kill_recorder", {"after_s": 0.5}),
        ("close_since", {"ago_s": 3.0}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "the own disk can only be read at the restart": (
        ("boot", {"seed": 104, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "read_only"}),
        ("wait", {"seconds": 6.0}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "only the own disk has the newest, and it can only be read at the restart": (
        ("boot", {"seed": 104, "has_mirror": True}),
        ("start", {"kind": "open"}),
        ("break_mirror", {"state": "gone"}),
        ("wait", {"seconds": 6.0}),
        ("break_disk", {"state": "read_only"}),
        ("break_mirror", {"state": "ok"}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "only the mirror has a closing, and the own disk is full at the restart": (
        ("boot", {"seed": 44446, "has_mirror": True}),
        ("start", {"kind": "open"}),
        ("break_disk", {"state": "gone"}),
        ("close_since", {"ago_s": 30.0}),
        ("break_disk", {"state": "full"}),
        ("wait", {"seconds": 2.5}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "the mirror that leads a hearing goes, and the own disk is back before it": (
        ("boot", {"seed": 13124, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "read_only"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("open", {}),
        ("break_mirror", {"state": "gone"}),
        ("open", {}),
    ),
    "the only disk is full at two restarts": (
        ("boot", {"seed": 63322, "has_mirror": False}),
        ("start", {"kind": "open"}),
        ("break_disk", {"state": "full"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("kill_recorder", {"after_s": 0.5}),
        ("mend_disks", {}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "the only disk has not taken the end at two restarts": (
        ("boot", {"seed": 15173, "has_mirror": False}),
        ("start", {"kind": "secret"}),
        ("break_disk", {"state": "full"}),
        ("end", {}),
        ("kill_recorder", {"after_s": 5.0}),
        ("mend_disks", {}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "a hearing is closed since an earlier moment again while the first closing waits": (
        ("boot", {"seed": 10418, "has_mirror": False}),
        ("start", {"kind": "closed"}),
        ("close_since", {"ago_s": 30.0}),
        ("break_disk", {"state": "stalled"}),
        ("close_since", {"ago_s": 0.5}),
        ("open", {}),
        ("break_disk", {"state": "failing"}),
        ("close_since", {"ago_s": 3.0}),
    ),
    "only the second storage, which is lost then, knows that the hearing was closed": (
        ("boot", {"seed": 60589, "has_mirror": True}),
        ("start", {"kind": "open"}),
        ("break_disk", {"state": "read_only"}),
        ("close_since", {"ago_s": 30.0}),
        ("break_mirror", {"state": "gone"}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "the storage that alone has the last step fails after it": (
        ("boot", {"seed": 10859, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "stalled"}),
        ("stop", {"retires": True}),
        ("wait", {"seconds": 2.5}),
        ("break_mirror", {"state": "failing"}),
        ("break_disk", {"state": "read_only"}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "the mirror cannot be read at the restart and lacks a hearing that is sealed": (
        ("boot", {"seed": 62112, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("break_mirror", {"state": "stalled"}),
        ("break_disk", {"state": "full"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("mend_disks", {}),
        ("start", {"kind": "closed"}),
        ("break_mirror", {"state": "failing"}),
        ("end", {}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "only the own disk has the seal, and can only be read at the restart": (
        ("boot", {"seed": 11195, "has_mirror": True}),
        ("start", {"kind": "secret"}),
        ("break_mirror", {"state": "gone"}),
        ("end", {}),
        ("break_mirror", {"state": "full"}),
        ("break_disk", {"state": "read_only"}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "no disk has taken the end, and the one with the beginning is gone at the restart": (
        ("boot", {"seed": 39880, "has_mirror": True}),
        ("break_disk", {"state": "full"}),
        ("start", {"kind": "closed"}),
        ("break_mirror", {"state": "gone"}),
        ("end", {}),
        ("kill_recorder", {"after_s": 0.5}),
        ("mend_disks", {}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "microphones begin late in a part of which no line reached a disk before the kill": (
        ("boot", {"seed": 65423, "has_mirror": True}),
        ("start", {"kind": "open"}),
        ("stop", {"retires": False}),
        ("kill_recorder", {"after_s": 5.0}),
        ("resume", {}),
        ("break_mirror", {"state": "read_only"}),
        ("break_disk", {"state": "failing"}),
        ("break_mirror", {"state": "full"}),
        ("close", {"ground": None}),
        ("stop", {"retires": True}),
        ("mend_disks", {}),
        ("open", {}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "a microphone is back in an encrypted part, and the kill comes before the line of it": (
        ("boot", {"seed": 53589, "has_mirror": True}),
        ("break_mirror", {"state": "failing"}),
        ("start", {"kind": "secret"}),
        ("open", {}),
        ("break_source", {"source": "witness", "fault": "killed"}),
        ("wait", {"seconds": 1.0}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "the own disk has a hearing of which it never took the journal": (
        ("boot", {"seed": 10769, "has_mirror": True}),
        ("start", {"kind": "secret"}),
        ("stop", {"retires": False}),
        ("break_disk", {"state": "stalled"}),
        ("break_source", {"source": "judge", "fault": "unplugged"}),
        ("break_disk", {"state": "failing"}),
        ("close_since", {"ago_s": 30.0}),
        ("wait", {"seconds": 0.0}),
        ("end", {}),
        ("start", {"kind": "closed"}),
        ("close", {"ground": "state_secret"}),
        ("break_disk", {"state": "stalled"}),
        ("stop", {"retires": True}),
        ("open", {}),
        ("mend_disks", {}),
        ("break_disk", {"state": "failing"}),
        ("open", {}),
        ("close", {"ground": "state_secret"}),
        ("wait", {"seconds": 0.4}),
        ("break_mirror", {"state": "read_only"}),
        ("wait", {"seconds": 1.0}),
        ("end", {}),
        ("break_disk", {"state": "stalled"}),
        ("mend_disks", {}),
        ("break_source", {"source": "witness", "fault": "frozen"}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "the own disk was caught up with half of a sealed hearing, and the mirror hangs then": (
        ("boot", {"seed": 58925, "has_mirror": True}),
        ("start", {"kind": "secret"}),
        ("break_disk", {"state": "gone"}),
        ("end", {}),
        ("break_disk", {"state": "full"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("start", {"kind": "secret"}),
        ("wait", {"seconds": 6.0}),
        ("mend_disks", {}),
        ("close_since", {"ago_s": 3.0}),
        ("break_mirror", {"state": "stalled"}),
        ("kill_recorder", {"after_s": 5.0}),
        ("mark", {}),
    ),
    "a file that a crash left half encrypted is encrypted again while the copy is away": (
        ("boot", {"seed": 50530, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("kill_recorder", {"after_s": 5.0}),
        ("open", {}),
        ("break_mirror", {"state": "stalled"}),
        ("wait", {"seconds": 2.5}),
        ("kill_recorder", {"after_s": 0.5}),
        ("close_since", {"ago_s": 3.0}),
        ("break_disk", {"state": "full"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("mend_disks", {}),
        ("mend_disks", {}),
        ("wait", {"seconds": 0.0}),
        ("break_source", {"source": "camera", "fault": "unplugged"}),
        ("break_mirror", {"state": "gone"}),
    ),
    "the copy is caught up from an own disk that lacks the newest bytes": (
        ("boot", {"seed": 56693, "has_mirror": True}),
        ("start", {"kind": "open"}),
        ("wait", {"seconds": 2.5}),
        ("open", {}),
        ("break_mirror", {"state": "failing"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("kill_recorder", {"after_s": 0.5}),
        ("break_disk", {"state": "stalled"}),
        ("mend_disks", {}),
        ("break_disk", {"state": "read_only"}),
        ("close_since", {"ago_s": 30.0}),
        ("close", {"ground": "civ_adoption"}),
        ("stop", {"retires": False}),
        ("break_source", {"source": "witness", "fault": "frozen"}),
        ("close", {"ground": "civ_adoption"}),
        ("mend_disks", {}),
        ("break_disk", {"state": "read_only"}),
        ("break_source", {"source": "witness", "fault": "encoder_dead"}),
        ("close_since", {"ago_s": 0.5}),
        ("open", {}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "a microphone of an encrypted part is unplugged just before the kill": (
        ("boot", {"seed": 30230, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "full"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("break_mirror", {"state": "stalled"}),
        ("close", {"ground": None}),
        ("mend_disks", {}),
        ("break_source", {"source": "witness", "fault": "unplugged"}),
        ("close_since", {"ago_s": 0.5}),
        ("undo", {}),
        ("mend_disks", {}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
    "only the second storage, which is lost then, has the end, and that is sealed": (
        ("boot", {"seed": 41651, "has_mirror": True}),
        ("start", {"kind": "closed"}),
        ("break_disk", {"state": "full"}),
        ("end", {}),
        ("mend_disks", {}),
        ("break_mirror", {"state": "gone"}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "a part is stopped on a disk with a hole that only the absent mirror can fill": (
        ("boot", {"seed": 43329, "has_mirror": True}),
        ("start", {"kind": "secret"}),
        ("break_disk", {"state": "read_only"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("mend_disks", {}),
        ("break_mirror", {"state": "gone"}),
        ("stop", {"retires": False}),
        ("kill_recorder", {"after_s": 0.5}),
    ),
    "a recovery that the own disk refused is made when both storages are back": (
        ("boot", {"seed": 54481, "has_mirror": True}),
        ("start", {"kind": "secret"}),
        ("break_disk", {"state": "read_only"}),
        ("break_mirror", {"state": "gone"}),
        ("kill_recorder", {"after_s": 0.5}),
        ("wait", {"seconds": 2.5}),
        ("kill_recorder", {"after_s": 5.0}),
    ),
}
"""Sequences that were found once, or that a mended oracle must still hold."""


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_sequence_is_true(name: str) -> None:
    room = Room()
    try:
        for act, drawn in KNOWN[name]:
            getattr(room, act)(**drawn)
    finally:
        room.teardown()
