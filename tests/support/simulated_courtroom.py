"""A whole recorder in virtual time: the real courtroom, writers, store and sources.

It does what :class:`kiosk.services.recorder.RecorderService` does (one thread for the steps, polls,
State published at each change), with simulated devices below. A test taps, breaks things, kills
the recorder and starts it again; what was shown and when is remembered.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from gpiozero import Device  # type: ignore[import-untyped]
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]

from kiosk.api.recorder import RecorderState
from kiosk.api.states import LampState
from kiosk.config import (
    CameraSettings,
    KioskSettings,
    MicrophoneSettings,
    MuteSettings,
    PanelSettings,
    PathSettings,
    RecordingSettings,
    Settings,
)
from kiosk.errors import KioskError
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.monitoring.clock_steps import ClockStepDetector
from kiosk.hearing.monitoring.monitor import POLL_S
from kiosk.hearing.session.context import CourtroomEvents
from kiosk.rules import load_rules
from kiosk.storage.paths import Paths
from kiosk.storage.volume_marker import VolumeRole, write_marker
from tests.support.court_keys import CourtSecrets
from tests.support.identity import Court
from tests.support.simulated_devices import (
    FPS,
    RATE,
    SimulatedCamera,
    SimulatedDevice,
    SimulatedDisk,
    SimulatedMicrophone,
    child_maker,
    volume_maker,
)
from tests.support.virtual_time import NS_PER_S, World, living_in

RULES = load_rules()
KIOSK = "kiosk-0001"
MICROPHONES = ("judge", "witness")
STATE_S = 1.0
LAMP_PIN = 17
MUTE_PIN = 6
"""Of the switch at the seat of the witness."""
PATIENCE_S = 60.0
"""How long a test waits for the answer to a tap."""


@lru_cache
def sworn_court() -> tuple[Court, CourtSecrets]:
    """Return the test court and its keys, made once."""
    return Court.make(Path(tempfile.mkdtemp(prefix="court-"))), CourtSecrets()


@dataclass(frozen=True)
class Shown:
    """What the screen showed from a moment on."""

    at_ns: int
    state: RecorderState

    @property
    def hearing_id(self) -> str:
        """The hearing that it shows; "" without one."""
        return "" if self.state.hearing is None else self.state.hearing.id

    @property
    def is_closed(self) -> bool:
        """Whether it says that the hearing is closed, or is to be."""
        hearing = self.state.hearing
        return hearing is not None and (hearing.closed is not None or hearing.publicity == "closed")


@dataclass
class Tap:
    """A tap of a person and what came of it."""

    name: str
    at_ns: int
    done_ns: int | None = None
    answer: Any = None
    error: Exception | None = None


class SimulatedCourtroom:
    """One courtroom; use :func:`simulated`.

    Args:
        folder: holds the kiosk's data.
        world: its time.
        secrets: the court's keys for closed hearings.
        court: certifies the kiosk.
        has_mirror: whether there is a second storage.

    Attributes:
        shown: what the screen showed, oldest first.
        taps: all taps, oldest first.
    """

    def __init__(
        self, folder: Path, world: World, secrets: CourtSecrets, court: Court, *, has_mirror: bool
    ) -> None:
        self.world, self.secrets, self.court = world, secrets, court
        self.settings = Settings(
            kiosk=KioskSettings(id=KIOSK),
            paths=PathSettings(
                data=folder / "data",
                run=folder / "run",
                mirror=folder / "mirror" if has_mirror else None,
                volatile_data_ok=True,
            ),
            camera=CameraSettings(back_end="virtual", fps=FPS, width=320, height=180),
            microphones=tuple(
                MicrophoneSettings(name=name, role=role, device=f"mic_{name}", rate=RATE)
                for name, role in zip(MICROPHONES, ("presiding", "witness"), strict=True)
            ),
            panel=PanelSettings(
                lamp_pin=LAMP_PIN, mutes=(MuteSettings(pin=MUTE_PIN, microphone="witness"),)
            ),
            recording=RecordingSettings(low_space_hours=0, planned_minutes=5),
        )
        self.paths = Paths.from_settings(self.settings.paths)
        self.disks: dict[VolumeRole, SimulatedDisk] = {
            "data": SimulatedDisk(world),
            "mirror": SimulatedDisk(world),
        }
        self.roots: dict[VolumeRole, Path] = {
            "data": self.paths.data,
            "mirror": folder / "mirror",
        }
        self.microphones = {
            name: SimulatedMicrophone(world, n) for n, name in enumerate(MICROPHONES)
        }
        self.camera = SimulatedCamera(world)
        self.shown: list[Shown] = []
        self.taps: list[Tap] = []
        for path in (self.paths.hearings, self.paths.run, folder / "mirror"):
            path.mkdir(parents=True)
        if has_mirror:
            write_marker(folder / "mirror", KIOSK, "mirror")
        court.issue(KIOSK, self.paths.device_key, self.paths.device_certificate)
        secrets.pin(self.paths)
        self.courtroom: Courtroom | None = None

    @property
    def devices(self) -> dict[str, SimulatedDevice]:
        """The devices, by the names of their drivers' processes."""
        found: dict[str, SimulatedDevice] = {
            f"mic_{name}": microphone for name, microphone in self.microphones.items()
        }
        return found | {"camera": self.camera}

    @property
    def disks_of_recorder(self) -> list[SimulatedDisk]:
        """The disks that the recorder writes to."""
        has_mirror = self.settings.paths.mirror is not None
        return [disk for role, disk in self.disks.items() if has_mirror or role == "data"]

    # -- the recorder's process ----------------------------------------------------------------
    def start_recorder(self) -> None:
        """Start the recorder, as after a boot."""
        self._steps: deque[Callable[[], None]] = deque()
        self._changed, self._step_added = self._event(), self._event()
        with self.world.in_process("recorder"):
            self.sources = Sources(self.settings, self.paths.preview)
            self.sources.open()
            self.panel = Panel(self.settings.panel).open()
            events = CourtroomEvents(on_change=self._changed.set)
            self.courtroom = Courtroom(
                self.settings, self.paths, RULES, self.sources, self.panel, events=events
            )
            clocks = ClockStepDetector(self.world.wall_ns, lambda: self.world.now_ns)
            self.courtroom.monitor.clock_steps = clocks
            self.courtroom.recover()
            self._step_ns: int | None = None
            self.courtroom.invariants.step_seconds = self._step_seconds
            self.courtroom.invariants.start()
            for run in (self._run_steps, self._poll, self._publish):
                self.world.spawn(run, run.__name__.strip("_"))
        self._publish_once()

    def _event(self) -> Any:
        return self.world.threading.Event()

    def kill_recorder(self) -> None:
        """``kill -9``: nothing of the process runs on; its drivers' processes end, too."""
        self.world.kill("recorder")
        self.courtroom = None
        self.panel.close()  # the kernel takes the pins back

    def _run_steps(self) -> None:
        while True:
            while not self._steps:
                self._step_added.clear()
                self._step_added.wait()
            self._step_ns = self.world.now_ns
            self._steps.popleft()()
            self._step_ns = None

    def _step_seconds(self) -> float:
        return 0.0 if self._step_ns is None else max(1e-6, self.seconds_since(self._step_ns))

    def _submit(self, step: Callable[[], None]) -> None:
        self._steps.append(step)
        self._step_added.set()

    def _poll(self) -> None:
        while True:
            done = self._event()

            def step(done: Any = done) -> None:
                try:
                    assert self.courtroom is not None
                    self.courtroom.poll()
                finally:
                    done.set()

            self._submit(step)
            done.wait()
            self.world.sleep(POLL_S)

    def _publish(self) -> None:
        while True:
            self._changed.clear()
            self._publish_once()
            self._changed.wait(STATE_S)

    def _publish_once(self) -> None:
        if self.courtroom is not None:
            state = self.courtroom.state()
            self.shown.append(Shown(self.world.now_ns, state))

    # -- the person at the screen --------------------------------------------------------------
    def tap(self, name: str, step: Callable[[Courtroom], Any], *, holds: bool = False) -> Tap:
        """Tap; wait for the answer.

        Args:
            holds: the request divides what is captured: nothing is written until it is done.
        """
        courtroom = self.courtroom
        assert courtroom is not None
        tap = Tap(name, self.world.now_ns)
        self.taps.append(tap)
        done = self._event()

        def run() -> None:
            try:
                tap.answer = step(courtroom)
            except KioskError as error:  # what the service answers
                tap.error = error
            finally:
                tap.done_ns = self.world.now_ns
                done.set()

        with self._held(courtroom, tap.at_ns) if holds else nullcontext():
            self._submit(run)
            done.wait(PATIENCE_S)
        return tap

    def tap_boot(self) -> None:
        """Remember that the recorder is started now."""
        self.taps.append(Tap("boot", self.world.now_ns, self.world.now_ns))

    @staticmethod
    @contextmanager
    def _held(courtroom: Any, tap_ns: int) -> Iterator[None]:
        with courtroom.held_writing(tap_ns):
            yield

    # -- what can be seen ----------------------------------------------------------------------
    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        self.world.sleep(seconds)

    @property
    def state(self) -> RecorderState:
        """What the screen shows."""
        return self.shown[-1].state

    @property
    def is_lamp_lit(self) -> bool:
        """Whether the lamp shows a recording by its pin, in the dark times of its blinking, too."""
        return self.panel.lamp is not LampState.OFF

    @property
    def is_running(self) -> bool:
        """Whether the recorder runs."""
        return self.courtroom is not None

    @property
    def hearing_folders(self) -> list[Path]:
        """The folders of all hearings, on the kiosk's own disk."""
        return sorted(path for path in self.paths.hearings.iterdir() if path.is_dir())

    def seconds_since(self, at_ns: int) -> float:
        """Return how long ago a moment is."""
        return (self.world.now_ns - at_ns) / NS_PER_S


