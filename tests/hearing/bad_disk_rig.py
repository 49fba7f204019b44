"""A courtroom that records in real time on disks that a test lets hang, fill up or fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk.api.states import MicrophoneState
from kiosk.clocks import recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.hearing.room import court_list, storage_monitor
from kiosk.hearing.room.storage_monitor import StorageMonitor
from kiosk.hearing.session import part_controller, publicity, start
from kiosk.recording.part import Part
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import write_marker
from tests.hearing.courtroom_rig import KIOSK, CourtroomRig, courtroom_settings
from tests.support.court_keys import CourtSecrets
from tests.support.fake_media import FakeMicrophone
from tests.support.waiting import wait_for

NAME = "judge"
HUNG_S = 60.0
"""Longer than any test: a step that waits for a hung disk fails."""


class LiveSources:
    """One microphone that gives its samples in real time, to each listener from its moment on."""

    camera = None
    preview = Path("/nonexistent/preview")

    def __init__(self) -> None:
        meter = SimpleNamespace(soundless=None, energy_history=list)
        state = MicrophoneState.OK
        self.microphones = [SimpleNamespace(name=NAME, rate=48_000, state=state, meter=meter)]
        self._listeners: dict[Any, FakeMicrophone] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def attach(self, listener: Any, since_ns: int) -> None:
        """Give ``listener`` everything from ``since_ns`` on."""
        with self._lock:
            self._listeners[listener] = FakeMicrophone(since_ns)

    def detach(self, listener: Any) -> None:
        """Give it nothing more."""
        with self._lock:
            self._listeners.pop(listener, None)

    @property
    def is_dispatching(self) -> bool:
        """Whether anybody takes the samples."""
        return bool(self._listeners)

    def stop_encoder(self) -> None:
        """Do nothing: there is no camera."""

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            with self._lock:
                for listener, microphone in self._listeners.items():
                    for block in microphone.until(recording_ns() - 20_000_000):
                        listener.audio(NAME, block)

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()


class BadDisk:
    """Lets the writes of hearings fail or hang, on one or on all storages; a start's reads hang.

    Attributes:
        count: writes since :meth:`attack`.
        hung: writes that hang now.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = self.hung = 0
        self._error: int | None = None
        self._first = 0
        self._roles: tuple[str, ...] = ()
        self._healed = threading.Event()
        self._lock = threading.Lock()
        for name in ("append", "write_file", "make_folder"):
            monkeypatch.setattr(StorageVolume, name, self._wrap(getattr(StorageVolume, name)))
        for owner, name in (
            (part_controller, "load_device_signer"),
            (StorageMonitor, "_list_begun"),
            (start, "recent_link_check"),
            (court_list, "file_version"),
            (publicity, "load_court_keys"),
            (storage_monitor, "is_volatile"),
        ):
            monkeypatch.setattr(owner, name, self._wrap_read(getattr(owner, name)))

    def _wrap(self, write: Callable[..., None]) -> Callable[..., None]:
        def attempt(volume: StorageVolume, *arguments: Any, **more: Any) -> None:
            with self._lock:
                self.count += 1
                is_hit = volume.role in self._roles and self.count >= self._first
                error = self._error
            if is_hit and error is None:
                self._hang()
            elif is_hit:
                raise OSError(error, "the disk does not take it")
            write(volume, *arguments, **more)

        return attempt

    def _wrap_read(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any) -> Any:
            with self._lock:
                is_hung = self._error is None and "data" in self._roles
            if is_hung:
                assert self._healed.wait(HUNG_S), "somebody waits for the disk"
            return read(*arguments)

        return attempt

    def _hang(self) -> None:
        with self._lock:
            self.hung += 1
        self._healed.wait(HUNG_S)
        with self._lock:
            self.hung -= 1

    def attack(
        self, error: int | None, first: int = 1, roles: tuple[str, ...] = ("data", "mirror")
    ) -> None:
        """Let the writes from number ``first`` on fail, or hang (no ``error``)."""
        with self._lock:
            self._healed.clear()
            self.count, self._error, self._first, self._roles = 0, error, first, roles

    def heal(self) -> None:
        """Take everything again."""
        with self._lock:
            self._roles = ()
        self._healed.set()


class BadDiskRig(CourtroomRig):
    """The real recorder and store, with one microphone.

    Args:
        mirror: folder of the second copy.
    """

    def __init__(self, folder: Path, disk: BadDisk, mirror: Path | None = None) -> None:
        self.disk, self.live = disk, LiveSources()
        settings = courtroom_settings(
            folder, (MicrophoneSettings(name=NAME, role=NAME, device="none"),)
        )
        if mirror is not None:
            mirror.mkdir()
            write_marker(mirror, KIOSK, "mirror")
            paths = settings.paths.model_copy(update={"mirror": mirror})
            settings = settings.model_copy(update={"paths": paths})
        super().__init__(folder, settings)
        CourtSecrets().pin(self.paths)

    def make_part(self, *arguments: Any) -> Part:
        """Return a real part of the microphone."""
        folder, settings, _, *more = arguments
        return Part(folder, settings, self.live, *more)  # type: ignore[arg-type]

    @property
    def capture(self) -> Part | None:
        """What is captured now."""
        hearing = self.courtroom.current
        return None if hearing is None else hearing.capture

    def wait_recorded(self) -> None:
        """Wait until more media of the running part are durable."""
        capture = self.capture
        assert capture is not None
        before = capture.bytes
        wait_for(lambda: capture.bytes > before, "durable media")

    def close(self) -> None:
        """End the test."""
        self.disk.heal()
        self.courtroom.shutdown(5)
        self.live.close()
