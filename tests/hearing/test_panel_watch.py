"""A seat's switch silences its microphone, and nothing else; a stuck button; a call."""

from __future__ import annotations

from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path

import numpy as np
import pytest
from gpiozero import Device  # type: ignore[import-untyped]

from kiosk.api.states import LampState, MicrophoneState
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings, PanelSettings
from kiosk.evidence.chain import read_chain
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.virtual.panel import VirtualPanel
from kiosk.hearing.monitoring.panel_watch import STUCK_NS, PanelWatch
from kiosk.storage.hearing_folder import JOURNAL_FILE
from tests.hearing.courtroom_rig import CourtroomRig
from tests.support.simulated_courtroom import MUTE_PIN, SimulatedCourtroom, running_courtroom

RATE = 48_000


# -- the samples -------------------------------------------------------------------------------
class Track:
    """Keeps the blocks that a recording would get."""

    def __init__(self) -> None:
        self.blocks: list[AudioBlock] = []

    def video(self, _packet: VideoPacket) -> None:
        raise AssertionError("there is no camera")

    def audio(self, _name: str, block: AudioBlock) -> None:
        self.blocks.append(block)


def push(source: MicrophoneSource, start_ns: int, index: int) -> None:
    """Give a tenth of a second of noise."""
    noise = np.random.default_rng(index).integers(-3000, 3000, RATE // 10).astype(np.int16)
    source.push(AudioBlock(0, index * RATE // 10, start_ns, noise))


@pytest.mark.parametrize("kind", [{}, {"noise_gate": True}, {"role": "remote"}])
def test_what_is_said_while_a_seat_is_switched_off_reaches_nobody(kind: dict[str, object]) -> None:
    settings = MicrophoneSettings.model_validate(
        {"name": "witness", "role": "witness", "device": "mic", **kind}
    )
    source, track = MicrophoneSource(settings), Track()
    source.attach(track, 0)
    start_ns = recording_ns() - 3 * NS_PER_S
    for index in range(10):
        source.switch(off=index >= 2)
        push(source, start_ns + index * NS_PER_S // 10, index)
    assert [bool(block.samples.any()) for block in track.blocks] == [True] * 2 + [False] * 8
    assert [len(block.samples) for block in track.blocks] == [RATE // 10] * 10, "time goes on"
    assert source.state is MicrophoneState.MUTED, "after half a second, of whatever kind it is"
    assert source.describe().switched_off
    assert source.meter.energy_history()[-1][2] == 0.0, "nothing measures it either"
    source.switch(off=False)
    push(source, recording_ns() - NS_PER_S // 10, 10)
    push(source, recording_ns() + 1, 11)
    said = [bool(block.samples.any()) for block in track.blocks[-2:]]
    assert said == [False, True], "a block that was begun before holds what was said before"


# -- in a courtroom ----------------------------------------------------------------------------
@pytest.fixture
def room(tmp_path: Path) -> Iterator[SimulatedCourtroom]:
    with running_courtroom(tmp_path) as made:
        yield made


def shown_lamp(room: SimulatedCourtroom) -> LampState:
    return room.state.lamp


def close_switch(closed: bool) -> None:
    pin = Device.pin_factory.pin(MUTE_PIN)
    pin.drive_low() if closed else pin.drive_high()


def test_the_ledger_has_begin_and_end_also_of_what_was_off_before_the_hearing(
    room: SimulatedCourtroom,
) -> None:
    close_switch(True)
    now = room.world.now_ns
    assert room.tap("start", methodcaller("start", {"kind": "civil"}, "p1", now)).error is None
    room.pass_time(12)
    (witness,) = [row for row in room.state.microphones if row.name == "witness"]
    assert (witness.switched_off, witness.state) == (True, MicrophoneState.MUTED)
    assert shown_lamp(room) is LampState.SLOW, "somebody is not heard"
    codes = {(alarm.code, alarm.source) for alarm in room.state.alarms}
    assert ("microphone_switched_off", "witness") in codes
    assert ("microphone_muted", "witness") not in codes
    close_switch(False)
    room.pass_time(12)
    assert shown_lamp(room) is LampState.STEADY
    room.tap("end", methodcaller("end", "p1"))
    room.pass_time(5)
    (folder,) = room.hearing_folders
    entries = [e for e in read_chain(folder / JOURNAL_FILE).entries if e["kind"].startswith("seat")]
    assert [(e["kind"], e["source"]) for e in entries] == [
        ("seat_muted", "witness"),
        ("seat_unmuted", "witness"),
    ]
    assert entries[0]["seconds"] < 1
    assert entries[1]["seconds"] == pytest.approx(12, abs=1)
    parts = read_chain(folder / "part-01" / JOURNAL_FILE).entries
    lost = [e for e in parts if e["kind"].startswith("interruption") and e["source"] == "witness"]
    assert {e["what"] for e in lost} == {"muted"}
    assert (lost[-1]["end_ns"] - lost[-1]["start_ns"]) / NS_PER_S == pytest.approx(12, abs=1.5)


def test_a_seat_that_was_switched_on_during_a_crash_has_its_end(room: SimulatedCourtroom) -> None:
    now = room.world.now_ns
    room.tap("start", methodcaller("start", {"kind": "civil"}, "p1", now))
    close_switch(True)
    room.pass_time(3)
    room.kill_recorder()
    close_switch(False)
    room.start_recorder()
    room.pass_time(3)
    (folder,) = room.hearing_folders
    kinds = [e["kind"] for e in read_chain(folder / JOURNAL_FILE).entries]
    assert [kind for kind in kinds if kind.startswith("seat")] == ["seat_muted", "seat_unmuted"]


# -- buttons -----------------------------------------------------------------------------------
def test_a_button_that_nobody_lets_go_is_stuck_also_one_held_at_boot(tmp_path: Path) -> None:
    settings, now = PanelSettings(call_pin=22), [0]
    rig = CourtroomRig(tmp_path)
    with VirtualPanel(settings) as virtual:
        virtual.close_contact(22)
        panel = Panel(settings).open()
        watch = PanelWatch(panel, rig.sources, lambda: now[0])
        assert not watch.poll(None)
        now[0] = STUCK_NS + 1
        assert watch.poll(None)
        assert watch.alarms() == [("panel_button_stuck", "panel")]
        virtual.open_contact(22)
        assert watch.poll(None)
        assert watch.alarms() == []
        panel.close()
    rig.crash()


def test_a_call_stays_until_it_is_answered_also_over_a_restart(tmp_path: Path) -> None:
    rig = CourtroomRig(tmp_path)
    hearing_id = rig.begin()
    assert rig.courtroom.secretary_call.make()
    assert not rig.courtroom.secretary_call.make(), "twice is once"
    assert "secretary_called" in rig.codes()
    rig.crash()
    rig.start()
    assert "secretary_called" in rig.codes()
    assert rig.courtroom.secretary_call.answer("p1")
    assert not rig.courtroom.secretary_call.answer("p2")
    assert "secretary_called" not in rig.codes()
    assert len(rig.lines(hearing_id, "secretary_called")) == 1
    assert [e["person"] for e in rig.lines(hearing_id, "secretary_call_answered")] == ["p1"]
    rig.crash()
    rig.start()
    assert "secretary_called" not in rig.codes()
    rig.crash()
