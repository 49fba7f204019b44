"""Tells whether memory of the services can come onto a disk: by swap, or by zram's write-back."""

from __future__ import annotations

from pathlib import Path

_SWAPS = Path("/proc/swaps")
_BLOCK_DEVICES = Path("/sys/block")


def swap_on_disk(swaps: Path = _SWAPS, devices: Path = _BLOCK_DEVICES) -> list[str]:
    """Return the files and devices of the disk that memory is swapped to.

    zram is compressed memory; but with a backing device it writes idle pages to that one, which
    ``/proc/swaps`` does not show (kernel documentation, admin-guide/blockdev/zram).
    """
    found = []
    for line in swaps.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        name = line.split()[0]
        if not name.startswith("/dev/zram"):
            found.append(name)
            continue
        backing = devices / Path(name).name / "backing_dev"
        if backing.is_file() and (disk := backing.read_text(encoding="utf-8").strip()) != "none":
            found.append(disk)
    return found
