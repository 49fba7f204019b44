"""The trial in the booted machine: a virtual courtroom, and the kiosk's main job in its units.

As ``trial.service`` it starts before the kiosk's units (the devices are there at boot), says that
it is ready, and goes through the steps of its command line. What it found goes into a file in
``/out``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from kiosk.demo.courtroom import Courtroom
from kiosk.demo.devices import MICROPHONES as NAMES
from kiosk.demo.devices import VirtualDevices, virtual_devices
from kiosk.demo.environment import court_settings, enroll_kiosk, start_central, write_settings
from kiosk.demo.processes import ProcessGroup
from kiosk.demo.screen_driver import ScreenDriver
from kiosk.hardware.virtual.microphones import VirtualMicrophoneClient
from kiosk.settings_files import load_settings
from kiosk.storage.atomic_io import write_json
from kiosk.storage.paths import Paths
from tests.pi.machine import MICROPHONES
from tests.pi.steps import STICK_AT_BOOT, BootedKiosk, plug_stick
from tests.pi.units import UnitDisplay, Units, journal

OUT = Path("/out")
SETTINGS = Path("/etc/kiosk/kiosk.toml")
LOOK_SECONDS = 0.3
WIDTH, HEIGHT = 1280, 720


RECORDER = "kiosk-recorder"
SCREEN = "kiosk-ui"


@contextmanager
def microphones() -> Iterator[VirtualMicrophoneClient]:
    """Serve virtual microphones as the recorder's user, who must open them."""
    MICROPHONES.mkdir(parents=True)
    entry = pwd.getpwnam(RECORDER)
    os.chown(MICROPHONES, entry.pw_uid, entry.pw_gid)
    module = [sys.executable, "-m", "kiosk.hardware.virtual.microphones", "--headset"]
    with subprocess.Popen(
        [*module, "--dir", str(MICROPHONES), "--names", ",".join(NAMES)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        env={**os.environ, "HOME": str(MICROPHONES)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("the virtual microphones do not start")
        try:
            yield VirtualMicrophoneClient(MICROPHONES)
        finally:
            process.terminate()


def give_to_screen(devices: VirtualDevices) -> None:
    """Let the touch screen's user open what udev would give to its groups."""
    entry = pwd.getpwnam(SCREEN)
    for port in (devices.badge.port, devices.printer.port):
        path = Path(port).resolve()
        os.chown(path, entry.pw_uid, entry.pw_gid)
    Path(devices.badge.port).parent.chmod(0o755)
    devices.scanner.config_dir.chmod(0o755)


@contextmanager
def courtroom() -> Iterator[tuple[Courtroom, Units]]:
    """Provide devices, central system and settings; enrol the kiosk unless it is enrolled."""
    tempfile.tempdir = str(MICROPHONES.parent)
    Path(tempfile.tempdir).mkdir()
    with ExitStack() as stack:
        plug_stick(STICK_AT_BOOT)
        served = stack.enter_context(microphones())
        devices = stack.enter_context(virtual_devices(OUT, served))
        give_to_screen(devices)
        for name in ("central", "logs"):
            (OUT / name).mkdir(exist_ok=True)
        for name in ("screens", "exchange"):  # here the kiosk's users write
            (OUT / name).mkdir(exist_ok=True)
            (OUT / name).chmod(0o777)
        environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        processes = ProcessGroup(OUT / "logs", environment)
        stack.callback(processes.end_all)
        (OUT / "central" / "address").unlink(missing_ok=True)
        url = start_central(processes, OUT / "central")
        write_settings(
            SETTINGS,
            {
                **court_settings(url),
                "camera": {"back_end": "picamera2", "width": 640, "height": 360},
                "ui": {"width": WIDTH, "height": HEIGHT, "automation": True},
                **devices.settings(),
            },
        )
        paths = Paths.from_settings(load_settings(SETTINGS).paths)
        if not paths.court_ca.exists():
            enroll_kiosk(environment, OUT / "central", url, OUT / "exchange")
        display = UnitDisplay(":0", "Xwayland", WIDTH, HEIGHT, "Kiosk")
        units = Units(environment)
        yield Courtroom(OUT, paths, display, units, OUT / "central", devices), units


def notify_ready() -> None:
    """Tell systemd that the devices are there: the kiosk's units may start."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


class TrialDriver(ScreenDriver):
    """Takes no pictures, which cost a second each, but of a failure."""

    def take_screenshot(self, name: str) -> Path:
        """Take a picture if it is called ``failed``; else wait as long as a person looks."""
        if name == "failed":
            return super().take_screenshot(name)
        time.sleep(LOOK_SECONDS)
        return OUT


def go_through(room: Courtroom, units: Units, names: list[str], outcome: dict[str, Any]) -> None:
    """Do the steps one after the other; a failure ends the trial."""
    driver = TrialDriver(room.paths.ui_socket, room.display, OUT / "screens", units)
    steps = BootedKiosk(room, units, driver).steps()
    try:
        outcome["step"] = "screen"
        driver.wait_screen("visitor.home", "secretary.lock", seconds=60)
        room.wait_ready()
        for name in names:
            print(f"[{time.monotonic():.1f} s] {name}", flush=True)
            outcome["step"] = name
            steps[name]()
            outcome["done"].append(name)
    except Exception:
        listed = ["ps", "axo", "pid,stat,cls,wchan:20,args"]
        processes = subprocess.run(listed, capture_output=True, text=True, check=False).stdout
        outcome["error"] = f"{processes}\n{traceback.format_exc()}"
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            driver.take_screenshot("failed")


def main() -> int:
    """Run the trial: the file for its outcome, what follows it, and the names of the steps.

    What follows: ``poweroff``, or ``on`` to stay up until the power is cut.
    """
    out, then, *names = sys.argv[1:]
    outcome: dict[str, Any] = {"step": "setting up", "done": []}
    try:
        with courtroom() as (room, units):
            notify_ready()
            go_through(room, units, names, outcome)
            outcome["journal"] = list(journal())
            write_json(OUT / out, outcome)
            if then == "on" and "error" not in outcome:
                signal.pause()
    except Exception:
        outcome["error"] = traceback.format_exc()
        outcome["journal"] = list(journal())
        write_json(OUT / out, outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
