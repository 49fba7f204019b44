"""Settings that contradict each other or name nothing are refused, with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config import Settings
from kiosk.errors import ConfigError
from kiosk.settings_files import load_settings


def refusals(tmp_path: Path, text: str) -> list[str]:
    """Return the problems of a settings file, each as ``LINE: what``."""
    path = tmp_path / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    return str(error.value).replace(f"{path}:", "").splitlines()


def microphones(*rows: str) -> str:
    """Return one table of three lines and further ones for each of ``rows``."""
    return "".join(f"[[microphones]]\nrole = 'witness'\n{row}\n" for row in rows)


def test_two_roles_on_one_channel_of_one_device_are_refused(tmp_path: Path) -> None:
    (said,) = refusals(
        tmp_path,
        microphones("name = 'a'\ndevice = 'usb:1-1.3'", "name = 'b'\ndevice = 'usb:1-1.3'"),
    )
    assert said == (
        "8: microphones.2.device = 'usb:1-1.3': microphone “a” has channel 0 of it already"
    )


def test_one_device_at_two_rates_is_refused(tmp_path: Path) -> None:
    stick = "device = 'serial:X1'"
    rows = (f"name = 'a'\n{stick}", f"name = 'b'\n{stick}\nchannel = 1\nrate = 44100")
    (said,) = refusals(tmp_path, microphones(*rows))
    assert said.startswith("10: microphones.2.rate = 44100: microphone “a” opens")


def test_a_rate_that_is_not_written_is_named_by_its_table(tmp_path: Path) -> None:
    stick = "device = 'serial:X1'"
    rows = (f"name = 'a'\n{stick}\nrate = 16000", f"name = 'b'\n{stick}\nchannel = 1")
    (said,) = refusals(tmp_path, microphones(*rows))
    assert said.startswith("6: microphones.2.rate: microphone “a” opens the same device at 16000")


@pytest.mark.parametrize(
    "name", ["camera", "mix", "storage", "mirror", "recorder", "court_keys", "machine"]
)
def test_a_microphone_has_no_name_of_another_source(tmp_path: Path, name: str) -> None:
    (said,) = refusals(tmp_path, microphones(f"name = '{name}'\ndevice = 'mic_a'"))
    assert said.startswith(f"3: microphones.1.name = '{name}': is the name of another source")


@pytest.mark.parametrize("name", ["", "Judge", "../x", "a b", "a/b", "-a", "a" * 32, "судья"])
def test_a_microphones_name_is_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    (said,) = refusals(tmp_path, microphones(f"name = '{name}'\ndevice = 'mic_a'"))
    assert said.startswith("3: microphones.1.name")


def test_two_microphones_of_one_name_are_refused(tmp_path: Path) -> None:
    rows = ("name = 'a'\ndevice = 'mic_a'", "name = 'a'\ndevice = 'mic_b'")
    assert refusals(tmp_path, microphones(*rows)) == [
        "7: microphones.2.name = 'a': two microphones have the same name"
    ]


def test_a_ninth_microphone_is_refused(tmp_path: Path) -> None:
    rows = [f"name = 'm{number}'\ndevice = 'mic_{number}'" for number in range(9)]
    (said,) = refusals(tmp_path, microphones(*rows))
    assert said.startswith("35: microphones.9.name = 'm8': at most 8 microphones")


@pytest.mark.parametrize(
    ("device", "why"),
    [
        ("", "names no device"),
        (" ", "names no device"),
        ("mic_a ", "blank"),
        ("hw:1", "the number of a card changes"),
        ("plughw:1,0", "the number of a card changes"),
        ("USB PnP Sound Device: USB Audio (hw:1,0)", "the number of a card changes"),
        ("default", "stands for another device"),
        ("usb:", "is written like “usb:1-1.3”"),
        ("usb:3", "is written like “usb:1-1.3”"),
        ("serial:", "is written like “serial:A1B2C3”"),
        ("id:two words", "is written like “id:Device_1”"),
    ],
)
def test_a_device_is_named_by_what_stays(tmp_path: Path, device: str, why: str) -> None:
    (said,) = refusals(tmp_path, microphones(f"name = 'a'\ndevice = '{device}'"))
    assert said.startswith(f"4: microphones.1.device = '{device}': ")
    assert why in said


@pytest.mark.parametrize("zone", ["Asia/Almata", "Asia", "", "/etc/localtime", "../x", "Mars/Base"])
def test_an_unknown_time_zone_is_refused(tmp_path: Path, zone: str) -> None:
    assert refusals(tmp_path, f"[kiosk]\nid = 'k'\ntimezone = '{zone}'\n") == [
        f"3: kiosk.timezone = '{zone}': there is no such time zone; one is Asia/Almaty"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[voice]\nheadphones = 'a'\nloudspeaker = 'a'", "3: voice.loudspeaker = 'a': is a person"),
        ("[headset]\ndevice = 'a'\n[voice]\nloudspeaker = 'a'", "4: voice.loudspeaker = 'a': is a"),
        ("[voice]\nloudspeaker = 'plughw:1,0'", "2: voice.loudspeaker = 'plughw:1,0': the number"),
        ("[headset]\ndevice = 'hw:1'", "2: headset.device = 'hw:1': the number of a card"),
        ("[paths]\nmirror = '/var/lib/kiosk/b'", "2: paths.mirror = '/var/lib/kiosk/b': is no sec"),
        ("[paths]\ndata = '/a'\nmirror = '/a'", "3: paths.mirror = '/a': is no second storage"),
        (
            "[scanner]\nkind = 'overhead'\n[scanner.overhead]\ncamera = 0",
            "4: scanner.overhead.camera = 0: is the hearing's camera",
        ),
        (
            "[scanner]\nkind = 'overhead'\noverhead = {camera = 0}",
            "3: scanner.overhead.camera = 0: is the hearing's camera",
        ),
        (
            "[camera.picture]\nexposure = 'fixed'\nexposure_ms = 50.0",
            "3: camera.picture.exposure_ms = 50.0: is longer than a picture lasts",
        ),
        ("[camera.picture]\nzomm = 2.0", "2: unknown key “camera.picture.zomm”; did"),
        ("[kiosk]\nroom = ''", "2: kiosk.room = '': "),
        ("[filing]\noffice = {de = 'Fenster 5'}", "2: filing.office.de"),
    ],
)
def test_devices_that_cannot_be_shared_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = refusals(tmp_path, text)
    assert problem.startswith(said)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    rows = ("name = 'a'\ndevice = 'mic_a'", "name = 'a'\ndevice = 'mic_a'\nrate = 16000")
    lines = [said.partition(":")[0] for said in refusals(tmp_path, microphones(*rows))]
    assert lines == ["7", "8", "9"]


def test_a_missing_key_is_named_by_its_own_table(tmp_path: Path) -> None:
    text = microphones("name = 'a'", "name = 'b'\ndevice = 'mic_b'")
    assert refusals(tmp_path, text) == ["1: microphones.1.device: Field required"]


def test_one_device_may_serve_several_channels() -> None:
    rows = [
        {"name": name, "role": "witness", "device": "usb:1-1.3", "channel": channel}
        for channel, name in enumerate(("a", "b"))
    ]
    assert len(Settings.model_validate({"microphones": rows}).microphones) == 2


@pytest.mark.parametrize(
    ("badge", "printer"),
    [("/dev/ttyACM0", "/dev/ttyUSB0"), ("/dev/ttyS0", "/dev/ttyS1"), ("/dev/ttyUSB0", "")],
)
def test_serial_lines_that_cannot_change_places_are_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, badge: str, printer: str
) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(f"[badge]\nport = '{badge}'\n[printer]\nport = '{printer}'\n", "utf-8")
    assert load_settings(path).badge.port == badge
    assert caplog.messages == []


def test_a_key_of_an_earlier_version_does_not_stop_an_updated_kiosk(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text("[recording]\nhead_seconds = 60\nfile_seconds = 30\n", encoding="utf-8")
    assert load_settings(path).recording.file_seconds == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[panel]\nlamp_pin = 17\nbutton_pin = 17", "3: panel.button_pin = 17: is the lamp's pin"),
        ("[panel]\ncall_pin = 27", "2: panel.call_pin = 27: is the pin of another button"),
        (
            "[[panel.mutes]]\npin = 5\nmicrophone = 'nobody'",
            "3: panel.mutes.1.microphone = 'nobody': is the name of no microphone",
        ),
        ("[badge]\nport = '/dev/a'\n[printer]\nport = '/dev/a'", "4: printer.port = '/dev/a': is"),
        (
            "[badge]\nport = '/dev/ttyUSB0'\n[printer]\nport = '/dev/ttyUSB1'",
            "4: printer.port = '/dev/ttyUSB1': and the badge reader's are numbered",
        ),
    ],
)
def test_what_costs_no_recording_is_told_and_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    load_settings(path)
    (message,) = caplog.messages
    assert message.startswith(f"{path}:{said}")
