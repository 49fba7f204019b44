"""The badge reader through pyserial, against a pseudo-terminal."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from kiosk.config import SerialPortSettings
from kiosk.hardware.badge_reader import BadgeReader, BadgeReaderAbsentError, open_port
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader

PATIENCE = 10.0


class ReaderRig:
    """A badge reader in use, with queues of its badges and states."""

    def __init__(self, device: VirtualBadgeReader) -> None:
        self.badges: queue.Queue[str] = queue.Queue()
        self.states: queue.Queue[bool] = queue.Queue()
        self.unreadable: queue.Queue[None] = queue.Queue()
        self.reader = BadgeReader(
            SerialPortSettings(port=device.port),
            self.badges.put,
            self.states.put,
            lambda: self.unreadable.put(None),
        )


@pytest.fixture
def device() -> Iterator[VirtualBadgeReader]:
    """Return a virtual reader that is plugged in."""
    with VirtualBadgeReader() as reader:
        yield reader


@pytest.fixture
def rig(device: VirtualBadgeReader) -> Iterator[ReaderRig]:
    """Return the reader in use."""
    rig = ReaderRig(device)
    with rig.reader:
        assert rig.states.get(timeout=PATIENCE)
        yield rig


def test_badges_come_one_a_line(device: VirtualBadgeReader, rig: ReaderRig) -> None:
    device.scan("KZ-SEC-0001")
    device.scan("Қ-0002")
    assert rig.badges.get(timeout=PATIENCE) == "KZ-SEC-0001"
    assert rig.badges.get(timeout=PATIENCE) == "Қ-0002"


def test_a_badge_held_long_is_reported_once(device: VirtualBadgeReader, rig: ReaderRig) -> None:
    for _ in range(3):
        device.scan("A")
    device.scan("B")
    assert rig.badges.get(timeout=PATIENCE) == "A"
    assert rig.badges.get(timeout=PATIENCE) == "B"


def test_noise_is_no_badge_and_is_told_once(device: VirtualBadgeReader, rig: ReaderRig) -> None:
    device.send(b"\xff\xfe\x00\xff\r\n" + b"x" * 2000 + b"\r\n\r\n\x02GOOD\x03\r\n")
    assert rig.badges.get(timeout=PATIENCE) == "GOOD"
    assert rig.unreadable.qsize() == 1


def test_a_reader_without_a_suffix_is_answered_after_a_silence(
    device: VirtualBadgeReader, rig: ReaderRig
) -> None:
    device.send(b"KZ-SEC-0001")
    assert rig.badges.get(timeout=PATIENCE) == "KZ-SEC-0001"


def test_reader_that_is_unplugged_comes_back(device: VirtualBadgeReader, rig: ReaderRig) -> None:
    device.unplug()
    assert rig.states.get(timeout=PATIENCE) is False
    device.plug()
    assert rig.states.get(timeout=PATIENCE) is True
    device.scan("AGAIN")
    assert rig.badges.get(timeout=PATIENCE) == "AGAIN"


def test_the_line_is_ours_alone(device: VirtualBadgeReader, rig: ReaderRig) -> None:
    assert rig.reader.is_present
    with pytest.raises(BadgeReaderAbsentError), open_port(SerialPortSettings(port=device.port)):
        pass


def test_no_reader_fitted() -> None:
    with BadgeReader(SerialPortSettings(), lambda _badge: None) as reader:
        assert not reader.is_present
