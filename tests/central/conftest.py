"""One server for most tests; each uses its own ids, and its own kiosks if it revokes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.central_rig import Central, Kiosk


@pytest.fixture(scope="session")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    """A running central system with the demo court."""
    with Central(tmp_path_factory.mktemp("central") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def kiosk(central: Central) -> Kiosk:
    """The enrolled kiosk of room 1."""
    return central.enrol("kiosk-0001")


@pytest.fixture(scope="session")
def neighbour(central: Central) -> Kiosk:
    """The enrolled kiosk of room 2."""
    return central.enrol("kiosk-0002")
