"""Each invariant that is broken is an alarm and a line in the journal, and ends what it can end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from gpiozero import LED, Device  # type: ignore[import-untyped]

from kiosk.api.recorder import RecorderState
from kiosk.api.states import LampState, Phase
from kiosk.clocks import NS_PER_S
from kiosk.errors import StorageError
from kiosk.evidence.chain import read_chain
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.hardware.child_process.protocol import VIDEO
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.monitoring.invariant_monitor import InvariantMonitor
from kiosk.hearing.monitoring.invariants import (
    CAMERA_SILENT_NS,
    CLOSED_IN_PLAIN,
    DURABLE_NS,
    LAMP_WRONG,
    NOT_KEPT,
    PHASE_WRONG,
    RECORDED_UNASKED,
    SILENT_NS,
    SOURCE_UNRECORDED,
    Observation,
    SourcePulse,
    find_breaches,
)
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.recording.capture.pulse import RecordingPulse
from kiosk.recording.capture.track_writer import TrackWriter
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.formats.age_tar import MemberMetadata, encode_member
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.part import Part
from kiosk.storage.hearing_folder import JOURNAL_FILE
from tests.support.simulated_courtroom import LAMP_PIN, SimulatedCourtroom, running_courtroom
from tests.support.simulated_devices import SimulatedCamera, SimulatedDisk

MS = 1_000_000
T = 1000 * NS_PER_S
IDLE = Observation(
    at_ns=T,
    shown_phase=Phase.IDLE,
    shown_closed=False,
    phase=Phase.IDLE,
    closed_ns=None,
    capturing_ns=None,
    lamp=False,
    is_listening=False,
    plain_ns=0,
    media_ns=0,
)
RECORDING = replace(
    IDLE,
    shown_phase=Phase.RECORDING,
    phase=Phase.RECORDING,
    capturing_ns=T - 60 * NS_PER_S,
    lamp=True,
    is_listening=True,
    plain_ns=T - 300 * MS,
    media_ns=T - 300 * MS,
    sources=(SourcePulse("judge", T - 50 * MS, T - 700 * MS),),
)
CLOSED = replace(RECORDING, shown_closed=True, closed_ns=T - 10 * NS_PER_S, plain_ns=T - 10**10)


def later(before: Observation, **fields: Any) -> Observation:
    return replace(before, at_ns=before.at_ns + 400 * MS, **fields)


@pytest.mark.parametrize("state", [IDLE, RECORDING, CLOSED])
def test_a_true_state_breaks_nothing(state: Observation) -> None:
    assert list(find_breaches(state, later(state))) == []


@pytest.mark.parametrize(
    ("before", "fields", "code"),
    [
        (CLOSED, {"plain_ns": T}, CLOSED_IN_PLAIN),
        (IDLE, {"media_ns": T + 200 * MS}, RECORDED_UNASKED),
        (replace(IDLE, is_listening=True), {}, RECORDED_UNASKED),
        (replace(IDLE, lamp=True), {}, LAMP_WRONG),
        (replace(RECORDING, lamp=False), {}, LAMP_WRONG),
        (replace(RECORDING, capturing_ns=None, lamp=False), {}, PHASE_WRONG),
        (replace(RECORDING, shown_phase=Phase.RECESS), {}, PHASE_WRONG),
        (replace(RECORDING, shown_closed=True), {}, PHASE_WRONG),
        (replace(IDLE, capturing_ns=T, lamp=True, is_listening=True), {}, PHASE_WRONG),
        (
            replace(RECORDING, sources=(SourcePulse("judge", T - SILENT_NS - 1, T),)),
            {},
            SOURCE_UNRECORDED,
        ),
        (replace(RECORDING, sources=(SourcePulse("judge", T, T - DURABLE_NS - 1),)), {}, NOT_KEPT),
    ],
)
def test_each_contradiction_is_found(before: Observation, fields: Any, code: str) -> None:
    assert code in [found for found, _ in find_breaches(before, later(before, **fields))]


def test_what_a_step_changes_is_not_broken_meanwhile() -> None:
    steps: tuple[dict[str, Any], ...] = (
        {"lamp": True, "capturing_ns": T, "is_listening": True},
        {"media_ns": T + 300 * MS},
    )
    for fields in steps:
        during = replace(IDLE, is_settled=False, **fields)
        assert list(find_breaches(IDLE, during)) == []
        assert list(find_breaches(during, later(during))) == []
    stopped = later(RECORDING, phase=Phase.RECESS, capturing_ns=None, lamp=False, media_ns=T)
    assert list(find_breaches(RECORDING, stopped)) == []
    opened = later(CLOSED, closed_ns=None, plain_ns=T)
    assert CLOSED_IN_PLAIN not in [code for code, _ in find_breaches(CLOSED, opened)]


def test_media_that_were_captured_before_may_be_written_afterwards() -> None:
    assert list(find_breaches(IDLE, later(IDLE, media_ns=T - 100 * MS))) == []
    late = later(CLOSED, plain_ns=T - 10 * NS_PER_S - 1)
    assert list(find_breaches(replace(CLOSED, plain_ns=0), late)) == []


def test_a_disk_that_is_told_as_slow_is_no_broken_promise() -> None:
    slow = replace(
        RECORDING, sources=(SourcePulse("judge", T, T - DURABLE_NS - 1),), is_storage_well=False
    )
    assert list(find_breaches(slow, later(slow))) == []


def test_an_encoder_may_take_its_time_for_the_first_packet() -> None:
    tap_ns = T - 2 * NS_PER_S
    begun = replace(
        RECORDING, capturing_ns=tap_ns, sources=(SourcePulse("camera", tap_ns, tap_ns, tap_ns),)
    )
    assert list(find_breaches(begun, later(begun))) == []
    dead = replace(begun, at_ns=tap_ns + CAMERA_SILENT_NS + 1)
    assert list(find_breaches(dead, later(dead))) == [(SOURCE_UNRECORDED, "camera")]


@pytest.mark.parametrize("name", ["camera", "judge"])
def test_a_source_that_came_back_counts_from_its_return(name: str) -> None:
    lost_ns = T - 20 * NS_PER_S
    back = replace(RECORDING, sources=(SourcePulse(name, lost_ns, lost_ns, T - 100 * MS),))
    assert list(find_breaches(back, later(back))) == []


# -- in a courtroom --------------------------------------------------------------------------------
class Eavesdropper:
    """Takes what the devices give, and nobody asked for it."""

    def __init__(self) -> None:
        self.count = 0

    def video(self, _packet: VideoPacket) -> None:
        self.count += 1

    def audio(self, _name: str, _block: AudioBlock) -> None:
        self.count += 1


@pytest.fixture
def room(tmp_path: Path) -> Iterator[SimulatedCourtroom]:
    with running_courtroom(tmp_path) as made:
        yield made


def alarms(room: SimulatedCourtroom) -> set[str]:
    return {alarm.code for alarm in room.state.alarms}


def begin(room: SimulatedCourtroom) -> None:
    now = room.world.now_ns
    tap = room.tap("start", lambda courtroom: courtroom.start({"kind": "civil"}, "p1", now))
    assert tap.error is None
    room.pass_time(4)


def breaches(room: SimulatedCourtroom) -> list[tuple[str, str]]:
    (folder,) = room.hearing_folders
    entries = read_chain(folder / JOURNAL_FILE).entries
    return [(e["kind"], e["what"]) for e in entries if e["kind"].startswith("breach")]


def test_nothing_is_broken_in_an_ordinary_hearing(room: SimulatedCourtroom) -> None:
    begin(room)
    now = room.world.now_ns
    room.tap("close", lambda c: c.change_publicity(True, "p1", now, "civ_adoption"), holds=True)
    room.pass_time(5)
    for step in ("recess", "resume", "end"):
        room.tap(step, methodcaller(step, "p1"))
        room.pass_time(5)
    assert breaches(room) == []


def test_plain_media_of_a_closed_hearing_stop_the_recording(room: SimulatedCourtroom) -> None:
    begin(room)
    with mock.patch.object(AgeFragmentCodec, "encode", lambda _codec, _name, plain, *_rest: plain):
        now = room.world.now_ns
        room.tap("close", lambda c: c.change_publicity(True, "p1", now, "civ_adoption"), holds=True)
        room.pass_time(0.2)
        assert room.state.hearing is not None
        assert room.state.hearing.closed is not None
        room.pass_time(1.8)
        assert room.state.phase is Phase.RECESS
        assert CLOSED_IN_PLAIN in alarms(room)
        assert not room.is_lamp_lit
        written = len(room.disks["data"].written)
        room.pass_time(5)
    assert len(room.disks["data"].written) == written, "nothing more is written"
    assert "failure_reason" in room.state.hearing.open_questions
    assert breaches(room)[0] == ("breach", CLOSED_IN_PLAIN)


def test_who_takes_sound_without_a_hearing_gets_no_more(room: SimulatedCourtroom) -> None:
    listener = Eavesdropper()
    room.sources.attach(listener, room.world.now_ns)
    room.pass_time(1.2)
    assert RECORDED_UNASKED in alarms(room)
    count = listener.count
    assert count > 0
    room.pass_time(3)
    assert listener.count == count


def test_a_lamp_that_is_dark_is_lit_again(room: SimulatedCourtroom) -> None:
    begin(room)
    Device.pin_factory.pin(LAMP_PIN).state = False
    assert not room.is_lamp_lit
    room.pass_time(1.2)
    assert any(a.code == LAMP_WRONG for shown in room.shown for a in shown.state.alarms)
    assert room.is_lamp_lit
    room.pass_time(1.2)
    assert breaches(room) == [("breach", LAMP_WRONG), ("breach_ended", LAMP_WRONG)]


def shown_lamp(room: SimulatedCourtroom) -> LampState:
    return room.state.lamp


def levels_of_lamp(room: SimulatedCourtroom, seconds: float) -> set[bool]:
    """Return the levels that the lamp's pin had within the next seconds."""
    found = set()
    for _ in range(round(seconds * 5)):
        room.pass_time(0.2)
        found.add(bool(Device.pin_factory.pin(LAMP_PIN).state))
    return found


