"""The badge reader through pyserial, against a pseudo-terminal."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from kiosk.config import SerialPort
from kiosk.hardware.badge_reader import BadgeReader, BadgeReaderAbsentError, open_line
from kiosk.hardware.virtual.badge import VirtualBadgeReader

PATIENCE = 10.0


class Desk:
    """A badge reader in use, with queues of what it tells."""

    def __init__(self, device: VirtualBadgeReader) -> None:
        self.badges: queue.Queue[str] = queue.Queue()
        self.states: queue.Queue[bool] = queue.Queue()
        self.reader = BadgeReader(SerialPort(port=device.port), self.badges.put, self.states.put)


@pytest.fixture
def device() -> Iterator[VirtualBadgeReader]:
    """Return a virtual reader that is plugged in."""
    with VirtualBadgeReader() as reader:
        yield reader


@pytest.fixture
def desk(device: VirtualBadgeReader) -> Iterator[Desk]:
    """Return the reader in use."""
    desk = Desk(device)
    with desk.reader:
        assert desk.states.get(timeout=PATIENCE)
        yield desk


def test_badges_come_one_a_line(device: VirtualBadgeReader, desk: Desk) -> None:
    device.hold("KZ-SEC-0001")
    device.hold("Қ-0002")
    assert desk.badges.get(timeout=PATIENCE) == "KZ-SEC-0001"
    assert desk.badges.get(timeout=PATIENCE) == "Қ-0002"


def test_a_badge_held_long_is_told_once(device: VirtualBadgeReader, desk: Desk) -> None:
    for _ in range(3):
        device.hold("A")
    device.hold("B")
    assert desk.badges.get(timeout=PATIENCE) == "A"
    assert desk.badges.get(timeout=PATIENCE) == "B"


def test_noise_is_no_badge(device: VirtualBadgeReader, desk: Desk) -> None:
    device.send(b"\xff\xfe\x00\r\n" + b"x" * 2000 + b"\r\n\r\n\x02GOOD\x03\r\n")
    assert desk.badges.get(timeout=PATIENCE) == "GOOD"


def test_reader_that_is_unplugged_comes_back(device: VirtualBadgeReader, desk: Desk) -> None:
    device.unplug()
    assert desk.states.get(timeout=PATIENCE) is False
    device.plug_in()
    assert desk.states.get(timeout=PATIENCE) is True
    device.hold("AGAIN")
    assert desk.badges.get(timeout=PATIENCE) == "AGAIN"


def test_the_line_is_ours_alone(device: VirtualBadgeReader, desk: Desk) -> None:
    assert desk.reader.present
    with pytest.raises(BadgeReaderAbsentError), open_line(SerialPort(port=device.port)):
        pass


def test_no_reader_fitted() -> None:
    with BadgeReader(SerialPort(), lambda _badge: None) as reader:
        assert not reader.present
