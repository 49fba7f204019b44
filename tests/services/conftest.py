"""Virtual microphones and recorder processes for the recorder's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.services.recorder_process import NAMES, RecorderProcess


@pytest.fixture(scope="session")
def microphones() -> Iterator[VirtualMicrophones]:
    """Two microphones with faint room noise, for all tests of this process."""
    with (
        tempfile.TemporaryDirectory(prefix="mics-") as folder,
        VirtualMicrophones(Path(folder), NAMES, headset=True) as virtual,
    ):
        yield virtual


MakeRecorder = Callable[..., RecorderProcess]


@pytest.fixture
def make_recorder(microphones: VirtualMicrophones) -> Iterator[MakeRecorder]:
    """Make recorders that are closed at the end."""
    recorders: list[RecorderProcess] = []
    with tempfile.TemporaryDirectory(prefix="recorder-") as folder:

        def make(**settings: Any) -> RecorderProcess:
            path = Path(folder, str(len(recorders)))
            path.mkdir()
            recorder = RecorderProcess(path, **{"microphones": microphones, **settings})
            recorders.append(recorder)
            return recorder

        yield make
        for recorder in recorders:
            recorder.close()


@pytest.fixture(scope="session")
def shared_recorder(microphones: VirtualMicrophones) -> Iterator[RecorderProcess]:
    """A running recorder for tests that leave it running and idle."""
    with tempfile.TemporaryDirectory(prefix="recorder-") as folder:
        recorder = RecorderProcess(Path(folder), microphones)
        recorder.start()
        yield recorder
        recorder.close()


@pytest.fixture(scope="module")
def bare_recorder() -> Iterator[RecorderProcess]:
    """A running recorder without devices, for tests that leave it running."""
    with tempfile.TemporaryDirectory(prefix="bare-") as folder:
        made = RecorderProcess(Path(folder), None, camera="none")
        made.start()
        yield made
        made.close()


@pytest.fixture
def recorder(make_recorder: MakeRecorder) -> RecorderProcess:
    """A recorder of its own, with camera and two microphones, for tests that kill it."""
    made = make_recorder()
    made.start()
    return made