def test_the_lamp_is_steady_only_while_all_is_proven(room: SimulatedCourtroom) -> None:
    begin(room)
    room.pass_time(8)
    assert shown_lamp(room) is LampState.STEADY
    assert levels_of_lamp(room, 3) == {True}
    with mock.patch.object(TrackWriter, "flush", return_value=True):
        room.pass_time(6)
        assert shown_lamp(room) is LampState.SLOW, "nothing becomes durable"
        assert levels_of_lamp(room, 3) == {True, False}
    room.pass_time(10)
    assert shown_lamp(room) is LampState.STEADY
    room.tap("recess", methodcaller("recess", "p1"))
    assert levels_of_lamp(room, 3) == {False}
    assert LAMP_WRONG not in {code for _, code in breaches(room)}


def test_the_lamp_blinks_while_nobody_can_look(room: SimulatedCourtroom) -> None:
    begin(room)
    room.pass_time(8)
    assert levels_of_lamp(room, 3) == {True}
    with mock.patch(f"{InvariantMonitor.__module__}.find_breaches", side_effect=ValueError):
        assert levels_of_lamp(room, 4) == {True, False}
    room.pass_time(4)
    assert levels_of_lamp(room, 3) == {True}


def test_the_technicians_test_of_the_lamp_is_no_breach(room: SimulatedCourtroom) -> None:
    room.panel.is_tested, room.panel.lamp = True, LampState.STEADY
    room.pass_time(2)
    assert LAMP_WRONG not in alarms(room)


