"""``kiosk devices`` on the sound server of the tests, with right and wrong settings."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kiosk.commands.devices import device_lines, picture_lines, scanner_lines
from kiosk.config import PathSettings, ScannerSettings, Settings
from kiosk.hardware.camera.preview import PreviewWriter
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.storage.paths import Paths
from tests.support.sound_cards import Stick, build_machine

MICROPHONE = '[[microphones]]\nname = "{0}"\nrole = "{0}"\ndevice = "{1}"\n'
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Return a function that runs the command with settings, beside two microphones."""
    folder = tmp_path_factory.mktemp("devices")
    names = ("judge", "witness")
    with VirtualMicrophones(folder / "mics", names, noise=False, headset=True) as sound:

        def command(settings: str, *more: str) -> subprocess.CompletedProcess[str]:
            (folder / "kiosk.toml").write_text(settings, encoding="utf-8")
            return subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "kiosk.cli",
                    "--config",
                    folder / "kiosk.toml",
                    "devices",
                    *more,
                ],
                env={**os.environ, **sound.environment},
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )

        yield command


def listed(text: str, name: str) -> str:
    """Return the line of the microphone ``name``."""
    inputs = text.partition("# outputs")[0]
    (line,) = (line for line in inputs.splitlines() if f'"{name}"' in line)
    return line


def test_each_device_has_its_line_and_who_uses_it(run: Run) -> None:
    settings = MICROPHONE.format("judge", "mic_judge") + '[headset]\ndevice = "headset"\n'
    ended = run(settings)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert tomllib.loads(listed(ended.stdout, "mic_witness")) == {"device": "mic_witness"}
    assert "judge" not in listed(ended.stdout, "mic_witness")
    assert listed(ended.stdout, "mic_judge").endswith("mic_judge; microphone “judge”")
    inputs, _, outputs = ended.stdout.partition("# outputs")
    assert "mic_judge" in inputs
    assert "; headset" in outputs


def test_a_microphone_is_found_by_how_loud_it_was(run: Run) -> None:
    """A line for each input, also for those that the settings do not name."""
    ended = run(MICROPHONE.format("judge", "mic_judge"), "--listen", "0.5")
    assert (ended.returncode, ended.stderr) == (0, "")
    heard = ended.stdout.partition("# how loud each microphone was in 0.5 s\n")[2].splitlines()
    assert any(line.startswith("# mic_witness channel 0: loudest -") for line in heard)
    assert run("", "--listen", "90").returncode == 2


@pytest.mark.slow
def test_a_scanner_has_its_line_and_what_uses_it() -> None:
    with VirtualScanner() as scanner:
        settings = Settings(
            scanner=ScannerSettings(device=scanner.device, sane_config_dir=scanner.config_dir)
        )
        title, *lines = scanner_lines(settings)
        assert title == "# scanners: device of [scanner]"
        (line,) = (line for line in lines if scanner.device in line)
        assert tomllib.loads(line) == {"device": scanner.device}
        assert line.endswith("; scanner")


def test_the_live_picture_is_kept(tmp_path: Path) -> None:
    settings = Settings().model_copy(update={"paths": PathSettings(data=tmp_path, run=tmp_path)})
    preview = Paths.from_settings(settings.paths).preview
    preview.parent.mkdir(parents=True, exist_ok=True)
    writer = PreviewWriter(preview)
    writer.write(np.full((360, 640, 3), 200, np.uint8).tobytes(), 1, 1)
    found = list(picture_lines(settings, tmp_path / "pictures"))
    assert found[0] == f"# the recorder's live picture: {tmp_path / 'pictures' / 'live.jpg'}"
    assert Image.open(tmp_path / "pictures" / "live.jpg", formats=["JPEG"]).size == (640, 360)


def test_what_the_settings_name_in_vain_is_said(run: Run) -> None:
    ended = run(MICROPHONE.format("judge", "usb:1-1.3") + MICROPHONE.format("witness", "mic"))
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-2:] == [
        "microphone “judge”: “usb:1-1.3” is not connected",
        "microphone “witness”: “mic” is not connected",
    ]