@contextmanager
def simulated(
    folder: Path, seed: int, secrets: CourtSecrets, court: Court, *, has_mirror: bool = True
) -> Iterator[SimulatedCourtroom]:
    """Make a courtroom whose recorder does not run yet, in a world of its own."""
    world = World(seed)
    with ExitStack() as stack:
        stack.enter_context(living_in(world, ("kiosk.",)))
        for name in ("fsync", "fdatasync"):  # nothing here loses power
            stack.enter_context(mock.patch.object(os, name))
        before = Device.pin_factory
        stack.callback(setattr, Device, "pin_factory", before)
        Device.pin_factory = MockFactory()
        room = SimulatedCourtroom(folder, world, secrets, court, has_mirror=has_mirror)
        replacements = {
            "kiosk.hardware.sources.audio_device.ProcessSupervisor": child_maker(
                world, room.devices
            ),
            "kiosk.hardware.sources.camera_source.ProcessSupervisor": child_maker(
                world, room.devices
            ),
            "kiosk.hearing.room.storage_monitor.StorageVolume": volume_maker(room.disks),
        }
        for target, replacement in replacements.items():
            stack.enter_context(mock.patch(target, replacement))
        yield room


@contextmanager
def running_courtroom(folder: Path) -> Iterator[SimulatedCourtroom]:
    """Make a courtroom whose recorder runs for three seconds; no thread of it may have failed."""
    court, secrets = sworn_court()
    with simulated(folder, 1, secrets, court) as room:
        room.start_recorder()
        room.pass_time(3)
        yield room
        assert room.world.errors == [], room.world.errors
