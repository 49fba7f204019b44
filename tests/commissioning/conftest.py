"""A central system for all tests of a process, and a new kiosk for each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.delivery_rig import Central, make_template, short_folder, temporary_central
from tests.support.room_rig import RoomRig, room_rig


@pytest.fixture(scope="session")
def central() -> Iterator[Central]:
    """A running central system."""
    template = short_folder()
    make_template(template)
    with temporary_central(template) as made:
        made.start()
        yield made
    shutil.rmtree(template, ignore_errors=True)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="kc-") as name:
        yield Path(name)


@pytest.fixture
def room(short: Path) -> Iterator[RoomRig]:
    """A new kiosk whose central system does not exist; its recorder runs."""
    with room_rig(short / "k", "https://localhost:1") as rig:
        yield rig
