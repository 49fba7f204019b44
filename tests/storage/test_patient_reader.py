"""A disk that hangs holds up nobody who asks for a small file."""

from __future__ import annotations

import threading

import pytest

from kiosk.storage import patient_reader
from kiosk.storage.patient_reader import PatientReader
from tests.support.waiting import wait_for


class Disk:
    """Answers, fails or hangs."""

    def __init__(self) -> None:
        self.value = 1
        self.error: OSError | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.reads = 0

    def read(self) -> int:
        self.reads += 1
        assert self.answers.wait(20)
        if self.error is not None:
            raise self.error
        return self.value


def test_the_value_is_that_of_now() -> None:
    disk = Disk()
    reader = PatientReader(disk.read)
    assert reader.value() == 1
    disk.value = 2
    assert reader.value() == 2
    disk.error = OSError("gone")
    with pytest.raises(OSError, match="gone"):
        reader.value()
    disk.error = None
    assert reader.value() == 2


def test_the_last_value_stands_in_while_the_disk_hangs() -> None:
    disk = Disk()
    reader = PatientReader(disk.read)
    assert reader.value() == 1
    disk.value = 2
    disk.answers.clear()
    for _ in range(100):
        assert reader.value() == 1
    assert disk.reads == 3, "one read hangs, and no other begins"
    disk.answers.set()
    wait_for(lambda: reader.value() == 2, "the new value")


def test_the_latest_value_waits_for_no_disk_and_is_read_meanwhile() -> None:
    disk = Disk()
    reader = PatientReader(disk.read)
    disk.answers.clear()
    disk.value = 2
    assert [reader.latest() for _ in range(3)] == [1, 1, 1]
    assert not disk.answers.is_set(), "the disk hangs all the while"
    disk.answers.set()
    wait_for(lambda: reader.latest() == 2, "the new value")


def test_the_thread_ends_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_reader, "IDLE_S", 0.01)
    disk = Disk()
    reader = PatientReader(disk.read)
    before = set(threading.enumerate())
    for value in (1, 2):
        disk.value = value
        assert reader.value() == value
        wait_for(lambda: set(threading.enumerate()) <= before, "the end of the thread")
