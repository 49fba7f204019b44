"""Virtual microphones and rooms for the recorder's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.services.room import NAMES, Room


@pytest.fixture(scope="session")
def microphones() -> Iterator[VirtualMicrophones]:
    """Two microphones with faint room noise, for all tests of this process."""
    with (
        tempfile.TemporaryDirectory(prefix="mics-") as folder,
        VirtualMicrophones(Path(folder), NAMES, headset=True) as room,
    ):
        yield room


MakeRoom = Callable[..., Room]


@pytest.fixture
def make_room(microphones: VirtualMicrophones) -> Iterator[MakeRoom]:
    """Make rooms that are closed at the end."""
    rooms: list[Room] = []
    with tempfile.TemporaryDirectory(prefix="room-") as folder:

        def make(**settings: Any) -> Room:
            path = Path(folder, str(len(rooms)))
            path.mkdir()
            room = Room(path, **{"microphones": microphones, **settings})
            rooms.append(room)
            return room

        yield make
        for room in rooms:
            room.close()


@pytest.fixture(scope="session")
def shared_room(microphones: VirtualMicrophones) -> Iterator[Room]:
    """A running recorder for tests that leave it running and idle."""
    with tempfile.TemporaryDirectory(prefix="room-") as folder:
        room = Room(Path(folder), microphones)
        room.start()
        yield room
        room.close()


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A recorder of its own, with camera and two microphones, for tests that kill it."""
    made = make_room()
    made.start()
    return made