def test_a_working_source_of_which_nothing_comes_is_told(room: SimulatedCourtroom) -> None:
    begin(room)
    room.sources.microphones[0].release()
    room.pass_time(2.2)
    assert room.state.microphones[0].state == "ok"
    assert (SOURCE_UNRECORDED, "judge") in {(a.code, a.source) for a in room.state.alarms}
    room.pass_time(0.5)
    assert breaches(room) == [("breach", SOURCE_UNRECORDED)]


def test_media_that_do_not_become_durable_are_told(room: SimulatedCourtroom) -> None:
    begin(room)
    with mock.patch.object(TrackWriter, "flush", return_value=True):
        room.pass_time(6)
        assert room.state.storage.state == "ok"
        assert NOT_KEPT in alarms(room)


def test_a_lost_capture_is_told(room: SimulatedCourtroom) -> None:
    begin(room)
    assert room.courtroom is not None
    assert room.courtroom.current is not None
    capture, room.courtroom.current.capture = room.courtroom.current.capture, None
    room.pass_time(1.4)
    assert PHASE_WRONG in alarms(room)
    room.courtroom.current.capture = capture
    room.pass_time(1)
    assert breaches(room)[0] == ("breach", PHASE_WRONG)


def test_a_screen_that_shows_another_phase_is_told(room: SimulatedCourtroom) -> None:
    def show_recess(**fields: Any) -> RecorderState:
        return RecorderState(**fields | {"phase": Phase.RECESS})

    begin(room)
    with mock.patch("kiosk.hearing.monitoring.state.RecorderState", show_recess):
        room.pass_time(2)
        assert room.state.phase is Phase.RECESS
        assert PHASE_WRONG in alarms(room)
    room.pass_time(2)
    assert PHASE_WRONG not in alarms(room)
    assert breaches(room) == [("breach", PHASE_WRONG), ("breach_ended", PHASE_WRONG)]


