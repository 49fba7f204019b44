"""A virtual courtroom whose data lie on trial disks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from faults.disk.mounted import MountedDisk
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.volume_marker import adopt_mirror
from tests.support.virtual_courtroom import KIOSK, VirtualCourtroom


@contextlib.contextmanager
def mounted_courtroom(
    folder: Path, *, has_mirror: bool = False
) -> Iterator[tuple[VirtualCourtroom, list[MountedDisk]]]:
    """Yield a courtroom and its disks: the kiosk's own one, and the mirror if it has one."""
    with contextlib.ExitStack() as stack:
        names = ("disk", "mirror") if has_mirror else ("disk",)
        disks = [stack.enter_context(MountedDisk(folder / name)) for name in names]
        data = make_folder(disks[0].path / "data")
        mirror = disks[1].path if has_mirror else None
        if mirror is not None:
            adopt_mirror(mirror, KIOSK, data)
        room = VirtualCourtroom(folder / "r", data=data, mirror=mirror)
        yield stack.enter_context(room), disks
