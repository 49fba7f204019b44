"""A hearing on two storages, of which each fails and heals; in the end both verify."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import (
    CameraSettings,
    KioskSettings,
    MicrophoneSettings,
    PanelSettings,
    PathSettings,
    RecordingSettings,
    Settings,
)
from kiosk.evidence.chain import read_chain
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.courtroom import Courtroom
from kiosk.hearing.session.seal_queue import SealQueue
from kiosk.recording.capture.part_writer import PartLayout, PartWriter
from kiosk.recording.formats.records import PartSummary
from kiosk.recording.verify.hearing import verify
from kiosk.storage.paths import Paths
from kiosk.storage.store import Store
from kiosk.storage.volume_marker import write_marker
from tests.hearing.test_courtroom import RULES
from tests.identity import Court
from tests.recording.fake_media import FPS, SIZE, FakeCamera, FakeMicrophone
from tests.storage.mounts import Stick, read_hearing_files, sticks
from tests.waiting import wait_for

NAME = "judge"


class VirtualRecorder:
    """The real writer on sources whose time passes when a test says so."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        sources: Sources,
        *arguments: Any,
        store: Store,
    ) -> None:
        del sources
        *callbacks, codec = arguments
        self._make: Any = partial(
            PartWriter,
            folder,
            PartLayout({NAME: 48_000}, SIZE, FPS, True, frozenset({NAME, "camera"})),
            settings.recording,
        )
        self._callbacks, self._codec, self._store = callbacks, codec, store
        self.first_durable_ms: float | None = None
        self._start_ns = self._now_ns = 0

    def start(self, tap_ns: int) -> None:
        """Begin at the tap."""
        self._start_ns = self._now_ns = tap_ns
        self._writer = self._make(
            tap_ns,
            1_790_000_000_000_000_000,
            *self._callbacks,
            clock=lambda: self._now_ns,
            codec=self._codec,
            store=self._store,
        )
        self._camera = FakeCamera(tap_ns)
        self._microphone = FakeMicrophone(tap_ns)

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self._now_ns + round(seconds * NS_PER_S)
        while self._now_ns < until:
            self._now_ns += 40_000_000
            for packet in self._camera.until(self._now_ns):
                self._writer.add_video(packet)
            for block in self._microphone.until(self._now_ns):
                self._writer.add_audio(NAME, block)
            self._writer.tick(self._now_ns, "ok", {NAME: ("ok", None)})

    def pause_writing(self, paused: bool) -> None:
        """Do nothing."""

    def stop(self, at_ns: int | None = None) -> PartSummary:
        """Finish."""
        del at_ns
        wait_for(self._finished, "the writer's end")
        frames, samples = self._writer.video_frames, self._writer.samples
        return PartSummary(
            self._start_ns, self._now_ns, self.seconds, frames, 0, samples, self.first_durable_ms
        )

    def _finished(self) -> bool:
        self._writer.finish(self._now_ns)
        return True

    @property
    def seconds(self) -> float:
        """Virtual seconds since the tap."""
        return (self._now_ns - self._start_ns) / NS_PER_S


class MirrorRig:
    """A kiosk with two storages; a test crashes it, pulls them out and puts them back."""

    def __init__(self, folder: Path, own: Stick, mirror: Stick) -> None:
        self.own, self.mirror = own, mirror
        write_marker(mirror.folder, "kiosk-0001", "mirror")
        self.settings = Settings(
            kiosk=KioskSettings(id="kiosk-0001"),
            paths=PathSettings(data=own.folder, run=folder / "run", mirror=mirror.folder),
            camera=CameraSettings(back_end="none"),
            panel=PanelSettings(enabled=False),
            microphones=(MicrophoneSettings(name=NAME, role=NAME, device="none"),),
            recording=RecordingSettings(low_space_hours=0, planned_minutes=5),
        )
        self.paths = Paths.from_settings(self.settings.paths)
        self.court = Court.make(folder / "court")
        self.court.issue("kiosk-0001", self.paths.device_key, self.paths.device_certificate)
        self.recorders: list[VirtualRecorder] = []
        self.room = self.start()

    def start(self) -> Courtroom:
        """Start as after a boot."""
        sources = Sources(self.settings, self.paths.preview)
        panel = Panel(self.settings.panel)

        def make(*arguments: Any) -> VirtualRecorder:
            self.recorders.append(VirtualRecorder(*arguments, store=self.room.storage.store))
            return self.recorders[-1]

        self.room = Courtroom(self.settings, self.paths, RULES, sources, panel, make)
        self.room.seal_queue = SealQueue(retry_s=0.1)
        self.room.recover()
        return self.room

    def crash(self) -> None:
        """Leave everything as a killed process does."""
        self.room.seal_queue.close(0)
        session = self.room._current
        if session is not None:
            if session.capture is not None:
                session.capture._prover.stop()
                session.capture.journal.close()
            session.journal.close()
        self.room.storage.close(0.5)

    def begin(self, **about: Any) -> Path:
        """Start a hearing; return its folder's name."""
        hearing: str = self.room.start({"kind": "civil", **about}, "p1", recording_ns())[
            "hearing_id"
        ]
        return Path("hearings") / hearing

    def run(self, seconds: float) -> None:
        """Record so much."""
        self.recorders[-1].pass_time(seconds)

    def until(self, storage: str, mirror: str) -> dict[str, Any]:
        """Wait for the states of both; return State."""

        def look() -> dict[str, Any] | None:
            state = self.room.state()
            found = state["storage"]["state"], state["mirror"]["state"]
            return state if found == (storage, mirror) else None

        wait_for(look, f"{storage}, {mirror}", 20)
        return self.room.state()

    def codes(self) -> list[str]:
        """Return the alarms that are on."""
        return [alarm["code"] for alarm in self.room.state()["alarms"]]

    def end(self, folder: Path) -> None:
        """End the hearing; both copies are the same and verify."""
        self.room.end("p1")
        wait_for(lambda: self.room.state()["phase"] == "idle", "the seal", 60)
        wait_for(
            lambda: read_hearing_files(self.own.folder) == read_hearing_files(self.mirror.folder),
            "two copies",
            60,
        )
        for stick in (self.own, self.mirror):
            report = verify(stick.folder / folder, self.court.ca, decode=True)
            assert report.ok, report.problems


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MirrorRig]:
    with sticks(tmp_path, "own", "mirror", megabytes=200) as (own, mirror):
        rig = MirrorRig(tmp_path, own, mirror)
        yield rig
        rig.crash()


