"""The two copies at the start of the recorder: which is read, and what holds the start up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.hearing.room.storage_monitor import StorageMonitor
from kiosk.storage.paths import Paths
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import write_marker
from tests.hearing.courtroom_rig import KIOSK, courtroom_settings
from tests.support.identity import Court
from tests.support.waiting import wait_for

HEARING = "2f1c9a52-0000-4000-8000-000000000001"
NAME = f"hearings/{HEARING}/part-01/a.m4s"


class Start:
    """A recorder's storages at its start."""

    def __init__(self, folder: Path) -> None:
        settings = courtroom_settings(folder)
        self.own, self.mirror = settings.paths.data, folder / "mirror"
        paths = settings.paths.model_copy(update={"mirror": self.mirror})
        self._settings = settings.model_copy(update={"paths": paths})
        self._court = Court.make(folder / "court")
        for root in (self.own, self.mirror):
            (root / NAME).parent.mkdir(parents=True)
        write_marker(self.mirror, KIOSK, "mirror")
        self.gates = {"data": threading.Event(), "mirror": threading.Event()}
        for gate in self.gates.values():
            gate.set()
        self.monitor: StorageMonitor | None = None

    def begin(self) -> StorageMonitor:
        """Open the storages as the recorder does, and prepare the recovery."""
        monitor = self.monitor = StorageMonitor(
            self._settings, Paths.from_settings(self._settings.paths)
        )
        monitor.prepare_recovery(self._court.device().certificate)
        return monitor

    def close(self) -> None:
        """End the test."""
        for gate in self.gates.values():
            gate.set()
        if self.monitor is not None:
            self.monitor.close(1)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    start = Start(tmp_path)
    append = StorageVolume.append

    def wait(volume: StorageVolume, relative: str, offset: int, data: bytes) -> None:
        start.gates[volume.role].wait(30)
        append(volume, relative, offset, data)

    monkeypatch.setattr(StorageVolume, "append", wait)
    yield start
    start.close()


def test_a_shorter_copy_of_before_is_not_read_while_the_own_disk_is_slow(start: Start) -> None:
    """The recovery would cut the own file to the length of the other copy."""
    (start.own / NAME).write_bytes(b"all of it")
    (start.mirror / NAME).write_bytes(b"all")
    store = start.begin().store
    start.gates["data"].clear()
    store.append(start.own / "hearings" / HEARING / "journal.jsonl", 0, b"line")
    wait_for(lambda: store.primary_state == "slow", "a slow disk")
    assert store.locate(start.own / NAME) == start.own / NAME
