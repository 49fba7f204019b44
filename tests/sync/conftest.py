"""A central system for all tests of a process, a kiosk for each; enrolled once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.delivery_rig import (
    Central,
    Kiosk,
    make_template,
    short_folder,
    temporary_central,
    temporary_kiosk,
)


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A court with one enrolled kiosk, to be copied."""
    folder = short_folder()
    make_template(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_central(template: Path) -> Iterator[Central]:
    """A running central system for many tests; they look at their own items only."""
    with temporary_central(template) as central:
        central.start()
        yield central


@pytest.fixture
def central(shared_central: Central) -> Iterator[Central]:
    """The shared central system without faults; started again if a test ended it."""
    shared_central.set_faults()
    if shared_central.running is None:
        shared_central.start()
    yield shared_central
    shared_central.set_faults()


@pytest.fixture
def kiosk(template: Path, central: Central) -> Iterator[Kiosk]:
    """An enrolled kiosk of the shared central system, not started."""
    with temporary_kiosk(template, central.url) as kiosk:
        yield kiosk


@pytest.fixture
def own_central(template: Path) -> Iterator[Central]:
    """A central system of this test alone, not started."""
    with temporary_central(template) as central:
        yield central


@pytest.fixture
def own_kiosk(template: Path, own_central: Central) -> Iterator[Kiosk]:
    """An enrolled kiosk of :func:`own_central`, not started."""
    with temporary_kiosk(template, own_central.url) as kiosk:
        yield kiosk