def test_each_storage_fails_and_heals_and_nothing_is_lost(rig: MirrorRig) -> None:
    folder = rig.begin()
    rig.run(3)
    rig.until("ok", "ok")
    rig.mirror.pull()
    rig.until("ok", "absent")
    rig.run(3)
    assert "mirror_absent" in rig.codes()
    rig.mirror.plug()
    rig.until("ok", "ok")
    rig.run(3)
    rig.own.read_only()
    rig.until("read_only", "ok")
    rig.run(3)
    assert "recording_on_mirror" in rig.codes()
    rig.room.add_mark("oath", "p1")
    rig.own.read_only(on=False)
    rig.until("ok", "ok")
    rig.run(3)
    rig.own.pull()
    rig.until("gone", "ok")
    rig.run(3)
    rig.room.recess("p1", "lunch")
    rig.room.resume("p1")
    rig.run(2)
    rig.own.plug()
    rig.until("ok", "ok")
    rig.run(2)
    rows = rig.room.state()["hearing"]["interruptions"]
    ledger = [row for row in rows if row["source"] in ("storage", "mirror")]
    assert {(row["source"], row["kind"]) for row in ledger} >= {
        ("mirror", "absent"),
        ("storage", "read_only"),
        ("storage", "gone"),
    }
    assert {row["seconds"] for row in ledger} == {0.0}
    assert "failure_reason" not in rig.room.state()["hearing"]["open_questions"]
    rig.end(folder)
    part = read_chain(rig.own.folder / folder / "part-01/journal.jsonl").entries
    closed = next(entry for entry in part if entry["kind"] == "closed")
    assert "error" not in closed


def test_a_hearing_that_begins_and_ends_without_the_kiosks_own_disk(rig: MirrorRig) -> None:
    rig.own.pull()
    rig.until("gone", "ok")
    folder = rig.begin()
    rig.run(3)
    rig.room.end("p1")
    wait_for(lambda: rig.room.state()["phase"] == "idle", "the seal", 60)
    assert verify(rig.mirror.folder / folder, rig.court.ca).ok
    assert not (rig.own.folder / folder).exists()
    rig.own.plug()
    wait_for(
        lambda: read_hearing_files(rig.own.folder) == read_hearing_files(rig.mirror.folder),
        "two copies",
        60,
    )
    assert verify(rig.own.folder / folder, rig.court.ca).ok


def test_a_disk_that_died_for_good_loses_nothing_that_the_mirror_has(rig: MirrorRig) -> None:
    folder = rig.begin()
    rig.run(5)
    rig.until("ok", "ok")
    rig.own.read_only()
    rig.until("read_only", "ok")
    rig.run(5)
    rig.crash()
    rig.own.read_only(on=False)
    written = read_hearing_files(rig.mirror.folder)
    shutil.rmtree(rig.own.folder / folder)  # the disk was replaced
    rig.start()
    media = [name for name in written if name.endswith(".m4s")]
    assert media
    for name in media:
        assert (rig.own.folder / name).read_bytes() == written[name], name
    hearing = rig.room.state()["hearing"]
    assert hearing is not None
    assert rig.room.state()["recovered"]["hearing_id"] == folder.name
    rig.run(1)
    rig.end(folder)


def test_a_planned_hearing_that_does_not_fit_is_said_and_begins(rig: MirrorRig) -> None:
    state = rig.room.state()
    assert state["storage"]["planned"] == {"hours_needed": 0.08, "fits": True}
    assert 0 < state["storage"]["hours_left"] < 1
    rig.begin(duration_minutes=600)
    rig.run(2)
    state = rig.room.state()
    assert state["storage"]["planned"]["hours_needed"] == pytest.approx(10, abs=0.1)
    assert not state["storage"]["planned"]["fits"]
    assert state["phase"] == "recording"
    assert "space_short" in rig.codes()
    assert "space" in state["hearing"]["not_ready"]


def test_hours_left_follow_what_recordings_took(rig: MirrorRig) -> None:
    guessed = rig.room.storage.bytes_per_hour
    rig.room.storage.record_part_size(10 << 20, 30.0)
    assert rig.room.storage.bytes_per_hour == guessed, "too short to tell"
    rig.room.storage.record_part_size(100 << 20, 3600.0)
    assert rig.room.storage.bytes_per_hour == pytest.approx(100 << 20)
    rig.crash()
    rig.start()
    assert rig.room.storage.bytes_per_hour == pytest.approx(100 << 20)
