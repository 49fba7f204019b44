"""Loudspeakers by place on USB: two of one model are told apart, whatever order they come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config import VoiceSettings
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.outputs import alsa_output, find_outputs
from kiosk.hardware.audio.sound_devices import AmbiguousDeviceError
from kiosk.services.room import RoomProfileRefusedError, RoomService
from kiosk.settings_files import load_settings
from tests.support.sound_cards import Stick, build_machine

LEFT, RIGHT = "usb:1f00200000.usb/1.1", "usb:1f00200000.usb/1.2"


def build(root: Path, *sticks: Stick) -> Path:
    """Lay out a machine whose sticks are loudspeakers, too."""
    build_machine(root, sticks)
    for card in range(1, len(sticks) + 1):
        (root / f"sys/class/sound/card{card}/pcmC{card}D0p").mkdir()
    return root


def test_two_of_one_model_keep_their_names_in_whatever_order_they_are_found(tmp_path: Path) -> None:
    one = build(tmp_path / "one", Stick("1.1"), Stick("1.2"))
    other = build(tmp_path / "other", Stick("1.2"), Stick("1.1"))
    assert [row.address for row in find_outputs(one)] == ["id:Headphones", LEFT, RIGHT]
    assert [alsa_output(LEFT, root) for root in (one, other)] == ["plughw:1,0", "plughw:2,0"]
    assert [alsa_output(RIGHT, root) for root in (one, other)] == ["plughw:2,0", "plughw:1,0"]
    assert alsa_output("id:Headphones", one) == "plughw:0,0"
    assert alsa_output("plughw:CARD=Device", one) == "plughw:CARD=Device"
    with pytest.raises(DeviceAbsentError):
        alsa_output("usb:1f00200000.usb/1.3", one)


def test_a_loudspeaker_that_fits_two_is_refused_with_both_named(tmp_path: Path) -> None:
    root = build(tmp_path / "machine", Stick("1.1", serial="X"), Stick("1.2", serial="X"))
    with pytest.raises(AmbiguousDeviceError):
        alsa_output("serial:X", root)
    file = tmp_path / "kiosk.toml"
    file.write_text(f"[paths]\ndata = '{tmp_path / 'data'}'\n", encoding="utf-8")
    service = RoomService(load_settings(file), file, lambda: None, root)
    with pytest.raises(RoomProfileRefusedError) as refused:
        service.keep({"voice": {"loudspeaker": "serial:X"}})
    assert "loudspeaker: “serial:X” fits 2 devices" in str(refused.value)
    assert "usb/1.1" in str(refused.value)
    assert "usb/1.2" in str(refused.value)
    assert load_settings(file).voice.loudspeaker == ""
    service.keep({"voice": {"loudspeaker": LEFT}})
    assert load_settings(file).voice.loudspeaker == LEFT


@pytest.mark.parametrize("wrong", ["usb:", "usb:not a place", "id:", "hw:1,0", "plughw:1"])
def test_what_names_no_loudspeaker_is_a_wrong_setting(wrong: str) -> None:
    with pytest.raises(ValueError, match="loudspeaker"):
        VoiceSettings(loudspeaker=wrong)
