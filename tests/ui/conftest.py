"""A display, stand-in services and a touch screen for the tests with a window."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.demo.x_server import Display, x_server
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from tests.ui.fake_services import FakeRecorder, FakeSync


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    """Return an X server for this test process."""
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-x-") as folder,
        x_server(1280, 800, Path(folder) / "x.log") as server,
    ):
        yield server


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a path short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="kui-") as name:
        path = Path(name)
        (path / "run").mkdir()
        yield path


@pytest.fixture
def recorder(folder: Path) -> Iterator[FakeRecorder]:
    """Return a recorder."""
    with FakeRecorder(folder / "run" / "recorder" / "recorder.sock") as service:
        yield service


@pytest.fixture
def sync(folder: Path) -> Iterator[FakeSync]:
    """Return a sync service."""
    with FakeSync(folder / "run" / "sync" / "sync.sock") as service:
        yield service


@pytest.fixture
def badge() -> Iterator[VirtualBadgeReader]:
    """Return a badge reader."""
    with VirtualBadgeReader() as reader:
        yield reader
