"""A court and a kiosk for each test; the enrolment is done once per test process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.rig import Central, Kiosk, court_of, make_template, short_folder


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A court with one enrolled kiosk, to be copied."""
    folder = short_folder()
    make_template(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stopped(template: Path) -> Iterator[tuple[Central, Kiosk]]:
    """A court and a kiosk, neither started."""
    with court_of(template) as both:
        yield both


@pytest.fixture
def running(stopped: tuple[Central, Kiosk]) -> tuple[Central, Kiosk]:
    """A court and a kiosk, both running, linked."""
    central, kiosk = stopped
    central.start()
    kiosk.start()
    return central, kiosk
