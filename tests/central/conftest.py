"""One server per test file; tests use kiosks and ids of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.central.rig import Central, Kiosk


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    """A running central system with the demo court."""
    with Central(tmp_path_factory.mktemp("central") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def kiosk(central: Central) -> Kiosk:
    """The enrolled kiosk of room 1."""
    return central.enrol("kiosk-0001")


@pytest.fixture(scope="module")
def neighbour(central: Central) -> Kiosk:
    """The enrolled kiosk of room 2."""
    return central.enrol("kiosk-0002")
