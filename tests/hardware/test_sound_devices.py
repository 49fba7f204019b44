"""Which sound device a setting names, on trees of a Pi with several microphones of one model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.sound_devices import (
    AmbiguousDeviceError,
    PartialNameError,
    SoundDevice,
    find_device,
    is_present,
    list_devices,
    opened_format,
)
from tests.support.sound_cards import CONTROLLERS, Stick, build_machine

NAME = "USB PnP Sound Device"
LEFT, RIGHT = Stick("1.3"), Stick("1.4")


def devices(root: Path, *names: str) -> list[SoundDevice]:
    return list_devices("input", names, root)


def test_what_the_kernel_knows_of_a_card(tmp_path: Path) -> None:
    build_machine(tmp_path, [Stick("1.3", serial="A1B2")])
    (found,) = devices(tmp_path)
    assert found == SoundDevice(
        name=f"{NAME}: USB Audio (hw:1,0)",
        hw=(1, 0),
        card="Device",
        usb="1f00200000.usb/1.3",
        bus="1-1.3",
        product="0d8c:0014",
        serial="A1B2",
    )
    assert [device.card for device in list_devices("output", (), tmp_path)] == ["Headphones"]


@pytest.mark.parametrize(
    "setting", ["usb:1-1.3", "usb:1f00200000.usb/1.3", "id:Device", "serial:A1B2"]
)
def test_every_form_finds_one_of_two_equal_sticks(tmp_path: Path, setting: str) -> None:
    build_machine(tmp_path, [Stick("1.3", serial="A1B2"), RIGHT])
    found = find_device(setting, devices(tmp_path))
    assert (found.usb, found.hw) == ("1f00200000.usb/1.3", (1, 0))


@pytest.mark.parametrize("setting", [NAME, f"{NAME}: USB Audio"])
def test_a_name_that_fits_two_sticks_finds_none_and_names_both(
    tmp_path: Path, setting: str
) -> None:
    build_machine(tmp_path, [LEFT, RIGHT])
    with pytest.raises(AmbiguousDeviceError) as refused:
        find_device(setting, devices(tmp_path))
    assert "hw:1,0" in str(refused.value)
    assert "hw:2,0" in str(refused.value)
    assert "1f00200000.usb/1.4" in str(refused.value)


def test_a_stick_that_another_process_holds_still_counts(tmp_path: Path) -> None:
    build_machine(tmp_path, [LEFT, RIGHT])
    listed = devices(tmp_path, RIGHT.portaudio_name(2), "mic_judge")  # hw:1,0 is held: left out
    assert len(listed) == 3
    with pytest.raises(AmbiguousDeviceError):
        find_device(NAME, listed)
    assert find_device("usb:1-1.3", listed).hw == (1, 0)  # and is not the other one


@pytest.mark.parametrize("sticks", [[LEFT], [LEFT, RIGHT]])
def test_a_part_of_a_name_is_answered_with_what_may_be_meant(
    tmp_path: Path, sticks: list[Stick]
) -> None:
    build_machine(tmp_path, sticks)
    with pytest.raises(PartialNameError, match="names no device whole; did you mean") as refused:
        find_device("PnP", devices(tmp_path))
    for device in devices(tmp_path):
        assert f"“{device.stable_address(devices(tmp_path))}”" in str(refused.value)
    with pytest.raises(DeviceAbsentError, match="is not connected"):
        find_device("Yeti", devices(tmp_path))


@pytest.mark.parametrize("setting", ["USB PnP", "Sound Device", "hw:1", "mic_", "mic_judge2"])
def test_a_part_of_a_name_is_no_name(tmp_path: Path, setting: str) -> None:
    build_machine(tmp_path, [LEFT], first_card=10)
    with pytest.raises((DeviceAbsentError, ValueError)):
        find_device(setting, devices(tmp_path, "mic_judge", LEFT.portaudio_name(10)))


def test_a_name_alone_suffices_where_it_fits_one(tmp_path: Path) -> None:
    build_machine(tmp_path, [LEFT])
    listed = devices(tmp_path, LEFT.portaudio_name(1), "mic_judge", "pulse")
    assert find_device(NAME, listed).usb == "1f00200000.usb/1.3"
    assert find_device("mic_judge", listed).hw is None


def test_a_serial_number_of_two_sticks_finds_none(tmp_path: Path) -> None:
    same = "20100505"
    build_machine(tmp_path, [Stick("1.3", serial=same), Stick("1.4", serial=same)])
    with pytest.raises(AmbiguousDeviceError):
        find_device(f"serial:{same}", devices(tmp_path))
    listed = devices(tmp_path)
    assert listed[0].stable_address(listed) == "usb:1f00200000.usb/1.3"


def test_the_second_device_of_a_card_has_a_number(tmp_path: Path) -> None:
    build_machine(tmp_path, [Stick("1.3", devices=2)])
    listed = devices(tmp_path)
    assert find_device("usb:1-1.3", listed).hw == (1, 0)
    assert find_device("usb:1-1.3,1", listed).hw == (1, 1)
    assert listed[1].stable_address(listed) == "usb:1f00200000.usb/1.3,1"
    with pytest.raises(AmbiguousDeviceError):
        find_device(NAME, listed)


def test_a_machine_without_sound_has_what_portaudio_lists(tmp_path: Path) -> None:
    listed = devices(tmp_path, "mic_judge", "USB: USB Audio (hw:1,0)")
    assert [device.hw for device in listed] == [None, (1, 0)]
    assert find_device("USB", listed).hw == (1, 0)


def test_another_stick_under_the_same_number_is_noticed(tmp_path: Path) -> None:
    build_machine(tmp_path / "before", [LEFT, RIGHT])
    build_machine(tmp_path / "after", [RIGHT, LEFT])
    device = find_device("usb:1-1.3", devices(tmp_path / "before"))
    assert is_present(device, tmp_path / "before")
    assert not is_present(device, tmp_path / "after")


def test_rate_and_channels_are_the_kernels_own(tmp_path: Path) -> None:
    build_machine(tmp_path, [LEFT])
    (device,) = devices(tmp_path)
    assert opened_format(device, tmp_path) is None
    running = tmp_path / "proc/asound/card1/pcm0c/sub0/hw_params"
    running.write_text(
        "access: RW_INTERLEAVED\nformat: S16_LE\nsubformat: STD\nchannels: 2\n"
        "rate: 44100 (44100/1)\nperiod_size: 1470\nbuffer_size: 2940\n"
    )
    assert opened_format(device, tmp_path) == (44100, 2)


STICKS = st.lists(
    st.builds(
        Stick,
        st.sampled_from(["1", "2", "1.1", "1.2", "1.2.1", "2.4", "1.3"]),
        st.sampled_from(CONTROLLERS),
        st.sampled_from(["", "", "A1", "B2"]),
    ),
    min_size=2,
    max_size=4,
    unique_by=lambda stick: (stick.controller, stick.ports),
)


def test_buses_that_are_found_in_another_order_change_nothing(tmp_path: Path) -> None:
    """By the kernel's number of the bus, 1-1 is one stick today and the other one tomorrow."""
    sticks = [Stick("1", controller) for controller in CONTROLLERS]
    build_machine(tmp_path / "before", sticks)
    build_machine(tmp_path / "after", sticks, controllers=CONTROLLERS[::-1])
    for device in devices(tmp_path / "before"):
        address = device.stable_address(devices(tmp_path / "before"))
        assert find_device(address, devices(tmp_path / "after")).hw == device.hw


@settings(max_examples=25)
@given(sticks=STICKS, data=st.data())
def test_whatever_the_order_an_address_finds_the_same_stick(
    sticks: list[Stick], data: st.DataObject
) -> None:
    """Cards and buses get other numbers at the next start; no setting finds another stick."""
    with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as after:
        build_machine(Path(before), sticks)
        shuffled = data.draw(st.permutations(sticks))
        found = data.draw(st.permutations(CONTROLLERS))
        build_machine(Path(after), shuffled, data.draw(st.integers(1, 9)), found)
        first, second = devices(Path(before)), devices(Path(after))
        for device in first:
            again = find_device(device.stable_address(first), second)
            assert (again.usb, again.serial) == (device.usb, device.serial)