def test_a_screen_that_does_not_show_a_closed_hearing_as_closed_is_told(
    room: SimulatedCourtroom,
) -> None:
    begin(room)
    describe, now = OpenHearing.describe, room.world.now_ns
    room.tap("close", lambda c: c.change_publicity(True, "p1", now, "civ_adoption"), holds=True)
    with mock.patch.object(
        OpenHearing, "describe", lambda h: describe(h).model_copy(update={"closed": None})
    ):
        room.pass_time(3)
        assert PHASE_WRONG in alarms(room)
    assert breaches(room)[0] == ("breach", PHASE_WRONG)


def test_a_start_that_takes_long_keeps_its_sources(room: SimulatedCourtroom) -> None:
    create = HearingJournal.create

    def wait_and_create(*arguments: Any) -> Any:
        room.pass_time(8)
        return create(*arguments)

    with mock.patch.object(HearingJournal, "create", wait_and_create):
        start = methodcaller("start", {"kind": "civil"}, "p1", room.world.now_ns)
        room.world.spawn(lambda: room.tap("start", start), "person")
        room.pass_time(6)
        assert room.is_lamp_lit
        assert room.sources.is_dispatching
        assert alarms(room) & {RECORDED_UNASKED, LAMP_WRONG} == set()
        room.pass_time(6)
    assert room.state.phase is Phase.RECORDING
    assert room.is_lamp_lit
    assert alarms(room) & {SOURCE_UNRECORDED, NOT_KEPT} == set()


def test_no_step_that_hangs_is_acted_against(room: SimulatedCourtroom) -> None:
    def listen(_courtroom: Any) -> None:
        room.sources.attach(listener, room.world.now_ns)
        room.panel.lamp = LampState.STEADY
        room.pass_time(8)

    listener = Eavesdropper()
    room.world.spawn(lambda: room.tap("step", listen), "person")
    room.pass_time(6)
    assert {RECORDED_UNASKED, LAMP_WRONG} <= alarms(room)
    assert room.is_lamp_lit
    assert room.sources.is_dispatching
    room.pass_time(4)
    assert not room.is_lamp_lit
    assert not room.sources.is_dispatching


def test_the_check_goes_on_while_a_step_hangs_on_its_disk(room: SimulatedCourtroom) -> None:
    begin(room)
    for disk in room.disks.values():
        disk.state = "stalled"
    room.world.spawn(lambda: room.tap("mark", lambda c: c.add_mark("oath", "p1")), "person")
    room.pass_time(0.5)
    room.sources.microphones[0].release()
    room.pass_time(2.2)
    assert SOURCE_UNRECORDED in alarms(room)
    for disk in room.disks.values():
        disk.state = "ok"
    room.pass_time(8)
    assert ("breach", SOURCE_UNRECORDED) in breaches(room)


def test_what_is_over_is_no_longer_told(room: SimulatedCourtroom) -> None:
    begin(room)
    with mock.patch.object(RecordingPulse, "receive"):
        room.pass_time(2.2)
        assert SOURCE_UNRECORDED in alarms(room)
    room.pass_time(2)
    assert SOURCE_UNRECORDED not in alarms(room)
    assert ("breach_ended", SOURCE_UNRECORDED) in breaches(room)


def test_what_happened_is_told_for_a_minute(room: SimulatedCourtroom) -> None:
    room.sources.attach(Eavesdropper(), room.world.now_ns)
    room.pass_time(30)
    assert RECORDED_UNASKED in alarms(room)
    room.pass_time(40)
    assert RECORDED_UNASKED not in alarms(room)


