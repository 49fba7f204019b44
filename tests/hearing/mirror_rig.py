"""A courtroom with two storages, and the real part writer on sources whose time a test moves."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.config import MicrophoneSettings, PathSettings, RecordingSettings
from kiosk.errors import StorageError
from kiosk.recording.capture.part_config import PartLayout
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.part import Part
from kiosk.recording.verify.hearing import verify
from kiosk.storage.volume_marker import write_marker
from tests.hearing.courtroom_rig import KIOSK, CourtroomRig, courtroom_settings
from tests.support.fake_media import FPS, SIZE, FakeCamera, FakeMicrophone
from tests.support.mounts import Stick, read_hearing_files
from tests.support.waiting import wait_for

NAME = "judge"


class VirtualPart(Part):
    """The real writer on sources whose time passes when a test says so."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._now_ns = 0
        self._lock = threading.Lock()

    def _start_capture(self) -> None:
        self._now_ns = self.tap_ns
        self._virtual_writer = PartWriter(
            self._output,
            PartLayout({NAME: 48_000}, SIZE, FPS, True, frozenset({NAME, "camera"})),
            self._settings.recording,
            self.tap_ns,
            1_790_000_000_000_000_000,
            clock=lambda: self._now_ns,
        )
        self._camera = FakeCamera(self.tap_ns)
        self._microphone = FakeMicrophone(self.tap_ns)

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        until, writer = self._now_ns + round(seconds * NS_PER_S), self._virtual_writer
        while self._now_ns < until:
            self._now_ns += 40_000_000
            for packet in self._camera.until(self._now_ns):
                writer.add_video(packet)
            for block in self._microphone.until(self._now_ns):
                writer.add_audio(NAME, block)
            writer.tick(self._now_ns, "ok", {NAME: (MicrophoneState.OK, None)})

    def _stop_capture(self, at_ns: int | None) -> Mapping[str, Any]:
        del at_ns
        self._virtual_writer.end(self._now_ns)
        return {
            "stop_ns": self._now_ns,
            "video_frames": self.video_frames,
            "dropped": 0,
            "samples": self.samples,
            "first_durable_ms": None,
        }

    @property
    def now_ns(self) -> int:
        """Virtual recording clock."""
        return self._now_ns

    @property
    def video_frames(self) -> int:
        """Pictures captured so far."""
        return self._virtual_writer.video_frames

    @property
    def samples(self) -> dict[str, int]:
        """Samples captured so far, by microphone."""
        return self._virtual_writer.samples

    def wait_written(self, seconds: float) -> None:
        """Report what is durable; raise while something is not."""
        del seconds
        with self._lock:
            try:
                self._virtual_writer.finish(self._now_ns)
            except OSError as error:
                raise StorageError(str(error)) from error

    @property
    def seconds(self) -> float:
        """Virtual seconds since the tap."""
        return (self._now_ns - self.tap_ns) / NS_PER_S


class MirrorRig(CourtroomRig):
    """A kiosk with two storages; a test crashes it, pulls them out and puts them back."""

    def __init__(self, folder: Path, own: Stick, mirror: Stick) -> None:
        self.own, self.mirror = own, mirror
        write_marker(mirror.folder, KIOSK, "mirror")
        settings = courtroom_settings(
            folder,
            (MicrophoneSettings(name=NAME, role=NAME, device="none"),),
            paths=PathSettings(data=own.folder, run=folder / "run", mirror=mirror.folder),
            recording=RecordingSettings(low_space_hours=0, planned_minutes=5),
        )
        super().__init__(folder, settings)

    def make_part(self, *arguments: Any) -> VirtualPart:
        """Return a part."""
        return VirtualPart(*arguments)

    def start_hearing(self, **fields: Any) -> Path:
        """Start a hearing; return its folder, relative to a storage."""
        return Path("hearings", self.begin(**fields))

    def run(self, seconds: float) -> None:
        """Record so much."""
        self.parts[-1].pass_time(seconds)

    def until(self, storage: str, mirror: str) -> dict[str, Any]:
        """Wait for the states of both; return State."""

        def reached() -> bool:
            state = self.state()
            return (state["storage"]["state"], state["mirror"]["state"]) == (storage, mirror)

        wait_for(reached, f"{storage}, {mirror}")
        return self.state()

    def wait_same(self) -> None:
        """Wait until both storages hold the same files of hearings."""
        wait_for(
            lambda: read_hearing_files(self.own.folder) == read_hearing_files(self.mirror.folder),
            "two copies",
        )

    def wait_sealed(self) -> None:
        """Wait until the hearing that was ended is sealed."""
        wait_for(lambda: self.phase() == "idle", "the seal")

    def end(self, folder: Path) -> None:
        """End the hearing; both copies are the same and verify."""
        self.courtroom.end("p1")
        self.wait_sealed()
        self.wait_same()
        for stick in (self.own, self.mirror):
            report = verify(stick.folder / folder, self.court.ca, decode=True)
            assert report.ok, report.problems
