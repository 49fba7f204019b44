"""List the devices of this machine as lines for kiosk.toml, with what uses them there.

Sound devices with their channels and rate, cameras, badge readers and receipt printers.
``--scanners`` searches for scanners, too, which takes seconds. ``--listen`` tells how loud each
microphone was, so that speaking into one shows which it is; ``--pictures`` keeps a picture of each
camera.

Of each device the setting is shown that stays when devices are plugged in in another order: its
serial number, or its place on USB where it has none (leave it in that socket, then), or the id of
its card. Names without a colon are those of ALSA's settings.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from kiosk.commands._common import command_settings
from kiosk.config import Settings
from kiosk.errors import ConfigError, DeviceAbsentError, HardwareError
from kiosk.hardware.audio.listing import ListedDevice, list_sound_devices
from kiosk.hardware.audio.sound_devices import (
    ROOT,
    Direction,
    SoundDevice,
    find_device,
)
from kiosk.hardware.camera.back_end import CameraAbsentError
from kiosk.hardware.camera.listing import ListedCamera, list_cameras
from kiosk.hardware.camera.preview import PreviewReader
from kiosk.hardware.ports import PortUse, list_ports
from kiosk.hardware.scanner.listing import find_scanners
from kiosk.hardware.sources.input_survey import InputSurvey
from kiosk.hardware.sources.sources import Sources
from kiosk.storage.paths import Paths

HELP = "list microphones, cameras, scanners, readers, printers with their lines for kiosk.toml"
EXAMPLES = (
    "sudo kiosk devices",
    "sudo kiosk devices --scanners --listen 5 --pictures /tmp/pictures",
)
EXIT_STATUS = {
    0: "every sound device of the settings is connected",
    1: "one is not, or its setting fits several; it is named",
}
LEVEL_S, PICTURE_S = 0.1, 15.0
_TITLES: dict[Direction, str] = {
    "input": "# microphones: device of [[microphones]]",
    "output": "# outputs: device of [headset]",
}
_PORT_TITLES: dict[PortUse, str] = {
    "badge": "# badge readers: port of [badge]",
    "printer": "# receipt printers: port of [printer], or host:port in the network",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is shown of the devices, besides their names."""
    parser.add_argument(
        "--listen", metavar="SECONDS", type=_seconds, default=0.0,
        help="listen to every microphone for so long and tell how loud each was",
    )  # fmt: skip
    parser.add_argument(
        "--scanners", action="store_true", help="search for scanners, also in the network (to 40 s)"
    )
    parser.add_argument(
        "--pictures", metavar="FOLDER", type=Path, help="write a picture of each camera there"
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 60:
        raise argparse.ArgumentTypeError("more than 0 and at most 60 seconds")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Print all devices, then what the settings name in vain; wrong settings hide no device."""
    try:
        settings, wrong = command_settings(arguments), None
    except ConfigError as error:
        settings, wrong = Settings(), error
    lines, problems = device_lines(settings)
    for line in lines:
        print(line)
    for line in _shown_lines(arguments, settings):
        print(line)
    if wrong is not None:
        raise wrong
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _shown_lines(arguments: argparse.Namespace, settings: Settings) -> Iterator[str]:
    """Yield what the options ask for, as it comes."""
    if arguments.scanners:
        yield from scanner_lines(settings)
    if arguments.listen:
        yield f"# how loud each microphone was in {arguments.listen:g} s"
        yield from heard_lines(arguments.listen)
    if arguments.pictures:
        yield from picture_lines(settings, arguments.pictures)


def device_lines(settings: Settings, root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return a line for each device of the machine, and what is wrong with ``settings`` there.

    Args:
        root: folder that has ``sys``, ``proc`` and ``dev``.
    """
    lines: list[str] = []
    problems: list[str] = []
    for direction, title in _TITLES.items():
        rows = list_sound_devices(direction, root)
        devices = [row.device for row in rows]
        users: dict[SoundDevice, list[str]] = {}
        for user, setting in _settings_of(settings, direction):
            try:
                users.setdefault(find_device(setting, devices), []).append(user)
            except DeviceAbsentError as error:
                problems.append(f"{user}: {error}")
        problems += _named_in_two_ways(settings, users)
        lines += [title, *(_line(row, devices, users.get(row.device, [])) for row in rows)]
    lines += _camera_lines(settings)
    lines += _port_lines(settings, root / "dev")
    return lines, problems


def _camera_lines(settings: Settings) -> Iterator[str]:
    """Yield a line for each camera, with what uses it."""
    yield "# cameras: id of [camera]"
    try:
        cameras = list_cameras()
    except CameraAbsentError as error:
        yield f"# {error}"
        return
    for number, camera in enumerate(cameras):
        is_used = settings.camera.id in (("", camera.id) if number == 0 else (camera.id,))
        said = "; ".join([camera.model or "camera", *(["courtroom"] if is_used else [])])
        yield f'id = "{camera.id}"  # {said}'


def scanner_lines(settings: Settings) -> Iterator[str]:
    """Yield a line for each scanner that SANE finds, with what uses it; it blocks for seconds."""
    yield "# scanners: device of [scanner]"
    try:
        scanners = asyncio.run(find_scanners(settings.scanner.sane_config_dir))
    except HardwareError as error:
        yield f"# {error}"
        return
    for scanner in scanners:
        said = [scanner.label]
        if scanner.device == settings.scanner.device:
            said.append("scanner")
        if scanner.is_ambiguous:
            said.append("two have this name: unplug one")
        yield f'device = "{scanner.device}"  # {"; ".join(said)}'


def heard_lines(seconds: float) -> Iterator[str]:
    """Yield how loud each input was in ``seconds``, or why it was not heard (it is in use)."""
    survey, loudest = InputSurvey(()), dict[str, float]()
    try:
        survey.refresh()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(LEVEL_S)
            for name, level in survey.levels().items():
                loudest[name] = max(level.peak_db, loudest.get(name, level.peak_db))
        for row in survey.inputs():
            where = f"{row.device} channel {row.channel}"
            if row.state.is_failing and row.refusal is not None:
                yield f"# {where}: not heard: {row.refusal.text}"
            elif row.state.is_failing:
                yield f"# {where}: not heard: {row.state}"
            else:
                yield f"# {where}: loudest {loudest.get(row.id, -120.0):.0f} dB"
    finally:
        survey.close()


def picture_lines(settings: Settings, folder: Path) -> Iterator[str]:
    """Write a picture of each camera into ``folder``; yield where it is, or why there is none.

    The camera that the recorder uses gives its live picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if _save_picture(Paths.from_settings(settings.paths).preview, path := folder / "live.jpg"):
        yield f"# the recorder's live picture: {path}"
    try:
        cameras = list_cameras()
    except CameraAbsentError as error:
        yield f"# {error}"
        return
    for number, camera in enumerate(cameras, 1):
        yield f"# {camera.id}: {_take_picture(settings, camera, folder / f'camera-{number}.jpg')}"


def _take_picture(settings: Settings, camera: ListedCamera, path: Path) -> str:
    """Write a picture of ``camera`` as the recorder would take it; return where, or why not.

    The camera is opened in a process of its own: libcamera may crash with a driver.
    """
    chosen = settings.camera.model_copy(update={"id": camera.id, "back_end": "picamera2"})
    alone = settings.model_copy(update={"camera": chosen, "microphones": []})
    with tempfile.TemporaryDirectory() as temporary:
        preview = Path(temporary) / "preview"
        with Sources(alone, preview) as sources:
            end = time.monotonic() + PICTURE_S
            while time.monotonic() < end:
                if _save_picture(preview, path):
                    return str(path)
                time.sleep(LEVEL_S)
            return f"no picture: {sources.describe_camera().state}"


def _save_picture(preview: Path, path: Path) -> bool:
    """Write the newest live picture as a JPEG; return whether there is one."""
    frame = PreviewReader(preview).read()
    if frame is None:
        return False
    Image.frombytes("RGB", (frame.width, frame.height), frame.rgb).save(path, "JPEG")
    return True


def _port_lines(settings: Settings, dev: Path) -> Iterator[str]:
    """Yield a line for each port of a reader or a printer, with what uses it."""
    users = {settings.badge.port: "badge reader", settings.printer.port: "receipt printer"}
    for use, title in _PORT_TITLES.items():
        yield title
        for port in list_ports(use, dev):
            user = users.get(port.path)
            said = f"{port.what}; {user}" if user else port.what
            yield f'port = "{port.path}"  # {said}'


def _settings_of(settings: Settings, direction: Direction) -> Iterator[tuple[str, str]]:
    """Yield who uses a device of ``direction`` by the settings, and how they name it."""
    if direction == "input":
        yield from ((f"microphone “{row.name}”", row.device) for row in settings.microphones)
    elif settings.headset.device:
        yield "headset", settings.headset.device


def _named_in_two_ways(settings: Settings, users: dict[SoundDevice, list[str]]) -> Iterator[str]:
    """Yield the devices that two microphones name differently: only one of them gets it."""
    names = {f"microphone “{row.name}”": row.device for row in settings.microphones}
    for device, found in users.items():
        if len({names.get(user) for user in found}) > 1:
            yield f"{' and '.join(found)} name one device in different ways: {device}"


def _line(row: ListedDevice, devices: list[SoundDevice], users: list[str]) -> str:
    """Return the line of one device: its setting, then what it is and what uses it."""
    is_card = row.device.hw is not None  # a name of ALSA's settings stands for anything
    offers = f"{row.channels} channels, rate = {row.rate}" if is_card and row.channels else ""
    said = "; ".join(text for text in (str(row.device), offers, *users) if text)
    return f'device = "{row.device.stable_address(devices)}"  # {said}'