def test_wrong_settings_do_not_hide_the_devices_that_would_mend_them(run: Run) -> None:
    ended = run(MICROPHONE.format("judge", "hw:1,0"))
    assert ended.returncode == 2
    assert listed(ended.stdout, "mic_judge")
    assert "kiosk.toml:4: microphones.1.device = 'hw:1,0'" in ended.stderr


def report_of(root: Path, *devices: str) -> tuple[list[str], list[str]]:
    """Return lines and problems with a microphone for each of ``devices``."""
    rows = [
        {"name": name, "role": "witness", "device": device}
        for name, device in zip("abc", devices, strict=False)
    ]
    return device_lines(Settings.model_validate({"microphones": rows}), root)


def test_of_two_equal_sticks_each_line_names_one(tmp_path: Path) -> None:
    build_machine(tmp_path, [Stick("1.3"), Stick("1.4"), Stick("2", serial="X1")])
    lines, problems = report_of(tmp_path, "usb:1-1.3", "USB PnP Sound Device", "serial:X1")
    settings = [tomllib.loads(line)["device"] for line in lines if "hw:" in line]
    assert settings == [
        "usb:1f00200000.usb/1.3",
        "usb:1f00200000.usb/1.4",
        "serial:X1",
        "id:Headphones",
    ]
    assert "microphone “a”" in lines[1]
    assert "microphone" not in lines[2]
    (problem,) = problems
    assert problem.startswith("microphone “b”: “USB PnP Sound Device” fits 3 devices: ")


def test_one_stick_that_is_named_in_two_ways_is_said(tmp_path: Path) -> None:
    build_machine(tmp_path, [Stick("1.3", serial="X1")])
    _lines, problems = report_of(tmp_path, "usb:1-1.3", "serial:X1")
    (problem,) = problems
    assert problem.startswith("microphone “a” and microphone “b” name one device in different")
    assert report_of(tmp_path, "usb:1-1.3")[1] == []


def test_readers_and_printers_are_listed_by_names_that_stay(tmp_path: Path) -> None:
    build_machine(tmp_path, [])
    dev = tmp_path / "dev"
    for name in ("ttyACM0", "usb/lp0", "usb/lp1", "input/event4"):
        (dev / name).parent.mkdir(parents=True, exist_ok=True)
        (dev / name).touch()
    links = {
        "serial/by-id/usb-Newland_FM430-if00": "ttyACM0",
        "usb/by-id/usb-XPrinter_XP-80-printer": "usb/lp0",
        "input/by-id/usb-HID_RFID-event-kbd": "input/event4",
        "input/by-id/usb-Mouse-event-mouse": "input/event4",
    }
    for link, target in links.items():
        (dev / link).parent.mkdir(parents=True, exist_ok=True)
        (dev / link).symlink_to(dev / target)
    port = str(dev / "usb/by-id/usb-XPrinter_XP-80-printer")
    settings = Settings.model_validate({"printer": {"port": port}})
    lines, problems = device_lines(settings, tmp_path)
    start = lines.index("# badge readers: port of [badge]")
    assert [line.replace(str(dev), "/dev") for line in lines[start:]] == [
        "# badge readers: port of [badge]",
        'port = "/dev/serial/by-id/usb-Newland_FM430-if00"  # serial line',
        'port = "/dev/input/by-id/usb-HID_RFID-event-kbd"  '
        "# keyboard; badge readers that type are one",
        "# receipt printers: port of [printer], or host:port in the network",
        'port = "/dev/usb/by-id/usb-XPrinter_XP-80-printer"  # USB printer; receipt printer',
        'port = "/dev/serial/by-id/usb-Newland_FM430-if00"  # serial line',
        'port = "/dev/usb/lp1"  # USB printer; its number may change',
    ]
    assert problems == []