@pytest.mark.parametrize("method", ["start", "resume"])
def test_a_slow_encoder_is_no_breach(room: SimulatedCourtroom, method: str) -> None:
    if method == "resume":
        begin(room)
        room.tap("recess", methodcaller("recess", "p1"))
    messages, since_ns = SimulatedCamera.messages, room.world.now_ns + 2 * NS_PER_S

    def encode_late(camera: SimulatedCamera) -> list[tuple[int, bytes]]:
        late = room.world.now_ns < since_ns
        return [(kind, data) for kind, data in messages(camera) if not (late and kind == VIDEO)]

    with mock.patch.object(SimulatedCamera, "messages", encode_late):
        if method == "resume":
            room.tap("resume", methodcaller("resume", "p1"))
            room.pass_time(4)
        else:
            begin(room)
    assert breaches(room) == []


def test_a_camera_that_comes_back_is_no_breach(room: SimulatedCourtroom) -> None:
    begin(room)
    room.camera.is_plugged = False
    room.pass_time(10)
    room.camera.is_plugged = True
    room.pass_time(10)
    assert room.state.camera.state == "ok"
    assert breaches(room) == []


def test_a_line_that_cannot_be_written_is_written_later(room: SimulatedCourtroom) -> None:
    begin(room)
    with mock.patch.object(OpenHearing, "append", side_effect=StorageError("refused")):
        Device.pin_factory.pin(LAMP_PIN).state = False
        room.pass_time(3)
        assert breaches(room) == []
    room.pass_time(1)
    assert breaches(room) == [("breach", LAMP_WRONG), ("breach_ended", LAMP_WRONG)]


def test_a_part_that_must_stop_is_stopped_as_soon_as_it_can_be(room: SimulatedCourtroom) -> None:
    begin(room)
    with mock.patch.object(AgeFragmentCodec, "encode", lambda _codec, _name, plain, *_rest: plain):
        now = room.world.now_ns
        room.tap("close", lambda c: c.change_publicity(True, "p1", now, "civ_adoption"), holds=True)
        with mock.patch.object(Part, "stop", side_effect=StorageError("refused")):
            room.pass_time(4)
            assert CLOSED_IN_PLAIN in alarms(room)
            assert room.is_lamp_lit
        room.pass_time(1.5)
    assert room.state.phase is Phase.RECESS
    assert room.state.hearing is not None
    assert "failure_reason" in room.state.hearing.open_questions


def test_an_ended_hearing_gets_no_line(
    room: SimulatedCourtroom, caplog: pytest.LogCaptureFixture
) -> None:
    begin(room)
    room.sources.microphones[0].release()
    room.pass_time(2.2)
    assert SOURCE_UNRECORDED in alarms(room)
    room.tap("end", methodcaller("end", "p1"))
    room.pass_time(10)
    assert room.state.phase is Phase.IDLE
    assert SOURCE_UNRECORDED not in alarms(room)
    assert breaches(room) == [("breach", SOURCE_UNRECORDED)]
    assert "breach_ended of no open hearing" in caplog.text


def test_a_state_that_is_published_late_is_no_breach(
    room: SimulatedCourtroom, caplog: pytest.LogCaptureFixture
) -> None:
    build = Courtroom.state

    def build_late(courtroom: Courtroom) -> RecorderState:
        room.pass_time(0.9)
        return build(courtroom)

    begin(room)
    with mock.patch.object(Courtroom, "state", build_late):
        room.pass_time(2)
        room.tap("end", methodcaller("end", "p1"))
        room.pass_time(10)
    assert room.state.phase is Phase.IDLE
    assert PHASE_WRONG not in caplog.text


def test_a_lamp_that_cannot_be_read_stops_no_check(room: SimulatedCourtroom) -> None:
    begin(room)
    with mock.patch.object(LED, "value", property(mock.Mock(side_effect=OSError("GPIO busy")))):
        assert room.panel.lamp is None
        assert "GPIO busy" in room.panel.problem
        room.sources.microphones[0].release()
        room.pass_time(2.2)
        assert SOURCE_UNRECORDED in alarms(room)


def test_ciphertext_that_spells_a_box_is_no_plain_media(room: SimulatedCourtroom) -> None:
    """It happens once in some hundred hearings; what the disk raised then, no seal outlived."""
    about = MemberMetadata(5, 6, ("judge",), 1, "", "")
    member = encode_member("000001-0001.m4s.age", b"..moof..mdat..", about)
    disk = SimulatedDisk(room.world)
    for data in (member, member[700:]):
        disk.note("hearings/a/part-01/main/run-01/000001.tar", data)
    assert [(media.is_plain, media.begin_ns) for media in disk.written] == [(False, 5)]
