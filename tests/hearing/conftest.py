"""The courtrooms of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hearing.courtroom_rig import CourtroomRig
from tests.hearing.mirror_rig import MirrorRig
from tests.support.mounts import sticks


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CourtroomRig]:
    """Return a courtroom without microphones."""
    made = CourtroomRig(tmp_path)
    yield made
    made.crash()


@pytest.fixture
def mirror_rig(tmp_path: Path) -> Iterator[MirrorRig]:
    """Return a courtroom with two storages."""
    with sticks(tmp_path, "own", "mirror", megabytes=200) as (own, mirror):
        made = MirrorRig(tmp_path, own, mirror)
        yield made
        made.crash()
