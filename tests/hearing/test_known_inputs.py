"""Which device each source has: journalled in every part, and an alarm when it is another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder import Device, OpenedDevice
from kiosk.api.reports import TestedCheck
from kiosk.config import MicrophoneSettings
from kiosk.errors import DeviceAbsentError
from kiosk.evidence.chain import read_chain
from kiosk.hardware.audio.sound_devices import find_device, list_devices
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.monitoring.known_inputs import THREAD, KnownInputs
from kiosk.storage.atomic_io import read_json, write_json
from tests.hearing.courtroom_rig import CourtroomRig, courtroom_settings
from tests.support.sound_cards import Stick, build_machine

LEFT, RIGHT = Stick("1.3"), Stick("1.4")
ALARM = "microphone_replaced"


class Room:
    """A courtroom whose microphones are sticks in a machine that a test plugs in anew."""

    def __init__(self, folder: Path, judge: str, witness: str) -> None:
        self.folder = folder
        self.machines = 0
        self.devices = {"judge": judge, "witness": witness}

    def plug(self, *sticks: Stick) -> None:
        """Plug in these sticks and no others; the kernel finds them in this order."""
        self.machines += 1
        build_machine(self.folder / str(self.machines), sticks)

    def open(self, name: str, setting: str) -> Device:
        """Open what the setting names now, as the process of a microphone does."""
        devices = list_devices("input", (), self.folder / str(self.machines))
        try:
            found = find_device(setting, devices)
        except DeviceAbsentError:
            return Device(name=name, setting=f"{setting} channel 0")
        known = {key: getattr(found, key) for key in ("name", "card", "usb", "product", "serial")}
        opened = OpenedDevice(**known, rate=48000, channels=1)
        return Device(name=name, setting=f"{setting} channel 0", opened=opened)

    def start(self, folder: Path) -> CourtroomRig:
        """Return its recorder."""
        rows = [
            MicrophoneSettings(name=name, role=name, device=device)
            for name, device in self.devices.items()
        ]
        return CourtroomRig(folder, courtroom_settings(folder, tuple(rows)))


@pytest.fixture
def enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], tuple[Room, CourtroomRig]]]:
    """Return a function that makes the room, with both sticks plugged in, and its recorder."""
    rigs = []

    def make(judge: str, witness: str) -> tuple[Room, CourtroomRig]:
        room = Room(tmp_path / "machines", judge, witness)
        room.plug(LEFT, RIGHT)

        def devices(_sources: Sources) -> list[Device]:
            return [room.open(name, device) for name, device in room.devices.items()]

        monkeypatch.setattr(Sources, "devices", devices)
        rigs.append(room.start(tmp_path))
        return room, rigs[-1]

    yield make
    for rig in rigs:
        rig.crash()


Enter = Callable[[str, str], tuple[Room, CourtroomRig]]


def alarms(rig: CourtroomRig) -> set[str | None]:
    """Return the microphones that are another device."""
    rig.courtroom.poll()
    for thread in threading.enumerate():
        if thread.name == THREAD:  # the known devices are being written
            thread.join(30)
    return {alarm.source for alarm in rig.courtroom.state().alarms if alarm.code == ALARM}


def test_every_part_says_what_was_opened(enter: Enter) -> None:
    room, rig = enter("usb:1-1.3", "usb:1f00200000.usb/1.4")
    hearing = rig.begin()
    rig.courtroom.recess("p1")
    room.plug(RIGHT)
    rig.courtroom.resume("p1")
    first, second = (line["inputs"] for line in rig.lines(hearing, "part_opened"))
    assert first["judge"] == {
        "name": "USB PnP Sound Device: USB Audio (hw:1,0)",
        "card": "Device",
        "usb": "1f00200000.usb/1.3",
        "product": "0d8c:0014",
        "serial": "",
        "rate": 48000,
        "channels": 1,
    }
    assert (first["witness"]["card"], second["witness"]["card"]) == ("Device_1", "Device")
    assert second["judge"] is None
    part = rig.folder(hearing) / "part-01"
    assert read_chain(part / "journal.jsonl").entries[0]["inputs"] == first
    assert read_json(part / "part.json")["inputs"] == first
    assert alarms(rig) == set()
    rig.courtroom.end("p1")
    rig.sealed(hearing)


def test_sticks_that_the_kernel_finds_in_another_order_are_an_alarm(
    enter: Enter, tmp_path: Path
) -> None:
    room, rig = enter("id:Device", "id:Device_1")  # an id that no udev rule keeps
    assert alarms(rig) == set()
    rig.crash()
    room.plug(RIGHT, LEFT)
    rig = room.start(tmp_path)
    assert alarms(rig) == {"judge", "witness"}  # also while nothing is recorded
    hearing = rig.begin()
    assert alarms(rig) == {"judge", "witness"}
    assert alarms(rig) == {"judge", "witness"}
    told = rig.lines(hearing, "input_replaced")
    assert [(line["source"], line["part"]) for line in told] == [("judge", 1), ("witness", 1)]
    assert told[0]["known"]["usb"].endswith("/1.3")
    assert told[0]["opened"]["usb"].endswith("/1.4")
    rig.courtroom.recess("p1")
    rig.courtroom.resume("p1")
    alarms(rig)
    assert [line["part"] for line in rig.lines(hearing, "input_replaced")] == [1, 1, 2, 2]
    room.plug(LEFT, RIGHT)
    assert alarms(rig) == set()
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    rig.crash()


def test_by_its_place_a_microphone_stays_itself(enter: Enter, tmp_path: Path) -> None:
    room, rig = enter("usb:1f00200000.usb/1.3", "usb:1f00200000.usb/1.4")
    assert alarms(rig) == set()
    rig.crash()
    room.plug(RIGHT, LEFT)
    rig = room.start(tmp_path)
    assert alarms(rig) == set()
    hearing = rig.begin()
    (line,) = rig.lines(hearing, "part_opened")
    assert line["inputs"]["judge"]["usb"].endswith("/1.3")
    rig.crash()


def test_another_stick_in_a_known_socket_is_an_alarm(enter: Enter) -> None:
    room, rig = enter("usb:1-1.3", "usb:1-1.4")
    assert alarms(rig) == set()
    hearing = rig.begin()
    room.plug(Stick("1.3", serial="X1"), RIGHT)
    assert alarms(rig) == {"judge"}
    (opened,) = rig.lines(hearing, "input_opened")
    (told,) = rig.lines(hearing, "input_replaced")
    assert opened["opened"]["serial"] == told["opened"]["serial"] == "X1"


def test_a_stick_with_a_serial_number_may_change_its_socket(enter: Enter) -> None:
    room, rig = enter("serial:X1", "usb:1-1.4")
    room.plug(Stick("1.3", serial="X1"), RIGHT)
    assert alarms(rig) == set()
    hearing = rig.begin()
    room.plug(Stick("2", serial="X1"), RIGHT)
    assert alarms(rig) == set()
    (line,) = rig.lines(hearing, "input_opened")  # its new place is journalled
    assert line["opened"]["usb"].endswith("/2")


def test_a_microphone_that_comes_later_is_journalled_then(enter: Enter) -> None:
    room, rig = enter("usb:1-1.3", "usb:1-1.4")
    assert alarms(rig) == set()
    room.plug(LEFT)
    hearing = rig.begin()
    assert alarms(rig) == set()
    assert rig.lines(hearing, "input_opened") == []
    room.plug(LEFT, RIGHT)
    assert alarms(rig) == set()
    assert alarms(rig) == set()
    (line,) = rig.lines(hearing, "input_opened")
    assert (line["source"], line["part"], line["opened"]["card"]) == ("witness", 1, "Device_1")


def test_commissioning_makes_the_devices_of_now_the_known_ones(
    enter: Enter, tmp_path: Path
) -> None:
    room, rig = enter("id:Device", "id:Device_1")
    alarms(rig)
    room.plug(RIGHT, LEFT)
    assert alarms(rig) == {"judge", "witness"}
    rig.courtroom.inputs.accept(["camera", "clock"])
    assert alarms(rig) == {"judge", "witness"}
    rig.courtroom.inputs.accept(["microphones"])
    assert alarms(rig) == set()
    rig.crash()
    rig = room.start(tmp_path)
    assert alarms(rig) == set()
    room.plug(LEFT, RIGHT)
    assert alarms(rig) == {"judge", "witness"}
    rig.crash()


def test_another_setting_wants_another_device(enter: Enter, tmp_path: Path) -> None:
    room, rig = enter("usb:1-1.3", "usb:1-1.4")
    assert alarms(rig) == set()
    rig.crash()
    room.devices = {"judge": "usb:1-1.4", "witness": "usb:1-1.3"}
    rig = room.start(tmp_path)
    assert alarms(rig) == set()
    rig.crash()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"judge": 1}', '{"judge": {"setting": "x", "opened": {}}}']
)
def test_a_damaged_file_is_no_reason_to_fail(
    enter: Enter, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    room, rig = enter("usb:1-1.3", "usb:1-1.4")
    alarms(rig)
    rig.crash()
    path: Any = rig.paths.known_inputs
    path.write_text(content, encoding="utf-8")
    rig = room.start(tmp_path)
    assert alarms(rig) == set()
    assert "cannot be read" in caplog.text
    assert set(read_json(path)) == {"judge", "witness"}
    rig.crash()


def test_of_another_microphone_no_level_of_speech_is_usual_until_it_is_commissioned(
    enter: Enter, tmp_path: Path
) -> None:
    room, rig = enter("id:Device", "id:Device_1")
    assert alarms(rig) == set()
    rig.crash()
    write_json(rig.paths.speech_levels, {"judge": [-30.0] * 3, "witness": [-32.0] * 3})
    room.plug(RIGHT, LEFT)
    rig = room.start(tmp_path)
    usual = rig.courtroom.usual_speech_level
    assert usual("judge") == -30.0
    assert alarms(rig) == {"judge", "witness"}
    assert (usual("judge"), usual("witness")) == (None, None)
    row = {"check": "microphones", "state": "passed", "seconds": 5, "at": "2026-11-23T04:00:30Z"}
    measured = {"judge": {"speech_db": -26.5}, "witness": {"noise_db": -60.0}}
    rig.courtroom.take_commissioning([TestedCheck.model_validate({**row, "measured": measured})])
    assert alarms(rig) == set()
    assert (usual("judge"), usual("witness")) == (-26.5, None)


def test_another_camera_is_an_alarm_of_its_own(enter: Enter) -> None:
    cameras = ["/base/i2c@88000/imx708@1a", "/base/i2c@80000/imx708@1a"]

    def devices() -> list[Device]:
        opened = OpenedDevice(name=cameras[0], card="imx708")
        return [Device(name="camera", setting="auto", opened=opened)]

    _room, rig = enter("usb:1-1.3", "usb:1-1.4")
    rig.courtroom.inputs = KnownInputs(rig.paths.known_inputs, devices)
    hearing = rig.begin()
    rig.courtroom.poll()
    assert list(rig.courtroom.inputs.alarms()) == []
    cameras.reverse()
    rig.courtroom.poll()
    assert list(rig.courtroom.inputs.alarms()) == [("camera_replaced", "camera")]
    (told,) = rig.lines(hearing, "input_replaced")
    assert (told["known"]["name"], told["opened"]["name"]) == (cameras[1], cameras[0])
    rig.courtroom.inputs.accept(["microphones"])
    assert list(rig.courtroom.inputs.alarms()) == [("camera_replaced", "camera")]
    rig.courtroom.inputs.accept(["camera"])
    assert list(rig.courtroom.inputs.alarms()) == []


def test_a_disk_that_hangs_holds_up_no_step(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, ends = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hangs.set()
        assert ends.wait(30), "it held up the steps"

    monkeypatch.setattr("kiosk.hearing.monitoring.known_inputs.write_json", hang)
    _room, rig = enter("usb:1-1.3", "usb:1-1.4")
    rig.courtroom.poll()
    assert hangs.wait(30)
    rig.begin()
    rig.courtroom.poll()
    assert rig.phase() == "recording"
    ends.set()
