"""A kiosk that was just installed, with virtual devices, and a technician who stands before it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.commissioning.labels import STEP_NAMES
from kiosk.demo.devices import MICROPHONES, VirtualDevices, virtual_devices
from kiosk.demo.environment import run_kiosk, write_settings
from kiosk.demo.screen_driver import ScreenDriver
from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.microphones import HEADSET, VirtualMicrophones
from kiosk.locale import Translator
from kiosk.settings_files import load_settings
from kiosk.storage.paths import Paths
from tests.support.supervised_services import SupervisedServices
from tests.support.waiting import wait_for

WAIT_S = 120.0
READING_S, WALKING_S, SPEAKING_S = 4.0, 15.0, 5.0
"""What a person needs for each tap, to go to a microphone, and to say a sentence there."""


@dataclass
class NewKiosk:
    """A running kiosk that nobody has set up.

    Attributes:
        settings: its ``kiosk.toml``.
        paths: its folders.
        services: recorder, sync and screen, supervised.
        devices: what stands in the room.
        display: where the screen is drawn.
    """

    settings: Path
    paths: Paths
    services: SupervisedServices
    devices: VirtualDevices
    display: Display

    def provision(self) -> str:
        """Print the code of the first technician; return its digits."""
        return run_kiosk(self.services.environment, "provision").replace(" ", "")


@contextmanager
def new_kiosk(folder: Path, display: Display) -> Iterator[NewKiosk]:
    """Start a kiosk with an empty data folder.

    Its ``kiosk.toml`` names no room and no microphone. It names what on a real kiosk udev would
    list, or ``kiosk.toml`` has by itself: camera, scanner, printer, badge reader, loudspeaker.

    Args:
        folder: with a short path.
        display: where the screen is drawn.
    """
    with ExitStack() as stack:
        sound = VirtualMicrophones(folder / "mics", MICROPHONES, headset=True)
        microphones = stack.enter_context(sound)
        devices = stack.enter_context(virtual_devices(folder, microphones))
        settings = folder / "kiosk.toml"
        fitted = devices.settings()
        write_settings(
            settings,
            {
                "paths": {
                    "data": folder / "data",
                    "run": folder / "run",
                    "volatile_data_ok": True,
                },
                "camera": {"back_end": "virtual", "width": 320, "height": 180, "fps": 10},
                "voice": {"loudspeaker": HEADSET},
                "ui": {"width": 1280, "height": 800, "fullscreen": False, "automation": True},
                **{name: fitted[name] for name in ("scanner", "badge", "printer")},
            },
        )
        paths = Paths.from_settings(load_settings(settings).paths)
        for made in (paths.data, folder / "logs", folder / "screens"):
            made.mkdir()
        environment = {
            **os.environ,
            **microphones.environment,
            "DISPLAY": display.name,
            "GPIOZERO_PIN_FACTORY": "mock",
            "KIOSK_CONFIG": str(settings),
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        services = SupervisedServices(folder / "logs", environment)
        stack.callback(services.end_all)
        for name in ("recorder", "sync", "ui"):
            services.start_kiosk(name, name)
        yield NewKiosk(settings, paths, services, devices, display)


@dataclass
class Person:
    """A technician: reads, taps, walks and speaks.

    Attributes:
        kiosk: before which the technician stands.
        driver: the finger.
        walks: to a microphone, and sentences said there.
    """

    kiosk: NewKiosk
    driver: ScreenDriver
    walks: int = 0

    @property
    def minutes(self) -> float:
        """What the person needs, without the kiosk's own time."""
        seconds = self.driver.taps * READING_S + self.walks * (WALKING_S + SPEAKING_S)
        return seconds / 60

    def tap(self, *widgets: str) -> None:
        """Tap one widget after the other, each when it can be tapped."""
        for widget in widgets:
            self.driver.tap(widget, WAIT_S)

    def texts(self) -> dict[str, str]:
        """Return what the widgets say, by name; none while the screen is changing."""
        screen = self.driver.read_screen()
        rows = screen["widgets"] if screen.get("settled") else []
        return {row["id"]: str(row["text"]) for row in rows}

    def say(self, text: str) -> str:
        """Return ``text`` in the language of the screen, up to its first placeholder."""
        language = self.driver.read_screen().get("language", "kk")
        return Translator(language).gettext(text).split("{", maxsplit=1)[0]

    def wait_text(self, widget: str, text: str) -> str:
        """Wait until ``widget`` says ``text`` somewhere, in the language of the screen."""

        def said() -> str:
            found = self.texts().get(widget, "")
            return found if self.say(text) in found else ""

        try:
            return wait_for(said, f"{widget}: {text}", WAIT_S)
        except AssertionError as error:
            raise AssertionError(f"{error}; shown: {self.driver.read_screen()}") from error

    def wait_step(self, step: str) -> None:
        """Wait until the screen shows ``step``."""
        self.wait_text("com.title", STEP_NAMES[step])

    def sign_in(self, code: str) -> None:
        """Sign in as the first technician."""
        self.driver.wait_screen("visitor.home", seconds=WAIT_S)
        self.tap("staff.enter", "people.1")
        for number, digit in enumerate(code, 1):
            self.tap(f"pin.{digit}")
            self.wait_text("pin.typed", "•" * number)  # a tap beside the key must not look right
        self.tap("pin.ok")
        self.driver.wait_screen("technician.home", seconds=WAIT_S)

    @contextmanager
    def speaking(self, microphone: str) -> Iterator[None]:
        """Go to ``microphone`` and speak there meanwhile."""
        self.walks += 1
        devices = self.kiosk.devices
        voice = devices.microphones.play(microphone, devices.voices / f"{microphone}.wav")
        try:
            yield
        finally:
            voice.kill()
            voice.wait()
